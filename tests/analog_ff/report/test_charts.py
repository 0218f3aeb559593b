"""Charts of a report: places follow the law of their axis, ticks are round numbers inside it, histograms keep their area."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest

from analog_ff.report.axes import Axis, along, spanning
from analog_ff.report.charts import BAR, LINE, ROW, Bar, Bars, Chart, Curve


@pytest.mark.parametrize("log", [False, True])
def test_places_are_those_of_the_law_of_the_axis(log: bool) -> None:
    """Equal differences, or equal ratios, take equal lengths; what lies beyond an end stands at that end."""
    axis = Axis(1.0, 10000.0, 100.0, 500.0, log=log)
    middle = math.sqrt(1.0 * 10000.0) if log else (1.0 + 10000.0) / 2
    assert [axis.at(v) for v in (1.0, middle, 10000.0)] == [100.0, 300.0, 500.0]
    assert axis.at(-5.0) == 100.0 and axis.at(1e9) == 500.0


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.7, 912.0), (1e-9, 4e-9), (0.41, 0.42)])
def test_ticks_of_a_linear_axis_are_round_and_inside(low: float, high: float) -> None:
    """From 3 to 11 of them, at multiples of 1, 2 or 5 times a power of ten."""
    ticks = Axis(low, high, 0.0, 1e6).ticks()
    values = [float(text) for _, text in ticks]
    steps = [after - before for before, after in pairwise(values)]
    assert 3 <= len(ticks) <= 11 and low <= min(values) and max(values) <= high
    assert steps == pytest.approx([steps[0]] * len(steps)) and f"{steps[0]:.3e}"[:5] in ("1.000", "2.000", "5.000")
    assert [place for place, _ in ticks] == sorted(place for place, _ in ticks)


@pytest.mark.parametrize(("name", "lines"), [("dac", 1), ("spread from cell to cell (step_spread, bound_spread)", 2)])
def test_a_long_name_of_a_bar_stands_above_its_value(name: str, lines: int) -> None:
    """Otherwise the two would run into each other; bars keep their distance, and the axis stands below the last one."""
    chart = Bars("", "", [Bar(name, 1.0, "-2.50 ± 63.53 points"), Bar("adc", 2.0, "1")], "")
    (_, first, *_), (_, second, *_) = chart.drawn()
    assert chart.lifted == (lines - 1) * LINE and second - first == ROW + chart.lifted
    assert first - 4.0 - chart.lifted > 8.0 and second + BAR < chart.floor < chart.height


def test_epochs_have_ticks_at_whole_numbers_alone() -> None:
    texts = [text for _, text in along([1.0, 2.0, 3.0], 0.0, 100.0).ticks()]
    assert texts == ["1", "2", "3"]
    assert len(along([float(n) for n in range(1, 61)], 0.0, 100.0).ticks()) <= 8


def test_a_logarithmic_axis_shows_what_is_above_zero() -> None:
    axis = spanning([0.0, None, math.nan, 1e-9, 1e-3], 0.0, 100.0, log=True)
    assert 0.0 < axis.low < 1e-9 and axis.high > 1e-3
    values = [float(text) for _, text in axis.ticks()]
    assert len(values) > 2 and all(math.log10(v) == pytest.approx(round(math.log10(v))) for v in values)


def test_a_histogram_encloses_the_area_of_its_numbers() -> None:
    """The area between the outline and the floor is that of the values, in the scales of both axes."""
    edges, values = [0.0, 1.0, 2.0, 4.0], [3.0, 0.0, 1.5]
    chart = Chart("t", "x", "y", [Curve("n", edges, values, steps=True)], "alt")
    moves = re.findall(r"([MVH])([-0-9.e+]+)(?: ([-0-9.e+]+))?", chart.path(chart.curves[0]))
    x, y, area = float(moves[0][1]), float(moves[0][2]), 0.0
    floor = y
    for kind, number, _ in moves[1:]:
        if kind == "V":
            y = float(number)
        else:
            area, x = area + (floor - y) * (float(number) - x), float(number)
    a_unit = (chart.across.at(1.0) - chart.across.at(0.0)) * (chart.up.at(0.0) - chart.up.at(1.0))
    assert area == pytest.approx(a_unit * (3.0 * 1 + 0.0 + 1.5 * 2), rel=1e-3)


def test_a_gap_is_not_joined_and_an_only_value_is_a_dot() -> None:
    chart = Chart("t", "x", "y", [Curve("c", [1, 2, 3, 4], [1.0, math.nan, 2.0, 3.0]), Curve("d", [2], [1.0])], "alt")
    assert chart.path(chart.curves[0]).count("M") == 2 and chart.path(chart.curves[0]).count("L") == 1
    assert not chart.dots(chart.curves[0]) and len(chart.dots(chart.curves[1])) == 1


def test_bars_begin_at_their_base_and_ranges_at_their_ends() -> None:
    rows = [Bar("a", 2.0, "2", 1.0, 4.0), Bar("b", -1.0, "-1")]
    from_zero = Bars("t", "x", rows, "alt")
    zero = from_zero.across.at(0.0)
    (_, _, left, length), (_, _, left_b, length_b) = from_zero.drawn()
    assert (
        left == zero and left_b + length_b == pytest.approx(zero) and length == pytest.approx(2.0 * length_b, abs=0.03)
    )
    ((_, _, left, length),) = Bars("t", "x", rows[:1], "alt", log=True, ranges=True).drawn()
    across = Bars("t", "x", rows[:1], "alt", log=True).across
    assert (left, left + length) == (across.at(1.0), pytest.approx(across.at(4.0)))
