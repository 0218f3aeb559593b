r"""Range of the energy of counted events, given the range of every price: joint draws, and one figure at a time.

.. math:: E_n = \sum_k N_k\, p_k(\theta_n), \qquad \ln\theta_{in} \sim U(\ln l_i, \ln h_i), \qquad n = 1 \dots N

N_k are counts and integrals of a run, p_k their prices, theta_i the figures from which prices follow, [l_i, h_i] their ranges.
A price is linear in nothing but its count, so the energies of a run, or of all epochs of it, for N draws are one matrix
product. Every draw is one technology and one device, the same for all phases and all learners: costs that two learners have in
common cancel in their ratio, draw by draw. A figure whose range touches zero has no logarithm, so its draws are uniform.

Figures of the same values, kind and sources are one quantity and are drawn once: the capacitance of a crosspoint is the same
for reads and for line charges.

The ranges of the device, if its file gives them, multiply the counted integrals by five factors: the voltages and widths of
reads and pulses, and a common scale of the conductances (V² t G is proportional to G and t, and to the square of V). The
pulses remain the counted ones: the range tells the cost of the same training on a device with other figures, not how such a
device would train.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.energy.circuit import QUOTED, Circuit
from hardware_models.energy.components import FIXED, LAWS, LOW, NOMINAL, SCENARIOS, Conditions, Figure
from hardware_models.energy.costs import CHANNEL, GATED, component_of, is_digital, supply_ratio
from hardware_models.energy.load import Technology
from hardware_models.events import INTEGRALS
from hardware_models.keys import Key

PERCENTILES = (5.0, 50.0, 95.0)
READ_VOLTAGE = "line.read_voltage"
STATIC_POWER = "static.power"
CONTROL_SHARE = "digital.control"
SUPPLY = "line.supply"
DRIVE_RATIO = "line.drive_ratio"


class Spread(NamedTuple):
    """An amount at nominal prices, and its 5 % point, median and 95 % point over the draws."""

    nominal: float
    low: float
    median: float
    high: float


class Swing(NamedTuple):
    """Effect of one quantity on a ratio, all others nominal: the ends of its range, and the ratio at each end."""

    quantity: str
    members: tuple[str, ...]
    dimension: str
    low: float
    high: float
    ratio_low: float
    ratio_high: float


@dataclass(frozen=True)
class Prices:
    """Prices of events and integrals in N cases; `joule` (names, N) is in J per event or per unit of the integral."""

    names: tuple[str, ...]
    joule: np.ndarray

    def energy(self, counted: Mapping[str, float]) -> np.ndarray:
        """Return the energy (N,) [J] of counts and integrals, given by name."""
        return self.energies([counted])[0]

    def energies(self, counted: Sequence[Mapping[str, float]]) -> np.ndarray:
        """Return the energies (len(counted), N) [J] of several mappings of counts and integrals, such as one for each epoch."""
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
        Prices, as returned by `load_technology`.
    device : {name: Figure}
        Figures as returned by `device_figures`: ``device.t_read``, ``device.v_write`` and so on.
    names : iterable of str
        Events and integrals that will be priced.
    circuit : Circuit
        Sizes of the chip's shared parts.

    Raises UsageError for an event without a price.
    """

    def __init__(
        self, technology: Technology, device: Mapping[str, Figure], names: Iterable[str], circuit: Circuit = QUOTED
    ) -> None:
        self.technology = technology
        self.circuit = circuit
        self.names = tuple(sorted(set(names)))
        self.figures: dict[str, Figure] = {**figures_of(technology), **device}
        used = {path for name in self.names for path in self._behind(name)}
        self.quantities = {n: same for n, same in quantities(self.figures).items() if used.intersection(same)}

    def drawn(self, draws: int, key: Key) -> Prices:
        """Return prices for `draws` joint log-uniform draws; a quantity's draws depend only on its name and the key."""
        values: dict[str, np.ndarray] = {}
        for quantity, members in self.quantities.items():
            low, _, high = self.figures[members[0]].values
            share = key.child(quantity).generator().random(draws)
            drawn = np.exp(np.log(low) + share * np.log(high / low)) if low > 0 else low + share * (high - low)
            values |= dict.fromkeys(members, drawn)
        return self._prices(values, draws)

    def scenarios(self) -> Prices:
        """Return prices for three cases: all figures at their low end, all nominal, all at their high end."""
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

    def tornado(
        self, above: Mapping[str, float], below: Mapping[str, float], of_below: Model | None = None
    ) -> list[Swing]:
        """Return the effect of each quantity alone on the ratio of two energies, the widest swing first.

        `of_below` is the model of the lower energy, where its circuit is another; by default it is this one.
        """
        ratios = self.swings().energy(above) / (self if of_below is None else of_below).swings().energy(below)
        swings = []
        for place, (quantity, members) in enumerate(self.quantities.items()):
            figure = self.figures[members[0]]
            ends = (float(r) for r in ratios[1 + 2 * place : 3 + 2 * place])
            swings.append(Swing(quantity, members, figure.dimension, figure.values[0], figure.values[2], *ends))
        return sorted(swings, key=lambda s: (-_width(s), s.quantity))

    def _behind(self, name: str) -> list[str]:
        """Return the figures that the price of an event or an integral depends on."""
        if name in INTEGRALS:
            if name == "time":
                return [STATIC_POWER]
            if name in CHANNEL and self.circuit.gate_capacitance:
                return []
            drivers = [SUPPLY, DRIVE_RATIO] if name == "read.v2g" else []
            return [*drivers, *(f"device.{part}" for part in _FACTORS[name])]
        if name in GATED and self.circuit.gate_capacitance:
            return ["device.c_gate", "device.v_write"]
        component, _ = component_of(self.technology, name, self.circuit)
        if component.carried_by:
            return []
        paths = [_path(component.name, part, component.law) for part in component.figures]
        if "V_read" in component.law:
            paths.append("device.v_read" if "device.v_read" in self.figures else READ_VOLTAGE)
        if "t_read" in component.law:
            paths.append("device.t_read")
        if is_digital(name, self.circuit):
            paths.append(CONTROL_SHARE)
        return [*paths, "device.v_write"] if "V_write" in component.law else paths

    def _prices(self, values: Mapping[str, np.ndarray], cases: int) -> Prices:
        def at(path: str) -> Any:
            return values.get(path, self.figures[path].values[NOMINAL])

        reading = "device.v_read" if "device.v_read" in self.figures else READ_VOLTAGE
        conditions = Conditions(at("device.t_read"), at(reading), at("device.v_write"), self.circuit)
        joule = np.empty((len(self.names), cases))
        for row, name in zip(joule, self.names, strict=True):
            if name == "time":
                row[:] = at(STATIC_POWER)
            elif self.circuit.gate_capacitance and name in (*GATED, *CHANNEL):
                row[:] = GATED[name] * at("device.c_gate") * at("device.v_write") ** 2 if name in GATED else 0.0
            elif name in INTEGRALS:
                row[:] = self.figures["device.t_read"].values[NOMINAL] if name == "read.v2g" else 1.0
                for part, power in _FACTORS[name].items():
                    path = f"device.{part}"
                    if path in values:
                        row *= (values[path] / self.figures[path].values[NOMINAL]) ** power
                if name == "read.v2g":
                    row *= supply_ratio(at(SUPPLY), at(DRIVE_RATIO), at(reading))
            else:
                component, bits = component_of(self.technology, name, self.circuit)
                inner = {part: at(_path(component.name, part, component.law)) for part in component.figures}
                row[:] = 0.0 if component.carried_by else LAWS[component.law].joule(inner, bits, conditions)
                if is_digital(name, self.circuit):
                    row *= 1.0 + at(CONTROL_SHARE)
        return Prices(self.names, joule)


