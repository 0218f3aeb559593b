"""`energy RUN`: every part of a run's result is checked before it is priced; names are printed as they are."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff.__main__ import app
from analog_ff.cli import run_table
from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from analog_ff.runs.result_file import read_run
from analog_ff.simulate import run_app
from hardware_models.check import UsageError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short run of two layers."""
    folder = tmp_path_factory.mktemp("reader") / "run"
    execute(Config(data="toy", layers=(6, 4), epochs=1, batch=200, shift=0, endurance=1e4, out=str(folder)), quiet=True)
    return folder


@pytest.fixture(scope="module")
def result(run: Path) -> dict[str, Any]:
    return json.loads((run / "result.json").read_text(encoding="utf-8"))


def at(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return an edit that sets what stands at a place."""

    def edit(found: Any) -> None:
        for name in path[:-1]:
            found = found[name]
        found[path[-1]] = value

    return edit


def without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """Return an edit that takes away what stands at a place."""

    def edit(found: Any) -> None:
        for name in path[:-1]:
            found = found[name]
        del found[path[-1]]

    return edit


EDITS = {
    "a negative count": (at("events", "learn", "integrator", value=-1), "'integrator', got -1"),
    "a count that is a list": (at("events", "program", "normalise", value=[[1, 2]]), "'normalise', got [[1, 2]]"),
    "a count that is a fraction": (at("events", "learn", "adc.8", value=0.5), "'adc.8', got 0.5"),
    "a count that is a switch": (at("events", "learn", "adc.8", value=True), "'adc.8', got True"),
    "a count of many digits": (at("events", "learn", "adc.8", value=10**400), "'adc.8', got 1000"),
    "no such event": (at("events", "learn", "adc", value=1), "'adc', which is the name of no event"),
    "bits of many digits": (at("events", "learn", f"adc.{'9' * 5000}", value=1), "a number of bits"),
    "no such phase": (at("events", "train", value={}), "unknown entry 'train'"),
    "a phase that is a list": (at("events", "learn", value=[]), "'events.learn' should be an object"),
    "a phase too few": (without("events", "monitor"), "'events' lacks its monitor"),
    "an integral without value": (without("integrals", "monitor", "time", "value"), "time' lacks its value"),
    "an integral without unit": (without("integrals_by_layer", "learn", "0", "time", "unit"), "time' lacks its unit"),
    "an integral in another unit": (at("integrals", "learn", "time", "unit", value="ms"), "'time' should be in s"),
    "an integral that is a number": (at("integrals", "learn", "time", value=1.0), "should be a table"),
    "a negative integral": (at("integrals", "learn", "time", "value", value=-1.0), "'time', got -1"),
    "an integral too few": (without("integrals", "learn", "half.v2gt"), "'integrals.learn' lacks 'half.v2gt'"),
    "a count too few": (without("events", "learn", "write.selected"), "'events.learn' lacks 'write.selected'"),
    "an infinite integral": (at("integrals", "learn", "time", "value", value=float("inf")), "no number of JSON"),
    "columns without a converter": (at("config", "columns_per_adc", value=0), "columns_per_adc, got 0"),
    "no lanes": (at("energy", "circuit", "lanes", value=0), "for lanes, got 0"),
    "layers that do not add up": (
        at("events_by_layer", "learn", "0", "integrator", value=1),
        "add up to 'events.learn'",
    ),
    "layers that are texts": (at("events_by_layer", "learn", "0", value="x"), "'events_by_layer.learn.0' should be"),
    "time that does not add up": (at("integrals", "learn", "time", "value", value=1.0), "add up to 'integrals.learn'"),
    "read-outs that do not add up": (at("events_by_readout", "energy", "adc.8", value=1), "add up to 'events.infer'"),
    "read-outs of one kind": (without("integrals_by_readout"), "should have the same read-outs"),
    "images that are a text": (at("images", "learn", value="many"), "learn, got 'many'"),
    "images of no inference": (without("images", "infer"), "lacks its infer"),
    "an odd number of images": (at("images", "infer", value=401), "as many images"),
    "a device that is none": (at("device", value=None), "'device' should be an object"),
    "a device without a voltage": (without("device", "v_read"), "'device' lacks its v_read"),
    "a voltage that is a text": (at("device", "v_up", value="2 V"), "v_up, got '2 V'"),
    "an endurance of zero": (at("device", "wear", "endurance", value=0), "endurance, got 0"),
    "a technology that is a list": (at("config", "technology", value=[1]), "technology, got [1]"),
    "a tile of nothing": (at("config", "tile", value=[0, 0]), "tile, got 0"),
    "layers of halves": (at("config", "layers", value=[1.5]), "layers, got [1.5]"),
    "no technology": (without("config", "technology"), "'config' lacks its technology"),
    "shapes of halves": (at("shapes", 0, value=[2.5, 6]), "inputs and neurons, got 2.5"),
    "shapes of nothing": (at("shapes", value=[]), "'shapes' should be a list"),
    "shapes of other layers": (at("shapes", 0, 1, value=7), "the neurons [6, 4]"),
    "cells that are texts": (at("cells", "layers", value="x"), "'cells.layers' should be a list"),
    "pulses below zero": (at("cells", "layers", 0, "pulses_max", value=-5), "pulses_max, got -5"),
    "another schema": (at("schema", value=2), "schema = 1, got 2"),
    "no events": (without("events"), "has no 'events'"),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_result_is_refused_in_one_sentence(case: str, result: dict[str, Any], tmp_path: Path) -> None:
    """The sentence names the file and the place in it."""
    edit, words = EDITS[case]
    bad = copy.deepcopy(result)
    edit(bad)
    (tmp_path / "result.json").write_text(json.dumps(bad), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_run(str(tmp_path))
    sentence = str(caught.value)
    assert words in sentence and "result.json" in sentence and "\n" not in sentence and len(sentence) < 600


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"a":' * 5000, "\x00", '{"events": 1', "5", f'{{"events": {"9" * 5000}}}']
)
def test_what_is_no_json_object_is_refused(text: str, tmp_path: Path) -> None:
    """Nesting and digits without end as well."""
    (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be read as the result of a run"):
        read_run(str(tmp_path / "result.json"))


@pytest.mark.parametrize("place", ["a" * 5000, "a\0b", "~nobody-of-this-name/x", "no such run"])
def test_a_place_where_no_run_is(place: str) -> None:
    """Whatever the operating system says of the name."""
    with pytest.raises(UsageError, match=r"^run "):
        read_run(place)


@pytest.mark.parametrize("shape", [(3,), (3, 5), (0, 4), None])
def test_cells_of_another_shape_are_refused(
    shape: tuple[int, ...] | None, result: dict[str, Any], tmp_path: Path
) -> None:
    """The shapes of an older run come from its cells: two bit lines a neuron; None: a file that is none of HDF5."""
    old = {name: value for name, value in result.items() if name != "shapes"}
    (tmp_path / "result.json").write_text(json.dumps(old), encoding="utf-8")
    if shape is None:
        (tmp_path / "cells.h5").write_bytes(b"no HDF5")
    else:
        with h5py.File(tmp_path / "cells.h5", "w") as file:
            file["layer0/conductance"] = np.zeros(shape, np.float32)
    with pytest.raises(UsageError, match=r"cells\.h5"):
        read_run(str(tmp_path))


def test_names_of_the_users_are_printed_as_they_are(
    result: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brackets are no markup, colons no pictures."""
    named = copy.deepcopy(result)
    named["config"]["data"] = "[red]:smile:"
    (tmp_path / "result.json").write_text(json.dumps(named), encoding="utf-8")
    assert run_app(app, ["energy", str(tmp_path)]) == 0
    assert "[red]:smile:" in capsys.readouterr().out
    run_table.show(named, Path("[bold]/:bomb:"))
    out = capsys.readouterr().out
    assert "[red]:smile:" in out and "[bold]/:bomb:" in out
