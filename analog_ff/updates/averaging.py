r"""The loops of the digital accumulators: outer product, leaky average and rounding to pulses in one pass over the memory.

.. math:: g = s\,x^\top d, \qquad m \leftarrow \mu m + (1-\mu)\,c\,g, \qquad n = \left\lfloor a\,m + u \right\rfloor

The product is formed in panels of rows, whose borders depend on its shape alone (`hardware_models.kernels.products.panels`). A
panel of about 128 rows stays in the cache of its core until it has been added to the average and rounded, so that g is never in
memory as a whole: of each weight the average is read and written and its pulses are written, 12 bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import kernel, parallel_kernel, serial_kernel
from hardware_models.kernels.random import uniform

MOST = 2**30
"""Most pulses of one weight that can be asked for at once; twice as many would not fit an int32."""
LARGEST = 127
"""Largest whole number of a word of 8 bits; the smallest is its negative."""
LEAST_EXPONENT = -126
"""Least exponent of a row of words of 8 bits, itself a word of 8 bits: that of the smallest normal float32."""
STOCHASTIC, NEAREST, TRUNCATE = range(3)
"""Places of the ways to round in `analog_ff.updates.ROUNDINGS`."""


class Average(NamedTuple):
    """Factors and ways to round between the products, their average and the array."""

    unit: np.float32  # s, of the products
    bias_rate: np.float32  # factor on the last row of the products
    keep: np.float32  # mu
    take: np.float32  # (1 - mu) c
    pulses_per_unit: np.float32  # a
    rounding: int  # place of a way to round
    in_bytes: bool  # whether each row of the average is rounded stochastically to words of 8 bits with one exponent
    most: np.float32 = np.float32(MOST)  # pulses of one weight beyond which the average counts as lost


class Words(NamedTuple):
    """Words of the keys of the random numbers that round to pulses, and of those that round the average."""

    pulses_0: np.uint32
    pulses_1: np.uint32
    memory_0: np.uint32
    memory_1: np.uint32


@kernel
def transposed(x, start, stop):
    """Return the columns from `start` to before `stop` of x (P, inputs) as rows."""
    out = np.empty((stop - start, x.shape[0]), np.float32)
    for p in range(x.shape[0]):
        for i in range(start, stop):
            out[i - start, p] = x[p, i]
    return out


@kernel
def rounded_to_bytes(m, position, w0, w1):
    """Round a row stochastically to multiples of the least power of two for which it fits words of 8 bits.

    The exponent has 8 bits itself. So a row without products, of a pixel that few images light, fades to zero in the end.
    """
    largest = np.float32(0.0)
    for j in range(m.size):
        largest = max(largest, abs(m[j]))
    if largest > 0.0:
        scale = np.float32(2.0 ** max(LEAST_EXPONENT, np.ceil(np.log2(largest / LARGEST))))
        for j in range(m.size):
            u = uniform(position + j, w0, w1)
            # The sum is a float32, which next to 127 may round up to 128.
            m[j] = scale * min(np.float32(LARGEST), np.float32(np.floor(m[j] / scale + u)))


@kernel
def rounded_to_pulses(m, scale, rounding, most, position, words, counts):
    """Write n = floor(m scale + u), or trunc(m scale), of a row; return True if one is above `most`, or not a number."""
    w0, w1 = words.pulses_0, words.pulses_1
    half = np.float32(0.5)
    lost = False
    for j in range(m.size):
        if rounding == TRUNCATE:
            n = np.trunc(m[j] * scale)
        else:
            u = uniform(position + j, w0, w1) if rounding == STOCHASTIC else half
            n = np.floor(m[j] * scale + u)
        counts[j] = np.int32(min(max(n, -most), most))
        lost |= not abs(n) <= most  # also what is not a number
    return lost


@kernel
def averaged_row(m, g, average, position, words, counts):
    """Add a row of products to its average, and round that to pulses; return True if that is lost."""
    for j in range(m.size):
        m[j] = average.keep * m[j] + average.take * g[j]
    if average.in_bytes:
        rounded_to_bytes(m, position, words.memory_0, words.memory_1)
    return rounded_to_pulses(m, average.pulses_per_unit, average.rounding, average.most, position, words, counts)


@kernel
def averaged_panel(x, d, start, stop, memory, average, words, counts):
    """Do `average_products` for the rows from `start` to before `stop`."""
    rows, columns = memory.shape
    fresh = np.empty((stop - start, columns), np.float32)
    np.dot(transposed(x, start, stop), d, fresh)
    lost = False
    for i in range(start, stop):
        g = fresh[i - start]
        if average.unit != np.float32(1.0):
            g *= average.unit
        if i == rows - 1:
            g *= average.bias_rate
        lost |= averaged_row(memory[i], g, average, i * columns, words, counts[i])
    return lost


@parallel_kernel
def average_products(x, d, panels, memory, average, words, counts, lost):
    """Add x^T d, x (P, inputs) and d (P, neurons) float32, to the average, memory (inputs, neurons), and round it to pulses.

    counts (inputs, neurons) int32 <- the pulses; lost (panels,) bool <- whether a panel held a weight for which more than
    `average.most` pulses are asked, or what is not a number.
    """
    rows = memory.shape[0]
    for p in prange(panels):
        start, stop = rows * p // panels, rows * (p + 1) // panels
        lost[p] = averaged_panel(x, d, start, stop, memory, average, words, counts)


@serial_kernel
def count_nonzeros(values, number):
    """Write the number of values (P, n) of each row that are not zero, number (P,) int64."""
    for b in range(values.shape[0]):
        found = 0
        for j in range(values.shape[1]):
            found += int(values[b, j] != 0)
        number[b] = found


@kernel
def within_bytes(n):
    """Return a whole number clipped to what 8 bits hold; what is not a number stays what it is."""
    n = LARGEST if n > LARGEST else n
    return -LARGEST if n < -LARGEST else n


@serial_kernel
def nearest_steps(values, step, whole):
    """Write values (P, n) float32 in whole steps, the nearest ones, to whole (P, n) float32."""
    for b in range(values.shape[0]):
        for j in range(values.shape[1]):
            whole[b, j] = within_bytes(np.rint(values[b, j] / step))


@serial_kernel
def stochastic_steps(values, step, draws, whole):
    """Write values (P, n) in whole steps to whole (P, n) float32, rounded by uniform draws (P, n) of 16 bits.

    The largest value may lie a last bit above 127 steps.
    """
    size = np.float64(step)
    for b in range(values.shape[0]):
        for j in range(values.shape[1]):
            u = (draws[b, j] + 0.5) / 65536.0
            whole[b, j] = within_bytes(np.floor(np.float64(values[b, j]) / size + u))
