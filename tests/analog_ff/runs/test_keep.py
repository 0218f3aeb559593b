"""What a run leaves on the disk, and what its checkpoints leave out: a stopped run goes on with the same bits in every case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.runs import cells, checkpoint, fabricated
from analog_ff.runs.execute import KEEP, execute
from analog_ff.runs.train import Run
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from tests.kills import SMALL, begun, killed, killed_run, left_in

STATE = {"device": "memristor", "layers": (40,)}
BIG = (checkpoint.NAME, checkpoint.PREVIOUS, fabricated.NAME, cells.NAME)


@pytest.mark.parametrize(
    ("keep", "stay"), [("none", ()), ("last", (checkpoint.NAME, cells.NAME)), ("all", BIG)], ids=["none", "last", "all"]
)
def test_what_stays_at_the_end(keep: str, stay: tuple[str, ...], tmp_path: Path) -> None:
    """Before the end all checkpoints are there; the picture and the result stay in every case."""
    folder = tmp_path / "run"
    config = begun(folder, **STATE)
    assert {name for name in BIG if (folder / name).exists()} == {checkpoint.NAME, fabricated.NAME}
    execute(config, resume=True, quiet=True, keep=keep)
    assert {name for name in BIG if (folder / name).exists()} == set(stay)
    assert (folder / "cells.png").exists() and (folder / "result.json").exists()


@pytest.mark.parametrize("keep", sorted(KEEP))
def test_stopped_while_files_are_removed_it_goes_on(keep: str, tmp_path: Path) -> None:
    """At each removal and at the result: what is there then is enough for the same end."""
    whole = tmp_path / "whole"
    execute(Config(**{**begun(tmp_path / "first", **STATE).as_dict(), "out": str(whole)}), quiet=True, keep=keep)
    for number in range(1, len(KEEP[keep]) + 1):
        folder = tmp_path / f"stopped{number}"
        config = begun(folder, **STATE)
        patch = killed(Path, "unlink", number)
        try:
            killed_run(config, patch, resume=True)
        finally:
            patch.undo()
        result, _ = execute(config, resume=True, quiet=True, keep=keep)
        assert result["events"] == json.loads((whole / "result.json").read_text())["events"]


def test_another_choice_is_one_sentence_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is computed."""
    assert run_app(app, ["--preset", "plain", "--data", "toy", "--keep", "lst", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "--keep" in said and "last" in said and said.count("\n") == 1 and not (tmp_path / "run").exists()


def test_a_run_without_checkpoint_is_not_extended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence that says why, and nothing changes."""
    folder = tmp_path / "run"
    execute(begun(tmp_path / "run"), resume=True, quiet=True, keep="none")
    before = (folder / "result.json").read_bytes()
    assert run_app(app, ["--resume", "--epochs", "3", "--out", str(folder)]) == 2
    assert "holds no checkpoint.h5 to extend the run from (--keep none" in " ".join(capsys.readouterr().err.split())
    assert (folder / "result.json").read_bytes() == before


def test_checkpoints_leave_out_what_is_as_fabricated(tmp_path: Path) -> None:
    """Factors and bounds of a memristor; conductances, pulses and the average are in the checkpoint, and nothing is lost."""
    folder = tmp_path / "run"
    begun(folder, **STATE)
    arrays, facts = checkpoint.read(folder)
    left_out = {name.rpartition(".")[2] for name in facts["fabricated"] if "state." in name}
    assert left_out == {"factor_up", "factor_down", "low", "high"}
    assert {"chip/layer0.main.state.g", "chip/layer0.main.received"} <= set(arrays)
    stored, _ = checkpoint.read(folder, fabricated.NAME)
    for name, known in facts["fabricated"].items():
        assert name not in arrays and fabricated.digest(stored[name]) == known


def test_whole_numbers_are_packed(tmp_path: Path) -> None:
    """A checkpoint of counts is a fraction of their size; floats stand as they are."""
    rng = np.random.default_rng(0)
    counts, values = rng.integers(0, 20, 100_000, dtype=np.int32), rng.random(100_000)
    checkpoint.write(tmp_path, {"counts": counts, "values": values}, {})
    size = (tmp_path / checkpoint.NAME).stat().st_size
    assert size < 0.3 * counts.nbytes + 1.01 * values.nbytes + 10_000
    arrays, _ = checkpoint.read(tmp_path)
    assert np.array_equal(arrays["counts"], counts) and np.array_equal(arrays["values"], values)


@pytest.mark.parametrize("sound", [True, False])
def test_on_a_machine_that_fabricates_other_cells(sound: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cells come from fabricated.h5, to the same end; without it the run is refused in one sentence."""
    folder = tmp_path / "run"
    config = begun(folder, **STATE)
    execute(begun(tmp_path / "whole", **STATE), resume=True, quiet=True)
    if not sound:
        data = bytearray((folder / fabricated.NAME).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / fabricated.NAME).write_bytes(data)
    built = Chip.__init__

    def otherwise(chip: Chip, *args: Any, **options: Any) -> None:
        built(chip, *args, **options)
        for array in chip._arrays.values():
            array.state._asdict()["factor_up"][:] *= np.float32(1.0000001)

    monkeypatch.setattr(Chip, "__init__", otherwise)
    if not sound:
        with pytest.raises(UsageError, match=r"cannot be fabricated again.*no sound fabricated\.h5") as caught:
            execute(config, resume=True, quiet=True)
        assert "\n" not in str(caught.value)
        return
    execute(config, resume=True, quiet=True)
    ends = [left_in(tmp_path / name) for name in ("run", "whole")]
    assert ends[0] == ends[1]


def test_a_checkpoint_of_schema_2_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds every array and says nothing of what was left out."""
    monkeypatch.setattr(fabricated, "LEAST", 2**60)
    monkeypatch.setattr(checkpoint, "SCHEMA", 2)
    monkeypatch.setattr(checkpoint._seal, "__defaults__", (2,))
    facts = Run.facts
    folder = tmp_path / "run"
    config = begun(folder, **STATE)
    arrays, kept = checkpoint.read(folder)
    del kept["fabricated"]
    checkpoint.write(folder, arrays, kept, previous=None)
    assert b"schema 2," in (folder / checkpoint.NAME).read_bytes()[:64] and facts is Run.facts
    monkeypatch.undo()
    execute(config, resume=True, quiet=True)
    execute(begun(tmp_path / "whole", **STATE), resume=True, quiet=True)
    assert left_in(folder) == left_in(tmp_path / "whole")


def test_state_without_copies_is_the_chips_own() -> None:
    """Arrays of the cells are shared with ``copy=False`` and equal in both; a copy does not change with the chip."""
    chip = Chip("memristor", [(30, 20)], tile=(16, 16))
    own, apart = chip.save(copy=False), chip.save()
    assert set(own) == set(apart) and all(np.array_equal(own[name], apart[name]) for name in own)
    chip._arrays[0, "main"].received[:] += 1
    name = "layer0.main.received"
    assert np.array_equal(chip.save()[name], own[name]) and not np.array_equal(apart[name], own[name])


def test_cells_are_packed_and_read_by_other_tools(tmp_path: Path) -> None:
    """With gzip, which every HDF5 has."""
    execute(begun(tmp_path / "run", **STATE), resume=True, quiet=True)
    with h5py.File(tmp_path / "run" / cells.NAME) as file:
        assert file["layer0/conductance"].compression == "gzip" and file["layer0/pulses"].shuffle


def test_without_pictures_the_result_is_the_same(tmp_path: Path) -> None:
    """A sweep that keeps no folder draws nothing: no picture is written, and no figure of the result moves."""
    results = []
    for pictures in (True, False):
        result, folder = execute(Config(**SMALL, out=str(tmp_path / str(pictures))), quiet=True, pictures=pictures)
        assert bool([*folder.glob("*.png")]) is pictures
        results.append({k: v for k, v in result.items() if k not in ("wall_seconds", "config", "machine_joule")})
    assert results[0] == results[1]
