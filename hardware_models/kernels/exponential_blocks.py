"""Loops over listed cells of the exponential-step device, block by block.

A burst on listed cells is worked off in blocks: the figures of a block's cells are copied to short arrays, every formula is one
loop over these arrays, which vectorises, and the conductances are written back. Each of the five arrays of a state is read once
and one is written: 24 bytes a cell where all cells are pulsed, a line of memory for each of them where few are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.bursts import MARGIN_EXPONENTIAL
from hardware_models.kernels.compile import kernel, parallel_kernel
from hardware_models.kernels.exponential import saturation
from hardware_models.kernels.listed import ROWS, SPARSE, fetch_rows, follow_rows, list_rows
from hardware_models.kernels.random import coarse_normals, word_of_pulse

CACHED = 2**19
"""Cells of an array whose fields stay in a cache from one burst to the next."""
TOGETHER = 512
"""Pulsed cells for which making the arrays of a block takes little of the time."""
BLOCK = 1024
"""Cells of a block of listed cells: its arrays, 40 bytes a cell, stay in the nearest cache."""


class Block(NamedTuple):
    """Cells of the exponential-step device that are pulsed, copied from their array; all (k,)."""

    g: np.ndarray  # conductance [S], float32
    rate: np.ndarray  # 1/A of one pulse of the cell's polarity, negative for a down curve that bends [1/pulse], float32
    asymptote: np.ndarray  # B of that polarity [1], float32
    low: np.ndarray  # lower bound [S], float32
    high: np.ndarray  # upper bound [S], float32
    count: np.ndarray  # number of pulses, int32
    position: np.ndarray  # position in the array, for the draws, uint32


@kernel
def fetch(array, where, found):
    """Write to `found` the entries of a flat array at some positions."""
    for e in range(found.size):
        found[e] = array[where[e]]


@kernel
def put(found, where, array):
    """Write values to some positions of a flat array."""
    for e in range(found.size):
        array[where[e]] = found[e]


@kernel
def some_of(block, where):
    """Return the cells of a block with the numbers `where` as a block of their own."""
    k = where.size
    some = Block(
        np.empty(k, np.float32), np.empty(k, np.float32), np.empty(k, np.float32), np.empty(k, np.float32),
        np.empty(k, np.float32), np.empty(k, np.int32), np.empty(k, np.uint32),
    )  # fmt: skip
    fetch(block.g, where, some.g)
    fetch(block.rate, where, some.rate)
    fetch(block.asymptote, where, some.asymptote)
    fetch(block.low, where, some.low)
    fetch(block.high, where, some.high)
    fetch(block.count, where, some.count)
    fetch(block.position, where, some.position)
    return some


@kernel
def block_of(cells, where, pulses, law):
    """Return the cells at flat positions, with the rate and the asymptote of each one's polarity."""
    g, factor_up, factor_down, low, high = cells
    k = where.size
    block = Block(
        np.empty(k, np.float32), np.empty(k, np.float32), np.empty(k, np.float32), np.empty(k, np.float32),
        np.empty(k, np.float32), np.empty(k, np.int32), np.empty(k, np.uint32),
    )  # fmt: skip
    fetch(g, where, block.g)
    fetch(low, where, block.low)
    fetch(high, where, block.high)
    _, rate, asymptote, _, _, count, position = block
    for e in range(k):  # one factor of two is loaded: where pulses are sparse, each is a line of memory of its own
        rate[e] = factor_up[where[e]] if pulses[e] > 0 else factor_down[where[e]]
    for e in range(k):
        signed = rate[e] * (law.rate_up if pulses[e] > 0 else law.rate_down)
        rate[e] = signed if pulses[e] > 0 else -signed
    for e in range(k):
        asymptote[e] = law.asymptote_up if pulses[e] > 0 else law.asymptote_down
    for e in range(k):
        count[e] = abs(pulses[e])
    for e in range(k):
        position[e] = np.uint32(where[e])
    return block


@kernel
def saturations(x, found):
    """Write 1 - exp(-x) of each number."""
    for e in range(found.size):
        found[e] = saturation(x[e])


@kernel
def one_more(block, share, k, xi, law):
    """Apply pulse k, of 0, 1, ..., to the cells that get so many; share = 1 - exp(-rate), xi their normal numbers."""
    g, _, asymptote, low, high, count, _ = block
    number = np.int32(k)
    for e in range(g.size):
        u = (g[e] - law.g_min) / law.width
        moved = (asymptote[e] - u) * share[e]
        end = np.float32(g[e] + law.width * (moved + law.cycle_noise * xi[e]))
        end = min(max(end, low[e]), high[e])
        g[e] = end if number < count[e] else g[e]


@kernel
def chosen(marked):
    """Return the numbers of the entries that are True."""
    where = np.empty(marked.size, np.int64)
    k = 0
    for e in range(marked.size):
        where[k] = e
        k += np.int64(marked[e])
    return where[:k]


@kernel
def deviations(block, share, law):
    """Return the standard deviations of the ends of bursts [S], by the equation in `devices/exponential_step.py`."""
    two = np.float32(2.0)
    sigma, one = np.empty(share.size, np.float32), np.empty(share.size, np.float32)
    saturations(block.rate, one)
    for e in range(sigma.size):
        variance = share[e] * (two - share[e]) / (one[e] * (two - one[e]))
        sigma[e] = np.float32(law.width * law.cycle_noise * math.sqrt(variance))
    return sigma


