"""The command line: every bad input is one sentence and status 2 with nothing written; a run leaves what it should."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app
from hardware_models.events import COUNTS, PHASES

SMALL = ["--data", "toy", "--layers", "12", "--epochs", "3", "--batch", "50", "--shift", "0"]


def simulate(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    """Return status, standard output and standard error of `simulate`."""
    status = run_app(app, [*SMALL, *options])
    out, err = capsys.readouterr()
    return status, out, err


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> str:
    """Return the one sentence with which options are refused; nothing is written."""
    before = sorted(folder.rglob("*"))
    status, out, err = simulate(capsys, "--out", str(folder / "run"), *options)
    assert status == 2 and out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and err.endswith(".\n") and "Traceback" not in err
    assert sorted(folder.rglob("*")) == before
    return err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "memrister"], "did you mean 'memristor'"),
        (["--device", "nowhere.toml"], "does not exist"),
        (["--device", "nowhere.py:Mine"], "does not exist"),
        (["--layers", "0"], "whole number of at least 1"),
        (["--layers", "five"], "whole numbers separated by commas"),
        (["--layers", "50,,50"], "whole numbers separated by commas"),
        (["--layers", "-3"], "whole number of at least 1"),
        (["--epochs", "0"], "--epochs"),
        (["--epochs", "many"], "--epochs"),
        (["--batch", "0"], "--batch"),
        (["--learning-rate", "-1"], "--learning-rate"),
        (["--momentum", "1"], "--momentum"),
        (["--seed", "-1"], "--seed"),
        (["--data", "mnits"], "did you mean 'mnist'"),
        (["--learner", "forward-backward"], "did you mean 'forward-forward'"),
        (["--update", "acumulate"], "did you mean 'accumulate'"),
        (["--negatives", "soft"], "known: hard, hybrid, random, self-contrastive, self-generated"),
        (["--readout", "energie"], "did you mean 'energy'"),
        (["--readout-layers", "all-but-first"], "at least two layers"),
        (["--nonlinearity", "rely"], "did you mean 'relu'"),
        (["--dac", "0"], "for --dac [bits], got 0"),
        (["--adc", "lots"], "--adc"),
        (["--tile", "256by256"], "--tile"),
        (["--partial-sums", "magic"], "digital, analog"),
        (["--technology", "cmos-33nm"], "did you mean 'cmos-32nm'"),
        (["--split", "test"], "final, holdout"),
        (["--threads", "0"], "--threads"),
        (["--resume"], "no run to resume"),
        (["--no-such-option"], "--no-such-option"),
        (["--learner", "random-features", "--readout", "energy"], "choose --readout softmax"),
        (["--learner", "dimensionality", "--theta", "1"], "leave --theta out"),
    ],
)
def test_bad_options_are_refused(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What, where, and what would be right."""
    assert words in refused(capsys, tmp_path, *options)


