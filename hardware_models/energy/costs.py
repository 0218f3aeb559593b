r"""The energy of counted events.

.. math:: E_{phase} = \sum_n N_n E_n + k\,t_{read} \sum V^2 G + \sum_{selected} V^2 G t + \sum_{half} V^2 G t
          + E_{further} + P_{static} T + c \sum_{digital} N_n E_n

N_n are counts of events and E_n their prices; `hardware_models.events.INTEGRALS` lists the integrals. c is the share that clock
and control add to digital work (`DIGITAL`): the same for the chip's own and for a digital processor's. Squares and
lengths of activities are analog circuits only where the sums over tiles are analog; after digital sums each is a multiply-add.

A linear driver draws its current from the supply, V_dd I, of which the cells dissipate V I. With V_eff, the mean of V weighted
with the current, k = max(V_dd, V_read) / V_eff. V_eff is no figure of a run: V_read / V_eff is one of the technology file
(``[line.drive_ratio]``), from inputs of typical size. t_read V² G is the component ``read.v2g``, the rest ``read.driver``.
A cell with a third terminal is written by its gate, and no current flows through its channel: a pulse costs C_gate V² (component
``write.gate``) instead of V² G t, a half-selected cell C_gate (V/2)²; both beside the charge of the line.

The energy is linear in counts and integrals, and therefore additive over layers, phases and components.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from hardware_models.check import UsageError, in_range
from hardware_models.energy.circuit import QUOTED, Circuit
from hardware_models.energy.components import SCENARIOS, Component, Conditions
from hardware_models.energy.load import BITS, CONVERTERS, Technology
from hardware_models.events import INTEGRALS, Quantity, is_count
from hardware_models.tables import closest

STATIC = "static"
CONTROL = "control"
DRIVER = "read.driver"
GATE = "write.gate"
GATED: Mapping[str, float] = MappingProxyType({"write.selected": 1.0, "write.half": 0.25})
"""Events that charge the gate of a cell with a third terminal -> their C V² over that of a whole pulse."""
CHANNEL = ("write.v2gt", "half.v2gt")
"""Integrals of pulses through the channel, which such a cell does not have."""
FURTHER = "further.write"
"""Integral of pulses on arrays beside the main ones, by the device of their own cells."""
DIGITAL = ("mac", "add", "sram", "rng")
"""Families of events that are digital work."""
SQUARES: Mapping[str, str] = MappingProxyType({"goodness": "mac.fp32", "normalise": "mac.fp32"})
"""Events that are analog circuits where sums over tiles are analog -> what each is after digital sums."""
V = TypeVar("V", float, np.ndarray)
Integrals = Mapping[str, float] | Mapping[str, Quantity]
"""Integrals by name, as plain numbers or with their units."""


def price(
    events_by_phase: Mapping[str, Mapping[str, int]],
    integrals_by_phase: Mapping[str, Integrals],
    technology: Technology,
    *,
    read_time: float,
    write_voltage: float,
    read_voltage: float | None = None,
    scenario: str = "nominal",
    circuit: Circuit = QUOTED,
) -> dict[str, dict[str, float]]:
    """Return the energy [J] of each phase and component.

    Parameters
    ----------
    events_by_phase : {phase: {event: count}}
        Counts as in `Ledger.as_dict()["events"]`; any other grouping, such as by layer, is priced in the same way.
    integrals_by_phase : {phase: {integral: number or {"value", "unit"}}}
        Integrals as in `Ledger.as_dict()["integrals"]`; a phase may be missing here or in `events_by_phase`.
    technology : Technology
        Prices, as returned by `load_technology`.
    read_time, write_voltage : float
        The device's time of one phase of a read [s], and the larger of its two pulse voltages [V].
    read_voltage : float, optional
        The device's full-scale voltage of a read [V]; without it the technology's own figure is used, which varies with
        the scenario.
    scenario : "low", "nominal" or "high"
        End of every price's range that is used.
    circuit : Circuit
        Sizes of the chip's shared parts, such as that of its memory.

    Returns
    -------
    dict
        {phase: {component: joule}}. Components have the names of events (a converter has the name "dac" or "adc") or of
        integrals; "read.driver" is what the drivers of a read draw beyond the dissipation of the cells, "write.gate" the charge
        of third terminals, "control" the share of clock and control in digital work, "static" the static power multiplied by
        the chip's time.

    Raises
    ------
    UsageError
        For an event without a price, an integral in another unit, an unknown scenario.
    """
    conditions = conditions_of(technology, read_time, write_voltage, read_voltage, scenario, circuit)
    phases = [*events_by_phase, *(p for p in integrals_by_phase if p not in events_by_phase)]
    return {
        phase: _price_one(
            events_by_phase.get(phase, {}),
            integrals_by_phase.get(phase, {}),
            technology,
            conditions,
            scenario,
        )
        for phase in phases
    }


def conditions_of(
    technology: Technology,
    read_time: float,
    write_voltage: float,
    read_voltage: float | None,
    scenario: str,
    circuit: Circuit = QUOTED,
) -> Conditions:
    """Return the device's read time [s] and voltages [V], checked."""
    if scenario not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise UsageError(f"no scenario '{scenario}'{closest(scenario, SCENARIOS)} (known: {known}).")
    v_read = technology.read_voltage.at(scenario) if read_voltage is None else read_voltage
    return Conditions(
        in_range("the energy price", "read_time", read_time, 0.0, 1.0, "s"),
        in_range("the energy price", "read_voltage", v_read, 0.0, 20.0, "V"),
        in_range("the energy price", "write_voltage", write_voltage, 0.0, 50.0, "V"),
        circuit,
    )


