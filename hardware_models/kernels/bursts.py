"""Common parts of the kernels of pulses: the burst, the random numbers of its noise, and the rows of cells that it moves.

A kernel unpacks these NamedTuples before its parallel loop: Numba counts references to an array that it takes from a tuple, and
inside the loop that would cost time.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np

from hardware_models.kernels.compile import inlined
from hardware_models.kernels.random import draw, fill_coarse_normal

MARGIN = np.float32(5.0)
"""Distance from both bounds, in standard deviations of its noise, from which a burst has a closed form.

The coarse Gaussian numbers end at 4.3, so that no end of such a burst is clipped.
"""
MARGIN_EXPONENTIAL = np.float32(4.0)
"""The same for the exponential-step device.

One number in 16 000 is beyond 4, too few to be seen in a distribution, and fewer bursts are slow. All results of the memristor
were computed with it, and 5 would change their bits.
"""


Law = TypeVar("Law", bound=tuple[float, ...])


def as_float32(law: Law) -> Law:
    """Return a law (a NamedTuple of figures) for kernels that compute in float32; Numba takes each figure's own type."""
    return law._make(map(np.float32, law))


def as_float64(law: Law) -> Law:
    """Return a law (a NamedTuple of figures) for kernels that compute in float64; a user's whole number counts as one too."""
    return law._make(map(float, law))


class Burst(NamedTuple):
    """Signed pulses on the cells where some rows and columns cross, or on listed cells.

    Row `a` of a burst has the pulses first[a] to first[a + 1]. They are given at all `columns`, or, if cells are listed, at the
    columns with the same numbers.
    """

    pulses: np.ndarray  # number of pulses, its sign is the polarity, int32
    first: np.ndarray  # (rows + 1,) int64
    rows: np.ndarray  # row indices, int64
    columns: np.ndarray  # column indices, int64
    whole: bool  # whether these are all cells of the array in order
    listed: bool  # whether each row has columns of its own


LISTED = 1024
"""Listed cells that count as one row of a burst."""


def crossing(pulses: np.ndarray, rows: np.ndarray, columns: np.ndarray, whole: bool) -> Burst:
    """Return pulses (rows, columns) on the cells where rows and columns cross as a burst."""
    first = np.arange(len(pulses) + 1) * pulses.shape[1]
    flat = np.ascontiguousarray(pulses, np.int32).reshape(-1)
    return Burst(flat, first, rows, columns, whole, False)


def listing(pulses: np.ndarray, where: np.ndarray) -> Burst:
    """Return pulses (k,) on the cells at some positions of flat arrays, which count as arrays of one row, as a burst."""
    first = np.append(np.arange(0, len(where), LISTED), len(where))
    return Burst(pulses, first, np.zeros(len(first) - 1, np.int64), where, False, True)


class Draws(NamedTuple):
    """The stream of random numbers of a burst: words of a key, and the table of the coarse Gaussian numbers."""

    w0: np.uint32  # first word of the key
    w1: np.uint32  # second word of the key
    middles: np.ndarray  # means of equally probable intervals [1], (65 536,) float32


@inlined
def row_of(pulses, first, columns, listed, a):
    """Return the pulses of row `a` of a burst, and the columns of its cells."""
    start, stop = first[a], first[a + 1]
    return pulses[start:stop], columns[start:stop] if listed else columns[:]


@inlined
def loaded(cells, i, columns, whole):
    """Return the cells of one row at `columns`, (fields, columns) float32."""
    out = np.empty((len(cells), columns.size), np.float32)
    for k in range(len(cells)):
        array = cells[k]
        # Loops instead of slices: Numba compiles the assignment of a slice, with its error message, again for each kernel.
        if whole:
            for b in range(columns.size):
                out[k, b] = array[i, b]
        else:
            for b in range(columns.size):
                out[k, b] = array[i, columns[b]]
    return out


@inlined
def most_pulses(n):
    """Return the largest number of pulses of either sign in a row."""
    most = np.int32(0)
    for b in range(n.size):
        most = max(most, abs(n[b]))
    return most


@inlined
def draws(base, columns, whole, w0, w1, middles, noisy):
    """Return the Gaussian numbers of one row's positions; zeros if `noisy` is False."""
    xi = np.zeros(columns.size, np.float32)
    if noisy and whole:
        fill_coarse_normal(xi, base, w0, w1, middles)
    elif noisy:
        for b in range(columns.size):
            xi[b] = draw(base + columns[b], w0, w1, middles)
    return xi


@inlined
def store(array, i, columns, whole, row):
    """Write one row of values back to its columns in the array."""
    if whole:
        for b in range(columns.size):
            array[i, b] = row[b]
    else:
        for b in range(columns.size):
            array[i, columns[b]] = row[b]


@inlined
def stays_clear(start, end, sigma, low, high):
    """Tell whether a monotone path from `start` to `end`, with noise sigma at its end, stays far from both bounds."""
    reach = MARGIN * sigma
    return (min(start, end) - reach >= low) & (max(start, end) + reach <= high)
