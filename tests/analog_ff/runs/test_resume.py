"""A run that is killed at any moment and resumed ends with the bits of one that was not; or it is refused in one sentence."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kills import OPTIONS, SMALL, Killed, begun, killed, killed_run, left_in

from analog_ff.config.config import Config, recommended
from analog_ff.improvement.ablation import ablate, cases
from analog_ff.improvement.bench import Crew
from analog_ff.learners import LEARNERS
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.runs import checkpoint, origin
from analog_ff.runs import execute as running
from analog_ff.runs.execute import execute
from analog_ff.runs.train import Run
from analog_ff.simulate import app, run_app
from analog_ff.sweeps.store import NAME, Store
from hardware_models.check import UsageError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the run `SMALL` leaves behind when nobody interrupts it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    execute(Config(**SMALL, out=str(folder)), quiet=True)
    return left_in(folder)


# --- at any moment ---


@pytest.mark.parametrize(
    ("where", "name", "number"),
    [
        (ForwardForward, "step", 1),  # programmed, nothing learned
        (ForwardForward, "step", 3),
        (ForwardForward, "step", 6),  # in the second epoch
        (Run, "_monitor", 1),
        (Run, "test", 1),
        (ForwardForward, "initialise", 1),  # before the first checkpoint
        (ForwardForward, "finish", 1),
        (running.results, "collect", 1),
    ],
)
def test_killed_and_resumed_a_run_ends_the_same(
    where: Any, name: str, number: int, whole: dict[str, Any], tmp_path: Path
) -> None:
    """Two kills at the same moment are no worse than one; the chip is programmed once."""
    config = Config(**SMALL, out=str(tmp_path / "run"))
    killed_run(config, killed(where, name, number))
    killed_run(config, killed(where, name, 1 if number < 6 else number - 4), resume=True)
    execute(config, resume=True, quiet=True)
    assert left_in(tmp_path / "run") == whole


@pytest.mark.slow
def test_a_kill_at_any_step_of_any_write(whole: dict[str, Any], tmp_path: Path) -> None:
    """Before each fsync and each renaming of a run: what is there then is enough."""
    moments = []
    for name in ("fsync", "replace"):
        counted: list[int] = []
        function = getattr(os, name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, name, lambda *a, f=function, c=counted, **k: (c.append(1), f(*a, **k))[1])
            execute(Config(**SMALL, out=str(tmp_path / name)), quiet=True)
        moments += [(name, number + 1) for number in range(len(counted))]
    assert len(moments) > 30
    for name, number in moments[::2]:
        folder = tmp_path / f"{name}{number}"
        config = Config(**SMALL, out=str(folder))
        killed_run(config, killed(os, name, number))
        execute(config, resume=folder.exists(), quiet=True)
        assert left_in(folder) == whole, (name, number)
    assert {p.name for p in tmp_path.iterdir() if p.name.startswith(".")} == set()


@pytest.mark.parametrize("learner", sorted(LEARNERS))
def test_every_learner_is_resumed_before_its_first_epoch_ends(learner: str, tmp_path: Path) -> None:
    """Programmed once: weights, counters and noise are those of the run that was not interrupted."""
    options = {**SMALL, "epochs": 1, "learner": learner, "images_per_epoch": 200}
    folders_ = {name: tmp_path / name for name in ("whole", "pieces")}
    configs = {name: Config(**recommended({**options, "out": str(folder)})) for name, folder in folders_.items()}
    execute(configs["whole"], quiet=True)

    def stop(self: Run, *args: Any) -> None:
        raise Killed

    patch = pytest.MonkeyPatch()
    patch.setattr(Run, "_monitor", stop)
    killed_run(configs["pieces"], patch)
    execute(configs["pieces"], resume=True, quiet=True)
    assert left_in(folders_["pieces"]) == left_in(folders_["whole"])


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "pipelined", "layers": (8, 6), "negatives": "random"},
        {"write_every": 3, "weight_decay": 0.01, "decay_every": 3},
        {"nonlinearity": "hysteretic", "gate": 0.1},
        {"endurance": 30.0, "endurance_spread": 0.5, "retention": 1e-4},
        {"nonlinearity": "drifting", "chips": "per-layer", "layers": (8, 6)},
        {"network": "recurrent", "layers": (8, 6), "iterations": 2},
        {"update": "coincidence", "sealed": True, "batch": 100},
        {"update": "accumulate-int8", "dead_rows": 0.1},
        {"update": "capacitor", "cancel": "inversion", "cancel_every": 3, "sample_rate": 1e5},
        {"update": "tiki-taka-chopped", "cancel": "zero-shift", "zero_pulses": 2, "write_every": 2},
    ],
)
def test_what_a_run_remembers_is_taken_up_whole(changes: dict[str, Any], tmp_path: Path) -> None:
    """Frames on the wires, activities that wait, neurons that remember: the checks let them in, and nothing is lost."""
    options = {**SMALL, **changes}
    execute(Config(**options, out=str(tmp_path / "whole")), quiet=True)
    config = Config(**options, out=str(tmp_path / "pieces"))

    def stop(done: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        execute(config, quiet=True, after_epoch=stop)
    execute(config, resume=True, quiet=True)
    assert left_in(tmp_path / "pieces") == left_in(tmp_path / "whole")


@pytest.mark.slow
def test_a_chip_in_another_process_is_resumed(whole: dict[str, Any], tmp_path: Path) -> None:
    """The same counts through `--port process`, killed in the first epoch."""
    config = Config(**SMALL, port="process", out=str(tmp_path / "run"))
    killed_run(config, killed(ForwardForward, "step", 3))
    result, _ = execute(config, resume=True, quiet=True)
    assert result["events"] == whole["result"]["events"]
    assert result["test_error_percent_by_readout"] == whole["result"]["test_error_percent_by_readout"]
    assert result["inputs_sha256"] == whole["result"]["inputs_sha256"]


@pytest.mark.usefixtures("runs_here")
def test_an_ablation_is_resumed_at_any_moment(tmp_path: Path) -> None:
    """It is stopped as soon as its first run is done; what is done is not run again."""
    options = {**SMALL, "epochs": 1, "device": "ideal", "dead_rows": 0.1, "dac": None, "adc": None}
    table, _ = ablate(Config(**options, out=str(tmp_path / "whole")), crew=Crew(1, 1), say=lambda line: None)
    config = Config(**options, out=str(tmp_path / "pieces"))

    def stop(line: str) -> None:
        if line.startswith("1 done"):
            raise Killed

    with pytest.raises(Killed):
        ablate(config, crew=Crew(1, 1), say=stop)
    again, _ = ablate(config, resume=True, crew=Crew(1, 1), say=lambda line: None)
    assert again["rows"] == table["rows"]
    with Store(tmp_path / "pieces" / NAME) as store:
        assert [point.attempts for point in store.points()].count(1) >= 1


# --- a folder in which there is nothing yet ---


def test_a_folder_appears_with_its_configuration(tmp_path: Path) -> None:
    """Whoever sees it can resume by its name alone, before the first checkpoint too."""
    folder = tmp_path / "run"
    killed_run(Config(**SMALL, out=str(folder)), killed(ForwardForward, "initialise"))
    assert [file.name for file in folder.iterdir()] == ["config.toml"]
    assert run_app(app, ["--resume", "--out", str(folder)]) == 0
    assert (folder / "result.json").is_file()


def test_an_empty_folder_begins_with_the_options_given(whole: dict[str, Any], tmp_path: Path) -> None:
    """It may be all that a kill has left; a folder with something else in it is nobody's run."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".config.toml.0123456789abcdef.tmp").write_text("half a confi")
    assert run_app(app, [*OPTIONS, "--resume", "--out", str(tmp_path / "run")]) == 0
    assert left_in(tmp_path / "run") == whole
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    assert run_app(app, [*OPTIONS, "--resume", "--out", str(tmp_path / "mine")]) == 2
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


