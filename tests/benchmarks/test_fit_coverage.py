"""The coverage of the fit: a trial says what it found, and only missing trials are run."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
fit_coverage = importlib.import_module("fit_coverage")
fitting_pages = importlib.import_module("fitting_pages")


def test_a_trial_and_the_trials_that_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ten intervals, bad readings of every sort, nearly all found; a stored trial is not run again, and the page counts it."""
    monkeypatch.setattr(fit_coverage.store, "RESULTS", tmp_path)
    line = fit_coverage.trial(0.02, fit_coverage.CHOSEN)  # beyond the trials that fit all forms
    assert len(line["held"]) == 10 and sum(line["held"].values()) >= 6
    bad, found = (sum(pair[i] for pair in line["bad"].values()) for i in (0, 1))
    assert bad > 20 and found >= 0.85 * bad and line["false"] <= 2 and "form" not in line
    fit_coverage.store.keep(fit_coverage.NAME, line, line | {"options": line["options"] | {"seed": 1}})
    assert fit_coverage.missing(0.02, 4) == [0, 2, 3]
    assert fit_coverage.missing(0.01, 2) == [0, 1]
    (page,) = fitting_pages.fitting_pages()
    share = 10.0 * sum(line["held"].values())
    assert f"| 2 % | 2 | {share:.1f} ± 0.0 | {100 * found / bad:.1f} % |" in page.text()
