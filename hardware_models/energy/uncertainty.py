r"""What the energy of counted events may be, given the range of every price: shared draws, and one figure at a time.

.. math:: E_n = \sum_k N_k\, p_k(\theta_n), \qquad \ln\theta_{in} \sim U(\ln l_i, \ln h_i), \qquad n = 1 \dots N

N_k are counts and integrals of a run, p_k the price of one, theta_i the figures behind the prices, [l_i, h_i] their ranges.
A price is linear in nothing but its count, so the energies of a run, or of all epochs of it, for N draws are one matrix
product. Every draw is one technology and one device, the same for all phases and all learners: what two learners have in
common cancels in their ratio, draw by draw. A figure whose range touches zero has no logarithm, its draws are uniform.

Figures of the same values, kind and sources are one quantity and are drawn once: the capacitance of a crosspoint is the same
for reads and for line charges.

The device's own range enters through five factors on what was counted, as long as its file gives it: the voltages and widths
of reads and pulses, and a common scale of the conductances (V² t G is proportional to each). The pulses stay those that were
counted: a range here says what the same training would cost on a device with other figures, not how it would train.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.energy.components import FIXED, LAWS, LOW, NOMINAL, SCENARIOS, Conditions, Figure
from hardware_models.energy.costs import component_of
from hardware_models.energy.load import Technology
from hardware_models.events import INTEGRALS
from hardware_models.keys import Key

PERCENTILES = (5.0, 50.0, 95.0)
READ_VOLTAGE = "line.read_voltage"
STATIC_POWER = "static.power"


class Spread(NamedTuple):
    """An amount under all prices: at the nominal ones, and its median and 5 and 95 % over the draws."""

    nominal: float
    low: float
    median: float
    high: float


class Swing(NamedTuple):
    """What one quantity does to a ratio, all others nominal: its ends, and the ratio at each."""

    quantity: str
    members: tuple[str, ...]
    dimension: str
    low: float
    high: float
    ratio_low: float
    ratio_high: float


@dataclass(frozen=True)
class Prices:
    """Prices of events and integrals for N cases; `joule` is (names, N), in J per event or per unit of the integral."""

    names: tuple[str, ...]
    joule: np.ndarray

    def energy(self, counted: Mapping[str, float]) -> np.ndarray:
        """Return the energy (N,) [J] of counts and integrals by name."""
        return self.energies([counted])[0]

    def energies(self, counted: Sequence[Mapping[str, float]]) -> np.ndarray:
        """Return the energies (lines, N) [J] of several such mappings, such as the epochs of a run."""
        for line in counted:
            for name in line:
                if name not in self.names and line[name]:
                    raise UsageError(f"'{name}' was counted, but these prices were not asked for it.")
        amounts = np.array([[float(line.get(name, 0)) for name in self.names] for line in counted])
        return amounts.reshape(len(counted), len(self.names)) @ self.joule


class Model:
    """The figures of a technology and, where its ranges are known, of a device.

    Parameters
    ----------
    technology : Technology
        What `load_technology` returns.
    device : {name: Figure}
        What `device_figures` returns: ``device.t_read``, ``device.v_write`` and so on.
    names : iterable of str
        Events and integrals that will be priced.

    Raises UsageError for an event without a price.
    """

    def __init__(self, technology: Technology, device: Mapping[str, Figure], names: Iterable[str]) -> None:
        self.technology = technology
        self.names = tuple(sorted(set(names)))
        self.figures: dict[str, Figure] = {**figures_of(technology), **device}
        used = {path for name in self.names for path in self._behind(name)}
        self.quantities = {n: same for n, same in quantities(self.figures).items() if used.intersection(same)}

    def drawn(self, draws: int, key: Key) -> Prices:
        """Return prices under `draws` joint log-uniform draws; a quantity's draws depend on its name and the key alone."""
        values: dict[str, np.ndarray] = {}
        for quantity, members in self.quantities.items():
            low, _, high = self.figures[members[0]].values
            share = key.child(quantity).generator().random(draws)
            drawn = np.exp(np.log(low) + share * np.log(high / low)) if low > 0 else low + share * (high - low)
            values |= dict.fromkeys(members, drawn)
        return self._prices(values, draws)

    def scenarios(self) -> Prices:
        """Return prices with all figures at their low end, nominal, at their high end; never some low and others high."""
        values = {path: np.array(self.figures[path].values) for m in self.quantities.values() for path in m}
        return self._prices(values, len(SCENARIOS))

    def swings(self) -> Prices:
        """Return prices at nominal figures, then with each quantity in turn at its low and at its high end."""
        cases = 1 + 2 * len(self.quantities)
        values: dict[str, np.ndarray] = {}
        for place, members in enumerate(self.quantities.values()):
            low, nominal, high = self.figures[members[0]].values
            column = np.full(cases, nominal)
            column[1 + 2 * place : 3 + 2 * place] = low, high
            values |= dict.fromkeys(members, column)
        return self._prices(values, cases)

    def tornado(self, above: Mapping[str, float], below: Mapping[str, float]) -> list[Swing]:
        """Return what each quantity alone does to the ratio of two energies, the widest swing first."""
        prices = self.swings()
        ratios = prices.energy(above) / prices.energy(below)
        swings = []
        for place, (quantity, members) in enumerate(self.quantities.items()):
            figure = self.figures[members[0]]
            ends = (float(r) for r in ratios[1 + 2 * place : 3 + 2 * place])
            swings.append(Swing(quantity, members, figure.dimension, figure.values[0], figure.values[2], *ends))
        return sorted(swings, key=lambda s: (-_width(s), s.quantity))

    def _behind(self, name: str) -> list[str]:
        """Return the figures that the price of an event or an integral depends on."""
        if name in INTEGRALS:
            return [STATIC_POWER] if name == "time" else [f"device.{part}" for part in _FACTORS[name]]
        component, _ = component_of(self.technology, name)
        if component.carried_by:
            return []
        found = [_path(component.name, part, component.law) for part in component.figures]
        if "V_read" in component.law:
            found.append("device.v_read" if "device.v_read" in self.figures else READ_VOLTAGE)
        return [*found, "device.v_write"] if "V_write" in component.law else found

    def _prices(self, values: Mapping[str, np.ndarray], cases: int) -> Prices:
        def at(path: str) -> Any:
            return values.get(path, self.figures[path].values[NOMINAL])

        reading = "device.v_read" if "device.v_read" in self.figures else READ_VOLTAGE
        conditions = Conditions(at("device.t_read"), at(reading), at("device.v_write"))
        joule = np.empty((len(self.names), cases))
        for row, name in zip(joule, self.names, strict=True):
            if name == "time":
                row[:] = at(STATIC_POWER)
            elif name in INTEGRALS:
                row[:] = self.figures["device.t_read"].values[NOMINAL] if name == "read.v2g" else 1.0
                for part, power in _FACTORS[name].items():
                    path = f"device.{part}"
                    if path in values:
                        row *= (values[path] / self.figures[path].values[NOMINAL]) ** power
            else:
                component, bits = component_of(self.technology, name)
                inner = {part: at(_path(component.name, part, component.law)) for part in component.figures}
                row[:] = 0.0 if component.carried_by else LAWS[component.law].joule(inner, bits, conditions)
        return Prices(self.names, joule)


