"""A crossbar as a netlist of ngspice, which solves it by a method, and with a code, that this project knows nothing of."""

from __future__ import annotations

import math
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from nodal import Node, wires

NGSPICE = shutil.which("ngspice")
OPTIONS = ".options reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin=1e-18 numdgt=15 itl1=500"


def name(node: Node, r_word: float, r_bit: float) -> str:
    """Return the name of a node, which is its line's end if the line has no resistance; "g" stands before an ammeter."""
    kind, i, j = node
    if kind == "source" or (kind == "word" and r_word == 0.0):
        return f"s{i}"
    return f"g{j}" if kind == "ground" or (kind == "bit" and r_bit == 0.0) else f"{kind[0]}{i}_{j}"


def netlist(
    conductance: np.ndarray, voltage: np.ndarray, r_word: float, r_bit: float, law: str = "", **ends: str
) -> list[str]:
    """Return the lines of a netlist for voltages (rows,) [V].

    ``law`` is an expression of a behavioural current source with {g} and {v} for conductance and voltage; without it, cells are
    resistors.
    """
    rows, columns = conductance.shape
    lines = ["crossbar", OPTIONS]
    for k, part in enumerate(wires((rows, columns), r_word, r_bit, **ends)):
        if part.ohm > 0.0:
            lines.append(f"Rw{k} {name(part.one, r_word, r_bit)} {name(part.other, r_word, r_bit)} {part.ohm:.17g}")
    for i in range(rows):
        lines.append(f"Vs{i} s{i} 0 {voltage[i]:.17g}")
        for j in range(columns):
            one, other = (name((kind, i, j), r_word, r_bit) for kind in ("word", "bit"))
            g = conductance[i, j]
            if g > 0.0 and law:
                lines.append(f"Bc{i}_{j} {one} {other} I={law.format(g=f'{g:.17g}', v=f'V({one},{other})')}")
            elif g > 0.0:
                lines.append(f"Rc{i}_{j} {one} {other} {1.0 / g:.17g}")
    lines += [f"Vg{j} g{j} 0 0" for j in range(columns)]
    return lines


def ngspice(
    conductance: np.ndarray, voltage: np.ndarray, r_word: float, r_bit: float, law: str = "", **ends: str
) -> np.ndarray:
    """Return the currents into ground (columns,) [A] that ngspice finds for voltages (rows,) [V]."""
    assert NGSPICE is not None
    columns = conductance.shape[1]
    lines = netlist(conductance, voltage, r_word, r_bit, law, **ends)
    with tempfile.TemporaryDirectory() as folder:
        ask = [
            ".control",
            "set numdgt=15",
            "op",
            *(f"print i(vg{j})" for j in range(columns)),
            "quit 0",
            ".endc",
            ".end",
        ]
        file = Path(folder, "crossbar.cir")
        file.write_text("\n".join([*lines, *ask]) + "\n", encoding="utf-8")
        done = subprocess.run([NGSPICE, "-b", str(file)], capture_output=True, text=True, check=False, cwd=folder)
    found = np.full(columns, math.nan)
    for line in done.stdout.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.strip().startswith("i(vg"):
            found[int(key.strip()[4:-1])] = float(value)
    assert np.isfinite(found).all(), done.stdout[-2000:] + done.stderr[-2000:]
    return found
