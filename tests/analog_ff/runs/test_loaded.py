"""A finished run that is loaded again: the bits of its own test, in a new process too; its cells for other programs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest

from analog_ff import load_run
from analog_ff.__main__ import app
from analog_ff.config.config import Config, recommended
from analog_ff.runs import exports
from analog_ff.runs.execute import execute
from analog_ff.runs.train import Run
from analog_ff.simulate import run_app
from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.port import SealedChipError
from hardware_models.wires import solve

TOY = {"data": "toy", "layers": (12, 9), "epochs": 2, "batch": 100}


class Done(NamedTuple):
    folder: Path
    result: dict[str, Any]
    answers: dict[str, np.ndarray]  # indices of classes in the run's own test


def done(folder: Path, **options: Any) -> Done:
    """Carry out a run and keep the answers of its own test."""
    kept: dict[str, np.ndarray] = {}
    test = Run.test

    def noted(run: Run) -> Any:
        found = test(run)
        kept.update(run.answers)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "test", noted)
        result, _ = execute(Config(**recommended({**TOY, "out": str(folder), **options})), quiet=True)
    return Done(folder, result, kept)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return done(tmp_path_factory.mktemp("loaded") / "plain", device="memristor", preset="plain")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Return a run of the default preset: wires that are followed, transistors, groups of lines, Johnson noise."""
    return done(tmp_path_factory.mktemp("loaded") / "built", device="memristor", tile=(16, 12), line_groups="off")


def test_answers_in_a_new_process_are_those_of_the_test(plain: Done, built: Done) -> None:
    """Bit for bit, every read-out; the errors are those of result.json."""
    code = """
import json, sys
from analog_ff import load_run
for folder in sys.argv[1:]:
    with load_run(folder) as run:
        print(json.dumps({name: run.predict(run.data.x_test, readout=name).tolist() for name in run.readouts}))
"""
    folders = [str(plain.folder), str(built.folder)]
    said = subprocess.run([sys.executable, "-c", code, *folders], stdout=subprocess.PIPE, text=True, check=True).stdout
    for run, line in zip((plain, built), said.splitlines(), strict=True):
        found = json.loads(line)
        assert found.keys() == run.answers.keys() and len(found) == 2
        for name, labels in found.items():
            assert labels == run.answers[name].tolist()  # the classes of toy are 0 and 1
            assert len(set(labels)) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"device": "nandakumar2020_pcm", "layers": (6,), "epochs": 1},
        {"device": "memristor", "preset": "plain", "wires": "test", "wire_resistance": 20.0, "layers": (6,)},
        {"device": "ideal", "learner": "backprop-programmed", "layers": (6,)},
    ],
    ids=["cells that drift", "wires in the test", "weights that are written at the end"],
)
def test_the_whole_test_again(options: dict[str, Any], tmp_path: Path) -> None:
    """Where reads count, where wires come late, and where the learner writes last, `tested` has the answers of the test."""
    run = done(tmp_path / "run", **options)
    with load_run(run.folder) as loaded:
        again = loaded.tested()
        first = loaded.readouts[0]
        at_once = loaded.predict(loaded.data.x_test, readout=first)
    assert again.keys() == run.answers.keys()
    for name, found in run.answers.items():
        np.testing.assert_array_equal(again[name], np.array(loaded.classes)[found])
    np.testing.assert_array_equal(at_once, again[first])


