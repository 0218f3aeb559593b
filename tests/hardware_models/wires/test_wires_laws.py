"""Cells that are not linear: laws and slopes, Newton's method against a plain root finder, its limits and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, root

from hardware_models.check import RunError, UsageError
from hardware_models.wires import Law, Polynomial, Selector, Sinh, newton, solve
from hardware_models.wires.laws import InSeries

LAWS: list[Law] = [
    Sinh(0.1),
    Polynomial(((0.0, 1.0), (0.0,), (1e-6, 20.0))),
    Selector(0.15),
    InSeries(Sinh(0.05), np.array(2e4)),
]


def cells() -> tuple[np.ndarray, np.ndarray]:
    """Return conductances 1 uS to 1 mS, some open, and voltages of both signs."""
    rng = np.random.default_rng(2)
    return 10.0 ** rng.uniform(-6, -3, (5, 4)) * (rng.random((5, 4)) > 0.2), rng.uniform(-0.4, 0.4, (2, 5))


@pytest.mark.parametrize("law", LAWS)
def test_slopes_are_derivatives(law: Law) -> None:
    """dI/dV as central difference, I(0) = 0, I odd for these, never falling."""
    g, v = np.full(81, 3e-5), np.linspace(-0.4, 0.4, 81) + 1e-4
    step = 1e-6
    numeric = (law.current(g, v + step) - law.current(g, v - step)) / (2.0 * step)
    np.testing.assert_allclose(law.slope(g, v), numeric, rtol=1e-4, atol=1e-13)
    assert (law.slope(g, v) >= 0.0).all() and abs(law.current(g[:1], np.zeros(1))[0]) < 1e-20
    np.testing.assert_allclose(law.current(g, -v), -law.current(g, v), rtol=1e-9)


def test_a_law_behind_a_resistance_solves_its_own_equation() -> None:
    """I = f(V - R I), found by bisection for each voltage."""
    law, ohm, g = Sinh(0.02), 1e5, 1e-4
    for v in (-0.5, -0.01, 0.0, 0.2, 1.0):
        i = InSeries(law, np.array(ohm)).current(np.array([g]), np.array([v]))[0]
        by_hand = brentq(lambda u, v=v: u + ohm * g * law.v0 * np.sinh(u / law.v0) - v, -1.0, 1.0, xtol=1e-15)
        assert abs(i - (v - by_hand) / ohm) <= 1e-12 * max(abs(v), 1.0) / ohm * 10


@pytest.mark.parametrize("law", LAWS[:3])
def test_newton_finds_the_root_of_kirchhoffs_law(law: Law) -> None:
    """SciPy's root finder on the potentials of all nodes of a small array; the solution satisfies the law in every cell."""
    g, v = cells()
    rows, columns = g.shape
    r = 20.0

    def left(x: np.ndarray, volt: np.ndarray) -> np.ndarray:
        word, bit = x.reshape(2, rows, columns)
        current = np.where(g > 0.0, law.current(g, word - bit), 0.0)
        along = np.diff(np.concatenate([volt[:, np.newaxis], word, word[:, -1:]], axis=1), axis=1) / r
        down = np.diff(np.concatenate([bit[:1], bit, np.zeros((1, columns))], axis=0), axis=0) / r
        return np.concatenate([(np.diff(along, axis=1) - current).ravel(), (np.diff(down, axis=0) + current).ravel()])

    found = solve(g, v, r, r, law=law, tolerance=1e-10, full=True)
    for k, volt in enumerate(v):
        start = np.concatenate([np.repeat(volt, columns), np.zeros(g.size)])
        twin = root(left, start, args=(volt,), tol=1e-15)
        assert np.abs(twin.fun).max() < 1e-14
        np.testing.assert_allclose(found.currents[k], twin.x[-columns:] / r, rtol=1e-7, atol=1e-13)
    inside = np.where(g > 0.0, law.current(g, found.word - found.bit), 0.0)
    np.testing.assert_allclose(found.cells, inside, rtol=1e-12)
    np.testing.assert_allclose(solve(g, v, r, r, law=law, tolerance=1e-10), found.currents)
    assert (found.steps > 1).all() and (found.bound < 1e-9).all()