def is_digital(event: str, circuit: Circuit) -> bool:
    """Tell whether an event is digital work in a circuit, to which clock and control add their share."""
    return event.partition(".")[0] in DIGITAL or (event in SQUARES and not circuit.analog_sums)


def supply_ratio(supply: V, drive_ratio: V, read_voltage: V) -> V:
    """Return k, what a linear driver draws over what the cells dissipate; figures or arrays of draws."""
    # Reads of 0 V dissipate nothing, and any finite factor leaves it so.
    above: V = np.maximum(supply, read_voltage) * drive_ratio / np.maximum(read_voltage, 1e-6)
    return above


def component_of(technology: Technology, event: str, circuit: Circuit = QUOTED) -> tuple[Component, int]:
    """Return the component that prices an event in a circuit, and the number of bits of a converter (0 for other parts)."""
    if event in SQUARES and not circuit.analog_sums:
        event = SQUARES[event]
    if not is_count(event):
        raise UsageError(f"no event is called '{event}'{closest(event, technology.components)}.")
    family, _, suffix = event.partition(".")
    if family in CONVERTERS:
        if not suffix.isdecimal() or int(suffix) not in BITS:
            raise UsageError(f"event '{event}' should end in a number of bits from {BITS[0]} to {BITS[-1]}.")
        return technology.components[family], int(suffix)
    if event not in technology.components:
        near = closest(event, technology.components)
        raise UsageError(f"technology '{technology.name}' has no price for the counted event '{event}'{near}.")
    return technology.components[event], 0


def _price_one(
    counts: Mapping[str, int],
    integrals: Integrals,
    technology: Technology,
    conditions: Conditions,
    scenario: str,
) -> dict[str, float]:
    joules = {name: 0.0 for name, c in technology.components.items() if not c.carried_by}
    for event, count in counts.items():
        if count == 0:
            continue
        component, bits = component_of(technology, event, conditions.circuit)
        if not component.carried_by:
            name = event if event in SQUARES else component.name
            joules[name] += count * component.joule(scenario, conditions, bits)
    for name in integrals:
        if name not in INTEGRALS:
            raise UsageError(f"no integral is called '{name}'{closest(name, INTEGRALS)}.")
    amount = {name: _quantity(name, integrals.get(name, 0.0)) for name in INTEGRALS}
    joules["read.v2g"] = amount["read.v2g"] * conditions.read_time
    above = 0.0
    if joules["read.v2g"]:
        supply, ratio = technology.supply.at(scenario), technology.drive_ratio.at(scenario)
        above = float(supply_ratio(supply, ratio, conditions.read_voltage)) - 1.0
    joules[DRIVER] = above * joules["read.v2g"]
    gate = conditions.circuit.gate_capacitance * conditions.write_voltage**2
    joules[GATE] = math.fsum(counts.get(event, 0) * share * gate for event, share in GATED.items())
    joules |= {name: 0.0 if gate else amount[name] for name in CHANNEL} | {FURTHER: amount[FURTHER]}
    share = technology.control.at(scenario)
    joules[CONTROL] = share * math.fsum(joule for name, joule in joules.items() if is_digital(name, conditions.circuit))
    joules[STATIC] = amount["time"] * technology.static_power.at(scenario)
    return joules


def _quantity(name: str, given: float | Quantity) -> float:
    if not isinstance(given, Mapping):
        return float(given)
    if given.get("unit") != INTEGRALS[name]:
        raise UsageError(f"integral '{name}' should be in {INTEGRALS[name]}, got {given.get('unit')!r}.")
    return float(given["value"])
