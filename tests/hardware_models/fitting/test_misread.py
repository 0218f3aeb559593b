"""What a table does not mean is not fitted without a word: stuck cells, statistics, stacked traces, wrong units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.fitting.pulse_train import PulseTrain, parse_pulse_train, read_pulse_train
from hardware_models.fitting.write_verify import fit_write_verify
from hardware_models.laboratory.traces import traces_of

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


@pytest.mark.parametrize(
    "titles", [("G mean [uS]", "G std [uS]"), ("G before [uS]", "G after [uS]"), ("A max (uS)", "A min (uS)")]
)
def test_statistics_are_no_cells(titles: tuple[str, str]) -> None:
    text = f"voltage [V],{titles[0]},{titles[1]}\n" + rows(volts, micro, micro)
    assert "names none" in said(text) and said(text).startswith("refused")
    assert train(text, columns=f"conductance={titles[0]}").cells == ("1",)


@pytest.mark.parametrize("word", ["#NV", "#N/A", "#WERT!", "#VALEUR!", "#ZAHL!", "#NAME?", "#DIV/0!", "---.---"])
def test_errors_of_spreadsheets_are_no_readings(word: str) -> None:
    text = "voltage [V],conductance [uS]\n" + rows(volts, lambda k, i: word if (k, i) == (1, 7) else micro(k, i))
    assert "1 of 50 readings is no number" in said(text) or "1 of 50 readings are no numbers (line 34)" in said(text)


def test_points_that_may_separate_thousands_are_told() -> None:
    text = "voltage [mV];conductance [nS]\n" + rows(
        lambda k, i: 1000 * volts(k, i), lambda k, i: f"{1000 * micro(k, i):,.0f}".replace(",", ".")
    ).replace(",", ";").replace(".0;", ";")
    assert "every point stands before three digits" in said(text)
    assert "every point" not in said("voltage [V],conductance [uS]\n" + rows(volts, lambda k, i: f"{micro(k, i):.3f}"))


def test_the_proposed_amplitude_is_one_of_the_file() -> None:
    text = "voltage [V],conductance [uS]\n" + rows(lambda k, i: (1 + 0.25 * k) * volts(k, i), micro)
    assert '--amplitude "1.5 V" (sizes: 1.5, 1.875 V)' in said(text)


def test_stacked_retention_traces_need_a_column_that_tells_them_apart() -> None:
    one = [f"{10**j},{20 - j}" for j in range(6)]
    head = "time [s],conductance [uS]\n"
    assert len(traces_of(head + "\n".join(one), "r.csv", "retention").g) == 6
    for second in (one, [f"{1.1 * 10**j},{15 - j}" for j in range(6)]):
        with pytest.raises(UsageError, match="r.csv, line 8: the time goes back .* need a column 'cell' or 'state'"):
            traces_of(head + "\n".join(one + second), "r.csv", "retention")
    told = "\n".join(f"{name},{row}" for name in "AB" for row in reversed(one))
    assert len(traces_of("cell," + head + told, "r.csv", "retention").names) == 2
    states = "\n".join(f"A,{row}" for row in one + one)  # of one cell: two states that no column tells apart
    with pytest.raises(UsageError, match="line 8: the time goes back inside trace 'A'"):
        traces_of("cell," + head + states, "r.csv", "retention")


def test_tries_of_a_write_that_no_column_numbers_are_told() -> None:
    body = "\n".join(f"A,{t},{t + 0.1}\nA,{t},{t + 0.2}" for t in (5, 10, 20))
    traces = traces_of("cell,target [uS],conductance [uS]\n" + body, "w.csv", "write-verify")
    assert len(traces.names) == 3 and any("the last counts (3 writes)" in note for note in traces.notices)


def test_targets_in_another_unit_are_refused() -> None:
    body = "\n".join(f"A,{t},{t + 0.1 * (-1) ** i}" for i in range(8) for t in (5, 10, 20))
    fit_write_verify(traces_of("cell,target [uS],conductance [uS]\n" + body, "w.csv", "write-verify"))
    with pytest.raises(UsageError, match="1e.03 times their targets"):
        fit_write_verify(traces_of("cell,target [nS],conductance [uS]\n" + body, "w.csv", "write-verify"))


def test_what_is_unlikely_is_told(tmp_path: Path) -> None:
    head = "voltage [V],conductance [uS]\n"
    assert not said(head + rows(volts, micro))
    assert "voltage of the pulses, 0.0015 V, is unusual" in said("voltage [mV],conductance [uS]\n" + rows(volts, micro))
    assert "largest conductance, 0.0301 S, is unusual" in said("voltage [V],conductance [mS]\n" + rows(volts, micro))
    assert "largest conductance, 3.01e-11 S, is unusual" in said("voltage [V],conductance [pS]\n" + rows(volts, micro))
    low = head + rows(volts, lambda k, i: max(0, round(micro(k, i) - 8, 4)))
    assert "8 of 50 readings (16 %) are exactly 0" in said(low)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(head + rows(volts, micro))
    copies = read_pulse_train([tmp_path / "a.csv", tmp_path / "b.csv"]).notices
    assert any("cells a and b of two files have the same readings" in note for note in copies)


def test_one_polarity_alone_is_told() -> None:
    text = "polarity,conductance [uS]\n" + rows(lambda k, i: max(0, int(POLARITY[i])), micro)
    assert "all pulses are of the other polarity (a polarity, or a voltage, of 0 is a reading)" in said(text)


def test_units_of_all_columns_stand_in_the_table() -> None:
    read = train("voltage [V],A (uS),B (nS)\n" + rows(volts, micro, lambda k, i: 1100 * micro(k, i)))
    assert ("conductance", "A (uS) ... B (nS), 2 columns", "uS, nS") in read.taken
