"""Currents of a crossbar with wire resistance, by conjugate gradients whose every step solves all lines exactly.

The unknowns are currents. A line is a chain of equal segments of resistance r. Let x be the potential of a node against the
driver (word lines) or against ground (bit lines), divided by r. Then K x = J: J are the currents of the cells, and
K = tridiag(-1, k, -1), where k is the number of segments that meet at a node. With x = a on word lines, x = b on bit lines and
D the conductances of the cells:

    K a = J,    K b = J,    J = s - D (r_word a + r_bit b),    s = D v.

The word lines are eliminated. The rest, K b + r_bit (D - r_word D (K + r_word D)^-1 D) b = f, is symmetric and positive definite
for all r >= 0, and K + r_bit D is its preconditioner. Both matrices are tridiagonal along the lines. Because the unknowns are
currents, a resistance of zero is no special case, and small resistances lose no digits.

A residual current that is left at a node flows off to drivers and grounds in parts that are positive and sum to 1. The sum of
all |residuals| is therefore a strict bound on the error of every line's current.
"""

from typing import NamedTuple

import numpy as np
from numba import prange

from hardware_models.kernels.compile import inlined, kernel, parallel_kernel
from hardware_models.kernels.kirchhoff import EPS, allowed, balance, ground_currents

WIDTH = 8
"""Word lines that are solved side by side; the compiler makes vector operations of them."""
FIELDS = 5
"""Fields (rows, columns) of working memory of each thread."""
TURNS = 4
"""Most times that the residual is computed anew and what is left of it is solved for."""


class Lines(NamedTuple):
    """The lines of a circuit, and the inverse pivots of both tridiagonal matrices for each of several sets of cells."""

    word_nodes: np.ndarray  # k along a word line (columns,)
    bit_nodes: np.ndarray  # k along a bit line (rows,)
    r_word: float  # resistance of one segment of a word line [Ohm]
    r_bit: float  # resistance of one segment of a bit line [Ohm]
    word: np.ndarray  # of K + r_word D, (sets, groups of word lines, columns, WIDTH)
    bit: np.ndarray  # of K + r_bit D, (sets, rows, columns)


class Inputs(NamedTuple):
    """The cells and their drive: J = D (v - r_word a - r_bit b) + extra."""

    cells: np.ndarray  # D (sets, rows, columns) [S]; one set for all inputs, or one set for each input
    voltage: np.ndarray  # v (inputs, rows) [V]
    extra: np.ndarray  # currents besides (inputs or 0, rows, columns) [A]


@kernel
def _pivots(cells, word_nodes, bit_nodes, r_word, r_bit, word, bit):
    rows, columns = cells.shape
    for j in range(columns):
        bit[0, j] = 1.0 / (bit_nodes[0] + r_bit * cells[0, j])
    for i in range(1, rows):
        for j in range(columns):
            bit[i, j] = 1.0 / (bit_nodes[i] + r_bit * cells[i, j] - bit[i - 1, j])
    for group in range(word.shape[0]):
        for k in range(WIDTH):
            i = group * WIDTH + k
            for j in range(columns):
                word[group, j, k] = word_nodes[j] + (r_word * cells[i, j] if i < rows else 0.0)
        for k in range(WIDTH):
            word[group, 0, k] = 1.0 / word[group, 0, k]
        for j in range(1, columns):
            for k in range(WIDTH):
                word[group, j, k] = 1.0 / (word[group, j, k] - word[group, j - 1, k])


@parallel_kernel
def factor(cells, word_nodes, bit_nodes, r_word, r_bit, word, bit):
    """Write the inverse pivots `word` and `bit` of a `Lines` for conductances `cells` (sets, rows, columns)."""
    for n in prange(cells.shape[0]):
        _pivots(cells[n], word_nodes, bit_nodes, r_word, r_bit, word[n], bit[n])


@inlined
def _along_words(pivot, x):
    """Solve (K + r_word D) x = x in place for one group of word lines, x (columns, WIDTH)."""
    columns = x.shape[0]
    for j in range(1, columns):
        for k in range(WIDTH):
            x[j, k] += x[j - 1, k] * pivot[j - 1, k]
    for k in range(WIDTH):
        x[columns - 1, k] *= pivot[columns - 1, k]
    for j in range(columns - 2, -1, -1):
        for k in range(WIDTH):
            x[j, k] = (x[j, k] + x[j + 1, k]) * pivot[j, k]


@kernel
def _word_lines(cells, pivot, source, r_bit, b, a):
    """Write the currents `a` of the word lines: (K + r_word D) a = source - r_bit D b."""
    rows, columns = cells.shape
    x = np.zeros((columns, WIDTH))
    for group in range(pivot.shape[0]):
        start = group * WIDTH
        wide = min(WIDTH, rows - start)
        for k in range(wide):
            for j in range(columns):
                x[j, k] = source[start + k, j] - r_bit * cells[start + k, j] * b[start + k, j]
        _along_words(pivot[group], x)
        for k in range(wide):
            for j in range(columns):
                a[start + k, j] = x[j, k]


