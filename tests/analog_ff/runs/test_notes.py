"""Notes on a run that has not learned: what guessing gives, its standard error, and the epochs that would be enough."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from analog_ff.cli.run_table import show
from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from analog_ff.runs.notes import ENOUGH, notes_on

LABELS = np.repeat(np.arange(10), 50)


def test_guessing_is_the_most_frequent_label_within_two_standard_errors() -> None:
    """q = 0.9 of ten equal classes, 500 images: the limit is 90 - 2 x 100 sqrt(0.09/500) = 87.32 %."""
    limit = 90.0 - 200.0 * math.sqrt(0.09 / 500)
    assert notes_on(limit - 0.01, LABELS, ENOUGH, 10) == []
    (note,) = notes_on(limit + 0.01, LABELS, ENOUGH, 10)
    assert note.startswith("the error of 87.3 % is no better than guessing (90.0 %, on 500 images) after 100 updates")
    mostly = np.array([0] * 95 + [1] * 5)
    assert notes_on(4.0, mostly, ENOUGH, 1), "95 % right by one answer alone is no learning"


@pytest.mark.parametrize(("updates", "epochs", "more", "gives"), [(12, 3, 25, 100), (1, 1, 100, 100), (99, 9, 10, 110)])
def test_few_updates_name_the_epochs_that_are_enough(updates: int, epochs: int, more: int, gives: int) -> None:
    """The fewest epochs with at least `ENOUGH` updates, and what these are."""
    (note,) = notes_on(20.0, LABELS, updates, epochs)
    assert note.startswith(f"only {updates} update") and f"--epochs {more} gives {gives}," in note
    assert "guessing" not in note and "no better than guessing" in notes_on(90.0, LABELS, updates, epochs)[0]


def test_a_run_says_so_in_its_result_and_below_its_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """400 images in batches of 100 are 4 updates an epoch; with enough of them and an error of zero there is no note."""
    result, folder = execute(Config(data="toy", layers=(8,), epochs=3, out=str(tmp_path / "a")), quiet=True)
    (note,) = result["notes"]
    assert note.startswith("only 12 updates") and "--epochs 25 gives 100" in note
    show(result, folder)
    assert "note: only 12 updates" in " ".join(capsys.readouterr().out.split())
    enough = {
        "data": "toy",
        "layers": (32,),
        "epochs": 8,
        "batch": 20,
        "device": "ideal",
        "learning_rate": 0.3,
        "shift": 0,
    }
    result, _ = execute(Config(**enough, out=str(tmp_path / "b")), quiet=True)
    assert result["notes"] == [] and result["test_error_percent"] < 25.0
