"""Runs with boxes from outside stop in one sentence; a resumed run ends with the same bits, or says that it does not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import outside_boxes
import pytest
from kills import OPTIONS, left_in

from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.chip.foreign_port import ForeignPort
from hardware_models.keys import Key
from hardware_models.port import MissingPinError, SealedChipError

ROOT = Path(__file__).resolve().parents[3]
SMALL = {"preset": "plain", "data": "toy", "layers": (8,), "epochs": 2, "batch": 50, "shift": 0}
KEY = Key(0, "pins")
NO_CC = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes as boxes need POSIX")
SERVED = """
import sys
sys.path[:0] = {path!r}
from hardware_models.chip import Chip
from hardware_models.chip.served import serve_chip
serve_chip(Chip("ideal", {shapes!r}), repeatable={repeatable})
"""


def neurons(what: str, number: int = 1) -> str:
    """Return the place of a box of neurons."""
    return f"process:{sys.executable} -S {outside_boxes.__file__} {what} {number}"


@pytest.fixture(scope="module")
def chip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the place of the chip in C, compiled."""
    program = tmp_path_factory.mktemp("chip") / "chip"
    subprocess.run(["cc", "-O1", "-o", program, ROOT / "examples" / "chip_in_c.c", "-lm"], check=True)
    return f"process:{program}"


