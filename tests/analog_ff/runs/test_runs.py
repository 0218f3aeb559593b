"""Runs: configuration file, checkpoint, measures of the result, and what the command does when it is interrupted."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import RECIPES, Config
from analog_ff.runs import checkpoint
from analog_ff.runs.execute import execute
from analog_ff.runs.interrupt import Interruptible
from analog_ff.runs.results import memory_left
from analog_ff.simulate import app, run_app
from hardware_models.check import RunError, UsageError

SMALL = {"data": "toy", "layers": (12,), "epochs": 2, "batch": 50, "shift": 0}
OPTIONS = ["--data", "toy", "--layers", "12", "--batch", "50", "--shift", "0"]


# --- the command without the numerical libraries ---


def test_help_imports_no_numerical_library() -> None:
    """Help is quick because nothing heavy is imported; the test looks at sys.modules, not at a clock."""
    heavy = ("numba", "scipy", "sklearn", "matplotlib", "h5py", "brian2", "mlxtend")
    code = (
        "import sys, analog_ff.__main__\n"
        "from analog_ff.simulate import app, run_app\n"
        "status = run_app(app, ['--help'])\n"
        f"print([m for m in {heavy!r} if m in sys.modules], status, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[] 0" and "--device" in done.stdout


def test_the_defaults_that_help_shows_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    """A tile is shown in the form in which it is read."""
    assert run_app(app, ["--help"]) == 0
    assert "256x256" in capsys.readouterr().out


# --- configuration ---


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dac": None, "adc": None, "tile": (17, 33), "layers": (3, 2, 1), "data_dir": "a \"b\" \\ c\nd\te"},
        {"out": "naïve/🙂\x7f", "learning_rate": 1e-7, "weight_range": 1e5, "sealed": True, "seed": 2**63 - 1},
        *RECIPES.values(),
    ],
)  # fmt: skip
def test_a_configuration_survives_its_file(changes: dict, tmp_path: Path) -> None:
    """Written and read back, every choice is the same, whatever the letters of a path."""
    config = Config(**changes)
    text = config.to_toml({"numpy": "1.2.3"})
    assert tomllib.loads(text)["versions"] == {"numpy": "1.2.3"}
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    again = Config.from_toml(tmp_path / "config.toml")
    assert again == config and again.digest() == config.digest()


def test_the_digest_knows_every_choice_but_places() -> None:
    """Two runs share a digest exactly if they differ in nothing but where files are."""
    base = Config()
    assert Config(out="x", data_dir="y").digest() == base.digest()
    others = [Config(seed=1), Config(chip_seed=1), Config(momentum=0.5), Config(dac=None), Config(layers=(500,))]
    assert len({c.digest() for c in (base, *others)}) == 6


def test_a_damaged_configuration_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One sentence, status 2."""
    for content, sentence in (
        (b"seed = ", "cannot be read as a run's configuration"),
        (b"\xff\xfe", "is not UTF-8 text (line 1)"),
    ):
        (tmp_path / "config.toml").write_bytes(content)
        assert run_app(app, ["--resume", "--out", str(tmp_path)]) == 2
        err = capsys.readouterr().err
        assert sentence in err and err.count("\n") == 1


# --- run folder ---


def test_a_run_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file in the way is a usage error, not a fault of the program."""
    (tmp_path / "file").write_text("mine")
    for out in ("file", "file/run"):
        assert run_app(app, [*OPTIONS, "--epochs", "1", "--out", str(tmp_path / out)]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and captured.err.count("\n") == 1 and "--out" in captured.err
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "mine"


def test_the_disk_fails_in_the_middle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The run stops with a RunError, and the checkpoint before stays whole."""
    config = Config(**SMALL, out=str(tmp_path / "run"))
    write = checkpoint.write

    def full(folder: Path, arrays: dict, facts: dict, **named: Any) -> None:
        if facts.get("epoch") == 2:
            raise OSError(28, "No space left on device")
        write(folder, arrays, facts, **named)

    monkeypatch.setattr(checkpoint, "write", full)
    with pytest.raises(RunError, match="No space left"):
        execute(config, quiet=True)
    assert checkpoint.read(tmp_path / "run")[1]["epoch"] == 1


def test_an_interruption_before_the_metrics_are_written(tmp_path: Path) -> None:
    """metrics.csv is made again from the checkpoint, even if no epoch is left to train."""
    folder = tmp_path / "run"
    config = Config(**SMALL, out=str(folder))
    execute(config, quiet=True)
    metrics = (folder / "metrics.csv").read_bytes()
    result = json.loads((folder / "result.json").read_text())
    (folder / "metrics.csv").unlink()
    (folder / "result.json").unlink()
    again, _ = execute(config, resume=True, quiet=True)
    assert (folder / "metrics.csv").read_bytes() == metrics
    assert {k: v for k, v in again.items() if k != "wall_seconds"} == {
        k: v for k, v in result.items() if k != "wall_seconds"
    }
    (folder / "result.json").write_text("{")
    with pytest.raises(UsageError, match="remove it"):
        execute(config, resume=True, quiet=True)