def test_what_a_loaded_run_holds(plain: Done) -> None:
    with load_run(plain.folder) as run:
        assert run.result == json.loads((plain.folder / "result.json").read_text()) and run.config.layers == (12, 9)
        assert run.metrics["epoch"].tolist() == [1, 2]
        assert run.metrics["learn_joule"].iloc[-1] == pytest.approx(run.run.metrics[-1]["learn_joule"])
        x = run.data.x_test[:7]
        every = run.goodness(x)
        assert every.shape == (7, 2)
        np.testing.assert_array_equal(np.array(run.classes)[every.argmax(axis=1)], run.predict(x, readout="energy"))
        shown = np.array([0, 1, 0, 1, 0, 1, 1])
        assert run.goodness(x, shown).shape == (7,)
        joule = run.answers(run.data.x_test).joule_per_image
        assert joule == pytest.approx(run.result["energy"]["per_image_joule"])
        with pytest.raises(UsageError, match="images should have the shape"):
            run.predict(x[:, :5])
        with pytest.raises(UsageError, match="no read-out 'both'"):
            run.predict(x, readout="both")
        with pytest.raises(UsageError, match="no class of the run"):
            run.goodness(x, np.full(7, 5))
        assert "memristor" in repr(run) and "softmax" in repr(run)


@pytest.mark.slow
def test_a_sealed_chip_is_loaded_in_its_own_process(tmp_path: Path) -> None:
    run = done(tmp_path / "run", device="memristor", preset="plain", port="process", layers=(6,), epochs=1)
    with load_run(run.folder) as loaded:
        found = loaded.predict(loaded.data.x_test, readout="energy")
        with pytest.raises(SealedChipError):
            _ = loaded.chip.oracle
        with pytest.raises(UsageError, match="is sealed"):
            exports.export(loaded, tmp_path / "out", "npz")
    assert found.tolist() == run.answers["energy"].tolist()


def test_folders_that_cannot_be_loaded_are_one_sentence(plain: Done, tmp_path: Path) -> None:
    def refused(folder: Path, words: str) -> None:
        with pytest.raises(UsageError, match=words) as caught:
            load_run(folder)
        assert "\n" not in str(caught.value)

    refused(tmp_path / "nothing", "there is no run in")
    bare = tmp_path / "bare"
    shutil.copytree(plain.folder, bare)
    (bare / "checkpoint.h5").unlink()
    refused(bare, "has kept no checkpoint.h5.*--keep last")
    shutil.copy(plain.folder / "checkpoint.h5", bare)
    (bare / "result.json").unlink()
    refused(bare, "is not finished: finish it with --resume")
    (bare / "checkpoint.h5").write_bytes(b"damaged")
    shutil.copy(plain.folder / "result.json", bare)
    refused(bare, "is damaged")


# ---------------------------------------------------------------- cells.h5


def test_cells_describe_themselves(built: Done) -> None:
    """Weights, currents and logits come from the file by its own attributes, read with h5py alone."""
    with load_run(built.folder) as run, h5py.File(built.folder / "cells.h5") as file:
        assert file.attrs["schema"] == 2 and file.attrs["device"] == "memristor"
        assert file["device/g_max"].attrs["unit"] == "S" and file["device/g_max"][()] == run.chip.description["g_max"]
        assert json.loads(file.attrs["classes"]) == list(run.classes)
        chosen = tomllib.loads(file["configuration"][()].decode())
        written = tomllib.loads((built.folder / "config.toml").read_text())
        assert chosen | {"out": str(built.folder), "versions": written["versions"]} == written
        np.testing.assert_array_equal(file["readout/weights"], run.learner.softmax.weights)
        _compare_answers(run, file["readout"])
        for layer, (inputs, neurons) in enumerate(run.chip.shapes):
            group = file[f"layer{layer}"]
            said = dict(group.attrs)
            assert (said["inputs"], said["neurons"], said["bias_row"]) == (inputs, neurons, inputs - 1)
            assert (said["g_unit_unit"], said["r_word_unit"], said["read_voltage_unit"]) == ("S", "Ohm", "V")
            assert group["conductance"].attrs["unit"] == "S"
            g = group["conductance"][()].astype(float)
            plus, minus = g[:, 0::2], g[:, 1::2]
            np.testing.assert_array_equal(np.stack((plus, minus)), run.chip.oracle.conductances(layer))
            behind = g / (1.0 + g * said["r_access"])
            rows = range(0, inputs, said["tile_rows"])
            lines = range(0, 2 * neurons, said["tile_columns"])
            seen = np.block([[_tile(behind[r : r + said["tile_rows"], c : c + said["tile_columns"]], said) for c in lines]
                             for r in rows])  # fmt: skip
            w = (seen[:, 0::2] - seen[:, 1::2]) / said["g_unit"]
            # Wires are followed between exact solutions, to 0.5 % of the largest current of a tile.
            np.testing.assert_allclose(w, run.chip.oracle.weights(layer), atol=0.005 * np.abs(w).max())
            assert np.abs(w).max() <= 1.5 * said["weight_limit"]