@kernel
def pulse_by_pulse(block, law, key):
    """Apply the pulses of bursts one after the other, all cells in step; each is clipped to its bounds after every pulse."""
    share, xi = np.empty(block.g.size, np.float32), np.empty(block.g.size, np.float32)
    saturations(block.rate, share)
    for k in range(block.count.max()):
        coarse_normals(block.position, word_of_pulse(key.w0, k), key.w1, key.middles, xi)
        one_more(block, share, k, xi, law)


@kernel
def come_near(block, end, sigma):
    """Return True for each cell whose monotone path to `end`, with noise sigma at its end, comes near a bound."""
    near = np.empty(end.size, np.bool_)
    g, _, _, low, high, _, _ = block
    for e in range(end.size):
        reach = MARGIN_EXPONENTIAL * sigma[e]
        near[e] = (min(g[e], end[e]) - reach < low[e]) | (max(g[e], end[e]) + reach > high[e])
    return near


@kernel
def move_by_bursts(block, law, key):
    """Move cells by their pulses at once, in closed form; those whose noise may reach a bound on the way pulse by pulse."""
    g, rate, asymptote, low, high, count, position = block
    share, end, xi = np.empty(g.size, np.float32), np.empty(g.size, np.float32), np.empty(g.size, np.float32)
    for e in range(g.size):
        share[e] = np.float32(count[e]) * rate[e]
    saturations(share, share)
    for e in range(g.size):
        end[e] = np.float32(g[e] + law.width * (asymptote[e] - (g[e] - law.g_min) / law.width) * share[e])
    if law.cycle_noise > np.float32(0.0):
        sigma = deviations(block, share, law)
        near = chosen(come_near(block, end, sigma))
        if near.size == g.size:
            pulse_by_pulse(block, law, key)
            return
        coarse_normals(position, key.w0, key.w1, key.middles, xi)
        for e in range(g.size):
            end[e] += sigma[e] * xi[e]
        slow = some_of(block, near)
        if near.size > 0:
            pulse_by_pulse(slow, law, key)
        put(slow.g, near, end)
    for e in range(g.size):
        g[e] = min(max(end[e], low[e]), high[e])


@kernel
def move_block(block, law, key):
    """Move the cells of a block by their pulses: single pulses by their own formula, which needs one exponential less."""
    several = chosen(block.count > 1)
    if several.size == block.g.size:
        move_by_bursts(block, law, key)
        return
    bursts = some_of(block, several)
    share, xi = np.empty(block.g.size, np.float32), np.zeros(block.g.size, np.float32)
    saturations(block.rate, share)
    if law.cycle_noise > np.float32(0.0):
        coarse_normals(block.position, key.w0, key.w1, key.middles, xi)
    one_more(block, share, 0, xi, law)
    if several.size > 0:
        move_by_bursts(bursts, law, key)
    put(bursts.g, several, block.g)


@parallel_kernel
def exponential_step_listed(cells, where, pulses, law, key):
    """Apply pulses to the cells at some positions of flat arrays, each once; cells = (g, factor_up, factor_down, low, high)."""
    for q in prange((where.size + BLOCK - 1) // BLOCK):
        first, last = q * BLOCK, min(q * BLOCK + BLOCK, where.size)
        block = block_of(cells, where[first:last], pulses[first:last], law)
        move_block(block, law, key)
        put(block.g, where[first:last], cells[0])


@kernel
def pulse_rows(top, bottom, cells, counts, parity, listed, kept, sums, law, key):
    """Do `exponential_step_pairs` for the rows from `top` to before `bottom`."""
    first, last = listed.first[top], listed.first[bottom]
    if first == last:
        return
    if kept.g.size > CACHED and (last - first) * SPARSE > (bottom - top) * kept.g.shape[1]:
        seen = np.zeros(1)
        for field in cells:
            fetch_rows(field, top, bottom, seen)
        fetch_rows(kept.received, top, bottom, seen)
        for panel in kept.blocks:
            fetch_rows(panel, top, bottom, seen)
    g, factor_up, factor_down, low, high = cells
    flat = (g.reshape(-1), factor_up.reshape(-1), factor_down.reshape(-1), low.reshape(-1), high.reshape(-1))
    list_rows(top, bottom, counts, parity, g, listed)
    where = listed.where[first:last]
    block = block_of(flat, where, listed.pulses[first:last], law)
    move_block(block, law, key)
    put(block.g, where, flat[0])
    follow_rows(top, bottom, listed, kept, sums)


@parallel_kernel
def exponential_step_pairs(cells, counts, parity, listed, kept, sums, law, key):
    """Do `list_cells`, `exponential_step_listed` and `follow_cells` in one pass over the rows, with the same bits.

    Each line of memory on which a pulsed cell lies is fetched once; unless pulses are very sparse, whole rows are. A thread works
    off `ROWS` rows together, or so many that `TOGETHER` cells of them are pulsed: arrays for a block are made once.
    """
    rows = counts.shape[0]
    own = max(ROWS, min((rows + 7) // 8, TOGETHER * rows // max(listed.where.size, 1)))
    for q in prange((rows + own - 1) // own):
        pulse_rows(q * own, min(q * own + own, rows), cells, counts, parity, listed, kept, sums, law, key)