# --- checkpoint ---

ARRAYS = {"chip/a": np.arange(2000.0), "learner/b": np.array(1.5), "learner/none": np.empty((0, 3), np.float32)}


def test_a_checkpoint_keeps_bits_types_and_shapes(tmp_path: Path) -> None:
    """Also facts far larger than an HDF5 attribute's 64 kB."""
    facts = {"metrics": [{"x": i * 1.1} for i in range(20_000)], "big": 2**80}
    checkpoint.write(tmp_path, ARRAYS, facts)
    arrays, again = checkpoint.read(tmp_path)
    assert again == facts and set(arrays) == set(ARRAYS)
    for name, value in ARRAYS.items():
        got = np.asarray(arrays[name])
        assert got.dtype == value.dtype and got.shape == value.shape and got.tobytes() == value.tobytes()


def test_a_failed_write_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    """The file is replaced as a whole or not at all."""
    checkpoint.write(tmp_path, ARRAYS, {"epoch": 1})
    before = (tmp_path / checkpoint.NAME).read_bytes()
    with pytest.raises(TypeError):
        checkpoint.write(tmp_path, ARRAYS | {"z": np.array([object()])}, {"epoch": 2})
    assert (tmp_path / checkpoint.NAME).read_bytes() == before


def test_damage_anywhere_is_one_sentence_or_none(tmp_path: Path) -> None:
    """Truncated anywhere or overwritten in its structure, a checkpoint is read or refused, never a traceback."""
    checkpoint.write(tmp_path, ARRAYS, {"epoch": 1})
    path = tmp_path / checkpoint.NAME
    good = path.read_bytes()
    rng = random.Random(0)
    refused = 0
    for trial in range(200):
        bad = bytearray(good)
        start = rng.randrange(len(good) if trial % 2 else 6000)
        if trial % 2:
            del bad[start:]
        else:
            bad[start : start + 100] = rng.randbytes(len(bad[start : start + 100]))
        path.write_bytes(bad)
        try:
            checkpoint.read(tmp_path)
        except UsageError:
            refused += 1
        else:
            assert trial % 2 == 0  # HDF5 notices every truncation, not every changed number
    assert refused >= 100


# --- measures ---


@pytest.mark.parametrize(("pulses", "left"), [(0, 1.0), (20, 1 - 12 * 20 * 0.037**2), (61, 0.0), (1e9, 0.0)])
def test_memory_left(pulses: float, left: float) -> None:
    """1 - 12 P sigma², nothing once the noise has the variance 1/12 of a uniform distribution (61 pulses of 3.7 %)."""
    assert memory_left(pulses, 0.037) == pytest.approx(left, abs=1e-12)
    assert memory_left(pulses, 0.0) == 1.0


# --- interruption ---


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("who", ["Python", "a library"])
def test_control_c_is_held_back_to_a_safe_place(who: str, request: pytest.FixtureRequest) -> None:
    """The first waits for the check, the second does not; the handler before is put back."""

    def of_a_library(number: int, frame: Any) -> None:
        signal.default_int_handler(number, frame)

    handler = signal.default_int_handler if who == "Python" else of_a_library
    # Whoever runs the tests may have set another handler, or ignore the signal.
    before = signal.signal(signal.SIGINT, handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))

    class Callback:
        def __del__(self) -> None:  # Python swallows what is raised here
            os.kill(os.getpid(), signal.SIGINT)

    done = []
    with pytest.raises(KeyboardInterrupt), Interruptible() as interruption:
        interruption.check()
        callback = Callback()
        del callback
        done.append("the batch")
        interruption.check()
        done.append("never")
    with pytest.raises(KeyboardInterrupt), Interruptible():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        done.append("never")
    with pytest.raises(KeyboardInterrupt), Interruptible():
        os.kill(os.getpid(), signal.SIGINT)  # nobody checks: the end of the block does
    assert done == ["the batch"] and signal.getsignal(signal.SIGINT) is handler


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_an_ignored_control_c_stays_ignored(request: pytest.FixtureRequest) -> None:
    """A shell may start its background jobs with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with Interruptible() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        interruption.check()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_control_c_says_how_to_go_on(tmp_path: Path) -> None:
    """Status 130, one sentence, nothing on standard output; the run can be resumed."""
    run = tmp_path / "run"
    command = [sys.executable, "-m", "analog_ff.simulate", *OPTIONS, "--epochs", "100000", "--out", str(run), "--json"]
    # A shell may start its background jobs with SIGINT ignored, and ignored signals are inherited.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while not (run / "metrics.csv").exists() and time.monotonic() < end:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130 and out == "" and "--resume" in err and "Traceback" not in err
    assert checkpoint.read(run)[1]["epoch"] >= 1
