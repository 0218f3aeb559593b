"""Currents of crossbars with wires against ngspice; without ngspice these tests are skipped, with a notice."""

from __future__ import annotations

import numpy as np
import pytest
from netlist import NGSPICE, netlist, ngspice

from hardware_models.wires import Law, Polynomial, Selector, Sinh, solve

pytestmark = pytest.mark.skipif(NGSPICE is None, reason="ngspice is not installed: apt-get install ngspice")


def circuit(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return conductances of 1 kOhm to 10 MOhm, a tenth of them open, and voltages up to 0.3 V."""
    rng = np.random.default_rng(n)
    return 10.0 ** rng.uniform(-7, -3, (n, n)) * (rng.random((n, n)) >= 0.1), rng.uniform(0.0, 0.3, (1, n))


@pytest.mark.parametrize(
    ("n", "r_word", "r_bit", "drive", "ground"),
    [(1, 1.0, 2.0, "left", "bottom"), (16, 10.0, 10.0, "left", "bottom"), (16, 0.0, 5.0, "both", "top"),
     (12, 7.0, 0.0, "right", "both")],
)  # fmt: skip
def test_linear_cells(n: int, r_word: float, r_bit: float, drive: str, ground: str) -> None:
    """Currents agree to 1e-6 of each current."""
    g, v = circuit(n)
    found = solve(g, v, r_word, r_bit, drive=drive, ground=ground)[0]
    np.testing.assert_allclose(found, ngspice(g, v[0], r_word, r_bit, drive=drive, ground=ground), rtol=1e-6)


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (Sinh(0.1), "{g}*0.1*sinh({v}/0.1)"),
        (Polynomial(((0.0, 1.0), (0.0,), (2e-5, 3.0))), "{g}*{v}+(2e-5+3.0*{g})*{v}*{v}*{v}"),
        (
            Selector(0.1, 0.01, 1e-3),
            "{g}*(1e-3*{v}+0.999*0.01*sgn({v})*(ln(1+exp((abs({v})-0.1)/0.01))-ln(1+exp(-10))))",
        ),
    ],
)
def test_cells_that_are_not_linear(law: Law, text: str) -> None:
    """16 x 16 cells as behavioural sources, at 1e-4."""
    g, v = circuit(16)
    found = solve(g, v, 5.0, 2.0, law=law)[0]
    assert np.abs(found / solve(g, v, 5.0, 2.0)[0] - 1.0).max() > 1e-2, "the law makes a difference"
    np.testing.assert_allclose(found, ngspice(g, v[0], 5.0, 2.0, text), rtol=1e-4)


def test_the_netlist_has_every_part() -> None:
    """Rows and columns of segments, drivers, cells and ammeters."""
    lines = netlist(np.full((2, 3), 1e-4), np.array([0.1, 0.2]), 1.0, 0.0)
    assert sum(line.startswith("Rw") for line in lines) == 6
    assert [sum(line.startswith(p) for line in lines) for p in ("Rc", "Vs", "Vg")] == [6, 2, 3]
