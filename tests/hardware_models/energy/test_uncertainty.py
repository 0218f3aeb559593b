"""Energy under uncertain prices: linearity, what cancels, the distribution of the draws, one figure at a time."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from hardware_models.check import UsageError
from hardware_models.energy import TECHNOLOGIES, load_technology, price
from hardware_models.energy.components import SCENARIOS, Component, Figure
from hardware_models.energy.load import Technology
from hardware_models.energy.uncertainty import (
    Model,
    device_figures,
    figures_of,
    probability_less,
    quantities,
    spread,
)
from hardware_models.events import COUNTS, INTEGRALS
from hardware_models.keys import Key

DEVICE = {"t_read": 5e-9, "v_read": 0.5, "v_up": 1.6, "v_down": 1.2, "t_up": 50e-9, "t_down": 40e-9}
RANGES = {
    "v_read": {"low": 0.1, "value": 0.5, "high": 0.5},
    "t_read": {"low": 5.0, "value": 5.0, "high": 100.0},
    "v_up": {"low": 0.9, "value": 1.6, "high": 3.0},
    "t_up": {"low": 10.0, "value": 50.0, "high": 300.0},
    "g_max": {"low": 3.0, "value": 10.0, "high": 30.0},
}
NAMES = (*COUNTS, *INTEGRALS, "dac.8", "adc.6", "adc.8", "mac.fp32", "mac.int8", "add.fp32", "add.int32")
KEY = Key(0, "test")


def counted(seed: int) -> dict[str, float]:
    """Return random counts and integrals of every name."""
    g = np.random.default_rng(seed)
    sizes = {"read.v2g": 1e-3, "write.v2gt": 1e-6, "half.v2gt": 1e-7, "further.write": 1e-6, "time": 1e-3}
    return {n: g.uniform(0.0, sizes[n]) if n in INTEGRALS else float(g.integers(1, 10**6)) for n in NAMES}


def split(what: dict[str, float]) -> tuple[dict[str, int], dict[str, float]]:
    return {n: int(v) for n, v in what.items() if n not in INTEGRALS}, {n: v for n, v in what.items() if n in INTEGRALS}


@pytest.fixture(scope="module")
def technology() -> Technology:
    return load_technology("cmos-32nm")


@pytest.fixture(scope="module")
def model(technology: Technology) -> Model:
    return Model(technology, device_figures(DEVICE, RANGES), NAMES)


def with_figures(technology: Technology, values: dict[str, float]) -> Technology:
    """Return a technology whose figures have these values: the slow twin of a draw."""

    def fixed(figure: Figure, path: str) -> Figure:
        return dataclasses.replace(figure, values=(values.get(path, figure.values[1]),) * 3)

    def part(component: Component) -> Component:
        paths = {p: component.name if component.law == "fixed" else f"{component.name}.{p}" for p in component.figures}
        figures = {p: fixed(figure, paths[p]) for p, figure in component.figures.items()}
        return dataclasses.replace(component, figures=figures)

    return dataclasses.replace(
        technology,
        components={name: part(c) for name, c in technology.components.items()},
        static_power=fixed(technology.static_power, "static.power"),
        supply=fixed(technology.supply, "line.supply"),
        drive_ratio=fixed(technology.drive_ratio, "line.drive_ratio"),
        control=fixed(technology.control, "digital.control"),
    )


@pytest.mark.parametrize("name", sorted(TECHNOLOGIES))
def test_every_scenario_is_that_of_price(name: str) -> None:
    """With a fixed device the three cases are the three prices of the pure function, for all events and integrals."""
    technology = load_technology(name)
    model = Model(technology, device_figures(DEVICE), NAMES)
    what = counted(1)
    counts, integrals = split(what)
    at = {"read_time": 5e-9, "write_voltage": 1.6, "read_voltage": 0.5}
    for joule, scenario in zip(model.scenarios().energy(what), SCENARIOS, strict=True):
        parts = price({"p": counts}, {"p": integrals}, technology, scenario=scenario, **at)["p"]
        assert joule == pytest.approx(math.fsum(parts.values()), rel=1e-12)


def test_a_draw_is_the_price_of_the_technology_and_device_that_it_draws(technology: Technology, model: Model) -> None:
    """Draw by draw the matrix product equals `price` of a technology with those figures, integrals scaled as V² G t."""
    what, draws = counted(2), 4
    energies = model.drawn(draws, KEY).energy(what)
    for n in range(draws):
        value = {}
        for quantity, members in model.quantities.items():
            low, _, high = model.figures[quantity].values
            value |= dict.fromkeys(members, low * (high / low) ** KEY.child(quantity).generator().random(draws)[n])
        factor = {name: value[f"device.{name}"] / model.figures[f"device.{name}"].values[1]
                  for name in ("v_read", "t_read", "v_write", "t_write", "conductance")}  # fmt: skip
        counts, integrals = split(what)
        integrals["read.v2g"] *= factor["v_read"] ** 2 * factor["conductance"]
        for name in ("write.v2gt", "half.v2gt"):
            integrals[name] *= factor["v_write"] ** 2 * factor["t_write"] * factor["conductance"]
        at = {"read_time": value["device.t_read"], "read_voltage": value["device.v_read"],
              "write_voltage": value["device.v_write"]}  # fmt: skip
        parts = price({"p": counts}, {"p": integrals}, with_figures(technology, value), **at)["p"]
        assert energies[n] == pytest.approx(math.fsum(parts.values()), rel=1e-12)


def test_energy_is_linear_in_what_was_counted(model: Model) -> None:
    """E(a + 3 b) = E(a) + 3 E(b) under every draw; many lines at once are the same as one by one."""
    prices = model.drawn(50, KEY)
    a, b = counted(3), counted(4)
    both = {name: a[name] + 3.0 * b[name] for name in NAMES}
    np.testing.assert_allclose(prices.energy(both), prices.energy(a) + 3.0 * prices.energy(b), rtol=1e-12)
    one_by_one = [prices.energy(what) for what in (a, b)]
    np.testing.assert_allclose(prices.energies([a, b]), one_by_one, rtol=1e-14)


def test_what_is_shared_cancels_in_the_ratio(model: Model) -> None:
    """Twice the same counts cost exactly twice as much under every draw, and no quantity moves the ratio."""
    a = counted(5)
    twice = {name: 2.0 * value for name, value in a.items()}
    prices = model.drawn(500, KEY)
    assert np.all(prices.energy(twice) / prices.energy(a) == 2.0)
    assert all(s.ratio_low == s.ratio_high == 2.0 for s in model.tornado(twice, a))
    assert probability_less(prices.energy(a), prices.energy(twice)) == 1.0
    assert probability_less(prices.energy(a), prices.energy(a)) == 0.5


def test_a_quantity_that_one_side_alone_uses_moves_the_ratio(model: Model) -> None:
    """Ratio (a + b)/a with b all of one price: the tornado's ends are those of the closed form, and it comes first."""
    a = {"reads.columns": 1e6}
    b = {**a, "nonlinearity": 1e4}
    first, *others = model.tornado(b, a)
    shared, own = model.figures["reads.columns"].values, model.figures["nonlinearity"].values
    swings = {s.quantity: s for s in (first, *others)}
    for end, value in (("ratio_low", own[0]), ("ratio_high", own[2])):
        assert getattr(swings["nonlinearity"], end) == pytest.approx(1.0 + 1e4 * value / (1e6 * shared[1]), rel=1e-12)
    # The sums of a matrix product round differently from column to column on some processors, so equal is equal to 1e-12.
    moved = {s.quantity for s in swings.values() if abs(s.ratio_high / s.ratio_low - 1.0) > 1e-12}
    assert moved == {"nonlinearity", "reads.columns"} and first.quantity in moved
    widths = [abs(math.log(s.ratio_high / s.ratio_low)) for s in (first, *others)]
    assert widths == sorted(widths, reverse=True)