def npz(path: Path, **changes: Any) -> Path:
    """Write a data set of the user, with changes."""
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {
        "x_train": rng.random((40, 16)), "y_train": np.arange(40) % 2,
        "x_test": rng.random((10, 16)), "y_test": np.arange(10) % 2,
    } | changes  # fmt: skip
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"y_test": None},
        {"x_train": np.zeros((39, 16))},
        {"x_train": np.full((40, 16), np.nan)},
        {"x_train": np.full((40, 16), 7.0)},
        {"x_test": np.zeros((10, 15))},
        {"y_train": np.linspace(0, 1, 40)},
        {"y_test": np.full(10, 5)},
    ],
)
def test_bad_data_are_refused(changes: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Wrong names, shapes, NaN or labels in an .npz file."""
    path = npz(tmp_path / "mine.npz", **changes)
    assert "mine.npz" in refused(capsys, tmp_path, "--data", str(path))


def test_foreign_idx_files_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A truncated or foreign file is named."""
    names = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    for name in names:
        (tmp_path / name).write_bytes(b"not an IDX file at all")
    assert "idx" in refused(capsys, tmp_path, "--data", "mnist", "--data-dir", str(tmp_path))


def test_parameter_files_with_faults_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A missing unit, a value outside its range."""
    from importlib import resources

    text = resources.files("hardware_models.parameters").joinpath("wu2018_taox_hfox.toml").read_text()
    (tmp_path / "unit.toml").write_text(text.replace('unit = "uS"\n', "", 1))
    (tmp_path / "range.toml").write_text(text.replace("value = 10.0", "value = 99.0", 1))
    assert "lacks its unit" in refused(capsys, tmp_path, "--device", str(tmp_path / "unit.toml"))
    assert "outside its range" in refused(capsys, tmp_path, "--device", str(tmp_path / "range.toml"))


def test_user_functions_with_faults(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A wrong shape is refused at once; NaN in the middle of training stops with status 1, the checkpoint kept."""
    (tmp_path / "f.py").write_text(
        "import numpy as np\ncalls = 0\n"
        "def wrong(z): return z[:, :1]\n"
        "def late(z):\n"
        "    global calls\n    calls += 1\n"
        "    return np.maximum(z, 0) if calls < 60 else z * np.nan\n"
    )
    assert "shape" in refused(capsys, tmp_path, "--nonlinearity", f"{tmp_path}/f.py:wrong")
    run = tmp_path / "late"
    status, _, err = simulate(capsys, "--nonlinearity", f"{tmp_path}/f.py:late", "--out", str(run))
    assert status == 1 and "NaN" in err and "--resume" in err and "Traceback" not in err
    assert (run / "checkpoint.h5").is_file() and not (run / "result.json").exists()


def test_an_existing_run_folder_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing is overwritten."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    assert "exists already" in refused(capsys, tmp_path)


@pytest.mark.parametrize("command", ["simulate", "ablate", "compare", "spiking"])
def test_an_existing_run_folder_is_said_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    """Before wrong options, missing files and anything that takes time; the folder of the default name as well."""
    from analog_ff import compare, spiking
    from analog_ff.spiking import command as spiking_command

    del spiking
    monkeypatch.chdir(tmp_path)
    apps = {"compare": compare.app, "spiking": spiking_command.app}
    more = {"ablate": ["--ablate"], "compare": ["--accuracy", "1_0"], "spiking": ["--export", "none/x.nir"]}.get(
        command, []
    )
    names = {"compare": "compare-toy", "spiking": "spiking-toy-none-s0-c0"}
    for out in ("out", f"runs/{names.get(command, 'toy-memristor-forward-forward-s0-c0')}"):
        (tmp_path / out).mkdir(parents=True)
        wrong = ["--layers", "x", "--epochs", "1_0"] if out == "out" else ["--technology", "none.toml"]
        options = ["--data", "toy", *wrong, *more, *(["--out", out] if out == "out" else [])]
        assert run_app(apps.get(command, app), options) == 2
        assert f"{out} exists already" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "option"), [("simulate", "--threads"), ("compare", "--seeds"), ("compare", "--draws"),
                                                 ("compare", "--accuracy"), ("compare", "--threads")])  # fmt: skip
def test_numbers_of_a_command_are_read_by_the_same_parser(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, option: str
) -> None:
    from analog_ff import compare

    chosen = compare.app if command == "compare" else app
    assert run_app(chosen, ["--data", "toy", option, "1_000", "--out", str(tmp_path / "x")]) == 2
    assert f"{option} takes a" in (err := capsys.readouterr().err) and "got '1_000'" in err and err.count("\n") == 1


