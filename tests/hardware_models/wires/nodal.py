"""The slow, obvious twin: a crossbar as a list of resistors, and Kirchhoff's law at every node as one system in float64.

It knows nothing of lines, pivots or iterations. A resistance of zero makes one node of two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

Node = tuple[str, int, int]


class Wire(NamedTuple):
    """A resistance between two nodes."""

    one: Node
    other: Node
    ohm: float


def wires(
    shape: tuple[int, int], r_word: float, r_bit: float, drive: str = "left", ground: str = "bottom"
) -> list[Wire]:
    """Return the segments of all lines; "source" nodes are the drivers, "ground" nodes are at 0 V."""
    rows, columns = shape
    found = []
    for i in range(rows):
        found += [Wire(("word", i, j), ("word", i, j + 1), r_word) for j in range(columns - 1)]
        if drive in ("left", "both"):
            found.append(Wire(("source", i, 0), ("word", i, 0), r_word))
        if drive in ("right", "both"):
            found.append(Wire(("source", i, 0), ("word", i, columns - 1), r_word))
    for j in range(columns):
        found += [Wire(("bit", i, j), ("bit", i + 1, j), r_bit) for i in range(rows - 1)]
        if ground in ("top", "both"):
            found.append(Wire(("bit", 0, j), ("ground", 0, j), r_bit))
        if ground in ("bottom", "both"):
            found.append(Wire(("bit", rows - 1, j), ("ground", 0, j), r_bit))
    return found


def exact(conductance: np.ndarray, voltage: np.ndarray, r_word: float, r_bit: float, **ends: str) -> np.ndarray:
    """Return the currents into ground (B, columns) [A]."""
    rows, columns = conductance.shape
    parts = wires((rows, columns), r_word, r_bit, **ends)
    parts += [
        Wire(("word", i, j), ("bit", i, j), 1.0 / conductance[i, j])
        for i in range(rows)
        for j in range(columns)
        if conductance[i, j] > 0.0
    ]
    same: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        while node in same:
            node = same[node]
        return node

    for part in parts:
        if part.ohm == 0.0:
            one, other = root(part.one), root(part.other)
            if one != other:
                # a driver or a ground stays the name of a merged node
                keep, gone = (one, other) if one[0] in ("source", "ground") else (other, one)
                same[gone] = keep
    live = [Wire(root(p.one), root(p.other), p.ohm) for p in parts if p.ohm > 0.0]
    fixed = {("source", i, 0): i for i in range(rows)} | {("ground", 0, j): -1 for j in range(columns)}
    free = {node: k for k, node in enumerate(dict.fromkeys(n for p in live for n in p[:2] if n not in fixed))}
    entries, known = [], np.zeros((len(free), rows))
    for one, other, ohm in live:
        for node, beyond in ((one, other), (other, one)):
            if node in free:
                entries.append((free[node], free[node], 1.0 / ohm))
                if beyond in free:
                    entries.append((free[node], free[beyond], -1.0 / ohm))
                elif fixed[beyond] >= 0:
                    known[free[node], fixed[beyond]] += 1.0 / ohm
    potentials = np.zeros((len(free), len(voltage)), np.longdouble)
    if free:
        at, to, g = (np.array(column) for column in zip(*entries, strict=True))
        potentials = refined(at.astype(int), to.astype(int), g, known.astype(np.longdouble) @ voltage.T)

    def potential(node: Node) -> np.ndarray:
        if node in free:
            return potentials[free[node]]
        return voltage[:, fixed[node]] if fixed[node] >= 0 else np.zeros(len(voltage))

    currents = np.zeros((len(voltage), columns), np.longdouble)
    for one, other, ohm in live:
        for node, beyond in ((one, other), (other, one)):
            if node[0] == "ground":
                currents[:, node[2]] += (potential(beyond) - potential(node)) / ohm
    return currents.astype(float)


def refined(at: np.ndarray, to: np.ndarray, g: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the potentials (nodes, B) of a system of entries g at (at, to), by LU factors of float64.

    Potentials of float64 are certain to 1e-16 of the voltage; over 0.1 Ohm that is 1e-16 A or more, which is not small against
    the currents of large resistances. What the system leaves is therefore computed in extended precision, and solved for.
    """
    nodes = len(known)
    factors = splu(coo_array((g, (at, to)), shape=(nodes, nodes)).tocsc())
    order = np.argsort(at, kind="stable")
    at, to, g = at[order], to[order], g[order].astype(np.longdouble)
    starts = np.flatnonzero(np.diff(at, prepend=-1))  # every node has an entry of its own
    found = np.zeros(known.shape, np.longdouble)
    for _ in range(3):
        left = known - np.add.reduceat(g[:, np.newaxis] * found[to], starts, axis=0)
        found = found + factors.solve(left.astype(float))
    return found
