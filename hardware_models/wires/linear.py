"""Currents of a crossbar with linear cells, and what is kept of it between inputs."""

from __future__ import annotations

import math
import threading
from typing import Literal, NamedTuple, overload

import numba
import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import RunError, UsageError, in_range
from hardware_models.kernels.kirchhoff import Goal
from hardware_models.kernels.wires import FIELDS, WIDTH, Inputs, Lines, factor, solve_inputs
from hardware_models.wires.circuit import Circuit, access_resistances, conductances, voltages
from hardware_models.wires.solution import Solution
from hardware_models.wires.sparse import SparseDirect

FLOOR = 1e-6
"""Currents below this share of the largest one are certain to the tolerance of this share."""
ROUNDED = 1e-6
"""Largest rounding, relative to the largest current, that is good enough where float64 cannot reach the tolerance."""
STEPS = 2000
"""Most steps of conjugate gradients before the direct solver takes over; no array up to 512 x 512 has needed 200."""
BLOCK = 16
"""Number of inputs that are solved at once where each input has cells of its own."""
TOLERANCES = (1e-12, 0.1)


class Flows(NamedTuple):
    """Currents of the lines as the kernels leave them."""

    a: np.ndarray  # of the word lines (inputs, rows, columns) [A]; working memory unless all nodes were asked for
    b: np.ndarray  # of the bit lines
    out: np.ndarray  # into ground (inputs, columns) [A]
    found: np.ndarray  # largest and sum of |residuals|, rounding, allowed sum [A], steps; (inputs, 5)
    late: np.ndarray  # True where the direct solver was needed (inputs,)


