"""Currents of a crossbar whose cells are not linear, by Newton's method on Kirchhoff's law at all nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import RunError, UsageError
from hardware_models.kernels.kirchhoff import EPS, Goal, allowed, balance, ground_currents
from hardware_models.kernels.wires import Inputs
from hardware_models.wires.circuit import voltages
from hardware_models.wires.laws import InSeries, Law, checked
from hardware_models.wires.linear import FLOOR, Wires, lines, reached
from hardware_models.wires.solution import Solution

if TYPE_CHECKING:
    from hardware_models.kernels.wires import Lines

STEPS = 100
"""Most steps of Newton's method for one input."""
HALVINGS = 40
"""Most halvings of one step."""


class _State:
    """Currents `a` and `b` of the lines (rows, columns) [A], and what Kirchhoff's law leaves with them."""

    def __init__(self, law: Law, g: np.ndarray, volt: np.ndarray, own: Lines, a: np.ndarray, b: np.ndarray) -> None:
        self.a, self.b = a, b
        self.word, self.bit = volt[:, np.newaxis] - own.r_word * a, own.r_bit * b
        with np.errstate(over="ignore", invalid="ignore"):
            self.current = np.where(g > 0.0, law.current(g, self.word - self.bit), 0.0)
        self.out = np.empty(b.shape[1])
        ground_currents(b, own.bit_nodes, self.out)
        noise = 4.0 * EPS * float(np.abs(self.current).sum())
        self.peak, self.total, self.noise = balance(self.current, noise, own, a, b, np.empty(b.shape))


def solve_law(wires: Wires, law: Law, voltage: ArrayLike, *, full: bool) -> np.ndarray | Solution:
    """Return the currents (B, columns) [A] for voltages (B, rows) [V], or a `Solution`.

    A cell of conductance 0 is open, whatever the law says. Each step solves the circuit with the slopes dI/dV as conductances,
    and is halved until the sum of |residuals| falls. Because no current falls as its voltage rises, that sum bounds the error
    as it does for linear cells.
    """
    v, law = voltages(voltage, wires.cells.shape[0]), checked(law)
    if wires.access_resistance.any():
        law = InSeries(law, wires.access_resistance)
    found = [_one(wires, law, volt, n) for n, volt in enumerate(v)]
    if not found:
        return wires.solve(v, full=full)
    together = Solution(*(np.concatenate(field) for field in zip(*found, strict=True)))
    return together if full else together.currents


def _one(wires: Wires, law: Law, volt: np.ndarray, n: int) -> Solution:
    """Return the solution of one input."""
    g = wires.conductance if wires.circuit.access == "passive" else wires.conductance * (volt != 0.0)[:, np.newaxis]
    goal = Goal(wires.tolerance, FLOOR, 0)
    own, late = lines(g[np.newaxis], wires.circuit), False
    state = _State(law, g, volt, own, np.zeros(g.shape), np.zeros(g.shape))
    for step in range(STEPS):
        sums = np.array([[state.total], [state.noise], [allowed(state.out, goal)]])
        if reached(sums[0], sums[1], sums[2], state.out[np.newaxis], wires.tolerance)[0]:
            largest = max(float(np.abs(state.out).max()), np.finfo(np.float64).tiny)
            everything = (state.out, state.word, state.bit, state.current, state.peak / largest, state.total / largest)
            return Solution(*(np.array([field]) for field in (*everything, step, late)))
        with np.errstate(over="ignore", invalid="ignore"):
            slope = np.where(g > 0.0, law.slope(g, state.word - state.bit), 0.0)
        if not (np.isfinite(slope).all() and slope.min() >= 0.0):
            raise UsageError(f"the law of the cells needs a finite slope dI/dV >= 0 everywhere, got {slope.min():g} S.")
        extra = state.current - slope * (state.word - state.bit)
        own = lines(slope[np.newaxis], wires.circuit)
        inputs = Inputs(slope[np.newaxis], volt[np.newaxis], extra[np.newaxis])
        flows = wires.flows(inputs, own, guess=state.b[np.newaxis], all_nodes=True)
        late |= bool(flows.late[0])
        state = _search(law, g, volt, own, state, (flows.a[0], flows.b[0])) or _give_up(n, step, state, goal)
    return _give_up(n, STEPS, state, goal)


def _search(
    law: Law, g: np.ndarray, volt: np.ndarray, own: Lines, state: _State, end: tuple[np.ndarray, np.ndarray]
) -> _State | None:
    """Return the state after the longest of the steps 1, 1/2, 1/4, ... towards `end` that lowers the residual, if any does."""
    for k in range(HALVINGS):
        t = 0.5**k
        new = _State(law, g, volt, own, state.a + t * (end[0] - state.a), state.b + t * (end[1] - state.b))
        if new.total <= (1.0 - 1e-4 * t) * state.total:
            return new
    return None


def _give_up(n: int, step: int, state: _State, goal: Goal) -> NoReturn:
    raise RunError(
        f"Newton's method stops after {step} steps at input {n}: the currents are balanced to {state.total:.3g} A, and the "
        f"tolerance {goal.tolerance:g} needs {allowed(state.out, goal):.3g} A; ask for a larger one, or use a smoother law."
    )
