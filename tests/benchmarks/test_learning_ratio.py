"""What learning takes against looking: from counts whose ratio is known."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
learning_ratio = importlib.import_module("learning_ratio")

WEIGHTS, TRAINED, TESTED, PASS = 50, 1000, 200, 3e-12


def result(passes: int, decisions: int, pulses: float) -> dict:
    """Return a result: `passes` reads an image in learning, `decisions` in a test, `pulses` joules an image."""
    learn = {"read.v2g": passes * PASS * TRAINED, "write.v2gt": pulses * TRAINED, "half.v2gt": 0.0, "write.gate": 0.0,
             "further.write": 0.0, "mac.fp32": 1e-6}  # fmt: skip
    infer = {"read.v2g": decisions * PASS * TESTED}
    return {
        "energy": {"by_component_joule": {"learn": learn, "infer": infer}, "per_image_joule": {"energy": 5e-10},
                   "total_joule": {"learn": 2e-6}},
        "events": {"learn": {"write.selected": 700}, "infer": {"reads.cells": decisions * TESTED * 2 * WEIGHTS}},
        "cells": {"pulses_per_weight": 700 / WEIGHTS},
        "images": {"learn": TRAINED, "infer": TESTED},
        "config": {"readout": "energy"},
    }  # fmt: skip


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("decisions", [1, 5])
def test_arrays_count_passes_and_pulses(passes: int, decisions: int) -> None:
    """k passes and pulses worth .46 of one are k + .46, whatever a decision takes."""
    assert learning_ratio.arrays(result(passes, decisions, 0.46 * PASS)) == pytest.approx(passes + 0.46)


def test_everything_is_counted_against_the_headline() -> None:
    assert learning_ratio.everything(result(1, 1, 0.0)) == pytest.approx(2e-6 / TRAINED / 5e-10)
    assert learning_ratio.cells([result(1, 1, 0.0)] * 2) == ["1", "4"]


def test_frozen_layers_have_no_ratio_of_arrays() -> None:
    frozen = result(1, 1, 0.0)
    frozen["cells"] = {"pulses_per_weight": 0.0}
    assert learning_ratio.cells([frozen]) == ["-", "4"]
