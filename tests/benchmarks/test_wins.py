"""The page "Where Forward-Forward wins and loses": verdicts follow from intervals, rows from the choices of their runs."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.append(str(BENCHMARKS))
catalogue, wins_cases, wins_compared, wins_page, wins_picture, wins_sentences = (
    importlib.import_module(name)
    for name in ("catalogue", "wins_cases", "wins_compared", "wins_page", "wins_picture", "wins_sentences")
)


def case(label: str, errors: dict[int, float], joule: float = 1e-7, stored: int = 60000, **config: Any) -> Any:
    """Return a case whose runs have these errors, with an energy of an update and its ends at half and at twice the prices."""
    options = {"learner": "forward-forward", "layers": [300, 300], "readout": "softmax", "batch": 100, **config}
    results = [
        {
            "label": label, "options": {"seed": seed}, "config": options, "out_of_date": [], "dear": False,
            "validation_error_percent_by_readout": {"softmax": error, "energy": error + 1.0},
            "energy": {"low_joule": joule / 2, "per_update_joule": joule, "high_joule": 2 * joule},
            "activity": {"peak_stored": stored, "registers_per_layer": []}, "shapes": [[785, 300], [301, 300]],
            "events": {"learn": {"reads.cells": 2 * 325_800 * 3 * 50, "reads.transposed_cells": 2 * 325_800 * 25}},
            "images": {"learn": 50}, "cells": {"pulses_per_weight": 7.0},
        }
        for seed, error in errors.items()
    ]  # fmt: skip
    return wins_cases.Case("any", "Any experiment", label, results, "validation")


def errors(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_a_verdict_is_that_of_the_interval() -> None:
    """Gaps of 1, 2, 3 points: 2 ± 4.303 / sqrt(3), which holds 0; tenfold smaller scatter decides; one seed never does."""
    mine = case("mine", errors(6.0, 7.0, 8.0))
    wide = wins_compared.compared(mine, case("other", errors(5.0, 5.0, 5.0), learner="backprop-nominal"))
    assert wide.error.value == pytest.approx(2.0) and wide.error.high - 2.0 == pytest.approx(
        4.3027 / math.sqrt(3), rel=1e-4
    )
    assert wide.error.verdict == wins_compared.OPEN
    narrow = wins_compared.compared(mine, case("other", errors(4.0, 5.1, 5.9), learner="backprop-nominal"))
    assert narrow.error.verdict == wins_compared.LOSES
    assert wins_compared.compared(case("other", errors(4.0, 5.1, 5.9)), mine).error.verdict == wins_compared.WINS
    one = wins_compared.compared(mine, case("other", {0: 1.0}, learner="backprop"))
    assert one.seeds == 1 and one.screening and one.error.low is None and one.error.verdict == wins_compared.OPEN
    assert wins_compared.compared(mine, case("other", {7: 1.0}, learner="backprop")) is None, "no seed is shared"


def test_a_ratio_of_costs_is_decided_where_it_is_so_at_all_prices() -> None:
    ratio = wins_compared.ratio
    assert ratio({"low": (1.0, 2.0), "nominal": (1.0, 3.0), "high": (1.0, 1.5)}) == (1 / 3, 1 / 3, 1 / 1.5, 1.0)
    assert ratio({"low": (1.0, 2.0), "nominal": (1.0, 3.0), "high": (1.0, 0.5)}).verdict == wins_compared.OPEN
    same = ratio({"low": (1.0, 1.001), "nominal": (1.0, 1.001), "high": (1.0, 1.002)})
    assert same.equal and same.verdict == wins_compared.OPEN, "less than a percent decides nothing"
    assert ratio({"low": (1.0, None), "nominal": (1.0, 3.0), "high": (1.0, 0.5)}) is None


def test_cases_are_compared_on_one_chip_alone_and_a_seal_makes_no_other_chip() -> None:
    mine = case("mine", errors(1.0, 2.0), sealed=True)
    same = case("open", errors(1.0, 2.0), learner="backprop", sealed=False)
    elsewhere = {
        "device": "ideal",
        "layers": [64, 64],
        "epochs": 3,
        "data": "mnist",
        "tile": [64, 64],
        "nonlinearity": "tanh",
    }
    others = [case(name, errors(1.0, 2.0), learner="backprop", **{name: value}) for name, value in elsewhere.items()]
    found = wins_compared.against_others([mine, same, *others])
    assert [(one.mine.label, one.other.label) for one in found] == [("mine", "open")]


def test_the_family_is_not_chosen_by_its_error_and_others_are_by_the_least() -> None:
    rows = [
        case("first", errors(9.0, 9.0)), case("better", errors(1.0, 1.0)), case("pulses", errors(3.0, 3.0), update="coincidence"),
        case("badly tuned", errors(9.0, 9.0), learner="backprop"), case("well tuned", errors(2.0, 2.0), learner="backprop"),
    ]  # fmt: skip
    chosen = wins_compared.standing(rows)
    assert [one.label for one in chosen] == ["first", "pulses", "well tuned"]
    assert [(one.mine.label, one.other.label) for one in wins_compared.among_the_family(chosen)] == [
        ("pulses", "first")
    ]


def test_a_rule_that_nobody_has_named_is_of_the_family() -> None:
    """New learners appear without a word in wins.toml; an option that the learner does not read makes no other rule."""
    assert (
        case("new", errors(1.0), learner="dimensionality").ours
        and not case("frozen", errors(1.0), learner="random-features").ours
    )
    frozen = [
        case("frozen", errors(1.0), learner="random-features", update=update)
        for update in ("accumulate", "coincidence")
    ]
    assert frozen[0].rule == frozen[1].rule
    assert {entry["learner"] for entry in wins_cases.choices()["competitors"]} <= set(wins_page.LEARNERS)


def test_needs_are_counted() -> None:
    """Three forward reads of each cell an image, half a backward one; 600 stored activities of 600 neurons; 8 bits a weight."""
    one = case("mine", errors(1.0), update="accumulate-int8")
    assert one.reads(transposed=False) == pytest.approx(3.0) and one.reads(transposed=True) == pytest.approx(0.5)
    several = case("several", errors(5.0), pairs=4)  # the same reads of four times the cells
    assert several.reads(transposed=False) == pytest.approx(0.75)
    assert one.stored == 600.0 and one.memory_bits == 8 and one.size == "2 x 300"
    row = next(line for line in wins_page.needs([one]) if line.startswith("| forward-forward"))
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["3", "0.5", "no", "none", "yes", "1", "1"]
    back = next(line for line in wins_page.needs([one]) if line.startswith("| backprop-nominal"))
    assert [cell.strip() for cell in back.split("|")[2:-1]] == ["-", "-", "yes", "none", "no", "-", "0"]


def test_sentences_say_what_the_figures_say(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = case("mine", errors(6.0, 7.0, 8.0), 3e-7)
    other = case("through the array", errors(4.0, 5.1, 5.9), 1e-7, learner="backprop-nominal")
    found = wins_compared.against_others([mine, other])
    said = wins_sentences.against_each(found)
    assert {verdict for verdict, _ in said} == {wins_compared.LOSES}
    assert "loses in 1 of 1: [mine](any.md) +2.00 points (+1.75 to +2.25)" in said[0][1]
    assert "3 times (3 to 3)" in said[1][1]
    assert wins_sentences.answer(found).endswith(
        "Forward-Forward loses 1 of 1 comparison against backprop through the array."
    )
    stream = case("stream", errors(6.1, 6.9, 8.0), stored=0, schedule="pipelined")
    ((verdict, text),) = wins_sentences.within_the_family(wins_compared.among_the_family([mine, stream]))
    assert verdict == wins_compared.WINS and "not decided; 0 activities stored an image for 600" in text
    worse = case("stream", errors(9.1, 9.9, 11.0), stored=0, schedule="pipelined")
    assert wins_sentences.within_the_family(wins_compared.among_the_family([mine, worse]))[0][0] == wins_compared.LOSES
    monkeypatch.setattr(wins_page, "cases", lambda: [mine, other, stream])
    page = wins_page.wins()
    assert page is not None and page.text().count("<details") == page.text().count("</details>") == 1
    assert wins_picture.of_chips([mine, other, stream]) == [[mine, other, stream]]


def test_the_choices_name_experiments_and_rows_that_exist() -> None:
    known = catalogue.experiments([])
    choices = wins_cases.choices()
    assert set(choices["left_out"]) | set(choices["stands"]) | set(choices["by_energy"]) <= set(known)
    for table in ("stands", "by_energy"):
        for name, labels in choices[table].items():
            assert set(labels) <= {row["label"] for row in known[name]["rows"]}, name
