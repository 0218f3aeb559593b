"""What a table does not mean is not fitted without a word: stuck cells, statistics, stacked traces, wrong units."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.fitting.pulse_train import PulseTrain, parse_pulse_train

CYCLES, PULSES = 2, 12
CURVE = np.concatenate((np.linspace(4.0, 30.0, PULSES + 1), np.linspace(28.0, 4.0, PULSES)))  # uS
POLARITY = np.array([0] + [1] * PULSES + [-1] * PULSES)


def rows(*columns: Any) -> str:
    """Return the rows of a table in which each column is a function of (cycle, pulse)."""
    return "\n".join(
        ",".join(str(column(k, i)) for column in columns) for k in range(CYCLES) for i in range(len(CURVE))
    )


def volts(k: int, i: int) -> float:
    return 1.5 * int(POLARITY[i])


def micro(k: int, i: int) -> float:
    return round(float(CURVE[i]) + 0.1 * k, 4)


def train(text: str, **more: Any) -> PulseTrain:
    return parse_pulse_train(text, "table.csv", **more)


def said(text: str, **more: Any) -> str:
    """Return what a table says: its notes, or the message with which it is refused."""
    try:
        return "; ".join(train(text, **more).notices)
    except UsageError as error:
        return f"refused: {error}"


@pytest.mark.parametrize("still", [lambda k, i: 20.0, lambda k, i: 20.0 + 0.01 * (-1) ** i])
def test_stuck_cells_are_left_out_and_named(still: Any) -> None:
    def cell(name: str, reading: Any) -> str:
        return rows(lambda k, i: name, volts, reading)

    head = "cell,voltage [V],conductance [uS]\n"
    read = train(head + "\n".join((cell("A", micro), cell("B", still), cell("C", micro))))
    assert read.cells == ("A", "C")
    assert np.allclose(read.g[read.cell == 1], np.concatenate([CURVE + 0.1 * k for k in range(CYCLES)]) * 1e-6)
    assert any("1 of 3 cells (B) moved" in note for note in read.notices)
    most = head + "\n".join((cell("A", micro), cell("B", still), cell("C", still)))
    assert said(most).startswith("refused: table.csv: 2 of 3 cells (B, C) moved")
