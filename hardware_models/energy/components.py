r"""Price of one event: figures with a range and a source, and the named laws that turn them into joules.

.. math:: E_{fixed} = E, \quad E(b) = k_1 b + k_2 4^b, \quad E_{line} = n\,c\,V_{write}^2,
          \quad E_{cross} = c\,V_{read}^2, \quad E_{word} = e\,(M/M_0)^p, \quad E_{held} = e + P\,t_{read}

A technology file gives the name of a law and never an expression to evaluate. b is the number of bits of a converter, n
the number of cells on a line (``line*c*V_write^2`` takes that of the chip's tiles), c the capacitance of one crosspoint. The law
of a read charges each crosspoint's share of its word line to the full-scale voltage, and is therefore an upper bound. M is the
capacity of the digital memory, so that a word of a large memory costs more than one of a small one. e + P t_read is a part that
draws a bias as long as the read lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from hardware_models.energy.circuit import QUOTED, Circuit

SCENARIOS = ("low", "nominal", "high")
LOW, NOMINAL, HIGH = range(3)


class Conditions(NamedTuple):
    """Read time and voltages of the device, from its parameter file."""

    read_time: float  # [s] of one phase of an array read
    read_voltage: float  # [V] at full scale of a read
    write_voltage: float  # [V] of a pulse
    circuit: Circuit = QUOTED


@dataclass(frozen=True)
class Figure:
    """A number in SI units with its range; each tuple is (low, nominal, high)."""

    values: tuple[float, float, float]
    dimension: str
    kind: str
    sources: tuple[str, str, str]
    statuses: tuple[str, str, str]  # "verified" or "recalled"

    def at(self, scenario: str) -> float:
        """Return the value [SI] of a scenario."""
        return self.values[SCENARIOS.index(scenario)]

    def recalled(self, scenario: str) -> bool:
        """Tell whether the value of a scenario was recalled and not read again in its source."""
        return self.statuses[SCENARIOS.index(scenario)] == "recalled"


class Law(NamedTuple):
    """A pricing law: the dimensions of its figures, and the function that computes the energy [J] of one event."""

    figures: Mapping[str, str]
    per_bits: bool
    joule: Callable[[Mapping[str, float], int, Conditions], float]


FIXED = "fixed"
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        FIXED: Law({"energy": "energy"}, False, lambda f, b, at: f["energy"]),
        "k1*b + k2*4^b": Law({"k1": "energy", "k2": "energy"}, True, lambda f, b, at: f["k1"] * b + f["k2"] * 4.0**b),
        "n*c*V_write^2": Law(
            {"n": "number", "c": "capacitance"}, False, lambda f, b, at: f["n"] * f["c"] * at.write_voltage**2
        ),
        "e*(M/M_0)^p": Law(
            {"e": "energy", "M_0": "number", "p": "number"},
            False,
            lambda f, b, at: f["e"] * (at.circuit.memory_bytes / f["M_0"]) ** f["p"],
        ),
        "e + P*t_read": Law({"e": "energy", "P": "power"}, False, lambda f, b, at: f["e"] + f["P"] * at.read_time),
        "line*c*V_write^2": Law(
            {"c": "capacitance"}, False, lambda f, b, at: at.circuit.line_cells * f["c"] * at.write_voltage**2
        ),
        "c*V_read^2": Law({"c": "capacitance"}, False, lambda f, b, at: f["c"] * at.read_voltage**2),
    }
)
"""Laws by their names in a technology file."""


@dataclass(frozen=True)
class Component:
    """The price of one kind of event. With `carried_by`, an integral already holds the energy and the count costs nothing."""

    name: str
    law: str
    figures: Mapping[str, Figure]
    carried_by: str = ""

    def joule(self, scenario: str, conditions: Conditions, bits: int = 0) -> float:
        """Return the energy [J] of one event; only converters use `bits`."""
        if self.carried_by:
            return 0.0
        values = {name: figure.at(scenario) for name, figure in self.figures.items()}
        return LAWS[self.law].joule(values, bits, conditions)

    def recalled(self, scenario: str) -> bool:
        """Tell whether any figure of the price was recalled."""
        return any(figure.recalled(scenario) for figure in self.figures.values())