def _compare_answers(run: Any, readout: Any) -> None:
    """Compare the answers of the softmax read-out with the law in the file, written out in whole numbers of 8 bits."""
    assert "round" in readout.attrs["logits"] and "root mean square of 1" in readout.attrs["features"]
    x, key = run.data.x_test[:50], Key(0, "look")
    activities, _ = run.learner.look(x, None, key.child("neutral"), "layer")
    h = np.concatenate(
        [one.y / np.sqrt(np.square(one.y).mean(axis=1, keepdims=True) + 1e-12) for one in activities], axis=1
    )
    v = readout["weights"][()]
    s_h, s_c = np.abs(h).max() / 127, np.abs(v).max(axis=0) / 127
    logits = s_h * s_c * (np.rint(h / s_h) @ np.rint(v / s_c))
    scores, _ = run.learner.scores(x, "softmax", key)
    np.testing.assert_allclose(logits, scores, atol=0.02 * np.abs(scores).max())


def _tile(g: np.ndarray, said: dict[str, Any]) -> np.ndarray:
    return solve(g, np.eye(len(g)), said["r_word"], said["r_bit"])


def test_without_wires_weights_are_exact(plain: Done) -> None:
    with load_run(plain.folder) as run, h5py.File(plain.folder / "cells.h5") as file:
        for layer in range(2):
            g, said = file[f"layer{layer}/conductance"][()].astype(float), file[f"layer{layer}"].attrs
            w = (g[:, 0::2] - g[:, 1::2]) / said["g_unit"]
            np.testing.assert_allclose(w, run.chip.oracle.weights(layer), rtol=1e-5, atol=1e-6 * said["weight_limit"])
            assert (said["r_word"], said["r_bit"], said["r_access"]) == (0.0, 0.0, 0.0)


# ---------------------------------------------------------------- export


