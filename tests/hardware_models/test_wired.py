"""Arrays with wires: their reads are those of exact solutions, tile by tile, and are followed while cells change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardware_models import Chip, Crossbar, Key, load_device
from hardware_models.check import UsageError
from hardware_models.crossbar.line_noise import LineNoise, between
from hardware_models.wires import Interconnect, Wires, solve

R = 3.0
ROWS, COLUMNS, TILE = 50, 30, (32, 32)


def bar(device: str = "memristor", **wires: Any) -> Crossbar:
    made = Crossbar(
        load_device(device), (ROWS, COLUMNS), key=Key(0, "bar"), tile=TILE, wires=Interconnect(R, R, **wires)
    )
    made.program(np.random.default_rng(0).normal(0, 0.1, made.shape), key=Key(1, "weights"))
    return made


def twin(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the currents of the pairs of each row tile (T, B, columns) [A], each tile an exact circuit of its own."""
    found = np.zeros((-(-ROWS // TILE[0]), len(v), 2 * COLUMNS))
    for t, top in enumerate(range(0, ROWS, TILE[0])):
        for left in range(0, 2 * COLUMNS, TILE[1]):
            tile = np.s_[top : top + TILE[0], left : left + TILE[1]]
            found[t][:, tile[1]] = solve(g[tile], v[:, tile[0]], R, R, tolerance=1e-9)
    return found[..., 0::2] - found[..., 1::2]


def voltages(seed: int, batch: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 0.2, (batch, ROWS)).astype(np.float32)


def moved(array: Crossbar, seed: int, most: int = 2) -> None:
    counts = np.random.default_rng(seed).integers(-most, most + 1, array.shape)
    array.pulse(counts.astype(np.int32), key=Key(2, "pulse", seed))


def error(array: Crossbar, v: np.ndarray) -> float:
    exact = twin(array.state.g, v)
    return float(np.abs(array.partial_currents(v)[0] - exact).max() / np.abs(exact).max())


def test_exact_wires_are_solved_after_every_change() -> None:
    """Law: currents are those of the circuit, to float32, after pulses on all cells, on some cells and by trains."""
    array = bar(mode="exact", tolerance=1e-4)
    for k in range(3):
        assert error(array, voltages(k)) < 2e-6
        moved(array, k)
    few = np.zeros(array.shape, np.int32)
    few[3, 5] = 7
    array.pulse(few, key=Key(3, "few"))
    assert error(array, voltages(7)) < 2e-6
    trains = np.random.default_rng(1).random((4, ROWS)) < 0.3, np.random.default_rng(2).random((4, COLUMNS)) < 0.3
    array.fire(*trains, 1, key=Key(3, "trains"))
    assert error(array, voltages(8)) < 2e-6
    assert array.wire_tracking()["share"] < 0.995  # the wires do take a share


def test_shares_follow_small_changes_and_are_solved_anew_beyond_the_tolerance() -> None:
    """Exact at first, nearly so after small changes, solved anew where an input that is compared is off."""
    array = bar(every=1, tolerance=0.4)
    assert error(array, voltages(0)) < 1e-4  # solutions are good to a hundredth of the tolerance
    before = array.wire_tracking()["solutions"]
    moved(array, 0)
    assert 1e-5 < error(array, voltages(1)) < 5e-3  # not exact, and far nearer than without wires
    tracking = array.wire_tracking()
    assert tracking["solutions"] == before and 0 < tracking["largest_error"] < 5e-3
    strict = bar(every=2, tolerance=1e-5)
    strict.read(voltages(0))
    moved(strict, 0)
    strict.read(voltages(1))
    assert strict.wire_tracking()["solutions"] == 2  # the second read is compared, before it is carried out
    assert error(strict, voltages(2)) < 2e-6


def test_a_nearly_open_cell_that_closes_brings_no_more_than_its_own_current() -> None:
    """T0/G0 of such a cell has no limit, because its neighbours' currents sneak; what it carries later has one."""
    array = bar(tolerance=0.4)
    array.state.g[5:9, ::7] = 1e-13
    array.cells.look()
    v = voltages(0)
    assert error(array, v) < 1e-4
    assert array.cells.wired.shares.max() <= 1.0
    array.state.g[5:9, ::7] = array.device.g_max
    array.cells.look()
    assert array.wire_tracking()["solutions"] == 1
    assert error(array, v) < 0.05  # the first shares of these cells, without their limit, would give some 1e4


def test_transposed_reads_see_the_same_wires() -> None:
    """Law of reciprocity: the matrix of a read backwards is the transpose."""
    array = bar(mode="exact", tolerance=1e-5)
    d = np.random.default_rng(4).uniform(-0.1, 0.1, (3, COLUMNS)).astype(np.float32)
    matrix = twin(array.state.g, np.eye(ROWS)).sum(axis=0)
    quiet = Crossbar(
        load_device("memristor").without(read_noise=True), array.shape, key=Key(0, "bar"), tile=TILE,
        wires=array.cells.wired.interconnect,
    )  # fmt: skip
    quiet.restore(array.save())
    currents, _ = quiet.read_transposed(d, key=Key(0, "t"))
    np.testing.assert_allclose(currents, d @ matrix.T, rtol=2e-4, atol=1e-10)


def test_noise_of_a_cell_passes_the_same_wires() -> None:
    """The variance of a read is that of the cells times the squares of their shares."""
    array = bar(mode="exact")
    v = voltages(0)
    sigma = array.noise_deviation(v)
    variance = np.broadcast_to(array.device.read_variance(array.state, 0.0), array.state.g.shape)
    shares = array.cells.wired.shares.astype(np.float64)
    pairs = (variance * shares**2)[:, 0::2] + (variance * shares**2)[:, 1::2]
    for t, (a, b) in enumerate(array.tiling.row_cuts):
        np.testing.assert_allclose(sigma[t], np.sqrt(v[:, a:b].astype(np.float64) ** 2 @ pairs[a:b]), rtol=1e-5)


def own_conductance(circuit: Wires) -> np.ndarray:
    """Return Y of each driven line, its current for 1 V on it alone and all other ends at ground [S]."""
    found = circuit.solve(np.eye(len(circuit.cells)), full=True)
    return np.asarray(np.diag(found.cells.sum(axis=2)))


@pytest.mark.parametrize(("ohm", "above"), [(3.0, 1.02), (20.0, 1.17)])
def test_johnson_noise_is_nearly_nyquists_of_the_whole_circuit(ohm: float, above: float) -> None:
    """4kTB Y lies between the noise of the sums of G and of T; their geometric mean is closer than both."""
    g = np.random.default_rng(0).uniform(1e-5, 1e-4, (64, 64))
    circuit = Wires(g, ohm, ohm)
    y, ideal, behind = own_conductance(circuit.transposed()), g.sum(axis=0), circuit.effective().sum(axis=0)
    assert (behind < y).all() and (y < ideal).all()
    mean = (between(ideal, behind) / y).mean()
    assert 1.0 < mean < above and mean - 1.0 < min((ideal / y).mean() - 1.0, 1.0 - (behind / y).mean())


@pytest.mark.parametrize("transposed", [False, True])
def test_lines_of_an_array_have_the_noise_of_their_circuit(transposed: bool) -> None:
    """Both ways, within 5 % of the variance of each line."""
    ohm, noise = 50.0, LineNoise(johnson=True)
    wires = Interconnect(ohm, ohm, mode="exact")
    array = Crossbar(load_device("memristor"), (32, 16), key=Key(0, "bar"), tile=(32, 32), wires=wires, noise=noise)
    circuit = Wires(array.state.g, ohm, ohm)
    found = array.cells.word_line_sums() if transposed else array.cells.bit_line_sums()[0]
    np.testing.assert_allclose(found, own_conductance(circuit if transposed else circuit.transposed()), rtol=0.05)
    assert (array.state.g.sum(axis=int(transposed)) / found).mean() > 1.05


def test_an_exact_array_counts_no_solution_twice() -> None:
    """Restored, its matrix is solved again, in step or not, and the counters go on as if it had not been left."""
    for read_before in (True, False):
        one, other = bar(mode="exact"), bar(mode="exact")
        moved(one, 1)
        if read_before:
            one.read(voltages(1), key=Key(5, "r"))
        other.restore(one.save())
        for array in (one, other):
            moved(array, 2)
            array.read(voltages(2), key=Key(5, "r"))
        assert one.wire_tracking() == other.wire_tracking()


def test_a_saved_array_goes_on_with_the_same_bits() -> None:
    """Shares and counters are state: the copy compares and refreshes at the same reads."""
    one, other = bar(every=3, tolerance=1e-4), bar(every=3, tolerance=1e-4)
    for k in range(4):
        one.read(voltages(k), key=Key(5, "r", k))
        moved(one, k)
    other.restore(one.save())
    for k in range(4, 12):
        for array in (one, other):
            moved(array, k)
        a, b = (array.read(voltages(k), key=Key(5, "r", k))[0] for array in (one, other))
        assert np.array_equal(a, b)
    assert one.wire_tracking() == other.wire_tracking() and one.wire_tracking()["comparisons"] > 2


def test_no_resistance_is_no_wire() -> None:
    """Limit: at 0 Ohm a chip computes what it computes without wires."""
    x = np.random.default_rng(0).uniform(0, 4, (5, 20)).astype(np.float32)
    made = [
        Chip("memristor", ((20, 10),), read_noise=False, wires=w) for w in (None, Interconnect(0.0, 0.0, mode="exact"))
    ]
    a, b = (chip.observe(0, x, key=Key(0, "x"))[0] for chip in made)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"mode": "sometimes"}, "sometimes"),
        ({"tolerance": 0.0}, "tolerance"),
        ({"every": 0}, "every"),
        ({"r_word": -1.0}, "r_word"),
    ],
)
def test_refused(wrong: dict[str, Any], names: str) -> None:
    """One sentence that names the value."""
    with pytest.raises(UsageError, match=names):
        Interconnect(**{"r_word": 1.0, "r_bit": 1.0, **wrong})
