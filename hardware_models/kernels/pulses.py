"""Loops over cells that change conductances by pulses, and the sums from which the energy of pulses is computed."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.random import draw, fill_coarse_normal, word_of_pulse


@inlined
def saturation(x):
    """Return 1 - exp(-x), to float32 precision for |x| <= 16 without cancellation.

    Taylor's series of order 8 at x/16, then four doublings by 1 - e^-2t = q (2 - q) with q = 1 - e^-t: arithmetic
    only, so that the loop around it vectorises.
    """
    t = np.float32(min(max(x, np.float32(-16.0)), np.float32(16.0)) * np.float32(0.0625))
    q = np.float32(1.0) - t * np.float32(0.125)
    q = np.float32(1.0) - t * np.float32(1.0 / 7.0) * q
    q = np.float32(1.0) - t * np.float32(1.0 / 6.0) * q
    q = np.float32(1.0) - t * np.float32(0.2) * q
    q = np.float32(1.0) - t * np.float32(0.25) * q
    q = np.float32(1.0) - t * np.float32(1.0 / 3.0) * q
    q = np.float32(1.0) - t * np.float32(0.5) * q
    q = t * q
    two = np.float32(2.0)
    q = q * (two - q)
    q = q * (two - q)
    q = q * (two - q)
    return q * (two - q)


MARGIN = np.float32(4.0)
"""Distance from both bounds, in standard deviations, at which a noisy burst may use the closed form."""


@inlined
def exponential_path(g, n, factor_up, factor_down, p):
    """Return the mean and the standard deviation [S] of the conductance after n pulses of the exponential-step device.

    Both follow the equations in `devices/exponential_step.py`, without bounds.
    """
    up = n > 0
    count = np.float32(n)
    factor = factor_up if up else factor_down
    rate = (p[2] if up else p[4]) * factor  # 1/A of the cell [1/pulse]
    asymptote = p[3] if up else p[5]  # B, in units of the range
    share = saturation(count * rate)
    one = saturation(rate if up else -rate)
    two = np.float32(2.0)
    variance = share * (two - share) / (one * (two - one))
    end = g + p[1] * (asymptote - (g - p[0]) / p[1]) * share
    return np.float32(end), np.float32(p[1] * p[6] * math.sqrt(variance))


@inlined
def exponential_step(g, n, factor_up, factor_down, xi, p):
    """Return the conductance after n = -1, 0 or 1 pulses; the noise of a single pulse needs no second exponential."""
    up = n > 0
    count = np.float32(n)
    factor = factor_up if up else factor_down
    rate = p[2] if up else p[4]
    asymptote = p[3] if up else p[5]
    u = (g - p[0]) / p[1]
    moved = (asymptote - u) * saturation(count * factor * rate)
    return np.float32(g + p[1] * (moved + p[6] * abs(count) * xi))


@kernel
def pulse_by_pulse(g, n, factor_up, factor_down, low, high, p, position, w0, w1, middles):
    """Return the conductance after n pulses one by one, clipped to the bounds after each."""
    sign = np.int32(1) if n > 0 else np.int32(-1)
    for k in range(abs(n)):
        xi = draw(position, word_of_pulse(w0, k), w1, middles)
        g = min(max(exponential_step(g, sign, factor_up, factor_down, xi, p), low), high)
    return g


@kernel
def burst(g, n, factor_up, factor_down, low, high, p, position, w0, w1, middles):
    """Return the conductance after n pulses: in closed form, or one by one if noise may reach a bound on the way."""
    noisy = p[6] > np.float32(0.0)
    xi = draw(position, w0, w1, middles) if noisy else np.float32(0.0)
    if abs(n) <= 1:
        return min(max(exponential_step(g, n, factor_up, factor_down, xi, p), low), high)
    end, sigma = exponential_path(g, n, factor_up, factor_down, p)
    reach = MARGIN * sigma
    if noisy and ((min(g, end) - reach < low) | (max(g, end) + reach > high)):
        return pulse_by_pulse(g, n, factor_up, factor_down, low, high, p, position, w0, w1, middles)
    return min(max(end + sigma * xi, low), high)


@parallel_kernel
def most_by_row(pulses, most):
    """Write to `most` the largest number of pulses of either sign in each row."""
    for i in prange(pulses.shape[0]):
        m = np.int32(0)
        for j in range(pulses.shape[1]):
            m = max(m, abs(pulses[i, j]))
        most[i] = m


@parallel_kernel
def exponential_step_singles(g, factor_up, factor_down, low, high, pulses, p, w0, w1, middles):
    """Apply at most one pulse to each cell of an array, in place; p as for `exponential_step_array`."""
    columns = g.shape[1]
    noisy = p[6] > np.float32(0.0)
    for i in prange(g.shape[0]):
        xi = np.zeros(columns, np.float32)
        if noisy:
            fill_coarse_normal(xi, i * columns, w0, w1, middles)
        for j in range(columns):
            moved = exponential_step(g[i, j], pulses[i, j], factor_up[i, j], factor_down[i, j], xi[j], p)
            g[i, j] = min(max(moved, low[i, j]), high[i, j])


@parallel_kernel
def exponential_step_array(g, factor_up, factor_down, low, high, pulses, p, w0, w1, middles):
    """Apply pulses to all cells in place; p = (g_min, range, 1/A+, B+, 1/A-, B-, sigma_c2c) float32.

    Bursts that may touch a bound are applied pulse by pulse: noise that is clipped on its way has no closed form.
    """
    columns = g.shape[1]
    noisy = p[6] > np.float32(0.0)
    for i in prange(g.shape[0]):
        xi = np.zeros(columns, np.float32)
        if noisy:
            fill_coarse_normal(xi, i * columns, w0, w1, middles)
        near = np.zeros(columns, np.bool_)
        out = np.empty(columns, np.float32)
        for j in range(columns):
            start = g[i, j]
            end, sigma = exponential_path(start, pulses[i, j], factor_up[i, j], factor_down[i, j], p)
            reach = MARGIN * sigma
            near[j] = (min(start, end) - reach < low[i, j]) | (max(start, end) + reach > high[i, j])
            out[j] = min(max(end + sigma * xi[j], low[i, j]), high[i, j])
        for j in range(columns):  # single pulses by their own arithmetic, which is that of `exponential_step_singles`
            n = pulses[i, j]
            moved = exponential_step(g[i, j], n, factor_up[i, j], factor_down[i, j], xi[j], p)
            single = min(max(moved, low[i, j]), high[i, j])
            out[j] = single if abs(n) <= 1 else out[j]
        for j in range(columns):
            n = pulses[i, j]
            if noisy and near[j] and abs(n) > 1:
                position = i * columns + j
                out[j] = pulse_by_pulse(
                    g[i, j], n, factor_up[i, j], factor_down[i, j], low[i, j], high[i, j], p, position, w0, w1, middles
                )
        for j in range(columns):
            g[i, j] = out[j]


@parallel_kernel
def exponential_step_window(g, factor_up, factor_down, low, high, pulses, rows, columns, p, w0, w1, middles):
    """Apply pulses only to the cells at the crossings of `rows` and `columns`, with the same draws as for the full array."""
    for a in prange(rows.size):
        i = rows[a]
        for b in range(columns.size):
            j = columns[b]
            n = pulses[a, b]
            if n != 0:
                position = i * g.shape[1] + j
                g[i, j] = burst(
                    g[i, j], n, factor_up[i, j], factor_down[i, j], low[i, j], high[i, j], p, position, w0, w1, middles
                )


@parallel_kernel
def exponential_step_some(g, factor_up, factor_down, low, high, where, pulses, p, w0, w1, middles):
    """Apply pulses to some cells of flat arrays; `where` holds their positions, each once.

    The arithmetic and the draws are the same as for the full array.
    """
    for a in prange(where.size):
        i = where[a]
        g[i] = burst(g[i], pulses[a], factor_up[i], factor_down[i], low[i], high[i], p, i, w0, w1, middles)


@parallel_kernel
def count_cells(counts, cells):
    """Write to `cells` the number of pulsed cells of each row if `split_pairs` splits the signed counts (rows, columns)."""
    for i in prange(counts.shape[0]):
        number = 0
        for j in range(counts.shape[1]):
            n = counts[i, j]
            # A single device pulse goes to one cell of the pair; two or more pulses are shared by both.
            number += min(abs(n), np.int32(2))
        cells[i] = number


@parallel_kernel
def list_cells(counts, parity, first, where, pulses):
    """List the pulsed cells as flat positions and pulses, row i from first[i] on; counts are split as by `split_pairs`."""
    for i in prange(counts.shape[0]):
        place = first[i]
        if place == first[i + 1]:
            continue
        for j in range(counts.shape[1]):
            n = counts[i, j]
            if n == 0:
                continue
            half = n // 2
            rest = n - half
            odd = (i + j + parity) % 2 != 0
            plus = half if odd else rest
            minus = -rest if odd else -half
            cell = 2 * (i * counts.shape[1] + j)
            if plus != 0:
                where[place] = cell
                pulses[place] = plus
                place += 1
            if minus != 0:
                where[place] = cell + 1
                pulses[place] = minus
                place += 1


@parallel_kernel
def gather(flat, where, found):
    """Write to `found` the entries of a flat array at some positions."""
    for a in prange(where.size):
        found[a] = flat[where[a]]


@parallel_kernel
def write_sums_some(first, where, pulses, before, after, bit_lines, tile_columns):
    """Return the sums of `write_sums`, computed from listed cells; row i has the entries first[i] to first[i + 1]."""
    rows = first.size - 1
    tiles = (bit_lines + tile_columns - 1) // tile_columns
    sums = np.zeros((rows, 4))
    slots = np.zeros((rows, tiles, 2), np.int64)
    for i in prange(rows):
        for a in range(first[i], first[i + 1]):
            n = pulses[a]
            mean = np.float32(0.5) * (before[a] + after[a])
            t = (where[a] - i * bit_lines) // tile_columns
            if n > 0:
                sums[i, 0] += n * mean
                sums[i, 2] += n
                slots[i, t, 0] = max(slots[i, t, 0], n)
            else:
                sums[i, 1] -= n * mean
                sums[i, 3] -= n
                slots[i, t, 1] = max(slots[i, t, 1], -n)
    return sums, slots


@inlined
def _counted(received, pulses):
    """Return a counter of pulses increased by |pulses|; it saturates at the largest int32."""
    return np.int32(min(np.int64(received) + abs(np.int64(pulses)), np.int64(2**31 - 1)))


@parallel_kernel
def follow_cells(first, where, pulses, before, after, g, received, blocks, row_sums):
    """Update everything derived from the listed cells: their pulse counts, the pairs' differences and the rows' sums."""
    bit_lines = g.shape[1]
    width = blocks.shape[2]
    for i in prange(first.size - 1):
        change = 0.0
        for a in range(first[i], first[i + 1]):
            line = where[a] - i * bit_lines
            received[i, line] = _counted(received[i, line], pulses[a])
            column = line // 2
            blocks[column // width, i, column % width] = g[i, 2 * column] - g[i, 2 * column + 1]
            change += np.float64(after[a]) - np.float64(before[a])
        row_sums[i] += change


@parallel_kernel
def write_sums(before, after, pulses, tile_columns):
    """Return, row by row, the sums from which the energy and time of one burst are computed.

    The first array is (rows, 4) float64: the sum of n (g + g')/2 over up pulses and over down pulses [S], the number of up
    pulses and of down pulses. The second is (rows, column tiles, 2) int64: the slots of a row in each tile, up and down.
    """
    rows, columns = pulses.shape
    tiles = (columns + tile_columns - 1) // tile_columns
    sums = np.zeros((rows, 4))
    slots = np.zeros((rows, tiles, 2), np.int64)
    for i in prange(rows):
        for t in range(tiles):
            up_g = 0.0
            down_g = 0.0
            up_n = 0
            down_n = 0
            most = np.int32(0)
            least = np.int32(0)
            for j in range(t * tile_columns, min((t + 1) * tile_columns, columns)):
                n = pulses[i, j]
                mean = np.float32(0.5) * (before[i, j] + after[i, j])
                positive = max(n, np.int32(0))
                negative = max(-n, np.int32(0))
                up_g += positive * mean
                down_g += negative * mean
                up_n += positive
                down_n += negative
                most = max(most, n)
                least = min(least, n)
            sums[i, 0] += up_g
            sums[i, 1] += down_g
            sums[i, 2] += up_n
            sums[i, 3] += down_n
            slots[i, t, 0] = most
            slots[i, t, 1] = -least
    return sums, slots


@parallel_kernel
def split_pairs(counts, parity, pulses):
    """Split signed device pulses on each weight into pulses on the two devices of its pair.

    +n raises G+ and lowers G-. The larger half goes to G+ or G- in a chequerboard pattern that `parity` inverts, so that
    over many calls both devices get equally many pulses. counts (rows, columns) -> pulses (rows, 2 columns).
    """
    for i in prange(counts.shape[0]):
        for j in range(counts.shape[1]):
            n = counts[i, j]
            half = n // 2
            rest = n - half
            first = (i + j + parity) % 2 == 0
            pulses[i, 2 * j] = rest if first else half
            pulses[i, 2 * j + 1] = -half if first else -rest


@parallel_kernel
def split_one_sided(counts, polarity, pulses):
    """Give signed device pulses on each weight to the one device of its pair that can move that way; polarity is +1 or -1.

    If pulses only lower G (-1), +n lowers G- and -n lowers G+; if they only raise G (+1), +n raises G+ and -n raises G-.
    """
    for i in prange(counts.shape[0]):
        for j in range(counts.shape[1]):
            n = counts[i, j]
            positive = max(n, np.int32(0))
            negative = max(-n, np.int32(0))
            pulses[i, 2 * j] = positive if polarity > 0 else -negative
            pulses[i, 2 * j + 1] = negative if polarity > 0 else -positive


@parallel_kernel
def add_sizes(received, pulses):
    """Add the number of pulses of either sign to the count of each cell (rows, bit lines) int32."""
    for i in prange(pulses.shape[0]):
        for j in range(pulses.shape[1]):
            received[i, j] = _counted(received[i, j], pulses[i, j])


@parallel_kernel
def pair_sums(g, sign, blocks, row_sums):
    """Combine the interleaved pairs of g (m, 2 n) [S] into panels of columns, and sum g over each row.

    blocks (panels, m, width) <- g(G+) + sign g(G-), zero beyond the last column; row_sums (m,) <- sum of all g of a row.
    """
    panels, rows, width = blocks.shape
    columns = g.shape[1] // 2
    for i in prange(rows):
        total = 0.0
        for p in range(panels):
            left = p * width
            for j in range(min(columns, left + width) - left):
                plus = g[i, 2 * (left + j)]
                minus = g[i, 2 * (left + j) + 1]
                blocks[p, i, j] = plus + sign * minus
                total += plus + minus
            for j in range(columns - left, width):
                blocks[p, i, j] = np.float32(0.0)
        row_sums[i] = total