class Wires:
    """A crossbar of linear cells with wire resistance, and what can be kept for further inputs.

    See `hardware_models.wires.solve` for the circuit and the parameters. The pivots of all lines are kept from the beginning;
    `effective` keeps the whole array as one matrix. The conductances are copied: a change of cells is a new object.
    """

    def __init__(
        self,
        conductance: ArrayLike,
        r_word: float,
        r_bit: float,
        *,
        drive: str = "left",
        ground: str = "bottom",
        access: str = "passive",
        access_resistance: ArrayLike = 0.0,
        tolerance: float = 1e-6,
        direct: bool = False,
    ) -> None:
        self.circuit = Circuit(r_word, r_bit, drive, ground, access)
        self.conductance = conductances(conductance).copy()
        self.access_resistance = access_resistances(access_resistance, self.conductance.shape)
        self.tolerance = in_range("wires", "tolerance", tolerance, *TOLERANCES)
        self.direct = direct
        self.cells = self.conductance  # with access devices in series (rows, columns) [S]
        if self.access_resistance.any():
            self.cells = self.conductance / (1.0 + self.conductance * self.access_resistance)
        self._lines = lines(self.cells[np.newaxis], self.circuit) if access == "passive" else None
        self._sparse: SparseDirect | None = None
        self._effective: np.ndarray | None = None

    @overload
    def solve(self, voltage: ArrayLike, *, full: Literal[False] = False) -> np.ndarray: ...
    @overload
    def solve(self, voltage: ArrayLike, *, full: Literal[True]) -> Solution: ...
    @overload
    def solve(self, voltage: ArrayLike, *, full: bool) -> np.ndarray | Solution: ...
    def solve(self, voltage: ArrayLike, *, full: bool = False) -> np.ndarray | Solution:
        """Return the currents (B, columns) [A] for voltages (B, rows) [V], or everything as a `Solution` if `full`."""
        v = voltages(voltage, self.cells.shape[0])
        if self._lines is not None:
            inputs = Inputs(self.cells[np.newaxis], v, _NOTHING)
            flows = self.flows(inputs, self._lines, all_nodes=full)
            return _solution(inputs, self.circuit, flows) if full else flows.out
        parts = []
        for start in range(0, max(1, len(v)), BLOCK):
            some = v[start : start + BLOCK]
            cells = self.cells * (some != 0.0)[:, :, np.newaxis]
            inputs = Inputs(cells, some, _NOTHING)
            parts.append(
                _solution(inputs, self.circuit, self.flows(inputs, lines(cells, self.circuit), all_nodes=True))
            )
        together = Solution(*(np.concatenate(field) for field in zip(*parts, strict=True)))
        return together if full else together.currents

    def solve_others(self, conductance: np.ndarray, voltage: np.ndarray) -> np.ndarray:
        """Return the currents (N, columns) [A] of N other arrays of this shape behind the same wires, with one input each.

        conductance (N, rows, columns) [S], voltage (N, rows) [V]; all arrays are solved side by side, with the bits of one alone.
        Raise UsageError for an array with access devices, and RunError as `flows`.
        """
        if self.circuit.access != "passive" or self.access_resistance.any():
            raise UsageError("arrays are solved side by side without access devices: choose access='passive'.")
        cells = np.stack([conductances(one) for one in conductance])
        inputs = Inputs(cells, voltages(voltage, cells.shape[1]), _NOTHING)
        return self.flows(inputs, lines(cells, self.circuit)).out

    def flows(self, inputs: Inputs, own: Lines, *, guess: np.ndarray | None = None, all_nodes: bool = False) -> Flows:
        """Solve inputs whose cells may be their own; raise RunError if an input reaches the tolerance by no method."""
        number, (rows, columns) = len(inputs.voltage), self.cells.shape
        shares = max(1, min(number, numba.get_num_threads()))
        memory = _memory.fields((FIELDS + 2, shares, rows, columns))
        if all_nodes:
            a = np.empty((number, rows, columns))
            b = np.zeros((number, rows, columns)) if guess is None else guess.copy()
        else:
            a, b = memory[FIELDS], memory[FIELDS + 1]
            b[:] = 0.0
        out, found = np.empty((number, columns)), np.empty((number, 5))
        goal = Goal(self.tolerance, FLOOR, STEPS)
        if not self.direct:
            solve_inputs(inputs, own, goal, memory[:FIELDS], a, b, out, found)
        late = np.ones(number, bool) if self.direct else ~self._reached(found, out)
        for n in np.flatnonzero(late):
            place = slice(n, n + 1) if len(inputs.cells) > 1 else slice(0, 1)
            one = Inputs(inputs.cells[place], inputs.voltage[n : n + 1], inputs.extra[n : n + 1])
            alone = own._replace(word=own.word[place], bit=own.bit[place])
            spot = slice(n, n + 1) if all_nodes else slice(0, 1)
            b[spot] = self._directly(one, shared=own is self._lines)
            work, look = np.empty((FIELDS, 1, rows, columns)), goal._replace(steps=-1)  # no step, only what is left
            solve_inputs(one, alone, look, work, a[spot], b[spot], out[n : n + 1], found[n : n + 1])
        self._refuse(found, out)
        return Flows(a, b, out, found, late)

    def _directly(self, one: Inputs, *, shared: bool) -> np.ndarray:
        """Return the currents of the bit lines (rows, columns) of one input by the sparse solver."""
        source = one.cells[0] * one.voltage[0][:, np.newaxis] + (one.extra[0] if len(one.extra) else 0.0)
        if not shared:
            return SparseDirect(one.cells[0], self.circuit).solve(source)
        self._sparse = self._sparse or SparseDirect(one.cells[0], self.circuit)
        return self._sparse.solve(source)

    def _reached(self, found: np.ndarray, out: np.ndarray) -> np.ndarray:
        return reached(found[:, 1], found[:, 2], found[:, 3], out, self.tolerance)

    def _refuse(self, found: np.ndarray, out: np.ndarray) -> None:
        wrong = np.flatnonzero(~self._reached(found, out))
        if wrong.size:
            total, allowed = found[wrong[0], 1], found[wrong[0], 3]
            raise RunError(
                f"input {wrong[0]} of a crossbar with wires is balanced to {total:.3g} A, and the tolerance {self.tolerance:g} "
                f"needs {allowed:.3g} A: ask for a larger tolerance, or check the conductances and the resistances."
            )

    def effective(self) -> np.ndarray:
        """Return the matrix T (rows, columns) [S] of the whole array: the currents are i = v T.

        Wires are linear, so that T says everything about the array at its ends. It is computed once, with one input for each
        word line or, in the transposed circuit, for each bit line if there are fewer of those.
        """
        if self.circuit.access != "passive":
            raise UsageError("an array with access='1t1r' has no one matrix, because undriven word lines are cut off.")
        if self._effective is None:
            rows, columns = self.cells.shape
            if columns < rows:
                self._effective = np.ascontiguousarray(self.transposed().effective().T)
            else:
                self._effective = self.solve(np.eye(rows))
        return self._effective.copy()  # a caller may write into it

    def attenuation(self) -> np.ndarray:
        """Return T/G (rows, columns) [1], the share of each cell's current that is left behind the wires.

        It is above 1 where more current sneaks through other cells than flows through the cell itself. An open cell has no share
        of its own and gets the mean of its row times the mean of its column over the mean of all.
        """
        known = self.conductance > 0.0
        if not known.any():
            return np.ones(self.conductance.shape)
        share = np.divide(self.effective(), self.conductance, out=np.zeros(self.conductance.shape), where=known)
        mean = share.sum() / known.sum()
        row, column = (
            np.where(known.any(axis), share.sum(axis) / np.maximum(known.sum(axis), 1), mean) for axis in (1, 0)
        )
        return np.where(known, share, np.outer(row, column) / mean)

    def transposed(self) -> Wires:
        """Return the same array read backwards: driven where its bit lines were grounded, grounded where it was driven.

        Raise UsageError for access='1t1r': the word lines, now grounded, hold the gates, so no voltage says which cells are on.
        """
        if self.circuit.access != "passive":
            raise UsageError(
                "an array with access='1t1r' is not read backwards, because its gates are on the word lines: choose 'passive', "
                "which is the same with all transistors on."
            )
        turned = self.circuit.transposed()
        return Wires(
            self.conductance.T, turned.r_word, turned.r_bit, drive=turned.drive, ground=turned.ground,
            access=turned.access, access_resistance=self.access_resistance.T, tolerance=self.tolerance, direct=self.direct,
        )  # fmt: skip


