"""The log for TensorBoard says what metrics.csv says: live, once for every step, also of a run that was resumed."""

from __future__ import annotations

import csv
import errno
import os
import re
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kills import OPTIONS, SMALL

from analog_ff.__main__ import app as commands
from analog_ff.cli.app import run_app
from analog_ff.config.config import Config
from analog_ff.runs.columns import COLUMNS, ERROR, OWN, column, plain_name
from analog_ff.runs.execute import execute
from analog_ff.runs.logs import LOGS
from analog_ff.simulate import app
from hardware_models.check import RunError

ROOT = Path(__file__).resolve().parents[3]
CASTAGNOLI = 0x82F63B78
"""Polynomial of CRC-32C, its bits reversed (RFC 3720, section 12.1)."""
Curve = list[tuple[int, float]]


def crc(data: bytes) -> int:
    """Return the CRC-32C of some bytes, bit by bit, masked as records of TensorFlow mask it."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (CASTAGNOLI if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def events(folder: Path) -> Iterator[Any]:
    """Yield the events of all event files in a run's log by the form of TensorFlow's records: length, CRC, event, CRC."""
    from tensorboardX.proto.event_pb2 import Event

    files = sorted((folder / "tensorboard").iterdir())
    assert all(re.fullmatch(r"events\.out\.tfevents\.\d{10}\..+", file.name) for file in files)
    for file in files:
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            assert struct.unpack("<I", data[8:12]) == (crc(data[:8]),)
            held, data = data[12 : 12 + length], data[12 + length :]
            assert struct.unpack("<I", data[:4]) == (crc(held),)
            data = data[4:]
            yield Event.FromString(held)


def read(folder: Path) -> tuple[dict[str, Curve], dict[str, str]]:
    """Return the curves of a log by name, and its texts."""
    curves: dict[str, Curve] = {}
    texts = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "scalars":
                curves.setdefault(value.tag, []).append((event.step, value.tensor.float_val[0]))
            else:
                texts[value.tag.partition("/")[0]] = value.tensor.string_val[0].decode()
    return curves, texts


def of_metrics(folder: Path) -> dict[str, Curve]:
    """Return the same curves from metrics.csv, rounded to float32."""
    curves: dict[str, Curve] = {}
    with (folder / "metrics.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            step = int(line.pop("epoch"))
            for name, value in line.items():
                curves.setdefault(name, []).append((step, float(np.float32(value))))
    return curves


class Stop(Exception):
    """Stands for whatever interrupts a run."""


def test_a_log_is_live_and_goes_on_with_a_resumed_run(tmp_path: Path) -> None:
    """Every column at every step, once; the page sees an epoch when it ends. The result is that of a run without a log."""
    config = Config(**SMALL, out=str(tmp_path / "run"))
    seen = []

    def look(epoch: int) -> None:
        seen.append(read(tmp_path / "run")[0]["learn_joule"])
        raise Stop

    with pytest.raises(Stop):
        execute(config, quiet=True, after_epoch=look, log="tensorboard")
    assert [[step for step, _ in curve] for curve in seen] == [[1]]
    result, _ = execute(config, quiet=True, resume=True, pictures=False)
    curves, texts = read(tmp_path / "run")
    assert curves == of_metrics(tmp_path / "run") and [step for step, _ in curves["seconds"]] == [1, 2]
    assert "--epochs 2" in texts["command"] and 'data = "toy"' in texts["configuration"]
    plain, _ = execute(Config(**SMALL, out=str(tmp_path / "plain")), quiet=True, pictures=False)
    assert plain["events"] == result["events"] and set(plain["config"]) == set(result["config"])


def test_a_finished_run_gets_its_log_afterwards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time in place of the first: no step stands twice. Times are as far apart as those of the run."""
    folder = tmp_path / "run"
    execute(Config(**SMALL, out=str(folder)), quiet=True, pictures=False)
    for _ in range(2):
        assert run_app(app, ["--resume", "--out", str(folder), "--log", "tensorboard", "--json"]) == 0
    assert read(folder)[0] == of_metrics(folder)
    times = {event.step: event.wall_time for event in events(folder) if event.step}
    seconds = dict(of_metrics(folder)["seconds"])
    assert times[2] - times[1] == pytest.approx(seconds[2] - seconds[1], abs=0.05)
    titles = {
        v.tag: (v.metadata.display_name, v.metadata.summary_description)
        for e in events(folder)
        for v in e.summary.value
    }
    assert titles["learn_joule"] == ("learn_joule [J]", "energy of learning so far [J]")