def test_every_draw_lies_between_the_low_and_the_high_case(model: Model) -> None:
    """All prices rise with their figures, so low <= any draw <= high, and nominal as well."""
    what = counted(6)
    low, nominal, high = model.scenarios().energy(what)
    drawn = model.drawn(5000, KEY).energy(what)
    assert low <= drawn.min() < nominal < drawn.max() <= high
    found = spread(drawn, nominal)
    assert low <= found.low <= found.median <= found.high <= high and found.nominal == nominal


def test_draws_are_log_uniform_and_independent(model: Model) -> None:
    """ln of one price is uniform over its range (Kolmogorov-Smirnov, 10 000 draws); two prices are uncorrelated."""
    n = 10_000
    prices = model.drawn(n, KEY)
    shares = []
    for name in ("nonlinearity", "comparator"):
        low, _, high = model.figures[name].values
        shares.append(np.log(prices.energy({name: 1.0}) / low) / np.log(high / low))
        assert stats.kstest(shares[-1], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(shares)[0, 1]) < 4.0 / math.sqrt(n)
    median = spread(prices.energy({"nonlinearity": 1.0}), 0.0).median
    low, _, high = model.figures["nonlinearity"].values
    # The median of n uniform draws has the standard error 1/(2 sqrt(n)) of the range.
    assert abs(math.log(median / math.sqrt(low * high))) < 4.0 * 0.5 / math.sqrt(n) * math.log(high / low)