# --- inputs ---

DEVICE = """from dataclasses import dataclass
import my_figures
from hardware_models.devices.ideal import Ideal

@dataclass(frozen=True, kw_only=True)
class Mine(Ideal):
    v_read: float = 0.2 * my_figures.FACTOR
"""


@pytest.mark.parametrize("what", ["device", "data", "code", "imported code", "technology", "fault map"])
def test_an_edited_input_is_refused_and_named(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result of an edited run would be that of neither; put back, the run goes on."""
    package = Path(running.__file__).parents[2] / "hardware_models"
    place = tmp_path / "inputs"
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))
    if what == "device":
        file = place / "mine.toml"
        shutil.copy(package / "parameters" / "wu2018_taox_hfox.toml", file)
        options, edit = {"device": str(file)}, lambda data: data + b"\n# another thought\n"
    elif what == "technology":
        file = place / "mine.toml"
        shutil.copy(package / "energy" / "technologies" / "cmos_32nm.toml", file)
        options, edit = {"technology": str(file)}, lambda data: data + b"\n# another thought\n"
    elif what in ("code", "imported code"):
        (place / "my_device.py").write_text(DEVICE)
        (place / "my_figures.py").write_text("FACTOR = 1.0\n")
        file = place / ("my_device.py" if what == "code" else "my_figures.py")
        options, edit = {"device": f"{place / 'my_device.py'}:Mine"}, lambda data: data.replace(b"0.2", b"0.3") + b"\n"
    else:
        file = place / "mine.npz"
        rng = np.random.default_rng(0)
        if what == "data":
            arrays = {"x_train": rng.random((100, 16)), "y_train": np.arange(100) % 2}
            np.savez(file, **arrays, x_test=rng.random((20, 16)), y_test=np.arange(20) % 2)
            options = {"data": str(file)}
        else:
            np.savez(file, **{"0.dead_rows": np.arange(67) == 3})
            options = {"fault_map": str(file)}

        def edit(data: bytes) -> bytes:
            with np.load(file) as old:
                changed = {name: np.roll(old[name], 1, axis=0) for name in old.files}
            np.savez(file, **changed)
            return file.read_bytes()

    config = begun(tmp_path / "run", **options)
    good = file.read_bytes()
    file.write_bytes(edit(good))
    with pytest.raises(UsageError, match=f"begun with other contents of .*{file.name}"):
        execute(config, resume=True, quiet=True)
    file.write_bytes(good)
    result, _ = execute(config, resume=True, quiet=True)
    assert any(name.endswith(f" {file.name}") for name in result["inputs_sha256"])
    sys.modules.pop("my_figures", None)


def test_a_user_s_source_of_the_same_second_and_size_is_run_as_it_stands(tmp_path: Path) -> None:
    """Python's own compiled file would be taken for it: the code that runs must be the code that was noted."""
    from hardware_models.files import record
    from hardware_models.tables import load_object

    file = tmp_path / "my_neuron.py"
    seen = []
    for value in ("1", "2"):
        file.write_text(f"VALUE = {value}\n")
        os.utime(file, (1e9, 1e9))
        with record() as inputs:
            seen.append((load_object(f"{file}:VALUE", "nonlinearity"), inputs["nonlinearity file my_neuron.py"]))
    assert [value for value, _ in seen] == [1, 2] and seen[0][1] != seen[1][1]


def test_other_versions_are_said_and_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on; result.json names both."""
    here = origin.versions()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "versions", lambda: {**here, "numpy": "1.99.0"})
        config = begun(tmp_path / "run")
    result, _ = execute(config, resume=True, quiet=True)
    err = capsys.readouterr().err
    assert f"numpy 1.99.0 then, {here['numpy']} now" in err and err.count("\n") == 1
    assert result["versions"] == here and result["resumed_from_versions"] == [{**here, "numpy": "1.99.0"}]
    assert {"python", "numpy", "numba", "blas", "machine", "cpu"} <= set(here)


def test_a_run_of_another_model_version_is_refused(tmp_path: Path) -> None:
    """Half of it would follow the old rules, half the new ones; no warning makes one result of it."""
    config = begun(tmp_path / "run")
    here = origin.versions()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "versions", lambda: {**here, "model": "1000"})
        with pytest.raises(UsageError, match=r"begun with version \d+ of the model's rules"):
            execute(config, resume=True, quiet=True)
        # Files of this project have other contents then, too: nobody has changed them, so nothing can be put back.
        patch.setattr(running, "versions", lambda: {**here, "model": "1000", "analog-ff": "9.0.0"})
        patch.setattr(origin.Origin, "check_inputs", lambda *given: pytest.fail("the files were compared first"))
        with pytest.raises(UsageError, match="model's rules.*start the run anew in another folder") as error:
            execute(config, resume=True, quiet=True)
        assert "put back" not in str(error.value)
    execute(config, resume=True, quiet=True)


def test_an_unknown_schema_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the configuration, of the checkpoint and of the result: each in one sentence, nothing changed."""
    folder = tmp_path / "run"
    begun(folder)
    good = {name: (folder / name).read_bytes() for name in ("config.toml", checkpoint.NAME)}
    (folder / "config.toml").write_bytes(good["config.toml"].replace(b"schema = 1", b"schema = 2"))
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    assert "config.toml should have schema = 1, got 2" in capsys.readouterr().err
    (folder / "config.toml").write_bytes(good["config.toml"])
    (folder / checkpoint.NAME).write_bytes(good[checkpoint.NAME].replace(b"schema 3", b"schema 4"))
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    assert "should be of schema 3" in capsys.readouterr().err
    (folder / checkpoint.NAME).write_bytes(good[checkpoint.NAME])
    assert run_app(app, ["--resume", "--out", str(folder)]) == 0
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | {"schema": 7}))
    capsys.readouterr()
    assert run_app(app, ["--resume", "--out", str(folder)]) == 2
    assert "schema = 1" in capsys.readouterr().err


