r"""Closed forms of the event counts of one operation on an array; tests compare the simulator's counters with them.

The array has n rows and m pairs of bit lines. With k = 2 devices a weight, P slots, probabilities p_x and p_d that a row and a
column are on in a slot, and q devices of each pair pulsed in one window (q = 1: the two take turns, as on this chip; q = 2:
both at once),

.. math:: N_{cells} = k n m, \qquad N_{selected} = q\,n m P p_x p_d, \qquad
          N_{half} = n m P\,(k p_x + q p_d - 2 q p_x p_d), \qquad N_{lines} = P (n p_x + q m p_d)

In the dense limit, p_x = p_d = 1, they are exact integers and must equal the counts of a simulation; with other probabilities
they are expectations. All are for one tile and one image; a learner's counts are a sum of them: Forward-Forward reads each
layer twice (once more for its softmax read-out) and fires twice; backprop reads once forward, once backward from the second
layer on, and fires once.
"""

from __future__ import annotations

from collections.abc import Mapping

DEVICES = 2  # k, devices of one weight
RANDOM_BITS = 16  # random bits of one comparison in a slot
ROUNDING_BITS = 24  # random bits of one stochastic rounding

Counts = dict[str, float]


def added(*parts: Mapping[str, float]) -> Counts:
    """Return the sum of several mappings of counts, event by event."""
    total: Counts = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0) + value
    return total


def times(factor: float, counts: Mapping[str, float]) -> Counts:
    """Return all counts multiplied by one factor."""
    return {name: factor * value for name, value in counts.items()}


def read(n: int, m: int, *, dac: int | None = None, adc: int | None = None, phases: int = 1) -> Counts:
    """Return the counts of one read; `phases` is 1 for inputs of one sign and 2 for inputs of both signs."""
    counts: Counts = {
        "reads.cells": phases * n * DEVICES * m,
        "reads.columns": phases * DEVICES * m,
        "integrator": phases * m,
    }
    if dac is not None:
        counts[f"dac.{dac}"] = phases * n
    if adc is not None:
        counts[f"adc.{adc}"] = m
    return counts


def neurons(m: int) -> Counts:
    """Return the counts of m neurons whose outputs are formed, squared and summed, and divided by their length."""
    return {"nonlinearity": m, "goodness": m, "normalise": m}


def read_transposed(n: int, m: int, *, dac: int | None = None, adc: int | None = None) -> Counts:
    """Return the counts of one read driven from the columns; the driving values have two signs, hence two phases."""
    counts: Counts = {
        "reads.transposed_cells": 2 * n * DEVICES * m,
        "reads.transposed_columns": 2 * n,
        "integrator": n,
    }
    if dac is not None:
        counts[f"dac.{dac}"] = 2 * m
    if adc is not None:
        counts[f"adc.{adc}"] = n
    return counts


def coincidence(
    n: int, m: int, *, slots: int, p_row: float = 1, p_column: float = 1, pulsed: int = 1, passive: bool = False
) -> Counts:
    """Return the counts of one window of coinciding pulse trains of one polarity."""
    decisions = slots * (n + m)
    counts: Counts = {
        "comparator": decisions,
        "rng.bits": RANDOM_BITS * decisions,
        "write.selected": pulsed * n * m * slots * p_row * p_column,
        "write.line_charges": slots * (n * p_row + pulsed * m * p_column),
    }
    if passive:
        share = DEVICES * p_row + pulsed * p_column - 2 * pulsed * p_row * p_column
        counts["write.half"] = n * m * slots * share
    return counts


def accumulate(n: int, m: int, *, samples: int, batches: int) -> Counts:
    """Return the counts of a digital accumulator for `samples` pairs (x, d) in `batches` batches, without device pulses.

    The accumulator takes one multiply-add per weight and sample and two per weight and batch. It writes and reads each value
    of x and d once, and its one word per weight once a batch. Forward-Forward has two samples an image.
    """
    words = samples * (n + m) + batches * n * m
    return {
        "mac.fp32": (samples + 2 * batches) * n * m,
        "sram.words_read": words,
        "sram.words_written": words,
        "rng.bits": batches * ROUNDING_BITS * n * m,
    }
