r"""Ratio of the energy of each component of a run to the least energy that physics allows.

.. math:: d_c = \frac{E_c}{\sum_e N_e\,E_{min}(e)}

over the events e that the component c prices, with E_min of `hardware_models.energy.facts.limits`: sampling for converters,
Johnson noise for integrators, Landauer's bound for a decision, a memory word, and each pulse on a device (:math:`kT\ln 2` a
pulse). The energy ``read.v2g`` that the cells of a read dissipate grows with the signal; `full_scale` compares it with its
bound at full scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hardware_models.check import UsageError
from hardware_models.energy.costs import component_of
from hardware_models.energy.facts import limits
from hardware_models.energy.load import Technology

PULSES = {"write.v2gt": "write.selected"}
"""Integral -> the event whose count gives the integral's lower bound."""


def distances(
    counts: Mapping[str, int], joules: Mapping[str, float], technology: Technology
) -> dict[str, dict[str, float]]:
    """Return {component: {"joule", "limit_joule", "times"}} for each component with energy and a known bound.

    Parameters
    ----------
    counts : {event: number}
        Counts of one phase, or of a whole run.
    joules : {component: joule}
        Energies of these counts, as returned by `price` for one phase.

    Raises
    ------
    UsageError
        If a component costs less than its bound. A component without any energy is free by assumption (such as a device whose
        pulses have no voltage) and is left out.
    """
    least: dict[str, float] = {}
    for event, count in counts.items():
        if not count:
            continue
        component, bits = component_of(technology, event)
        floor = limits.floor(component.name, technology.temperature, bits or None)
        least[component.name] = least.get(component.name, 0.0) + count * floor
    for integral, event in PULSES.items():
        least[integral] = counts.get(event, 0) * limits.landauer(1, technology.temperature)
    compared = {}
    for name, bound in least.items():
        joule = joules.get(name, 0.0)
        if bound <= 0.0 or joule <= 0.0:
            continue
        if joule < bound:
            raise UsageError(
                f"component '{name}' costs {joule:.3g} J in this run, below its physical limit of {bound:.3g} J at "
                f"{technology.temperature:g} K."
            )
        compared[name] = {"joule": joule, "limit_joule": bound, "times": joule / bound}
    return compared


def full_scale(device: Mapping[str, Any], rows: int, bits: int, technology: Technology) -> dict[str, float]:
    """Return the energy of one bit line of `rows` cells in a full-scale read, and its bound by Johnson noise at `bits` bits.

    The energy is V_read² G t_read rows, with G in the middle of the device's range. Raises UsageError if it is less than
    3 kT 4^bits: such a read cannot resolve as many bits as its converter has. The keys are those of `distances`.
    """
    middle = 0.5 * (device["g_min"] + device["g_max"])
    joule = device["v_read"] ** 2 * middle * device["t_read"] * rows
    bound = limits.johnson(bits, technology.temperature)
    if joule < bound:
        raise UsageError(
            f"a bit line of {rows} cells dissipates {joule:.3g} J in a full-scale read, below the physical limit of {bound:.3g} "
            f"J for {bits} bits at {technology.temperature:g} K; give the converter fewer bits or read longer."
        )
    return {"joule": joule, "limit_joule": bound, "times": joule / bound}
