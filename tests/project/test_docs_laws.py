"""Pages on physics and energy: what they name is there, and their tables are those of the code."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from hardware_models.chip import Chip
from hardware_models.devices import MODELS
from hardware_models.energy.oracles.closed_forms import read
from hardware_models.keys import Key

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.append(str(ROOT / "benchmarks"))
energy_prices = importlib.import_module("energy_prices")


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_law_of_the_validation_has_its_test() -> None:
    """Each `file::test` of the table is a function of that file."""
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", page("validation.md"))
    assert len(named) > 50
    for file, test in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{test}"


@pytest.mark.parametrize("name", ["explanation/physics.md", "explanation/energy.md", "validation.md", "limits.md"])
def test_files_that_a_page_names_are_there(name: str) -> None:
    """Paths from the root of the repository, in code."""
    named = set(
        re.findall(r"`((?:hardware_models|analog_ff|benchmarks|tests)/[\w/.]+\.(?:py|toml|json))\b", page(name))
    )
    assert named or name == "limits.md"
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_model_of_a_device_has_its_law_on_the_page() -> None:
    """The page of the laws takes the source file of each model."""
    shown = set(re.findall(r"^::: (\S+)$", page("reference/api/device-laws.md"), re.M))
    assert {place.partition(":")[0] for place in MODELS.values()} <= shown


@pytest.mark.parametrize("mark", ["prices", "figures", "sources"])
def test_prices_of_the_page_are_those_of_the_technology(mark: str) -> None:
    """`python benchmarks/energy_prices.py --write` would change nothing."""
    found = re.search(rf"<!-- {mark} -->\n(.*?)\n<!-- end {mark} -->", page("explanation/energy.md"), re.S)
    assert found is not None and found[1].splitlines() == energy_prices.tables()[mark]


def test_reads_are_counted_as_the_page_says() -> None:
    """Tiles multiply drivers by the column tiles, and integrators, bit lines and conversions by the row tiles."""
    (n, m), row_tiles, column_tiles = (20, 10), 3, 3
    chip = Chip("memristor", [(n, m)], tile=(8, 8))
    _, events = chip.observe(0, np.ones((1, n), np.float32), key=Key(0, "read"))
    one = read(n, m, dac=8, adc=8)
    times = {"dac.8": column_tiles, "reads.cells": 1} | dict.fromkeys(
        ("reads.columns", "integrator", "adc.8"), row_tiles
    )
    assert {name: events[name] for name in one} == {name: times[name] * number for name, number in one.items()}
