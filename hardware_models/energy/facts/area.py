r"""Area of the chip: its cells and the circuits at the edge of its tiles.

.. math:: A = n_{cells}\,a_{cell} F^2
          + \sum_{tiles}\left( \lceil n_{weights}/s\rceil\,a_{ADC} + n_{weights}\,a_{int} + 2 n_{weights}\,a_{S\&H}
          + n_{rows}\,a_{DAC}\right) + L \sum_f a_f + 8 M a_{bit}

An array beside the main one of its layer has cells of its own kind (3T1C: a capacitor and three transistors) and a second set
of these circuits. a are the areas of single parts, n their numbers and F is the technology's node. The bit lines of a weight, of
one pair of cells or of several, meet at one integrator in every tile; s weights of a word line of a tile share one converter,
which converts them one after another. With
analog partial sums a converter serves all row tiles. The digital block has L multiply-adds of each number format f that was
counted (a format without an area of its own takes that of fp32), and a memory of M bytes. The area leaves out neurons, control
and wiring; for neurons there is no published figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from hardware_models.energy.circuit import QUOTED, Circuit
from hardware_models.energy.load import Technology
from hardware_models.tiles import Tiling

ESTIMATED_CELLS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {"3T1C": MappingProxyType({"low": 100.0, "nominal": 300.0, "high": 10000.0})}
)
"""Kind of cell -> its area in squares of the feature size, where no technology file gives one: own estimates.

3T1C: three transistors and 100 fF in a trench of 0.3 um2 at 32 nm; low a trench of 25 fF, high a planar capacitor of 10 fF/um2.
"""


def area(
    shapes: Sequence[tuple[int, int]],
    technology: Technology,
    *,
    tile: tuple[int, int],
    access: str,
    adc: bool = True,
    dac: bool = True,
    circuit: Circuit = QUOTED,
    formats: Iterable[str] = (),
    added_lines: int = 0,
    further: Sequence[str] = (),
    scenario: str = "nominal",
    pairs: int = 1,
) -> dict[str, float] | None:
    """Return the area [m²] of each part and their sum, ``total``; None if the technology gives no areas.

    `shapes` holds (inputs, neurons) of each layer; `adc` and `dac` tell whether the chip has these converters. The circuit
    tells how many columns share a converter, where sums over tiles are formed, and the size of the digital block, whose number
    formats are `formats`; parts without an area in the technology are left out. `added_lines` are word lines of tiles that carry
    a part of a row each; every one has a driver. `further` are the kinds of cells of the arrays that each layer has beside the
    main one, such as 3T1C. `pairs` are the pairs of cells of a weight of a main array; weights of the others have one.
    """
    others = (f"cell_{kind}" for kind in further if kind not in ESTIMATED_CELLS)
    needed = (f"cell_{access}", *others, "adc", "dac", "integrator", "sample_and_hold")
    if any(name not in technology.areas for name in needed):
        return None
    main, other = (_parts(shapes, tile, circuit, n) for n in (pairs, 1))
    integrators, converters, rows = (
        own + beside * len(further)
        for own, beside in zip((*main[1:3], main[3] + added_lines), (*other[1:3], other[3] + added_lines), strict=True)
    )
    one = {name: technology.areas[name].at(scenario) for name in needed}
    square = (technology.node_nm * 1e-9) ** 2
    beside = [ESTIMATED_CELLS[kind][scenario] if kind in ESTIMATED_CELLS else one[f"cell_{kind}"] for kind in further]
    parts = {
        "cells": main[0] * one[f"cell_{access}"] * square,
        **({"further_cells": other[0] * sum(beside) * square} if further else {}),
        "adc": converters * one["adc"] if adc else 0.0,
        "dac": rows * one["dac"] if dac else 0.0,
        "integrator": integrators * one["integrator"],
        "sample_and_hold": 2 * integrators * one["sample_and_hold"],
    }
    if "memory_bit" in technology.areas:
        parts["memory"] = 8 * circuit.memory_bytes * technology.areas["memory_bit"].at(scenario)
    units = [
        technology.areas.get(f"multiply_add_{form}", technology.areas.get("multiply_add_fp32")) for form in formats
    ]
    if known := [unit.at(scenario) for unit in units if unit is not None]:
        parts["multiply_adds"] = circuit.lanes * sum(known)
    return {**parts, "total": sum(parts.values())}


def _parts(
    shapes: Sequence[tuple[int, int]], tile: tuple[int, int], circuit: Circuit, pairs: int
) -> tuple[int, int, int, int]:
    """Return cells, integrators, converters and drivers of one array of each layer, whose weights have so many pairs."""
    cut = [Tiling.of_weights(inputs, neurons, tile, pairs) for inputs, neurons in shapes]
    return (
        sum(t.rows * t.bit_lines for t in cut),
        sum(t.row_tiles * t.columns for t in cut),
        sum(converters_of(t, circuit) for t in cut),
        sum(t.column_tiles * t.rows for t in cut),
    )


def converters_of(tiling: Tiling, circuit: Circuit) -> int:
    """Return the number of converters of an array: one for so many weights of a tile, or of all its row tiles."""
    shared = sum(-(-weights // circuit.columns_per_adc) for weights in _weights(tiling))
    return shared if circuit.analog_sums else tiling.row_tiles * shared


def _weights(tiling: Tiling) -> list[int]:
    """Return the weights on a word line of each column tile."""
    whole, weights = tiling.tile_columns // tiling.unit, tiling.columns
    return [min(whole, weights - start) for start in range(0, weights, whole)]