_NOTHING = np.empty((0, 0, 0))
"""No currents besides those of the cells."""


class _Memory(threading.local):
    """Working memory that each Python thread keeps: new memory of some megabytes costs as much time as solving a circuit."""

    def __init__(self) -> None:
        self._numbers = np.empty(0)

    def fields(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return memory of a shape, which holds anything, and which the next call hands out again."""
        size = math.prod(shape)
        if self._numbers.size < size:
            self._numbers = np.empty(size)
        return self._numbers[:size].reshape(shape)


_memory = _Memory()


def lines(cells: np.ndarray, circuit: Circuit) -> Lines:
    """Return the lines of a circuit with the pivots for conductances `cells` (sets, rows, columns)."""
    sets, rows, columns = cells.shape
    word, bit = np.empty((sets, -(-rows // WIDTH), columns, WIDTH)), np.empty(cells.shape)
    word_nodes, bit_nodes = circuit.word_nodes(columns), circuit.bit_nodes(rows)
    factor(cells, word_nodes, bit_nodes, circuit.r_word, circuit.r_bit, word, bit)
    return Lines(word_nodes, bit_nodes, circuit.r_word, circuit.r_bit, word, bit)


def reached(total: np.ndarray, rounding: np.ndarray, most: np.ndarray, out: np.ndarray, tolerance: float) -> np.ndarray:
    """Tell for each input whether its sum of |residuals| is small enough.

    It is if it is at most `most`, which the tolerance allows, or at most its own rounding, if that is no more than `ROUNDED`, or
    the tolerance, of the largest of the currents `out` (inputs, columns).
    """
    large = max(ROUNDED, tolerance) * np.abs(out).max(axis=1)
    return np.isfinite(total) & ((total <= most) | ((total <= rounding) & (total <= large)))


def _solution(inputs: Inputs, circuit: Circuit, flows: Flows) -> Solution:
    found = flows.found
    word = inputs.voltage[:, :, np.newaxis] - circuit.r_word * flows.a
    bit = circuit.r_bit * flows.b
    cells = inputs.cells * (word - bit)
    largest = np.maximum(np.abs(flows.out).max(axis=1), np.finfo(np.float64).tiny)
    bound, steps = found[:, 1] / largest, found[:, 4].astype(int)
    return Solution(flows.out, word, bit, cells, found[:, 0] / largest, bound, steps, flows.late)