@kernel
def _upwards(cells, resistances, bit, word, beta, r, z, p, q):
    """Solve the bit lines upwards, p = z + beta p and q = (K + r_bit D) p, then write A p to `z`; return p.Ap.

    `z` holds the result of the way down. A group of rows stays in the processor's cache from its bit lines to its word lines.
    """
    rows, columns = cells.shape
    sums, x, below = np.zeros(columns), np.zeros((columns, WIDTH)), np.zeros(columns)
    for group in range(word.shape[0] - 1, -1, -1):
        start = group * WIDTH
        wide = min(WIDTH, rows - start)
        for k in range(wide - 1, -1, -1):
            i = start + k
            for j in range(columns):
                below[j] = (z[i, j] + below[j]) * bit[i, j]
            for j in range(columns):
                p[i, j] = below[j] + beta * p[i, j]
                q[i, j] = r[i, j] + beta * q[i, j]
                x[j, k] = cells[i, j] * p[i, j]
        if resistances > 0.0:
            _along_words(word[group], x)
        for k in range(wide):
            i = start + k
            for j in range(columns):
                z[i, j] = q[i, j] - resistances * cells[i, j] * x[j, k]
                sums[j] += p[i, j] * z[i, j]
    return sums.sum()


@kernel
def _downwards(bit, alpha, b, r, z, p):
    """Take a step b += alpha p, r -= alpha A p, and solve the bit lines downwards; return r.z and the sum of |r|.

    `z` holds A p, and then the result of the way down.
    """
    rows, columns = r.shape
    products, left, above = np.zeros(columns), np.zeros(columns), np.zeros(columns)
    for i in range(rows):
        if alpha != 0.0:
            for j in range(columns):
                b[i, j] += alpha * p[i, j]
                r[i, j] -= alpha * z[i, j]
        for j in range(columns):
            z[i, j] = r[i, j] + above[j]
            above[j] = z[i, j] * bit[i, j]
            products[j] += z[i, j] * above[j]
            left[j] += abs(r[i, j])
    return products.sum(), left.sum()


@kernel
def _currents(cells, source, lines, a, b, current):
    """Write the currents J of the cells; return their rounding, summed."""
    rows, columns = cells.shape
    terms = np.zeros(columns)
    for i in range(rows):
        for j in range(columns):
            drop = cells[i, j] * (lines.r_word * a[i, j] + lines.r_bit * b[i, j])
            current[i, j] = source[i, j] - drop
            terms[j] += abs(source[i, j]) + abs(drop)
    return 2.0 * EPS * terms.sum()


@kernel
def _solve(cells, source, lines, word, bit, goal, work, a, b, out):
    """Solve one input from the start `b`; return peak, sum and rounding of |residuals|, what the goal allows, and the steps."""
    r, z, p, q = work
    resistances = lines.r_word * lines.r_bit
    steps, turn = 0, 0
    while True:
        _word_lines(cells, word, source, lines.r_bit, b, a)
        peak, total, noise = balance(z, _currents(cells, source, lines, a, b, z), lines, a, b, r)
        ground_currents(b, lines.bit_nodes, out)
        most = allowed(out, goal)
        if total <= most or turn == TURNS or (turn > 0 and total <= noise) or steps >= goal.steps:
            return peak, total, noise, most, steps
        turn += 1
        alpha, before = 0.0, 1.0
        p[:], q[:] = 0.0, 0.0
        while steps < goal.steps:
            product, left = _downwards(bit, alpha, b, r, z, p)
            ground_currents(b, lines.bit_nodes, out)
            if left <= max(0.5 * allowed(out, goal), 1e-3 * noise) or product <= 0.0:
                break
            beta = product / before if alpha != 0.0 else 0.0
            alpha = product / _upwards(cells, resistances, bit, word, beta, r, z, p, q)
            before = product
            steps += 1


@inlined
def _solve_share(c, inputs, lines, goal, work, a, b, out, found):
    """Solve the inputs of share `c`."""
    many, shares = inputs.voltage.shape[0], work.shape[1]
    source, fields = work[FIELDS - 1, c], (work[0, c], work[1, c], work[2, c], work[3, c])
    rows, columns = source.shape
    for n in range(many * c // shares, many * (c + 1) // shares):
        place, own = min(n, inputs.cells.shape[0] - 1), n if a.shape[0] == many else c
        if a.shape[0] != many:
            b[own] = 0.0
        cells = inputs.cells[place]
        for i in range(rows):
            for j in range(columns):
                source[i, j] = cells[i, j] * inputs.voltage[n, i]
        if inputs.extra.shape[0] > 0:
            source += inputs.extra[n]
        word, bit = lines.word[place], lines.bit[place]
        solved = _solve(cells, source, lines, word, bit, goal, fields, a[own], b[own], out[n])
        found[n, 0], found[n, 1], found[n, 2], found[n, 3], found[n, 4] = solved


@parallel_kernel
def solve_inputs(inputs, lines, goal, work, a, b, out, found):
    """Write the currents `out` (inputs, columns) of the bit lines.

    `a` and `b` (inputs, rows, columns) take the currents of the lines, and `b` holds a first guess. If they have fewer inputs,
    each share of the inputs keeps using its own ones, from a guess of zero. `work` is (FIELDS, shares, rows, columns). `found`
    (inputs, 5) takes max and sum of |residuals|, the rounding of that sum, the sum that the goal allows [A], and the steps.
    """
    for c in prange(work.shape[1]):
        _solve_share(np.int64(c), inputs, lines, goal, work, a, b, out, found)