# --- the same command again, and more epochs ---


@pytest.mark.parametrize("learner", ["backprop-sigmoid", "dimensionality", "forward-forward"])
def test_the_same_command_and_resume(learner: str, tmp_path: Path) -> None:
    """Recipes fill in what a learner needs, as they did when the run was begun."""
    out = str(tmp_path / "run")
    command = ["--data", "toy", "--epochs", "1", "--images-per-epoch", "20", "--shift", "0", "--learner", learner,
               "--batch", "1" if learner == "backprop-sigmoid" else "10", "--layers", "8", "--out", out]  # fmt: skip
    patch = killed(Run, "_monitor")
    with pytest.raises(Killed):
        run_app(app, command)
    patch.undo()
    assert run_app(app, [*command, "--resume"]) == 0


def test_a_finished_run_is_extended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The added epochs have the gain of a longer run; said, recorded, the same again when it is killed in between."""
    paths = [tmp_path / name for name in ("straight", "killed")]
    results = []
    for path in paths:
        assert run_app(app, [*OPTIONS, "--out", str(path)]) == 0
        first = (path / "metrics.csv").read_text()
        longer = ["--resume", "--epochs", "8", "--json", "--out", str(path)]
        if path.name == "killed":
            patch = killed(Run, "_monitor", 2)
            with pytest.raises(Killed):
                run_app(app, longer)
            patch.undo()
            longer = ["--resume", "--json", "--out", str(path)]
        capsys.readouterr()
        assert run_app(app, longer) == 0
        shown = capsys.readouterr()
        results.append(json.loads(shown.out))
        assert (path / "metrics.csv").read_text().startswith(first)
        assert json.loads((path / "result.json").read_text()) == results[-1]
    assert "epochs 3 to 8 are added to a run of 2" not in shown.err  # said once, when they were added
    assert results[0]["extended_from"] == results[1]["extended_from"] == {"epochs": 2, "gain": [1.0, 3.0 / 8.0]}
    assert left_in(paths[0]) == left_in(paths[1])
    assert results[0]["config"]["epochs"] == 8 and len((paths[0] / "metrics.csv").read_text().splitlines()) == 9
    # Fewer epochs than there are, and another option beside them, are refused.
    for options in (["--epochs", "4"], ["--epochs", "9", "--batch", "50"]):
        assert run_app(app, ["--resume", *options, "--out", str(paths[0])]) == 2
        assert "was begun with" in capsys.readouterr().err


def test_an_unfinished_run_is_not_extended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its first epochs would have had another gain than its last ones."""
    begun(tmp_path / "run")
    before = {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()}
    assert run_app(app, ["--resume", "--epochs", "3", "--out", str(tmp_path / "run")]) == 2
    assert "was begun with --epochs 2, not 3" in capsys.readouterr().err
    assert {file.name: file.read_bytes() for file in (tmp_path / "run").iterdir()} == before


