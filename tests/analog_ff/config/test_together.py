"""Options that would do nothing are refused; who reads an option is computed from the tables' rows."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.config.together import owners, tables, unread
from analog_ff.learners import LEARNERS
from analog_ff.registry.options import flag
from hardware_models.check import UsageError

OPTIONS = {f.name: f for f in fields(Config)}
OWNED = owners(Config)
BESIDE = {
    "box_place": {"nonlinearity": "random"},
    "box_strength": {"nonlinearity": "random"},
    "drive_rounding": {"drive_bits": 2},
    "decay_every": {"weight_decay": 0.1},
    "endurance_spread": {"endurance": 9.0},
    "failure_high": {"failure_time": 1e6},
    "chip_temperature": {"johnson_noise": True},
    "calibration_reads": {"calibrate": "offset", "adc_offset": 1.0},
    "wire_resistance": {"wires": "exact"},
    "wire_tolerance": {"wires": "refreshed"},
    "current_margin": {"line_groups": "auto"},
    "winners": {"goodness": "top-k"},
    "collaborators": {"collaboration": 1.0},
    "cancel_every": {"cancel": "inversion", "update": "capacitor"},
    "zero_pulses": {"cancel": "zero-shift", "update": "tiki-taka"},
    "consolidate_share": {"consolidate": 1},
    "consolidate_every": {"consolidate": 1},
}


def other(f: Field[Any]) -> Any:
    """Return a value of an option that is not its default."""
    said = f.metadata
    if isinstance(f.default, bool):
        return not f.default
    if said["table"] or said["choices"]:
        return next(name for name in said["table"] or said["choices"] if name != f.default)
    if "low" not in said:
        return "ideal" if "str" in str(f.type) else (3,)
    whole = str(f.type).startswith("int")
    near = [said["low"] + (1 if whole else 0.1), said["low"] + (2 if whole else 0.2)]
    return next(one for one in near if one != f.default)


def given(**options: Any) -> Config:
    return Config(**recommended({"preset": "plain", **options}))


@pytest.mark.parametrize("name", sorted(OWNED))
def test_an_option_that_no_chosen_kind_reads_is_refused(name: str) -> None:
    """With every learner whose choices do not read it, by its flag; with an owner it is taken."""
    value = other(OPTIONS[name])
    assert value != OPTIONS[name].default
    beside = BESIDE.get(name, {})
    idle = [one for one in LEARNERS if name in unread(Config, {"learner": one, name: value})]
    for learner in idle:
        with pytest.raises(UsageError, match=f"has no {flag(name)}: leave {flag(name)} out"):
            given(learner=learner, **{name: value})
    choosing, names = next(iter(OWNED[name].items()))
    config = given(**{choosing: names[0], name: value, **beside})
    assert getattr(config, name) == value
    choosing_rows = tables(Config)[choosing]
    if choosing != "learner" and set(names) != set(choosing_rows):
        stranger = next(one for one in choosing_rows if one not in names)
        with pytest.raises(UsageError, match=f"{flag(name)} belongs to .*{names[0]}"):
            given(
                **{choosing: stranger, name: value, **{n: v for n, v in beside.items() if n not in {*OWNED, choosing}}}
            )


@pytest.mark.parametrize("name", [f.name for f in fields(Config) if f.metadata["beside"]])
def test_an_option_that_needs_another_beside_it_says_so(name: str) -> None:
    """A share of drive bits without drive bits, a spread of an endurance without one: refused, and taken beside it."""
    partner = OPTIONS[name].metadata["beside"]
    with pytest.raises(UsageError, match=f"{flag(name)} needs {flag(partner)} beside it"):
        given(**{name: other(OPTIONS[name])}, **{n: v for n, v in BESIDE[name].items() if n == "update"})
    assert given(**{name: other(OPTIONS[name]), **BESIDE[name]})


def test_every_option_is_general_or_read_by_a_kind() -> None:
    """No option that rows declare is forgotten; what rows name exists."""
    assert set(OWNED) <= set(OPTIONS)
    assert all(name in OPTIONS for row in LEARNERS.values() for name in (*row.recipe, *row.only))


def test_recipes_are_no_choices_that_do_nothing() -> None:
    """The learning rate of a device's recipe is not refused for frozen layers, which have none."""
    assert given(device="ideal", learner="random-features").learning_rate == 0.02
    with pytest.raises(UsageError, match="random-features has no --learning-rate: leave"):
        given(device="ideal", learner="random-features", learning_rate=0.3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"learner": "random-features", "update": "nan"}, "no update 'nan'"),
        ({"learner": "pepita", "update": "coincidence"}, "pulse trains have none: choose --update accumulate"),
        ({"learner": "backprop", "sealed": True}, "choose --learner backprop-nominal"),
        ({"learner": "backprop", "network": "recurrent"}, "trains a stack: choose --network stack"),
        (
            {"learner": "pepita", "schedule": "pipelined"},
            "learns from every batch at once: choose --schedule interleaved",
        ),
        (
            {"readout": "output"},
            "has no output layer, and no groups of neurons that compete: choose --readout softmax or energy",
        ),
        ({"update": "coincidence", "momentum": 0.5}, "--momentum belongs to --update accumulate or accumulate-int8"),
    ],
)
def test_values_with_which_a_kind_does_not_work(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        given(**options)


NEW = '''
"""A learner of one file and one row: frozen layers whose read-out forgets."""
import sys
from dataclasses import dataclass

from analog_ff.registry.options import option

if __name__ == "__main__":
    import analog_ff.learners as learners
    from analog_ff.registry.rows import LearnerKind, Only

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """Options of forgetting."""

        forgetting: float = option(0.1, "share of the read-out that a batch forgets [1]", low=0.0, high=1.0)

    row = LearnerKind("hebbian:Forgetful", "a read-out that forgets", options=(learners.ReadoutOptions, Options),
                      recipe={"readout_rate": 0.2}, only={"readout": Only(("softmax",), "has no goodness")})
    learners.LEARNERS = {**learners.LEARNERS, "forgetful": row}
    import contextlib, io, json

    from analog_ff.simulate import app, run_app

    answers = []
    for words in json.loads(sys.argv[1]):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run_app(app, words)
        answers.append([status, out.getvalue(), err.getvalue()])
    print(json.dumps(answers))
else:
    from analog_ff.learners.random_features import RandomFeatures

    class Forgetful(RandomFeatures):
        name = "forgetful"

        def __init__(self, network, *, forgetting, **shared):
            super().__init__(network, **shared)
            self.forgetting = forgetting

        def step(self, images, labels, *, step, gain, moment=None):
            self.softmax.weights *= 1.0 - self.forgetting
            return super().step(images, labels, step=step, gain=gain, moment=moment)
'''


@pytest.mark.slow
def test_a_new_learner_with_an_option_is_one_file_and_one_row(tmp_path: Path) -> None:
    """The command knows it, its option, its recipe and its help; the option is refused elsewhere with nobody's help."""
    (tmp_path / "hebbian.py").write_text(NEW)
    small = ["--data", "toy", "--layers", "8", "--epochs", "1", "--preset", "plain", "--json"]

    commands = [
        ["--learner", "forgetful", "--forgetting", "0.5", *small, "--out", "a"],
        ["--forgetting", "0.5", *small, "--out", "b"],
        ["--learner", "forgetful", "--forgetting", "5", *small, "--out", "c"],
        ["--learner", "forgetful", "--negatives", "random", *small, "--out", "d"],
        ["--help"],
    ]
    whole = [sys.executable, "hebbian.py", json.dumps(commands)]
    done = subprocess.run(whole, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (status, out, err), refused, beyond, idle, (_, help_text, _) = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, err
    config = json.loads(out)["config"]
    assert (config["forgetting"], config["readout_rate"]) == (0.5, 0.2)
    assert refused[0] == 2 and "--forgetting belongs to --learner forgetful" in refused[2]
    assert beyond[0] == 2 and "[0, 1] for --forgetting" in beyond[2]
    assert idle[0] == 2 and "--negatives" in idle[2]
    words = " ".join(help_text.split())
    assert "forgetful (a read-out that forgets)" in words and "share of the read-out that a batch forgets" in words