def test_a_linear_law_is_the_linear_circuit_in_one_step() -> None:
    """Polynomial G V with access resistance, transistors and other ends, against the linear solver; sinh at small voltages."""
    g, v = cells()
    v[:, 1] = 0.0
    linear = Polynomial(((0.0, 1.0),))
    for more in (
        {},
        {"access_resistance": 1e4},
        {"access": "1t1r"},
        {"drive": "both", "ground": "top", "access_resistance": np.linspace(0.0, 1e4, 20).reshape(5, 4)},
    ):
        found = solve(g, v, 3.0, 0.0, law=linear, full=True, tolerance=1e-10, **more)
        np.testing.assert_allclose(
            found.currents, solve(g, v, 3.0, 0.0, tolerance=1e-12, **more), rtol=1e-9, atol=1e-16
        )
        assert (found.steps <= 2).all()
    small = solve(g, 1e-5 * v, 3.0, 3.0, law=Sinh(1.0))
    np.testing.assert_allclose(small, solve(g, 1e-5 * v, 3.0, 3.0), rtol=1e-5, atol=1e-15)
    assert solve(g, v[:0], 1.0, 1.0, law=linear).shape == (0, 4)


def test_steep_laws_converge() -> None:
    """sinh driven to 20 times v0, and a selector switched sharply in the middle of the drive."""
    g, v = cells()
    for law in (Sinh(0.02), Selector(0.1, 1e-3, 1e-4)):
        assert (solve(g, v, 10.0, 10.0, law=law, full=True).bound < 1e-6).all()


def test_what_cannot_be_solved_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few steps, and laws whose current falls or is no number."""
    g, v = cells()
    with monkeypatch.context() as patch:
        patch.setattr(newton, "STEPS", 2)
        with pytest.raises(RunError, match=r"Newton's method stops after 2 steps at input 0"):
            solve(g, v, 10.0, 10.0, law=Sinh(0.02))
    with pytest.raises(UsageError, match="slope dI/dV >= 0"):
        solve(g, v, 1.0, 1.0, law=Polynomial(((0.0, -1.0),)))
    with pytest.raises(UsageError, match="slope dI/dV >= 0"):
        solve(g, 1e4 * v, 1.0, 1.0, law=Sinh(0.01))


@pytest.mark.parametrize(
    ("law", "arguments", "words"),
    [(Sinh, (0.0,), "Sinh needs a number"), (Selector, (-1.0,), "for threshold"), (Selector, (0.1, 0.0), "for width"),
     (Selector, (0.1, 0.1, 2.0), "for leak"), (Polynomial, ((),), "at least one"), (Polynomial, (((),),), "at least one"),
     (Polynomial, ((0.0, 1.0),), "one row of coefficients"), (Polynomial, (3,), "one row of coefficients")],
)  # fmt: skip
def test_wrong_laws_are_one_sentence(law: type, arguments: tuple, words: str) -> None:
    """At construction."""
    with pytest.raises(UsageError, match=words):
        law(*arguments)


class Own:
    """A user's law that returns I and dI/dV of a linear cell through `change`."""

    def __init__(self, change: Callable[[np.ndarray], Any]) -> None:
        self.change = change

    def current(self, g: np.ndarray, v: np.ndarray) -> Any:
        """Return I, and spoil the arguments."""
        v *= g
        g *= 0.0
        return self.change(v)

    def slope(self, g: np.ndarray, v: np.ndarray) -> Any:
        """Return dI/dV."""
        return g


@pytest.mark.parametrize("access", [0.0, 50.0])
def test_a_users_own_law_may_write_into_its_arguments(access: float) -> None:
    """It is handed copies."""
    g, v = cells()
    own = solve(g, v, 1.0, 2.0, law=Own(lambda i: i.tolist()), access_resistance=access)
    np.testing.assert_allclose(own, solve(g, v, 1.0, 2.0, access_resistance=access), rtol=1e-6)


@pytest.mark.parametrize(
    ("law", "words"),
    [(Sinh, "is an object with the methods"), ("sinh", "got 'sinh'"), (Own(lambda i: i.sum(axis=0)), "real numbers, it returned"),
     (Own(lambda i: i + 1j), "real numbers"), (Own(lambda i: None), "it returned None"),
     (Own(lambda i: i * np.nan), "real numbers"), (Own(lambda i: np.ma.masked_less(i, 0.0)), "plain array")],
)  # fmt: skip
def test_what_is_no_law_is_said(law: Any, words: str) -> None:
    """In one sentence that names the law."""
    g, v = cells()
    with pytest.raises(UsageError, match=words):
        solve(g, v, 1.0, 1.0, law=law)