_FACTORS: Mapping[str, Mapping[str, int]] = {
    "read.v2g": {"v_read": 2, "t_read": 1, "conductance": 1},
    "write.v2gt": {"v_write": 2, "t_write": 1, "conductance": 1},
    "half.v2gt": {"v_write": 2, "t_write": 1, "conductance": 1},
    "further.write": {},
}
"""Exponent of each figure of the device in an integral over cells."""


def _width(swing: Swing) -> float:
    """Return the logarithm of the larger ratio over the smaller one; infinite if one of them is zero."""
    least, most = sorted((swing.ratio_low, swing.ratio_high))
    return math.log(most / least) if least > 0.0 else math.inf


def _path(component: str, part: str, law: str) -> str:
    return component if law == FIXED else f"{component}.{part}"


def figures_of(technology: Technology) -> dict[str, Figure]:
    """Return every figure of a technology by its path in the file."""
    by_path = {
        _path(component.name, part, component.law): figure
        for component in technology.components.values()
        for part, figure in component.figures.items()
    }
    return by_path | {
        READ_VOLTAGE: technology.read_voltage,
        SUPPLY: technology.supply,
        DRIVE_RATIO: technology.drive_ratio,
        STATIC_POWER: technology.static_power,
        CONTROL_SHARE: technology.control,
    }


