"""Every experiment of the repository asks for runs that exist: a typing error would be found only hours later."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path

import pytest

from analog_ff.runs.config import LEARNER_RECIPES, RECIPES, Config
from analog_ff.runs.options import given, parameters
from analog_ff.spiking.config import SpikingConfig

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.append(str(BENCHMARKS))
catalogue, results_page = importlib.import_module("catalogue"), importlib.import_module("results_page")


@pytest.mark.parametrize("name", sorted(file.stem for file in (BENCHMARKS / "experiments").glob("*.toml")))
def test_every_point_is_a_configuration(name: str) -> None:
    experiment = catalogue.experiments([name])[name]
    spiking = experiment.get("command") == "spiking"
    kind = SpikingConfig if spiking else Config
    known = {p.name for p in parameters(kind)}
    points = catalogue.points(experiment)
    assert points
    for label, options in points:
        arguments = dict.fromkeys(known)
        for key, value in options.items():
            option = key.replace("-", "_")
            assert option in known, f"{name}, {label}: there is no option --{key}"
            # Texts are read as on the command line, numbers are what TOML says.
            arguments[option] = str(value) if isinstance(value, tuple | list) else value
        chosen = given(kind, arguments)
        if spiking:
            SpikingConfig(**chosen)
            continue
        recipe = RECIPES.get(chosen.get("device", "memristor"), RECIPES["default"])
        Config(**(recipe | LEARNER_RECIPES.get(chosen.get("learner", ""), {}) | chosen))


def test_the_table_at_a_glance_names_rows_that_exist() -> None:
    rows = [line for line in results_page.glance() if "](#" in line]
    entries = tomllib.loads((BENCHMARKS / "glance.toml").read_text(encoding="utf-8"))["rows"]
    assert len(rows) == len(entries)
    titles = {results_page.anchor(e["title"]) for e in catalogue.experiments([]).values()}
    assert {line.partition("](#")[2].partition(")")[0] for line in rows} <= titles


def test_pairs_are_compared_seed_by_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gaps of 1, 2, 3 points: 2 ± t(.975, 2 degrees of freedom) / sqrt(3); a seed that only one row has says nothing."""

    def row(seeds: dict[int, dict[str, float]]) -> list[dict[str, object]]:
        return [
            {"options": {"seed": s}, "out_of_date": [], "test_error_percent_by_readout": by} for s, by in seeds.items()
        ]

    found = {
        "learned": row({s: {"energy": 6.0 + s, "softmax": 5.0} for s in range(4)}),
        "frozen": row({s: {"softmax": 5.0} for s in range(3)}),
    }
    monkeypatch.setattr(results_page, "results_of", lambda name, experiment, one: found[one["label"]])
    lines = results_page.paired("any", {"rows": [{"label": n} for n in found], "paired": [["learned", "frozen"]]})
    assert lines[-2] == "| learned | frozen | 3 | +2.00 ± 2.48 | +0.00 ± 0.00 |"


def test_every_pair_names_rows_that_exist() -> None:
    asked = {name: e for name, e in catalogue.experiments([]).items() if "paired" in e}
    assert asked
    for name, experiment in asked.items():
        assert len(results_page.paired(name, experiment)) == len(experiment["paired"]) + 6
