"""Kirchhoff's current law at the nodes of a crossbar with wires: what is left of it, and what may be left.

See `hardware_models/kernels/wires.py` for the circuit and its letters.
"""

from typing import NamedTuple

import numpy as np

from hardware_models.kernels.compile import kernel

EPS = np.finfo(np.float64).eps


class Goal(NamedTuple):
    """The accuracy that is asked for, and how long it is sought."""

    tolerance: float  # error of the current of a bit line, relative to that current
    floor: float  # currents below this share of the largest one count as this share
    steps: int  # most steps


@kernel
def ground_currents(b, bit_nodes, out):
    """Write the currents that leave the bit lines at their grounded ends, `b` (rows, columns)."""
    rows, columns = b.shape
    inner = 1.0 if rows > 1 else 0.0
    top, bottom = bit_nodes[0] - inner, bit_nodes[rows - 1] - inner
    for j in range(columns):
        out[j] = bottom * b[rows - 1, j] + (top * b[0, j] if rows > 1 else 0.0)


@kernel
def allowed(out, goal):
    """Return the largest sum of |residuals| that keeps the current of every bit line within the goal."""
    largest = 0.0
    for j in range(out.size):
        largest = max(largest, abs(out[j]))
    least = largest
    for j in range(out.size):
        least = min(least, max(abs(out[j]), goal.floor * largest))
    return goal.tolerance * least


@kernel
def balance(current, noise, lines, a, b, r):
    """Write J - K b to `r`; return max and sum of |residuals| of both lines' nodes, and the rounding of that sum.

    `current` (rows, columns) are the currents J, and `noise` is their rounding, summed.
    """
    rows, columns = current.shape
    word, peak, total, terms = np.empty(columns), np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for i in range(rows):
        for j in range(columns):
            word[j] = current[i, j] - lines.word_nodes[j] * a[i, j]
            r[i, j] = current[i, j] - lines.bit_nodes[i] * b[i, j]
        for j in range(1, columns):
            word[j] += a[i, j - 1]
        for j in range(columns - 1):
            word[j] += a[i, j + 1]
        if i > 0:
            for j in range(columns):
                r[i, j] += b[i - 1, j]
        if i < rows - 1:
            for j in range(columns):
                r[i, j] += b[i + 1, j]
        for j in range(columns):
            peak[j] = max(peak[j], max(abs(word[j]), abs(r[i, j])))
            total[j] += abs(word[j]) + abs(r[i, j])
            terms[j] += abs(a[i, j]) + abs(b[i, j])
    return peak.max(), total.sum(), 2.0 * noise + 4.0 * EPS * terms.sum()