def test_draws_depend_on_the_quantity_and_the_key_alone(technology: Technology, model: Model) -> None:
    """A model of fewer events draws the same for what it shares; another key draws otherwise."""
    few = Model(technology, device_figures(DEVICE, RANGES), ("write.line_charges", "write.v2gt"))
    what = {"write.line_charges": 1e6, "write.v2gt": 1e-7}
    np.testing.assert_allclose(few.drawn(20, KEY).energy(what), model.drawn(20, KEY).energy(what), rtol=1e-14)
    assert not np.any(few.drawn(20, KEY).energy(what) == few.drawn(20, Key(1, "test")).energy(what))


def test_one_quantity_is_drawn_once(technology: Technology) -> None:
    """The capacitance of a crosspoint is one for reads, transposed reads and line charges; device figures stay apart."""
    found = quantities({**figures_of(technology), **device_figures(DEVICE, RANGES)})
    assert ("reads.cells.c", "reads.transposed_cells.c", "write.line_charges.c") in found.values()
    assert all(len(members) == 1 for name, members in found.items() if name.startswith("device."))
    every = [path for members in found.values() for path in members]
    assert len(every) == len(set(every)) and "dac.k2" not in every  # a figure without a range is not drawn


def test_a_range_that_touches_zero_is_drawn_uniformly(technology: Technology) -> None:
    """Static power from 0 to 1 W has no logarithm: mean 0.5 W within four standard errors."""
    power = Figure((0.0, 0.5, 1.0), "power", "estimate", ("s",) * 3, ("verified",) * 3)
    model = Model(dataclasses.replace(technology, static_power=power), device_figures(DEVICE), ("time",))
    drawn = model.drawn(10_000, KEY).energy({"time": 1.0})
    assert abs(drawn.mean() - 0.5) < 4.0 / math.sqrt(12 * 10_000) and drawn.min() >= 0.0


def test_device_figures() -> None:
    """The polarity of the larger voltage gives the range of writes; without a file, or a nominal value, nothing varies."""
    found = device_figures(DEVICE, RANGES)
    assert found["device.v_write"].values == pytest.approx((0.9, 1.6, 3.0))
    assert found["device.t_write"].values == pytest.approx((10e-9, 50e-9, 300e-9))
    assert found["device.conductance"].values == pytest.approx((0.3, 1.0, 3.0))
    assert all(f.values[0] == f.values[2] for f in device_figures(DEVICE).values())
    assert "device.v_read" not in device_figures({**DEVICE, "v_read": None})
    outside = {"v_read": {"low": 0.6, "value": 0.5, "high": 0.7}}
    assert device_figures(DEVICE, outside)["device.v_read"].values == (0.5, 0.5, 0.5)


def test_an_event_without_a_price_is_refused(technology: Technology, model: Model) -> None:
    with pytest.raises(UsageError, match="no price for the counted event 'mac.fp5'"):
        Model(technology, device_figures(DEVICE), ("mac.fp5",))
    with pytest.raises(UsageError, match="'dac.3' was counted"):
        model.scenarios().energy({"dac.3": 7})