_FACTORS: Mapping[str, Mapping[str, int]] = {
    "read.v2g": {"v_read": 2, "t_read": 1, "conductance": 1},
    "write.v2gt": {"v_write": 2, "t_write": 1, "conductance": 1},
    "half.v2gt": {"v_write": 2, "t_write": 1, "conductance": 1},
}
"""Power with which an integral over cells follows the device's figures."""


def _width(swing: Swing) -> float:
    """Return the logarithm of what a swing multiplies the ratio by, infinite if an end is zero."""
    least, most = sorted((swing.ratio_low, swing.ratio_high))
    return math.log(most / least) if least > 0.0 else math.inf


def _path(component: str, part: str, law: str) -> str:
    return component if law == FIXED else f"{component}.{part}"


def figures_of(technology: Technology) -> dict[str, Figure]:
    """Return every figure of a technology by its place in the file."""
    found = {
        _path(component.name, part, component.law): figure
        for component in technology.components.values()
        for part, figure in component.figures.items()
    }
    return found | {READ_VOLTAGE: technology.read_voltage, STATIC_POWER: technology.static_power}


def quantities(figures: Mapping[str, Figure]) -> dict[str, tuple[str, ...]]:
    """Return {name: figures that are one and the same quantity} for the figures with a range; named after the first."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for path, figure in figures.items():
        if figure.values[LOW] < figure.values[-1]:
            same = (
                (path,)
                if path.startswith("device.")
                else (figure.values, figure.dimension, figure.kind, figure.sources)
            )
            groups.setdefault(same, []).append(path)
    return {members[0]: tuple(members) for members in groups.values()}


def device_figures(description: Mapping[str, Any], ranges: Mapping[str, Mapping[str, Any]] = {}) -> dict[str, Figure]:
    """Return the device's figures that a price depends on, with the ranges that its parameter file gives.

    Parameters
    ----------
    description : mapping
        The device as a result holds it: ``t_read`` [s], ``v_read`` [V] or None, ``v_up``, ``t_up``, ``v_down``, ``t_down``.
    ranges : {name: {"low", "high", "value", "kind", "source"}}, optional
        Entries of the parameter file; numbers in the file's own units, only their ratios count. The range of the conductances
        is that of ``g_max``, that of writes is that of the polarity with the larger voltage. Without an entry a figure is
        fixed.
    """
    side = "up" if description["v_up"] >= description["v_down"] else "down"
    known = {
        "device.t_read": ("t_read", description["t_read"], "time"),
        "device.v_read": ("v_read", description["v_read"], "voltage"),
        "device.v_write": (f"v_{side}", description[f"v_{side}"], "voltage"),
        "device.t_write": (f"t_{side}", description[f"t_{side}"], "time"),
        "device.conductance": ("g_max", 1.0, "number"),
    }
    found = {}
    for path, (entry, value, dimension) in known.items():
        if value is None:
            continue
        said = ranges.get(entry, {})
        ends = [said.get("low", 0.0), said.get("value", 0.0), said.get("high", 0.0)]
        inside = 0.0 <= ends[0] <= ends[1] <= ends[2] and ends[1] > 0.0
        factors = [end / ends[1] for end in ends] if inside else [1.0, 1.0, 1.0]
        low, nominal, high = (float(value) * factor for factor in factors)
        source = str(said.get("source", "the device"))
        found[path] = Figure(
            (low, nominal, high), dimension, str(said.get("kind", "given")), (source,) * 3, ("verified",) * 3
        )
    return found


def spread(joules: np.ndarray, nominal: float) -> Spread:
    """Return median and 5 and 95 % of draws (N,) beside the nominal amount."""
    low, median, high = (float(q) for q in np.percentile(joules, PERCENTILES))
    return Spread(float(nominal), low, median, high)


def probability_less(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of draws in which a (N,) is less than b (N,); a tie counts half."""
    return float(np.mean((a < b) + 0.5 * (a == b)))
