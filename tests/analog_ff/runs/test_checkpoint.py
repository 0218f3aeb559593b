"""The checkpoint: no damage goes unseen, the one before serves, and nothing is restored that is not the run's own."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.output import whole_files
from analog_ff.output.forms import hdf5
from analog_ff.runs import checkpoint
from analog_ff.runs.checkpoint import NAME, PREVIOUS, DamagedError
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app
from hardware_models.check import RunError, UsageError

SAMPLES = sorted((Path(__file__).resolve().parents[4] / "shared" / "cases" / "readers").glob("checkpoint-*.h5"))
SMALL = {"data": "toy", "layers": (8,), "epochs": 2, "batch": 100, "shift": 0}


class Killed(BaseException):
    """Stands for a kill."""


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was killed after its first epoch: two checkpoints."""
    folder = tmp_path_factory.mktemp("begun") / "run"

    def kill(done: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        execute(Config(**SMALL, out=str(folder)), quiet=True, after_epoch=kill)
    return folder


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return shutil.copytree(begun, tmp_path / "run")


def resume(folder: Path) -> dict[str, Any]:
    """Return the result of a resumed run, its time aside."""
    result, _ = execute(Config(**SMALL, out=str(folder)), resume=True, quiet=True)
    return {k: v for k, v in result.items() if k not in ("wall_seconds", "config")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the result of the run without a kill."""
    result, _ = execute(Config(**SMALL, out=str(tmp_path_factory.mktemp("whole") / "run")), quiet=True)
    return {k: v for k, v in result.items() if k not in ("wall_seconds", "config")}


# --- damage ---


def test_no_bit_flip_is_silent(folder: Path) -> None:
    """Twelve anywhere in the file, one in each part of its head: refused, and HDF5 is not asked."""
    path = folder / NAME
    good = path.read_bytes()
    rng = random.Random(1)
    places = [0, 30, 70, 200, 511, 512, 520, 600, *(rng.randrange(len(good)) for _ in range(12))]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        with pytest.raises(DamagedError, match="damaged|schema"):
            checkpoint.read(folder)
    for length in (0, 1, 511, 512, 513, len(good) - 1):
        path.write_bytes(good[:length])
        with pytest.raises(DamagedError):
            checkpoint.read(folder)
    path.write_bytes(good + b"\0")
    with pytest.raises(DamagedError):
        checkpoint.read(folder)


def test_the_one_before_serves_with_a_warning(
    folder: Path, whole: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """To the bits of the run that was not interrupted; it says what happened in one line."""
    bad = bytearray((folder / NAME).read_bytes())
    bad[len(bad) // 2] ^= 4
    (folder / NAME).write_bytes(bad)
    assert resume(folder) == whole
    err = capsys.readouterr().err
    assert err.startswith("warning:") and "is damaged" in err and PREVIOUS in err and err.count("\n") == 1


def test_a_kill_between_the_two_renamings(
    folder: Path, whole: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The last checkpoint has just become the previous one: nothing is lost, and nothing need be said."""
    (folder / NAME).replace(folder / PREVIOUS)
    assert resume(folder) == whole
    assert capsys.readouterr().err == ""


def test_both_bad_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and the folder stays as it is."""
    for name in (NAME, PREVIOUS):
        data = bytearray((folder / name).read_bytes())
        data[700] ^= 1
        (folder / name).write_bytes(data)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "Traceback" not in err and NAME in err and PREVIOUS in err
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_checkpoint_of_another_run_does_not_serve_for_a_damaged_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both faults are said: the options of config.toml are right and not what is to be mended."""
    execute(Config(**{**SMALL, "seed": 5}, out=str(tmp_path / "other")), quiet=True, keep="all")
    shutil.copy(tmp_path / "other" / PREVIOUS, folder / PREVIOUS)
    data = bytearray((folder / NAME).read_bytes())
    data[700] ^= 1
    (folder / NAME).write_bytes(data)
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert f"{NAME} is damaged" in err and f"{PREVIOUS} is of a run with other options: start the run anew" in err


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem[11:])
def test_checkpoints_that_were_accepted_or_tripped(
    sample: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone each is refused in one sentence; beside the one before they are passed over with a warning."""
    shutil.copy(sample, folder / NAME)
    (folder / PREVIOUS).unlink()
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "checkpoint.h5 is of an earlier version, which wrote no checksum" in err


# --- what is sound, but not of this run ---


def changed(
    array: Callable[[dict[str, Any]], Any] | None = None, fact: Callable[[dict[str, Any]], Any] | None = None
) -> Any:
    """Return a change of (arrays, facts) in place."""
    return lambda arrays, facts: (array(arrays) if array else None, fact(facts) if fact else None)


CHANGES = {
    "an array less": changed(lambda a: a.pop("learner/softmax.weights")),
    "a chip's array less": changed(lambda a: a.pop("chip/layer0.weights.received", None) or a.pop(next(iter(a)))),
    "an array more": changed(lambda a: a.update({"chip/more": np.zeros(3)})),
    "a learner's array more": changed(lambda a: a.update({"learner/more": np.zeros(3)})),
    "another shape": changed(lambda a: a.update({"learner/softmax.weights": a["learner/softmax.weights"][:-1]})),
    "another type": changed(
        lambda a: a.update({n: v.astype(np.float64) for n, v in a.items() if v.dtype == np.float32})
    ),
    "an array of texts": changed(lambda a: a.update({"learner/softmax.weights": np.array(b"text")})),
    "no epoch": changed(fact=lambda f: f.pop("epoch")),
    "an epoch beyond the last": changed(fact=lambda f: f.update(epoch=3)),
    "half an epoch": changed(fact=lambda f: f.update(epoch=0.5)),
    "an epoch that is true": changed(fact=lambda f: f.update(epoch=True)),
    "images of a text": changed(fact=lambda f: f.update(images="many")),
    "too many images": changed(fact=lambda f: f.update(images=10**400)),
    "metrics of a number": changed(fact=lambda f: f.update(metrics=3)),
    "a line too few": changed(fact=lambda f: f.update(metrics=[])),
    "a line without its error": changed(fact=lambda f: f["metrics"][0].pop("softmax_error_percent")),
    "a text in a line": changed(fact=lambda f: f["metrics"][0].update(seconds="long")),
    "a phase that is not one": changed(fact=lambda f: f["ledger"].update(sleep={"0": {"counts": {}, "integrals": {}}})),
    "a count below 0": changed(fact=lambda f: f["ledger"]["learn"]["0"]["counts"].update({"write.selected": -1})),
    "an unknown count": changed(fact=lambda f: f["ledger"]["learn"]["0"]["counts"].update({"write.nothing": 1})),
    "an infinite integral": changed(fact=lambda f: f["ledger"]["learn"]["0"]["integrals"].update(time=float("inf"))),
    "no ledger": changed(fact=lambda f: f.update(ledger=None)),
    "inputs of a list": changed(fact=lambda f: f.update(inputs_sha256=[])),
    "facts of nothing": changed(fact=lambda f: f.clear()),
}


@pytest.mark.parametrize("what", CHANGES)
def test_under_a_valid_seal_only_a_state_of_the_run_is_taken(what: str, folder: Path) -> None:
    """One sentence; the sets, types and shapes of arrays are those of the run, the facts are what it writes down."""
    arrays, facts = checkpoint.read(folder)
    CHANGES[what](arrays, facts)
    checkpoint.write(folder, arrays, facts)
    (folder / PREVIOUS).unlink()
    with pytest.raises(UsageError, match="cannot be read as a checkpoint of this run") as caught:
        resume(folder)
    assert "\n" not in str(caught.value)


def test_a_sealed_file_that_is_no_checkpoint(folder: Path) -> None:
    """HDF5 without facts, no HDF5 at all."""
    empty = io.BytesIO()
    hdf5(empty, lambda file: None)
    for image in (empty.getvalue(), b"no HDF5", b""):
        whole_files.write(folder / NAME, checkpoint._seal(hashlib.sha256(image).hexdigest()) + image)
        with pytest.raises(DamagedError, match="cannot be read as a checkpoint"):
            checkpoint.read(folder)


def test_other_tools_read_it(folder: Path) -> None:
    """The seal is HDF5's user block."""
    with h5py.File(folder / NAME) as file:
        assert file.userblock_size == checkpoint.SEAL and json.loads(file.attrs["facts"])["epoch"] == 1


def test_a_failed_write_keeps_both(tmp_path: Path) -> None:
    """The last stays the last, the previous the previous, and nothing lies beside them."""
    for epoch in (1, 2):
        checkpoint.write(tmp_path, {"a": np.arange(3)}, {"epoch": epoch})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(descriptor: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(RunError, match=r"could not be written \(No space"):
        patch.setattr(whole_files.os, "write", full)
        checkpoint.write(tmp_path, {"a": np.arange(3)}, {"epoch": 3})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert [checkpoint.read(tmp_path, name)[1]["epoch"] for name in (NAME, PREVIOUS)] == [2, 1]
