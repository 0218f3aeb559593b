"""What an option declares at its field: range, choices, and the default that is really used."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from analog_ff.cli.parameters import parameters
from analog_ff.compare import app as compare_app
from analog_ff.config.choices import Choices
from analog_ff.config.config import Config, recommended
from analog_ff.config.presets import BUILDABLE, FORWARD_FORWARD
from analog_ff.config.reading import given
from analog_ff.registry.options import flag, real, whole
from analog_ff.simulate import app, run_app
from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError

KINDS = (Config, SpikingConfig)
NUMBERS = [(kind, f) for kind in KINDS for f in fields(kind) if re.match("int|float", str(f.type))]
CHOSEN = [(kind, f) for kind in KINDS for f in fields(kind) if f.metadata.get("choices")]


def helps(kind: type[Choices]) -> dict[str, str]:
    """Return {field: its line of the help}."""
    return {p.name.removeprefix("no_"): p.default.help for p in parameters(kind)}


@pytest.mark.parametrize(("kind", "declared"), NUMBERS, ids=lambda v: getattr(v, "name", None))
def test_every_number_has_a_range_that_is_checked(kind: type[Choices], declared: Any) -> None:
    """No numeric option without a range at its field; its default lies inside, what lies outside is refused by name."""
    assert {"low", "high"} <= set(declared.metadata), f"{flag(declared.name)} declares no range"
    low, high = declared.metadata["low"], declared.metadata["high"]
    if declared.default is not None:
        assert low <= declared.default <= high
    for beyond in (low - 1, high * 2 if isinstance(high, float) else high + 1):
        if abs(beyond) >= 2**63:  # no whole number of a configuration is as large
            continue
        with pytest.raises(UsageError, match=re.escape(flag(declared.name))):
            kind(**{declared.name: beyond})


@pytest.mark.parametrize(("kind", "declared"), CHOSEN, ids=lambda v: getattr(v, "name", None))
def test_only_the_declared_texts_are_taken(kind: type[Choices], declared: Any) -> None:
    """A text beside the choices is refused with their list and the nearest."""
    known = declared.metadata["choices"]
    assert declared.default in known and len(known) > 1
    with pytest.raises(UsageError, match=f"is one of {re.escape(', '.join(known))}.*did you mean '{known[0]}'"):
        kind(**{declared.name: f"{known[0]}x"})


@pytest.mark.parametrize("who", Config.recipes)
def test_the_help_tells_the_defaults_that_are_used(who: str) -> None:
    """For each device or learner with a recipe of its own: the help has the very value that `recommended` gives."""
    lines = helps(Config)
    option = "device" if who in ("default", "ideal") else "learner"
    usual = recommended({})
    for name, value in recommended({option: who}).items():
        if name == option or isinstance(value, bool) or value == usual.get(name):
            continue
        written = ("x" if name == "tile" else ",").join(map(str, value)) if isinstance(value, tuple) else str(value)
        told = re.search(rf"[;\[] ?{re.escape(written)} with ([^;\]]*)", lines[name])
        plain = value == Config.__dataclass_fields__[name].default
        others = {"--preset plain", "--preset plain or another learner", "--device ideal"} if plain else set()
        assert told is not None and {who, *others} & set(told.group(1).split(", ")), lines[name]


@pytest.mark.parametrize("options", [{}, {"preset": "plain"}])
def test_the_help_tells_the_values_of_the_presets(options: dict[str, str]) -> None:
    """For each value of the preset of the main job: the help has it, and the value that holds with the plain preset."""
    lines, chosen = helps(Config), Config(**recommended(options))
    assert set(BUILDABLE) | set(FORWARD_FORWARD) <= set(Config.usual)
    for name in Config.usual:
        value = getattr(chosen, name)
        on = {True: "on", False: "off"}
        written = on[value] if isinstance(value, bool) else "x".join(map(str, value)) if name == "tile" else str(value)
        place = "with --preset plain" if options and name != "preset" else ""
        assert re.search(rf"[ ;]{re.escape(written)}( {place}|)", lines[name]) and (place in lines[name]), lines[name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--learning-rate", "1e-2V"], "--learning-rate takes a number, without its unit, got '1e-2V'"),
        (["--shift", "1px"], "--shift takes a whole number, got '1px'"),
        (["--retention", "1 h"], r"--retention takes a number \[s\], without its unit, got '1 h'"),
        (["--device", "tab.py"], "tab.py does not exist"),
        (["--device", "one_sided"], 'model = "one_sided"'),
    ],
)
def test_a_wrong_value_is_shown_with_what_would_be_right(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers with a unit, a file without its class, a model for a device: one sentence with the value, status 2."""
    assert run_app(app, [*words, "--data", "toy", "--out", str(tmp_path / "run")]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


def titles(application: Any, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the titles of the groups in a command's help."""
    assert run_app(application, ["--help"]) == 0
    return re.findall(r"^(\w.*):$", capsys.readouterr().out, re.M)


def test_the_help_says_which_choice_reads_a_group_of_options(capsys: pytest.CaptureFixture[str]) -> None:
    """The titles carry the names of the rows that read every option of the group, unless nearly all rows do."""
    said = "\n".join(titles(app, capsys))
    for owned in (
        "recurrent network (--network recurrent)",
        "patches of an image (--network local, convolution)",
        "leaky average in digital memory (--update accumulate, accumulate-int8)",
        "(--learner node-perturbation; --slope node-perturbation)",
    ):
        assert owned in said, said
    assert "Options of the digital softmax read-out\n" in said  # eleven of twelve learners have it


def test_the_help_of_a_comparison_begins_with_what_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """Not with the options that it shares with a run, and the options of the command itself end it."""
    found = titles(compare_app, capsys)
    assert found[0] == "What is compared" and found[-1] == "Options of the command"


def texts(form: str) -> list[str]:
    """Return texts that Python's `int` or `float` takes and no option does."""
    return [
        form.replace("10", other)
        for other in ("1_0", " 10", "10 ", "\u0661\u0660", "\uff11\uff10", "10\n", "0b10", "1" * 2000)
    ]


@pytest.mark.parametrize(
    ("kind", "name", "form"),
    [(Config, "layers", "10"), (Config, "layers", "20,10"), (Config, "tile", "10"), (Config, "tile", "20x10"),
     (Config, "dac", "10"), (Config, "epochs", "10"), (Config, "learning_rate", "10"), (Config, "learning_rate", "10.5"),
     (Config, "learning_rate", "10e-3"), (Config, "blurs", "10"), (SpikingConfig, "tau", "10"), (SpikingConfig, "layers", "10")],
)  # fmt: skip
def test_numbers_are_written_with_plain_digits(kind: type[Choices], name: str, form: str) -> None:
    """One parser for single numbers and lists: no underscores, spaces or digits of other scripts."""
    known = dict.fromkeys(p.name for p in parameters(kind))
    assert given(kind, {**known, name: form})[name] is not None
    for text in texts(form):
        with pytest.raises(UsageError, match=re.escape(flag(name))):
            given(kind, {**known, name: text})


@pytest.mark.parametrize("text", ["nan", "inf", "1e999", "1_0", "1e1_0", "", ".", "1e", "--1"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        real(text)
    with pytest.raises(ValueError, match="no whole number"):
        whole(text)


def test_numbers_as_people_write_them() -> None:
    assert [real(t) for t in ("1", "+.5", "-1.", "1e-05", "2.5E+3")] == [1.0, 0.5, -1.0, 1e-05, 2500.0]
    assert [whole(t) for t in ("0", "-7", "+12", "007")] == [0, -7, 12, 7]
