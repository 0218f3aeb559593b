r"""Area of the chip: its cells and the circuits at the edge of its tiles.

.. math:: A = n_{cells}\,a_{cell} F^2
          + \sum_{tiles}\left( n_{pairs}(a_{ADC} + a_{int}) + 2 n_{pairs}\,a_{S\&H} + n_{rows}\,a_{DAC}\right)

a are the areas of single parts, n their numbers and F is the technology's node. Every pair of bit lines of every tile has an
integrator and a converter of its own; the events and the chip's time are counted in the same way. With analog partial sums
one converter serves all row tiles of a neuron. The area leaves out neurons, control and wiring; for neurons there is no
published figure.
"""

from __future__ import annotations

from collections.abc import Sequence

from hardware_models.energy.load import Technology
from hardware_models.tiles import Tiling


def area(
    shapes: Sequence[tuple[int, int]],
    technology: Technology,
    *,
    tile: tuple[int, int],
    access: str,
    adc: bool = True,
    dac: bool = True,
    analog_sums: bool = False,
    added_lines: int = 0,
    scenario: str = "nominal",
) -> dict[str, float] | None:
    """Return the area [m²] of each part and their sum, ``total``; None if the technology gives no areas.

    `shapes` holds (inputs, neurons) of each layer; `adc` and `dac` tell whether the chip has these converters. `added_lines` are
    word lines of tiles that carry a part of a row each; every one has a driver.
    """
    needed = (f"cell_{access}", "adc", "dac", "integrator", "sample_and_hold")
    if any(name not in technology.areas for name in needed):
        return None
    cells, pairs, converters, rows = 0, 0, 0, added_lines
    for inputs, neurons in shapes:
        tiling = Tiling(inputs, 2 * neurons, *tile)
        cells += inputs * 2 * neurons
        pairs += tiling.row_tiles * neurons
        converters += neurons if analog_sums else tiling.row_tiles * neurons
        rows += tiling.column_tiles * inputs
    one = {name: technology.areas[name].at(scenario) for name in needed}
    parts = {
        "cells": cells * one[f"cell_{access}"] * (technology.node_nm * 1e-9) ** 2,
        "adc": converters * one["adc"] if adc else 0.0,
        "dac": rows * one["dac"] if dac else 0.0,
        "integrator": pairs * one["integrator"],
        "sample_and_hold": 2 * pairs * one["sample_and_hold"],
    }
    return {**parts, "total": sum(parts.values())}
