"""Runs whose pictures and reports are two bytes: drawing takes longer than the small runs of the tests.

``python -m tests.unpictured ...`` is ``python -m analog_ff.simulate ...`` but for that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from analog_ff.output import whole_files
from analog_ff.report import kinds
from analog_ff.runs import cells, plots


def _no_curve(folder: Path, *more: object) -> None:
    whole_files.write(folder / "learning_curve.png", b"--")


def _no_report(folder: Path) -> Path:
    whole_files.write(folder / kinds.NAME, b"--")
    return folder / kinds.NAME


def unpictured(put: Callable[..., None] = setattr) -> None:
    """Write two bytes for each picture and report of a run."""
    put(kinds, "write", _no_report)
    put(plots, "learning_curve", _no_curve)
    put(plots, "ages_of_a_chip", lambda path, *more: whole_files.write(path, b"--"))
    put(cells, "_picture", lambda looks: b"--")


if __name__ == "__main__":
    from analog_ff.simulate import main

    unpictured()
    main()