def quantities(figures: Mapping[str, Figure]) -> dict[str, tuple[str, ...]]:
    """Return {first path: all paths of the same quantity} for the figures that have a range."""
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
    """Return the figures of the device on which prices depend, with the ranges of its parameter file.

    Parameters
    ----------
    description : mapping
        Description of the device in a result: ``t_read`` [s], ``v_read`` [V] or None, ``v_up``, ``t_up``, ``v_down``, ``t_down``.
    ranges : {name: {"low", "high", "value", "kind", "source"}}, optional
        Entries of the parameter file, in the file's own units (only ratios of the numbers are used). The range of the
        conductances is that of ``g_max``; the range of writes is that of the polarity with the larger voltage. A figure
        without an entry has no range.
    """
    side = "up" if description["v_up"] >= description["v_down"] else "down"
    known = {
        "device.t_read": ("t_read", description["t_read"], "time"),
        "device.v_read": ("v_read", description["v_read"], "voltage"),
        "device.v_write": (f"v_{side}", description[f"v_{side}"], "voltage"),
        "device.t_write": (f"t_{side}", description[f"t_{side}"], "time"),
        "device.conductance": ("g_max", 1.0, "number"),
        "device.c_gate": ("c_gate", description.get("c_gate"), "capacitance"),
    }
    by_path = {}
    for path, (entry, value, dimension) in known.items():
        if value is None:
            continue
        said = ranges.get(entry, {})
        ends = [said.get("low", 0.0), said.get("value", 0.0), said.get("high", 0.0)]
        inside = 0.0 <= ends[0] <= ends[1] <= ends[2] and ends[1] > 0.0
        factors = [end / ends[1] for end in ends] if inside else [1.0, 1.0, 1.0]
        low, nominal, high = (float(value) * factor for factor in factors)
        source = str(said.get("source", "the device"))
        by_path[path] = Figure(
            (low, nominal, high), dimension, str(said.get("kind", "given")), (source,) * 3, ("verified",) * 3
        )
    return by_path


def spread(joules: np.ndarray, nominal: float) -> Spread:
    """Return the 5 % point, median and 95 % point of draws (N,), together with the nominal amount."""
    low, median, high = (float(q) for q in np.percentile(joules, PERCENTILES))
    return Spread(float(nominal), low, median, high)


def probability_less(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of draws in which a (N,) is less than b (N,); a tie counts as one half."""
    return float(np.mean((a < b) + 0.5 * (a == b)))