def test_a_run_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file stands where a folder should."""
    (tmp_path / "file").write_text("mine")
    status, _, err = simulate(capsys, "--out", str(tmp_path / "file" / "run"))
    assert status == 2 and "cannot be made" in err and "Traceback" not in err


def numbers_only(value: Any) -> bool:
    """Tell whether a parsed JSON value holds no NaN or infinity."""
    if isinstance(value, dict):
        return all(numbers_only(v) for v in value.values())
    if isinstance(value, list):
        return all(numbers_only(v) for v in value)
    return not isinstance(value, float) or np.isfinite(value)


@pytest.mark.parametrize("learner", ["forward-forward", "dimensionality", "random-features"])
def test_a_run_and_its_folder(learner: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One JSON document on standard output; the folder's files; sums over layers are exact."""
    run = tmp_path / "run"
    status, out, _ = simulate(capsys, "--learner", learner, "--json", "--out", str(run))
    assert status == 0
    result = json.loads(out)
    assert result == json.loads((run / "result.json").read_text()) and numbers_only(result)
    names = {
        "config.toml",
        "metrics.csv",
        "events.csv",
        "result.json",
        "checkpoint.h5",
        "learning_curve.png",
        "cells.h5",
        "cells.png",
        "looks.json",
        "report.html",
    }
    assert {p.name for p in run.iterdir()} == names
    assert result["schema"] == 1 and result["config"]["learner"] == learner and result["split"] == "final"
    assert result["test_error_percent"] == result["test_error_percent_by_readout"]["softmax"]
    for phase in PHASES:
        counts = result["events"][phase]
        assert set(COUNTS) <= set(counts)
        for name, total in counts.items():
            assert total == sum(layer[name] for layer in result["events_by_layer"][phase].values())
    assert result["integrals"]["learn"]["read.v2g"]["unit"] == "V^2*S"
    energy = result["energy"]
    total = sum(energy["by_component_joule"]["learn"].values())
    assert energy["per_update_joule"] == pytest.approx(total / result["images"]["learn"], rel=1e-12)
    assert set(energy["to_accuracy_status"].values()) == {"not measured"}
    assert result["images"]["learn"] == 3 * 400
    pulses = result["events"]["learn"]["write.selected"]
    assert (pulses > 0) == (learner != "random-features")
    with (run / "metrics.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]


def test_holdout_reports_the_validation_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Named so; the test error is null; energy to accuracy is measured."""
    _, out, _ = simulate(capsys, "--split", "holdout", "--json", "--out", str(tmp_path / "run"))
    result = json.loads(out)
    assert result["test_error_percent"] is None and result["validation_error_percent"] is not None
    assert set(result["energy"]["to_accuracy_status"].values()) <= {"reached", "not reached"}


def test_sealed_runs_and_other_processes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A sealed chip learns the same bits as an open one, here or in another process, and shows less."""
    results = []
    for name, more in (("a", []), ("b", ["--sealed"]), ("c", ["--port", "process"])):
        options = ["--nonlinearity", "random-nonmonotone", "--json", "--out", str(tmp_path / name), *more]
        status, out, _ = simulate(capsys, *options)
        assert status == 0
        results.append(json.loads(out))
    assert results[0]["events"] == results[1]["events"] == results[2]["events"]
    assert results[0]["test_error_percent_by_readout"] == results[2]["test_error_percent_by_readout"]
    assert results[0]["cells"]["share_at_bound"] is not None
    assert results[1]["cells"]["share_at_bound"] is None and results[2]["cells"]["memory_left"] is None


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without its times and places."""
    config = {k: v for k, v in result["config"].items() if k != "out"}
    return {k: v for k, v in result.items() if k != "wall_seconds"} | {"config": config}


class Stop(Exception):
    """Stands for whatever interrupts a run."""


@pytest.mark.parametrize("update", ["accumulate", "coincidence"])
def test_resume_is_bit_for_bit(update: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Interrupted after any epoch and resumed, a run gives the same result as one that was not."""
    options = ["--update", update, "--json"]
    _, whole, _ = simulate(capsys, *options, "--out", str(tmp_path / "whole"))
    for epoch in (1, 2):
        folder = tmp_path / f"cut{epoch}"

        def stop(done: int, epoch: int = epoch) -> None:
            if done == epoch:
                raise Stop

        options = {
            "data": "toy",
            "layers": (12,),
            "epochs": 3,
            "batch": 50,
            "shift": 0,
            "update": update,
            "out": str(folder),
        }
        config = Config(**recommended(options))
        with pytest.raises(Stop):
            execute(config, quiet=True, after_epoch=stop)
        status = run_app(app, ["--resume", "--json", "--out", str(folder)])
        out, _ = capsys.readouterr()
        assert status == 0
        assert timeless(json.loads(out)) == timeless(json.loads(whole))
        cut = [line.rsplit(",", 1)[0] for line in (folder / "metrics.csv").read_text().splitlines()]
        assert cut == [line.rsplit(",", 1)[0] for line in (tmp_path / "whole" / "metrics.csv").read_text().splitlines()]


def test_resume_refuses_other_options_and_damage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A different choice, a damaged checkpoint: one sentence; a finished run shows its result."""
    folder = tmp_path / "run"
    config = Config(data="toy", layers=(12,), epochs=3, batch=50, shift=0, out=str(folder))

    def stop(done: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        execute(config, quiet=True, after_epoch=stop)
    assert run_app(app, ["--resume", "--out", str(folder), "--epochs", "9"]) == 2
    assert "was begun with --epochs 3, not 9" in capsys.readouterr().err
    good = (folder / "checkpoint.h5").read_bytes()
    for name in ("checkpoint.h5", "checkpoint.previous.h5"):
        (folder / name).write_bytes(good[: len(good) // 2])
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    assert "damaged" in capsys.readouterr().err
    (folder / "checkpoint.h5").write_bytes(good)
    assert run_app(app, ["--resume", "--out", str(folder)]) == 0
    capsys.readouterr()
    before = (folder / "result.json").read_bytes()
    assert run_app(app, ["--resume", "--json", "--out", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(before)
    assert (folder / "result.json").read_bytes() == before


@pytest.mark.slow
def test_same_bits_across_processes_and_threads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """result.json is identical, times aside, here and in a process of its own with another number of threads."""
    import numba

    options = [*SMALL, "--layers", "40,300", "--json", "--out"]
    assert run_app(app, [*options, str(tmp_path / "here")]) == 0
    here = timeless(json.loads(capsys.readouterr().out))
    threads = "2" if numba.config.NUMBA_NUM_THREADS == 1 else "1"
    environment = os.environ | {"NUMBA_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    command = [sys.executable, "-m", "analog_ff.simulate", *options, str(tmp_path / "there")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    assert timeless(json.loads(done.stdout)) == here


def test_the_list_of_commands() -> None:
    """``python -m analog_ff`` lists what there is."""
    done = subprocess.run([sys.executable, "-m", "analog_ff"], stdout=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 0 and "simulate" in done.stdout
