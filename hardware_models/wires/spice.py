r"""A tile of an array as a netlist for SPICE: the circuit that `hardware_models.wires.solve` solves, element by element.

.. code-block:: text

    w0 --R_w-- (0,0) --R_w-- (0,1) -- ...        each cell: (i,j) of the word line --R_c--[R_a]-- (i,j) of the bit line
    w1 --R_w-- (1,0) --R_w-- (1,1) -- ...        R_c = 1/G [Ohm], R_a: its access transistor, where there is one
                 |             |
               R_b           R_b                 each bit line: a segment from cell to cell, and one to its pin
                 b0            b1

The netlist of a tile is a subcircuit whose pins are the word lines ``w0, w1, ...`` and the bit lines ``b0, b1, ...``; a second
file drives the word lines with voltage sources and grounds each bit line through a source of 0 V, whose current is the column's.
Segments without resistance are left out, and so are cells that conduct nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import UsageError
from hardware_models.wires.circuit import Circuit, access_resistances, conductances, voltages

ON_A_LINE = 12
"""Names that stand on one line of a netlist."""


def subcircuit(
    name: str, conductance: ArrayLike, circuit: Circuit, *, access_resistance: float = 0.0, about: str = ""
) -> str:
    """Return a tile as a subcircuit of SPICE.

    Parameters
    ----------
    name : name of the subcircuit, of letters, digits and underscores.
    conductance : of the cells (rows, columns) [S]; 0 is an open cell.
    circuit : wires and their ends; of those driven at one end and grounded at one.
    access_resistance : of the transistor in series with each cell [Ohm]; 0: none.
    about : further lines of comment.

    Raises
    ------
    UsageError : for conductances or a resistance that are none, and for a circuit driven or grounded at both ends.
    """
    g = conductances(conductance)
    resistance = float(access_resistances(access_resistance, g.shape))
    if "both" in (circuit.drive, circuit.ground):
        raise UsageError(
            "a netlist is of an array whose lines have one end each: choose drive 'left' and ground 'bottom'."
        )
    rows, columns = g.shape
    head = [
        f"* {line}" for line in (f"{rows} word lines w, {columns} bit lines b; resistors in Ohm", *about.splitlines())
    ]
    pins = [*(f"w{i}" for i in range(rows)), *(f"b{j}" for j in range(columns))]
    body = [*_cells(g, resistance, circuit), *_words(g.shape, circuit), *_bits(g.shape, circuit)]
    return "\n".join([*head, f".subckt {name}", *_on_lines(pins), *body, f".ends {name}", ""])


def testbench(name: str, file: str, voltage: ArrayLike, columns: int, *, title: str) -> str:
    """Return a netlist that reads a subcircuit of `file` once: voltages (rows,) [V] on its word lines, its bit lines grounded.

    ``ngspice -b`` prints the current into ground of each bit line, ``i(vb0)``, ``i(vb1)``, ... [A].
    """
    v = voltages(np.asarray(voltage)[np.newaxis], np.size(voltage))[0]
    pins = [*(f"w{i}" for i in range(len(v))), *(f"b{j}" for j in range(columns))]
    sources = [f"Vw{i} w{i} 0 DC {float(volt)!r}" for i, volt in enumerate(v)]
    grounds = [f"Vb{j} b{j} 0 DC 0" for j in range(columns)]
    prints = [f"print i(vb{j})" for j in range(columns)]
    control = [".control", "set numdgt=10", "op", *prints, ".endc"]
    options = ".options reltol=1e-7 abstol=1e-18 vntol=1e-12 gmin=1e-18"
    lines = [
        title,
        f'.include "{file}"',
        *sources,
        *grounds,
        "Xtile",
        *_on_lines(pins),
        f"+ {name}",
        options,
        *control,
        ".end",
        "",
    ]
    return "\n".join(lines)


def _on_lines(names: list[str]) -> Iterator[str]:
    """Yield lines that go on with names."""
    for start in range(0, len(names), ON_A_LINE):
        yield "+ " + " ".join(names[start : start + ON_A_LINE])


def _word(i: int, j: int, circuit: Circuit) -> str:
    """Return the node of a word line at a cell."""
    return f"w{i}_{j}" if circuit.r_word > 0.0 else f"w{i}"


def _bit(i: int, j: int, circuit: Circuit) -> str:
    return f"b{i}_{j}" if circuit.r_bit > 0.0 else f"b{j}"


def _cells(g: np.ndarray, access: float, circuit: Circuit) -> Iterator[str]:
    for i, j in np.argwhere(g > 0.0).tolist():
        word, bit = _word(i, j, circuit), _bit(i, j, circuit)
        ohm = repr(1.0 / float(g[i, j]))
        if access:
            yield f"Rc{i}_{j} {word} a{i}_{j} {ohm}"
            yield f"Ra{i}_{j} a{i}_{j} {bit} {access!r}"
        else:
            yield f"Rc{i}_{j} {word} {bit} {ohm}"


def _words(shape: tuple[int, ...], circuit: Circuit) -> Iterator[str]:
    """Yield the segments of the word lines, from their driver on."""
    rows, columns = shape
    order = range(columns) if circuit.drive == "left" else range(columns - 1, -1, -1)
    for i in range(rows) if circuit.r_word > 0.0 else ():
        before = f"w{i}"
        for j in order:
            yield f"Rw{i}_{j} {before} w{i}_{j} {circuit.r_word!r}"
            before = f"w{i}_{j}"


def _bits(shape: tuple[int, ...], circuit: Circuit) -> Iterator[str]:
    """Yield the segments of the bit lines, from their grounded end on."""
    rows, columns = shape
    order = range(rows - 1, -1, -1) if circuit.ground == "bottom" else range(rows)
    for j in range(columns) if circuit.r_bit > 0.0 else ():
        before = f"b{j}"
        for i in order:
            yield f"Rb{i}_{j} b{i}_{j} {before} {circuit.r_bit!r}"
            before = f"b{i}_{j}"