def test_a_finished_run_with_other_options_is_not_shown(tmp_path: Path) -> None:
    """Through Python, too: its result is not the answer to what was asked."""
    execute(Config(**SMALL, out=str(tmp_path / "run")), quiet=True)
    with pytest.raises(UsageError, match="other options"):
        execute(Config(**{**SMALL, "batch": 50}, out=str(tmp_path / "run")), resume=True, quiet=True)


def test_out_goes_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quoted, the shell leaves ~ to the program."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Config(out="~/x").folder() == tmp_path / "x"
    with pytest.raises(UsageError, match="home"):
        Config(out="~nobody-of-that-name/x").folder()


def test_a_greedy_run_is_not_extended(tmp_path: Path) -> None:
    """The added epochs would train its first layer again, under a finished second one."""
    config = Config(**{**SMALL, "layers": (8, 8)}, schedule="greedy", out=str(tmp_path / "run"))
    execute(config, quiet=True)
    with pytest.raises(UsageError, match="trained greedily"):
        execute(replace(config, epochs=6), resume=True, quiet=True)


@pytest.mark.usefixtures("runs_here")
def test_cases_of_an_ablation_are_of_one_device_file(tmp_path: Path) -> None:
    """The file is edited after the first case: a table of both devices would be of neither, so all cases are run anew."""
    file = tmp_path / "mine.toml"
    shutil.copy(Path(running.__file__).parents[2] / "hardware_models" / "parameters" / "wu2018_taox_hfox.toml", file)
    config = Config(**{**SMALL, "epochs": 1}, device=str(file), out=str(tmp_path / "table"))

    def stop(line: str) -> None:
        if line.startswith("1 done"):
            raise Killed

    with pytest.raises(Killed):
        ablate(config, crew=Crew(1, 1), say=stop)
    assert not (tmp_path / "table" / "ablation.json").exists()
    file.write_text(file.read_text().replace('value = 10.0\nunit = "uS"', 'value = 9.0\nunit = "uS"'))
    ablate(config, resume=True, crew=Crew(1, 1), say=lambda line: None)
    with Store(tmp_path / "table" / NAME) as store:
        seen = [point.result["device"]["g_max"] for point in store.points() if point.result is not None]
    assert seen.count(pytest.approx(10e-6)) >= 1 and seen.count(pytest.approx(9e-6)) == len(cases(config))
