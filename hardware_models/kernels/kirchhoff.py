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
    peak, total, terms = 0.0, 0.0, 0.0
    for i in range(rows):
        for j in range(columns):
            along = lines.word_nodes[j] * a[i, j]
            if j > 0:
                along -= a[i, j - 1]
            if j < columns - 1:
                along -= a[i, j + 1]
            down = lines.bit_nodes[i] * b[i, j]
            if i > 0:
                down -= b[i - 1, j]
            if i < rows - 1:
                down -= b[i + 1, j]
            word = current[i, j] - along
            r[i, j] = current[i, j] - down
            peak = max(peak, abs(r[i, j]), abs(word))
            total += abs(r[i, j]) + abs(word)
            terms += abs(a[i, j]) + abs(b[i, j])
    return peak, total, 2.0 * noise + 4.0 * EPS * terms
