r"""Energy of one update in closed form at assumed densities, to see the largest terms before any simulation.

.. math:: E = (1 + c)\left(\sum_e N_e E_e + N_{cells} V_r^2 \overline{x^2} \bar G t_r
          + (N_{selected} + h N_{half}) V_w^2 \bar G t_w + N_{lines} \tfrac{C V_w^2}{4} \right)

with N from `hardware_models.energy.oracles.closed_forms` if both devices of a pair are pulsed, G the mean of the conductance
range, h the energy of a half-selected cell divided by that of a selected one, C = cells on the line times c_x, half the write
voltage on each line, and c a share for control, clock and leakage. Densities are assumed, not counted: the numbers show how
the terms scale with R_on and are not results. Prices: converters ISAAC 2016, arithmetic and memory M. Horowitz 2014, analog
neurons estimates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hardware_models.energy.oracles.closed_forms import Counts, added, coincidence, neurons, read, times

LEARNERS = (
    "forward-forward",
    "forward-forward with converters",
    "backprop",
    "node-perturbation",
    "weight-perturbation",
)

CLASSES = 10


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """Assumed densities, voltages, times and prices of the example, in SI units."""

    v_read: float = 0.2
    t_read: float = 50e-9
    mean_square_x: float = 0.15
    v_write: float = 1.6
    t_write: float = 50e-9
    slots: int = 10
    p_row: float = 0.2
    p_column: float = 0.03
    half_select: float = 0.05  # energy of a half-selected cell divided by that of a selected one
    on_off: float = 10.0
    crosspoint: float = 0.2e-15  # [F]
    control: float = 0.3  # share of the energy of all other parts
    adc: float = 1.67e-12  # 8 bits
    dac: float = 0.417e-12
    integrator: float = 1e-12
    nonlinearity: float = 0.1e-12
    goodness: float = 0.2e-12
    normalise: float = 0.3e-12
    comparator: float = 20e-15
    random_bit: float = 20e-15  # one a comparator decision: the generator is shared
    memory: float = 1.25e-12  # a byte of an 8 KB SRAM
    mac: float = 0.3e-12  # int8


NOMINAL = Assumptions()


def update_energy(
    widths: Sequence[int], r_on: float, learner: str, given: Assumptions = NOMINAL, *, writes: bool = True
) -> dict[str, float]:
    """Return the energy [J] of one update by component, and ``total``, which includes the share for control.

    Parameters
    ----------
    widths : n_0, n_1, ..., n_L
        Widths of the layers without bias rows; backprop gets a further output layer of ten classes.
    r_on : float
        Resistance of a device at its largest conductance [Ohm].
    learner : a name of `LEARNERS`
    given : Assumptions
    writes : bool
        False leaves out the pulses and the charging of their lines, as if updates cost nothing.
    """
    if learner == "backprop":
        widths = (*widths, CLASSES)
    layers = list(pairwise(widths))
    passes = 1 if learner == "backprop" else 2
    windows = {"backprop": 1, "node-perturbation": 1, "weight-perturbation": 0}.get(learner, 2)
    fired: list[Counts] = [
        coincidence(n, m, slots=given.slots, p_row=given.p_row, p_column=given.p_column, pulsed=2, passive=True)
        for n, m in layers
    ]
    counts = times(passes, added(*(read(n, m) for n, m in layers)))
    counts = added(counts, times(windows, added(*fired)))
    behind, units, weights = added(*(neurons(m) for _, m in layers)), sum(widths[1:]), sum(n * m for n, m in layers)
    output = widths[-1]
    counts["nonlinearity"] = passes * behind["nonlinearity"]
    if learner.startswith("forward-forward"):
        counts["goodness"] = passes * units
        counts["normalise"] = passes * units
    converted, driven, words, macs = _digital(learner, widths)
    backward = sum(n * m for n, m in layers[1:]) if learner == "backprop" else 0
    if learner == "backprop":
        counts["integrator"] += units - output
    return _priced(
        counts, layers, windows, r_on, given, writes, learner, weights, (converted, driven, words, macs, backward)
    )


def _digital(learner: str, widths: Sequence[int]) -> tuple[int, int, int, int]:
    """Return the numbers of ADC conversions, of lines driven by a DAC, of bytes moved and of multiply-adds."""
    first, units, output = widths[0], sum(widths[1:]), widths[-1]
    inner = units - output
    if learner == "forward-forward":
        return 0, 2 * first, 0, 0
    if learner == "forward-forward with converters":
        return 2 * (units + len(widths) - 1), 2 * first + 2 * inner, 4 * units, 2 * units
    if learner == "backprop":
        # Activities are kept for the backward pass and errors in 16 bits; the next layer and the update read both.
        moved = units + 2 * units + 2 * (first + units) + 2 * units
        return units + inner, first + inner + units, moved, units + 30 * output
    return 2 * CLASSES, 2 * first, 0, units if learner == "node-perturbation" else 1


def _priced(
    counts: Counts,
    layers: Sequence[tuple[int, int]],
    windows: int,
    r_on: float,
    given: Assumptions,
    writes: bool,
    learner: str,
    weights: int,
    digital: tuple[int, int, int, int, int],
) -> dict[str, float]:
    converted, driven, words, macs, backward = digital
    mean = 0.5 * (1.0 + 1.0 / given.on_off) / r_on
    cells = counts["reads.cells"] + 2 * backward
    pulse = given.v_write**2 * mean * given.t_write
    row_charges = [given.slots * given.p_row * n * 2 * m for n, m in layers]
    column_charges = [given.slots * 2 * given.p_column * m * n for n, m in layers]
    charged = windows * (sum(row_charges) + sum(column_charges))  # crosspoints
    parts = {
        "array read": cells * given.v_read**2 * given.mean_square_x * mean * given.t_read,
        "integrator": counts["integrator"] * given.integrator,
        "neurons": sum(
            counts.get(name, 0) * getattr(given, name) for name in ("nonlinearity", "goodness", "normalise")
        ),
        "dac": driven * given.dac,
        "adc": converted * given.adc,
        "memory": words * given.memory,
        "digital": macs * given.mac,
        "pulse generator": counts.get("comparator", 0) * (given.comparator + given.random_bit),
    }
    if learner == "weight-perturbation":
        # Every weight is moved and moved back by one serial pulse on each device, with a random sign.
        parts |= {"write, selected": 4 * weights * pulse, "pulse generator": weights * given.random_bit}
    elif writes:
        parts["write, selected"] = counts["write.selected"] * pulse
        parts["write, half-selected"] = counts["write.half"] * given.half_select * pulse
        parts["write lines"] = charged * given.crosspoint * given.v_write**2 / 4.0
    parts["control"] = given.control * sum(parts.values())
    return {**parts, "total": sum(parts.values())}