@pytest.mark.skipif(shutil.which("ngspice") is None, reason="ngspice is not installed")
def test_ngspice_agrees_with_the_exact_read(built: Done, tmp_path: Path) -> None:
    """Column currents of a tile with wires and transistors, within 1e-4 (ngspice prints ten digits)."""
    out = tmp_path / "spice"
    assert run_app(app, ["export", str(built.folder), "--to", str(out), "--format", "spice"]) == 0
    tiles = sorted(out.glob("*_read.cir"))
    assert len(tiles) == sum(
        -(-n // 16) * -(-2 * m // 12) for n, m in json.loads((built.folder / "result.json").read_text())["shapes"]
    )
    for tile in (tiles[0], tiles[-1]):  # a whole one and one of an edge
        said = subprocess.run(["ngspice", "-b", tile.name], cwd=out, capture_output=True, text=True, check=False).stdout
        found = np.array([float(x) for x in re.findall(r"^i\(vb\d+\) = (\S+)", said, re.M)])
        expected = np.loadtxt(tile.with_suffix(".csv"), delimiter=",", skiprows=1)[:, 1]
        assert found.size == expected.size and expected.min() > 0.0
        np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_netlist_says_what_the_exact_read_does(built: Done, tmp_path: Path) -> None:
    """Without ngspice: the resistors of the netlist, solved node by node in dense float64, give the currents in the table."""
    out = tmp_path / "spice"
    with load_run(built.folder) as run:
        names = exports.export(run, out, "spice")
        exact = solve(*_of_tile(run), full=False)[0]
    assert "layer0_tile_0_0.cir" in names
    expected = np.loadtxt(out / "layer0_tile_0_0_read.csv", delimiter=",", skiprows=1)[:, 1]
    np.testing.assert_allclose(expected, exact, rtol=1e-5)
    resistors = re.findall(r"^R\S+ (\S+) (\S+) (\S+)$", (out / "layer0_tile_0_0.cir").read_text(), re.M)
    sources = dict(re.findall(r"^Vw\d+ (\S+) 0 DC (\S+)$", (out / "layer0_tile_0_0_read.cir").read_text(), re.M))
    grounds = [f"b{j}" for j in range(len(expected))]
    inner = sorted({node for a, b, _ in resistors for node in (a, b)} - set(sources) - set(grounds))
    place = {node: i for i, node in enumerate(inner)}
    matrix, right = np.zeros((len(inner), len(inner))), np.zeros(len(inner))
    fixed = {**{node: float(v) for node, v in sources.items()}, **dict.fromkeys(grounds, 0.0)}
    for a, b, ohm in resistors:
        for one, other in ((a, b), (b, a)):
            if one in place:
                matrix[place[one], place[one]] += 1.0 / float(ohm)
                if other in place:
                    matrix[place[one], place[other]] -= 1.0 / float(ohm)
                else:
                    right[place[one]] += fixed[other] / float(ohm)
    potential = fixed | dict(zip(inner, np.linalg.solve(matrix, right), strict=True))
    into = {node: sum((potential[a] - potential[b]) / float(ohm) for a, b, ohm in resistors if b == node)
            - sum((potential[a] - potential[b]) / float(ohm) for a, b, ohm in resistors if a == node)
            for node in grounds}  # fmt: skip
    np.testing.assert_allclose([into[node] for node in grounds], exact, rtol=1e-5)


def _of_tile(run: Any) -> tuple[Any, ...]:
    """Return conductances behind transistors, voltages and resistances of the first tile."""
    plus, minus = run.chip.oracle.conductances(0).astype(float)
    g = np.stack((plus, minus), axis=2).reshape(len(plus), -1)[:16, :12]
    device = run.chip.device
    wire = run.parts.run.port._arrays[0, "main"].cells.wired.interconnect
    return g / (1.0 + g * device.r_access), np.full((1, 16), device.v_read), wire.r_word, wire.r_bit


def test_tables_and_arrays(plain: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The arrays come in again as conductances, and the answers stay."""
    for form in ("csv", "npz"):
        assert run_app(app, ["export", str(plain.folder), "--to", str(tmp_path / form), "--format", form]) == 0
    with load_run(plain.folder) as run:
        g = run.chip.oracle.conductances(0)
    table = np.loadtxt(tmp_path / "csv" / "layer0_conductance.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(table[:, 0::2].astype(np.float32), g[0])
    np.testing.assert_array_equal(table[:, 1::2].astype(np.float32), g[1])
    said = json.loads((tmp_path / "csv" / "description.json").read_text())
    assert said["layers"][0]["g_unit"]["unit"] == "S" and said["device_figures"]["g_max"]["unit"] == "S"
    with np.load(tmp_path / "npz" / "cells.npz") as arrays:
        np.testing.assert_array_equal(arrays["layer0.conductance"], g)
        assert json.loads(str(arrays["description"])) == said
    capsys.readouterr()
    for again in ([], ["--conductances", str(tmp_path / "npz" / "cells.npz")],
                  ["--conductances", str(plain.folder / "cells.h5")]):  # fmt: skip
        assert run_app(app, ["infer", str(plain.folder), "--readout", "energy", "--json", *again]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["predictions"]["energy"] == plain.answers["energy"].tolist()
    assert run_app(app, ["export", str(plain.folder), "--to", str(tmp_path / "csv"), "--format", "csv"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert run_app(app, ["export", str(plain.folder), "--to", str(tmp_path / "x"), "--format", "spise"]) == 2
    assert "did you mean 'spice'" in capsys.readouterr().err and not (tmp_path / "x").exists()


# ---------------------------------------------------------------- infer


def test_infer_names_images(plain: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Own test images, those of a file with and without labels, and a table; the error and the joules are those of the run."""
    with load_run(plain.folder) as run:
        x, y = run.data.x_test, run.data.y_test
    out = tmp_path / "predictions.csv"
    assert run_app(app, ["infer", str(plain.folder), "--readout", "all", "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["predictions"]["energy"] == plain.answers["energy"].tolist() and found["images"] == len(x)
    assert found["error_percent_by_readout"] == plain.result["test_error_percent_by_readout"]
    assert found["joule_per_image_by_readout"] == pytest.approx(plain.result["energy"]["per_image_joule"])
    lines = out.read_text().splitlines()
    assert lines[0] == "row,label,energy,softmax" and len(lines) == len(x) + 1
    assert lines[1].split(",")[2] == str(plain.answers["energy"][0])
    np.savez(tmp_path / "bare.npz", x=x.reshape(-1, 8, 8) if x.shape[1] == 64 else x)
    assert run_app(app, ["infer", str(plain.folder), "--data", str(tmp_path / "bare.npz"), "--json"]) == 0
    bare = json.loads(capsys.readouterr().out)
    assert bare["error_percent_by_readout"] is None
    assert bare["predictions"] == {"softmax": plain.answers["softmax"].tolist()}
    np.savez(tmp_path / "other.npz", x=x[:, :5], y=y)
    assert run_app(app, ["infer", str(plain.folder), "--data", str(tmp_path / "other.npz")]) == 2
    assert "have 5 values each" in capsys.readouterr().err
    np.savez(tmp_path / "strange.npz", x=x, y=y + 7)
    assert run_app(app, ["infer", str(plain.folder), "--data", str(tmp_path / "strange.npz")]) == 2
    assert "no class of the run" in capsys.readouterr().err
    assert run_app(app, ["infer", str(plain.folder), "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
    assert run_app(app, ["infer", str(plain.folder), "--readout", "sofmax"]) == 2
    assert "no read-out" in capsys.readouterr().err
    assert run_app(app, ["infer", str(plain.folder), "--data", "tay"]) == 2
    assert "no data set 'tay'" in capsys.readouterr().err
    assert run_app(app, ["infer", str(plain.folder)]) == 0
    said = capsys.readouterr().out
    assert f"{plain.result['test_error_percent']:.2f} %" in said and "J" in said


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shapes are those that the comments say."""
    page = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "load-a-run.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["goodness"].shape == (5, 2) and names["weights"].shape == names["run"].chip.shapes[0]
    assert len(names["table"]) == 1 and len(names["labels"]) == len(names["run"].data.x_test)


def test_what_a_loaded_run_refuses(plain: Done, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence for no images, for ages that are no text, for names that are empty, and for choices that were edited."""
    with load_run(plain.folder) as run:
        for bad, words in ((run.data.x_test[:0], "at least one"), (np.zeros((0,)), "at least one")):
            with pytest.raises(UsageError, match=words):
                run.predict(bad)
        with pytest.raises(UsageError, match="ages are a text"):
            run.aged(3600)  # type: ignore[arg-type]
    edited = tmp_path / "edited"
    shutil.copytree(plain.folder, edited)
    text = (edited / "config.toml").read_text()
    assert "seed = 0\n" in text
    (edited / "config.toml").write_text(text.replace("seed = 0\n", "seed = 1\n"))
    for command, words in (
        (["infer", str(edited)], "(--chip-seed 0, not 1)" if "chip_seed = 0\n" in text else "(--seed 0, not 1)"),
        (["infer", ""], "no run in ''"),
        (["infer", str(plain.folder), "--out", ""], "--out takes the name of a new file"),
        (["export", str(plain.folder), "--to", ""], "--to takes the name of a new folder"),
    ):
        assert run_app(app, command) == 2
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1