def test_without_the_library_nothing_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with the command that helps, status 2, no folder."""
    monkeypatch.setitem(sys.modules, "tensorboardX.record_writer", None)
    assert run_app(app, [*OPTIONS, "--log", "tensorboard", "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert "pip install 'analog-ff[tensorboard]'" in said and said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", *OPTIONS, "--log", "tensorbord"], "did you mean 'tensorboard'"),
        (["simulate", *OPTIONS, "--log", "tensorboard", "--ablate"], "--log belongs to one run"),
        (["compare", "--log", "tensorboard"], "No such option"),
        (["improve", "memristor", "--log", "tensorboard"], "No such option"),
        (["spiking", "--log", "tensorboard"], "No such option"),
        (["sweep", "any.toml", "--log", "tensorboard"], "No such option"),
    ],
)
def test_where_no_log_can_be(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none, and commands of many runs: nothing takes the option without reading it."""
    assert run_app(commands, words) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1 and "Traceback" not in told


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("seconds", "minutes", "lacks the column 'seconds'"), ("\n1,", "\nnan,", "should have a finite number")],
)
def test_a_log_of_a_damaged_table_leaves_the_log_that_is_there(
    old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, status 2; and nothing that an earlier log has is lost. So it is with a file in the place of the log."""
    folder = tmp_path / "run"
    execute(Config(**SMALL, out=str(folder)), quiet=True, log="tensorboard", pictures=False)
    before, sound = read(folder)[0], (folder / "metrics.csv").read_text()
    again = ["--resume", "--log", "tensorboard", "--out", str(folder)]
    (folder / "metrics.csv").write_text(sound.replace(old, new, 1))
    capsys.readouterr()
    assert run_app(app, again) == 2 and said in capsys.readouterr().err
    assert read(folder)[0] == before
    (folder / "metrics.csv").write_text(sound)
    shutil.rmtree(folder / "tensorboard")
    (folder / "tensorboard").write_text("mine")
    assert run_app(app, again) == 2 and "tensorboard should be a folder" in capsys.readouterr().err
    assert (folder / "tensorboard").read_text() == "mine"


def test_a_full_disk_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence that names the folder of the log; the run can be resumed."""
    from tensorboardX.record_writer import RecordWriter

    def full(self: RecordWriter) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(RecordWriter, "flush", full)
        with pytest.raises(RunError, match="tensorboard could not be written .No space left on device."):
            execute(Config(**SMALL, out=str(folder)), quiet=True, log="tensorboard")
    execute(Config(**SMALL, out=str(folder)), quiet=True, resume=True, pictures=False)
    assert read(folder)[0] == of_metrics(folder)


def test_columns_have_the_units_of_the_page() -> None:
    """Every column of the table in the reference, with its unit; and no column is known that the table lacks."""
    page = (ROOT / "docs" / "reference" / "run-files.md").read_text(encoding="utf-8")
    table = page.partition("### `metrics.csv`\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| (`.*?) \| .* \| (\S+) \|$", table, re.M)
    units = {plain_name(name): unit for names, unit in rows for name in re.findall(r"`(\w+)`", names)}
    assert {name: column(name).unit for name in units} == units
    assert set(COLUMNS) == {name for name in units if not name.endswith(ERROR)} | {"training" + ERROR}
    assert column("synapses_pruned_0") == OWN  # a user's learner may measure what it likes
    assert set(LOGS) == {"tensorboard"}
