"""Every experiment of the repository asks for runs that exist: a typing error would be found only hours later."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

from analog_ff.cli.parameters import parameters
from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import given
from analog_ff.spiking.config import SpikingConfig

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))
catalogue, experiment_page, pages, results_page = (
    importlib.import_module(name) for name in ("catalogue", "experiment_page", "pages", "results_page")
)


@pytest.mark.parametrize("name", sorted(file.stem for file in (BENCHMARKS / "experiments").glob("*.toml")))
def test_every_point_is_a_configuration(name: str) -> None:
    experiment = catalogue.experiments([name])[name]
    spiking = experiment.get("command") == "spiking"
    kind = SpikingConfig if spiking else Config
    known = {p.name for p in parameters(kind)}
    points = catalogue.points(experiment)
    assert points
    repeated = {f.name for f in dataclasses.fields(kind) if f.metadata.get("repeated")}
    # Points that differ by their seeds alone are looked at once.
    different = {
        repr(sorted({**options, "seed": 0, "chip-seed": 0}.items())): (label, options) for label, options in points
    }
    for label, options in different.values():
        arguments = dict.fromkeys(known)
        for key, value in options.items():
            option = key.replace("-", "_")
            assert option in known, f"{name}, {label}: there is no option --{key}"
            # Texts are read as on the command line, numbers are what TOML says.
            one = str(value) if isinstance(value, tuple | list) else value
            arguments[option] = [one] if option in repeated else one
        chosen = given(kind, arguments)
        if spiking:
            SpikingConfig(**chosen)
            continue
        Config(**recommended(chosen))


@pytest.mark.slow
def test_the_table_at_a_glance_names_rows_that_exist() -> None:
    rows = [line for line in results_page.glance() if "](results/" in line]
    entries = tomllib.loads((BENCHMARKS / "glance.toml").read_text(encoding="utf-8"))["rows"]
    assert len(rows) == len(entries)
    names = {f"{name}.md" for name in catalogue.experiments([])}
    assert {line.partition("](results/")[2].partition(")")[0] for line in rows} <= names


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
    monkeypatch.setattr(experiment_page, "results_of", lambda name, experiment, one: found[one["label"]])
    lines = experiment_page.paired("any", {"rows": [{"label": n} for n in found], "paired": [["learned", "frozen"]]})
    assert lines[-2] == "| learned | frozen | 3 | +2.00 ± 2.48 | +0.00 ± 0.00 |"


def test_every_pair_names_rows_that_exist() -> None:
    asked = {name: e for name, e in catalogue.experiments([]).items() if "paired" in e}
    assert asked
    for experiment in asked.values():
        labels = {row["label"] for row in experiment["rows"]}
        assert {label for pair in experiment["paired"] for label in pair} <= labels
    name, experiment = next(iter(asked.items()))
    assert len(experiment_page.paired(name, experiment)) == len(experiment["paired"]) + 6


def test_every_question_has_a_page_with_an_answer_and_the_index_leads_to_it() -> None:
    """The committed pages: written by the table maker, one a question, with the table that a reader opens."""
    index = (pages.DOCS / "results.md").read_text(encoding="utf-8")
    asked = catalogue.experiments([])
    assert {f"{name}.md" for name in asked} <= {file.name for file in pages.PAGES.glob("*.md")}
    for file in pages.PAGES.glob("*.md"):
        text = file.read_text(encoding="utf-8")
        assert index.count(f"](results/{file.name}): ") == 1, file.name
        assert re.search(r"^\*\*.+[.]\*\*$", text, re.MULTILINE), f"{file.name} has no answer"
        assert "<details markdown" in text and text.count("<details") == text.count("</details>")


def test_a_page_that_a_text_names_is_a_link_in_it() -> None:
    """A name in code alone: no command, no name that is a link already, no other word."""
    text = "see `18_slopes`, `run.py 18_slopes`, [`18_slopes`](x.md), `cheap`"
    assert pages.linked(text, {"18_slopes"}) == text.replace("see `18_slopes`", "see [`18_slopes`](18_slopes.md)")
    assert pages.linked(text, ()) == text


def test_links_between_the_pages_of_the_docs_lead_somewhere() -> None:
    for file in (*pages.DOCS.glob("*.md"), *pages.PAGES.glob("*.md")):
        for place in re.findall(r"\]\(([^)#\s]+)", file.read_text(encoding="utf-8")):
            assert "://" in place or (file.parent / place).exists(), f"{file.name}: {place}"


def test_an_answer_quotes_the_errors_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {"learned": "1.50 ± 0.10 ‡", "frozen": "not run"}

    def error(name: str, experiment: object, row: dict[str, str], readout: str | None) -> tuple[str, int]:
        return errors[row["label"]] + (f" {readout}" if readout else ""), 3

    monkeypatch.setattr(experiment_page, "error", error)
    experiment = {"answer": "{learned}, {frozen}.", "rows": [{"label": label} for label in errors]}
    assert experiment_page.answer("any", experiment) == "1.50 ± 0.10 % ‡, not run."
    monkeypatch.setitem(errors, "learned", "2.00")
    assert experiment_page.answer("any", {**experiment, "answer": "{learned|energy}."}) == "2.00 energy %."


def test_the_tables_of_the_energy_page_are_those_of_the_stored_runs() -> None:
    """The rows priced from stored runs stand in docs/explanation/energy.md; none is missing."""
    worked, acceptance = (importlib.import_module(name) for name in ("energy_worked_example", "energy_acceptance"))
    page = (BENCHMARKS.parent / "docs" / "explanation" / "energy.md").read_text(encoding="utf-8")
    counted = worked.counted()
    assert len(counted) > 6 and all(line in page for line in counted)
    assert [row["what"] for row in acceptance.neurosim()] == [
        f"NeuroSim training, {name}" for name in acceptance.NEUROSIM
    ]


def test_the_comparison_of_learners_takes_the_tuned_rates() -> None:
    """Each learner has the learning rate that the stored tuning chose, in the form of `compare --set`."""
    learners = importlib.import_module("learners")
    words = learners.settings()
    rates = [word for word in words if ":learning-rate=" in word]
    assert len(rates) == len(learners.LEARNERS) * len(learners.DEVICES) and words.count("--set") * 2 == len(words)
    assert "memristor/plain:skip-silent=false" in words


@pytest.mark.parametrize(
    ("options", "rows", "expected"),
    [
        ({}, [{}], ("energy", "softmax")),
        ({"readout": "both"}, [{}], ("energy", "softmax", "both")),
        ({}, [{"readout": "energy"}, {"readout": "both"}], ("energy", "softmax", "both")),
        ({"readout": "output"}, [{}], ("output",)),
    ],
)
def test_a_table_has_the_readouts_of_its_runs(
    options: dict[str, str], rows: list[dict[str, str]], expected: tuple[str, ...]
) -> None:
    """The two together have a column where a row asks for them, and every read-out has a name."""
    found = catalogue.readouts_of({"options": options, "rows": rows})
    assert found == expected and set(found) <= set(catalogue.READOUT_NAMES)