@pytest.mark.parametrize("what", ["dies", "nan", "late", "garbage", "shape"])
def test_a_run_stops_in_one_sentence_and_goes_on_with_a_sound_box(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fault comes in the second epoch; the program is then repaired, under the same name, outside of the run's inputs."""
    box = tmp_path / "box"
    box.mkdir()
    for name in (what, "good"):
        (box / name).write_text(
            f"exec {sys.executable} -S {outside_boxes.__file__} {name} {20 if name == what else 1}\n"
        )
    wire = tmp_path / "wire"
    wire.symlink_to(box / what)
    place = f"process:sh -c '. {wire}'"
    options = [*OPTIONS, "--nonlinearity", place, "--answer-within", "2", "--out", str(tmp_path / "run")]
    assert run_app(app, options) == 1
    err = capsys.readouterr().err
    assert err.count("error: ") == 1 and outside_boxes.WRONG[what] in " ".join(err.split()) and "Traceback" not in err
    assert (tmp_path / "run" / "checkpoint.h5").exists() and not (tmp_path / "run" / "result.json").exists()
    wire.unlink()
    wire.symlink_to(box / "good")
    assert run_app(app, [*options, "--resume"]) == 0
    assert run_app(app, [*options[:-1], str(tmp_path / "whole")]) == 0
    assert left_in(tmp_path / "run") == left_in(tmp_path / "whole")


def test_neurons_that_are_not_repeatable_are_resumed_and_said_to_be_so(tmp_path: Path) -> None:
    result, _ = execute(Config(**SMALL, nonlinearity=neurons("noisy"), out=str(tmp_path / "a")), quiet=True)
    assert result["repeatable"] is False
    result, _ = execute(Config(**SMALL, nonlinearity=neurons("remembers"), out=str(tmp_path / "b")), quiet=True)
    assert "repeatable" not in result


def test_a_program_that_was_edited_is_another_box(tmp_path: Path) -> None:
    """The files that a command names are inputs of the run."""
    program = tmp_path / "mine.py"
    program.write_text(Path(outside_boxes.__file__).read_text())
    place = f"process:{sys.executable} -S {program} dies 8"
    config = Config(**SMALL, nonlinearity=place, out=str(tmp_path / "run"))
    with pytest.raises(RunError, match="SIGKILL"):
        execute(config, quiet=True)
    program.write_text(program.read_text() + "\n")
    with pytest.raises(UsageError, match="other contents of program mine.py"):
        execute(config, resume=True, quiet=True)


def test_neurons_of_a_chip_in_another_process(tmp_path: Path) -> None:
    """Behind the port of a process the box is a process of that process, and the results are the same."""
    local, _ = execute(Config(**SMALL, nonlinearity=neurons("good"), out=str(tmp_path / "a")), quiet=True)
    far, _ = execute(Config(**SMALL, nonlinearity=neurons("good"), port="process", out=str(tmp_path / "b")), quiet=True)
    assert far["test_error_percent_by_readout"] == local["test_error_percent_by_readout"]
    assert far["events"] == local["events"] and far["inputs_sha256"] == local["inputs_sha256"]


@NO_CC
def test_a_chip_in_c_keeps_its_promises(chip: str) -> None:
    """What was programmed is read, within its steps; pulses move it; what is saved is restored; a pin it has not is missing."""
    with ForeignPort(chip, "memristor", [(9, 4), (5, 3)], wishes={"chip_seed": 3, "weight_range": 4.0}) as port:
        assert port.shapes == ((9, 4), (5, 3)) and port.repeatable and port.datasheet[1].neurons == 3
        wanted = np.linspace(-1.0, 1.0, 36).reshape(9, 4)
        port.program(0, wanted, key=KEY)
        found, events = port.read(0, np.eye(9), key=KEY)
        # Each step has its own size, up to 40 % from the nominal one, and the number of steps is rounded.
        assert (np.abs(found - wanted) <= 0.41 * np.abs(wanted) + port.datasheet[0].weight_step).all()
        assert events["reads.columns"] == 2 * 9 * 4
        state = port.save()
        moved = port.fire_cells(0, np.full((9, 4), 3), key=KEY)
        assert moved["write.selected"] == 108
        assert (port.read(0, np.eye(9), key=KEY)[0] > found).all()
        port.restore(state)
        assert np.array_equal(port.read(0, np.eye(9), key=KEY)[0], found)
        assert (port.observe(0, np.eye(9), bias=5.0, key=KEY)[0] > port.observe(0, np.eye(9), key=KEY)[0]).all()
        with pytest.raises(MissingPinError, match="no pin 'transposed'"):
            port.observe_transposed(0, np.ones((1, 4)), key=KEY)
        with pytest.raises(SealedChipError):
            _ = port.oracle
        with pytest.raises(UsageError, match="finite"):
            port.observe(0, np.full((1, 9), np.nan), key=KEY)
        with pytest.raises(RunError, match="has ended with status 3, after it had written: x has another shape"):
            port.observe(0, np.ones((1, 8)), key=KEY)


@NO_CC
def test_a_run_on_a_chip_in_c_that_was_killed_ends_with_the_same_bits(
    chip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {**SMALL, "port": chip}
    execute(Config(**config, out=str(tmp_path / "whole")), quiet=True)
    calls: list[int] = []
    asked = ForeignPort.observe

    def last(port: ForeignPort, *args: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 20:
            port._line.link._process.kill()  # type: ignore[attr-defined]
        return asked(port, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ForeignPort, "observe", last)
    with pytest.raises(RunError, match="has ended, killed by SIGKILL"):
        execute(Config(**config, out=str(tmp_path / "run")), quiet=True)
    monkeypatch.undo()
    execute(Config(**config, out=str(tmp_path / "run")), resume=True, quiet=True)
    assert left_in(tmp_path / "run") == left_in(tmp_path / "whole")


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_chip_of_this_project_served_as_if_from_outside(repeatable: bool, tmp_path: Path) -> None:
    """`serve_chip` behind a command gives the bits of the chip here, and says whether it repeats."""
    shapes = [(5, 3)]
    text = SERVED.format(path=[str(ROOT)], shapes=shapes, repeatable=repeatable)
    (tmp_path / "mine.py").write_text(text)
    with ForeignPort(f"process:{sys.executable} {tmp_path}/mine.py", "ideal", shapes) as far:
        here = Chip("ideal", shapes)
        x = np.random.default_rng(0).random((4, 5)).astype(np.float32)
        for port in (far, here):
            port.program(0, np.full((5, 3), 0.25), key=KEY)
            port.fire(0, np.ones((2, 5), bool), np.ones((2, 3), bool), 1, key=KEY)
        for one, other in zip(far.observe(0, x, bias=0.5, key=KEY), here.observe(0, x, bias=0.5, key=KEY), strict=True):
            assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
        assert far.repeatable is repeatable and far.wait(2.0, key=KEY) == here.wait(2.0, key=KEY)
        with pytest.raises(UsageError, match="has layers"):
            ForeignPort(f"process:{sys.executable} {tmp_path}/mine.py", "ideal", [(6, 3)])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "proces"], "did you mean 'process'"),
        (["--port", "tcp://10.0.0.1:5"], "on this machine alone"),
        (["--port", "process:x", "--stuck-low", "0.1"], "--stuck-low belongs to a chip that this project simulates"),
        (["--port", "process:x", "--nonlinearity", "tanh"], "--nonlinearity belongs to a chip"),
        (["--answer-within", "3"], "leave it out"),
        (["--port", "process:/no/such"], "cannot be started"),
        (["--nonlinearity", "lookup:none.csv"], "does not exist"),
    ],
)
def test_wrong_choices_are_refused(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(app, [*OPTIONS, *options, "--out", str(tmp_path / "run")]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert said in err and err.count("error: ") == 1 and not (tmp_path / "run").exists()


def test_a_chip_from_outside_is_not_made_to_age() -> None:
    """The device that prices its counts says nothing of how it ages."""
    with pytest.raises(UsageError, match="a chip from outside has its own clock: leave --ages out"):
        Config(**SMALL, port="process:any", ages="1h")


def test_the_time_for_an_answer_is_no_part_of_a_run() -> None:
    """A run may be resumed with a longer time."""
    short, long = (Config(**SMALL, nonlinearity=neurons("good"), answer_within=t) for t in (1.0, None))
    assert short.digest() == long.digest() and json.loads(json.dumps(short.as_dict()))["answer_within"] == 1.0


@pytest.mark.parametrize(
    ("further", "why"),
    [
        ({"chips": "per-layer"}, "one chip at a time"),
        ({"program_to": "memristor"}, "one chip at a time"),
        ({"box_strength": 0.5}, "answer alone"),
        ({"layers": (8, 8), "box_place": "between"}, "inside the layers"),
    ],
)
def test_a_server_answers_one_chip_and_alone_and_inside_its_layers(further: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Config(**{**SMALL, **further, "nonlinearity": "tcp://127.0.0.1:5025"})
