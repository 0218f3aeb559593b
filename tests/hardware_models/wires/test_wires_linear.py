"""Currents of a crossbar with wires: closed forms, conservation, limits, reciprocity, the nodal twin, published circuits."""

from __future__ import annotations

import itertools

import numba
import numpy as np
import pytest
from nodal import exact

from hardware_models.check import RunError, UsageError
from hardware_models.wires import Solution, Wires, linear, solve

DRIVES, GROUNDS = ("left", "right", "both"), ("bottom", "top", "both")
ROUNDING = 1e-12
"""Tolerance of comparisons between float64 and the twin: some hundred roundings."""


def circuit(rows: int = 9, columns: int = 7, open_share: float = 0.2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return conductances between 1 kOhm and 10 MOhm, some of them open, and voltages of both signs."""
    rng = np.random.default_rng(seed)
    g = 10.0 ** rng.uniform(-7, -3, (rows, columns)) * (rng.random((rows, columns)) >= open_share)
    return g, rng.uniform(-0.3, 0.3, (3, rows))


def test_one_cell_is_three_resistances_in_series() -> None:
    """A 1 x 1 array: i = v/(r_word + 1/G + r_access + r_bit); two driven or grounded ends halve the wire."""
    for word, bit, access in itertools.product((0.0, 3.0), (0.0, 7.0), (0.0, 15e3)):
        one = solve([[1e-4]], [[0.2]], word, bit, access_resistance=access, tolerance=1e-12)
        np.testing.assert_allclose(one, 0.2 / (word + 1e4 + access + bit), rtol=1e-14)
    both = solve([[1e-4]], [[0.2]], 3.0, 7.0, drive="both", ground="both", tolerance=1e-12)
    np.testing.assert_allclose(both, 0.2 / (1.5 + 1e4 + 3.5), rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 8, 40])
def test_one_line_is_a_ladder(n: int) -> None:
    """u_j = v cosh((n + 1/2 - j) t)/cosh((n + 1/2) t), 2 cosh t = 2 + r g; along a bit line by reciprocity."""
    r, g = 5.0, 2e-3
    t = np.arccosh(1.0 + 0.5 * r * g)
    u = np.cosh((n + 0.5 - np.arange(1, n + 1)) * t) / np.cosh((n + 0.5) * t)
    cells = np.full((1, n), g)
    np.testing.assert_allclose(solve(cells, [[1.0]], r, 0.0, tolerance=1e-12)[0], g * u, rtol=1e-12)
    np.testing.assert_allclose(
        solve(cells, [[1.0]], r, 0.0, drive="right", tolerance=1e-12)[0], g * u[::-1], rtol=1e-12
    )
    column = Wires(cells.T, 0.0, r, tolerance=1e-12).effective()[:, 0]
    np.testing.assert_allclose(column, g * u[::-1], rtol=1e-12)


def test_without_resistance_the_read_is_the_product() -> None:
    """r = 0 on both sides gives v G; r towards 0 goes there without a jump and without losing digits."""
    g, v = circuit()
    np.testing.assert_allclose(solve(g, v, 0.0, 0.0, tolerance=1e-12), v @ g, rtol=1e-13)
    for small in (1e-12, 1e-6):
        change = solve(g, v, small, small, tolerance=1e-12) / (v @ g) - 1.0
        assert np.abs(change).max() < 20.0 * small * 63 * 1e-3  # r G of all segments, and the signs of the voltages


def test_wires_of_one_side_leave_lines_independent() -> None:
    """With r_word = 0 each bit line is alone, with r_bit = 0 each word line is."""
    g, v = circuit()
    for j in range(g.shape[1]):
        alone = solve(g[:, j : j + 1], v, 0.0, 4.0, tolerance=1e-12)
        np.testing.assert_allclose(solve(g, v, 0.0, 4.0, tolerance=1e-12)[:, j : j + 1], alone, rtol=1e-12)
    parts = [solve(g[i : i + 1], v[:, i : i + 1], 4.0, 0.0, tolerance=1e-12) for i in range(g.shape[0])]
    np.testing.assert_allclose(solve(g, v, 4.0, 0.0, tolerance=1e-12), sum(parts), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_the_nodal_twin_gives_the_same_currents(drive: str, ground: str) -> None:
    """All ends, shapes from 1 x 1 up, unequal and zero resistances, open cells, an access resistance."""
    sizes = [(1, 1), (1, 6), (6, 1), (2, 3), (9, 7), (17, 24)]
    for (rows, columns), (word, bit) in zip(
        sizes, [(1, 2), (10, 0), (0.5, 9), (0, 10), (3, 0.1), (10, 5)], strict=True
    ):
        g, v = circuit(rows, columns, seed=rows)
        g[0, 0] = 1e-3
        behind = g / (1.0 + 2e3 * g)
        twin = exact(behind, v, word, bit, drive=drive, ground=ground)
        found = solve(g, v, word, bit, drive=drive, ground=ground, access_resistance=np.full(g.shape, 2e3))
        np.testing.assert_allclose(found, twin, rtol=1e-6, atol=1e-12 * np.abs(twin).max())
        sharp = solve(g, v, word, bit, drive=drive, ground=ground, access_resistance=2e3, tolerance=1e-12)
        np.testing.assert_allclose(sharp, twin, rtol=ROUNDING, atol=ROUNDING * 1e-3 * np.abs(twin).max())


def test_transistors_cut_undriven_word_lines_off() -> None:
    """access="1t1r": a word line at 0 V takes no current; without the option it drains the bit lines."""
    g, v = circuit()
    v[:, ::2] = 0.0
    found = solve(g, v, 5.0, 5.0, access="1t1r", tolerance=1e-12)
    for k in range(len(v)):
        open_cells = g * (v[k] != 0.0)[:, np.newaxis]
        np.testing.assert_allclose(found[k : k + 1], exact(open_cells, v[k : k + 1], 5.0, 5.0), rtol=1e-8)
    everything = solve(g, v, 5.0, 5.0, access="1t1r", tolerance=1e-12, full=True)
    assert np.array_equal(everything.cells[:, ::2], np.zeros_like(everything.cells[:, ::2]))
    passive = solve(g, np.abs(v), 5.0, 5.0, full=True)
    assert (passive.word[:, ::2, 0] > 0.0).all(), "current flows back into the drivers of undriven lines"


def test_power_and_current_are_conserved() -> None:
    """The drivers give what wires and cells dissipate, and what enters a node leaves it."""
    g, v = circuit(12, 10)
    word_ohm, bit_ohm = 6.0, 2.5
    found = solve(g, v, word_ohm, bit_ohm, tolerance=1e-12, full=True)
    drivers = (v - found.word[:, :, 0]) / word_ohm
    given = (v * drivers).sum(axis=1)
    across = found.word - found.bit
    ends = np.concatenate([v[:, :, np.newaxis], found.word], axis=2)
    downs = np.concatenate([found.bit, np.zeros((len(v), 1, g.shape[1]))], axis=1)
    along = np.diff(ends, axis=2) ** 2 / word_ohm
    down = np.diff(downs, axis=1) ** 2 / bit_ohm
    lost = sum(part.sum(axis=(1, 2)) for part in (across * found.cells, along, down))
    np.testing.assert_allclose(lost, given, rtol=1e-9)
    np.testing.assert_allclose(drivers.sum(axis=1), found.currents.sum(axis=1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found.cells, g * across, rtol=1e-12)
    np.testing.assert_allclose(found.cells.sum(axis=1), found.currents, rtol=1e-8, atol=1e-14)
    assert (found.residual <= found.bound).all() and (found.bound < 1e-11).all() and not found.direct.any()


def test_reciprocity_and_superposition() -> None:
    """Read backwards, the array has the transposed matrix; i = v T for any v; T is what unit voltages give."""
    for shape in ((6, 9), (9, 6)):
        g, v = circuit(*shape)
        ends = {"drive": "left", "ground": "top"}
        array = Wires(g, 3.0, 8.0, tolerance=1e-12, **ends)
        t = array.effective()
        np.testing.assert_allclose(array.transposed().effective(), t.T, rtol=1e-9, atol=1e-18)
        np.testing.assert_allclose(t, exact(g, np.eye(shape[0]), 3.0, 8.0, **ends), rtol=1e-7, atol=1e-13)
        np.testing.assert_allclose(array.solve(v), v @ t, rtol=1e-8, atol=1e-14)
        share = array.attenuation()
        assert share.shape == g.shape and (share > 0.0).all()
        np.testing.assert_allclose((share * g)[g > 0.0], t[g > 0.0], rtol=1e-12)


def test_published_circuits_of_badcrossbar() -> None:
    """The circuit of its README, and the one that its authors solved in Qucs (ideal wires)."""
    ohm = np.array([[345, 903, 755, 257, 646], [652, 401, 508, 166, 454], [442, 874, 190, 244, 635]])
    given = [[0.0115850254, 0.0091906416, 0.0151156812, 0.0258332082, 0.0098117929]]
    np.testing.assert_allclose(solve(1.0 / ohm, [[1.5, 2.3, 1.7]], 0.5, 0.5), given, rtol=1e-8)
    ohm = np.arange(10, 210, 10).reshape(5, 4)
    given = [[0.08882855706, 0.08031746032, 0.07352016405, 0.06791666667]]
    np.testing.assert_allclose(solve(1.0 / ohm, [[0, 1, 2, 3, 4]], 0.0, 0.0), given, rtol=1e-9)


def test_the_bound_bounds_the_error() -> None:
    """At loose tolerances too, no current is further from the truth than `bound` says, nor than the tolerance asks."""
    g, v = circuit(40, 30)
    twin = exact(g, v, 10.0, 10.0)
    largest = np.abs(twin).max(axis=1)
    for tolerance in (0.1, 1e-3, 1e-6):
        found = solve(g, v, 10.0, 10.0, tolerance=tolerance, full=True)
        error = np.abs(found.currents - twin)
        assert (error.max(axis=1) <= found.bound * largest + 1e-10 * largest).all()
        assert (error <= tolerance * np.maximum(np.abs(twin), 1e-6 * largest[:, np.newaxis]) * 1.01).all()
    assert solve(g, v, 10.0, 10.0, tolerance=0.1, full=True).steps.max() < found.steps.min()


def test_the_direct_solver_takes_over_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few steps lead to the sparse solver, with the same currents; if that fails as well, the run ends."""
    g, v = circuit(30, 20)
    usual = solve(g, v, 10.0, 10.0, tolerance=1e-12, full=True)
    asked = solve(g, v, 10.0, 10.0, direct=True, full=True)
    with monkeypatch.context() as patch:
        patch.setattr(linear, "STEPS", 2)
        found = solve(g, v, 10.0, 10.0, tolerance=1e-9, full=True)
        alone = solve(g, v, 10.0, 10.0, tolerance=1e-9)
        cut = solve(g, v, 10.0, 10.0, access="1t1r", tolerance=1e-9, full=True)
        patch.setattr(linear.SparseDirect, "solve", lambda self, source: np.zeros(source.shape))
        with pytest.raises(RunError, match=r"input 0 of a crossbar .* ask for a larger tolerance"):
            solve(g, v, 10.0, 10.0)
    assert not usual.direct.any() and found.direct.all() and asked.direct.all() and cut.direct.all()
    for other in (found, asked, cut):
        np.testing.assert_allclose(other.currents, usual.currents, rtol=1e-9)
        np.testing.assert_allclose(other.word, usual.word, rtol=1e-9)
    np.testing.assert_array_equal(alone, found.currents)


def test_bits_do_not_depend_on_threads_nor_on_the_other_inputs() -> None:
    """Each input is solved by itself, with all nodes or without them."""
    g, _ = circuit(20, 33)
    v = np.random.default_rng(1).uniform(0.0, 0.3, (7, 20))
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        one = solve(g, v, 2.0, 3.0)
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(one, solve(g, v, 2.0, 3.0))
    np.testing.assert_array_equal(one[4:5], solve(g, v[4:5], 2.0, 3.0))
    everything = solve(g, v, 2.0, 3.0, full=True)
    assert isinstance(everything, Solution)
    np.testing.assert_array_equal(one, everything.currents)


def test_an_overflow_is_no_solution() -> None:
    """Currents that are no numbers are never balanced."""
    with pytest.raises(RunError, match="input 1 of a crossbar"), np.errstate(over="ignore", invalid="ignore"):
        solve([[1e3, 1.0]], [[1.0], [1e308]], 1e3, 1.0)


def test_rounding_is_no_excuse_for_a_wrong_current() -> None:
    """Cells that are 1e12 times more conductive than their wires: float64 cannot balance them, and the run ends."""
    with pytest.raises(RunError, match="the tolerance 1e-06 needs"):
        solve(np.full((64, 64), 1e3), np.full((1, 64), 0.3), 1e9, 1e9)


def test_any_array_of_numbers_will_do() -> None:
    """Lists, float32, whole numbers, other orders and arrays that cannot be written to; nothing given is changed."""
    g, v = circuit()
    usual = solve(g, v, 1, 2)
    held_g, held_v = np.asfortranarray(g), v.copy()
    held_g.flags.writeable = held_v.flags.writeable = False
    np.testing.assert_array_equal(solve(held_g, held_v, 1.0, np.float32(2.0)), usual)
    np.testing.assert_array_equal(solve(g.tolist(), v.tolist(), 1, 2), usual)
    np.testing.assert_array_equal(held_g, g)
    np.testing.assert_allclose(solve(g.astype(np.float32), v, 1, 2), usual, rtol=1e-5, atol=1e-12)


def test_nothing_flows_without_voltage_or_cells() -> None:
    """Zero inputs, zero volts, open arrays."""
    g, v = circuit()
    assert solve(g, v[:0], 1.0, 1.0).shape == (0, 7)
    assert solve(g, v[:0], 1.0, 1.0, full=True).word.shape == (0, 9, 7)
    for found in (solve(g, 0.0 * v, 1.0, 1.0, full=True), solve(0.0 * g, v, 1.0, 1.0, full=True)):
        assert not found.currents.any() and not found.residual.any() and not found.bound.any()
    np.testing.assert_array_equal(Wires(0.0 * g, 1.0, 1.0).attenuation(), np.ones(g.shape))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conductance": [[1.0, -2.0]]}, r"\[0, 1000\] S, got -2 S"),
        ({"conductance": [[np.nan, 1.0]]}, "conductance should be finite numbers"),
        ({"conductance": [1.0, 2.0]}, r"conductance should have the shape \(rows, columns\)"),
        ({"conductance": np.empty((0, 3))}, "at least one row and one column"),
        ({"voltage": [[1.0, 2.0]]}, r"voltage should have the shape \(B, 1\)"),
        ({"voltage": [1.0]}, "voltage should have the shape"),
        ({"r_word": -1.0}, r"\[0, 1e\+09\] Ohm for r_word"),
        ({"r_bit": float("inf")}, "for r_bit"),
        ({"r_bit": "1 Ohm"}, "for r_bit, got '1 Ohm'"),
        ({"drive": "lift"}, "left, right, both for drive, got 'lift'; did you mean 'left'"),
        ({"ground": "floor"}, "bottom, top, both for ground"),
        ({"access": "1T1R"}, "passive, 1t1r for access"),
        ({"access_resistance": [[1.0, 2.0, 3.0]]}, "access_resistance should have the shape"),
        ({"access_resistance": -1.0}, r"\[0, 1e\+09\] Ohm, got -1 Ohm"),
        ({"access_resistance": np.nan}, "access_resistance should be finite numbers"),
        ({"tolerance": 0.0}, "for tolerance"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_one_sentence(change: dict, words: str) -> None:
    """What was wrong, where, and what would be right."""
    given = {"conductance": [[1e-4, 1e-5]], "voltage": [[0.1]], "r_word": 1.0, "r_bit": 1.0} | change
    with pytest.raises(UsageError, match=words) as problem:
        solve(**given)
    assert str(problem.value).endswith(".") and "\n" not in str(problem.value)


def test_an_array_with_transistors_has_no_one_matrix() -> None:
    """Its circuit depends on which word lines are driven."""
    with pytest.raises(UsageError, match="no one matrix"):
        Wires([[1e-4]], 1.0, 1.0, access="1t1r").effective()
    with pytest.raises(UsageError, match="gates are on the word lines"):
        Wires([[1e-4]], 1.0, 1.0, access="1t1r").transposed()


def test_a_caller_may_write_into_the_matrix() -> None:
    """What is kept stays as it is."""
    array = Wires(*circuit()[:1], 1.0, 1.0)
    kept = array.effective().copy()
    array.effective()[:] = 0.0
    np.testing.assert_array_equal(array.effective(), kept)
