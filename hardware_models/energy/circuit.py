"""The circuit around the cells, as far as prices depend on it: what is drawn once and serves many events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hardware_models.tiles import Tiling

KIBIBYTE = 1024.0
COLUMNS_PER_ADC = 16
"""Columns (pairs of bit lines) that share one converter, as in NeuroSim."""


class Circuit(NamedTuple):
    """Sizes of the chip's shared parts; the defaults are those for which the prices of a technology file are quoted."""

    memory_bytes: float = 32 * KIBIBYTE  # capacity of the digital memory, all that learning keeps from batch to batch
    line_cells: int = 256  # cells that a pulse charges: those of the longer line of a tile
    columns_per_adc: int = COLUMNS_PER_ADC
    lanes: int = 256  # multiply-adds in one cycle of the clock, for each number format
    words_per_cycle: int = 8  # 32-bit words between memory and lanes in one cycle
    gate_capacitance: float = 0.0  # [F] of a cell's third terminal; 0: pulses flow through the cell
    analog_sums: bool = False  # whether currents of tiles add up, and squares and lengths are formed by analog circuits


QUOTED = Circuit()
"""The circuit for which the prices of a technology file are quoted."""


def longest_line(shapes: Sequence[Sequence[int]], tile: tuple[int, int], pairs: int = 1) -> int:
    """Return the cells on the longest line of any tile.

    Layers are of (inputs, neurons) weights of so many pairs, tiles of at most (rows, columns) cells.
    """
    cut = [Tiling.of_weights(inputs, neurons, tile, pairs) for inputs, neurons in shapes]
    return max(max(min(t.rows, t.tile_rows), min(t.bit_lines, t.tile_columns)) for t in cut)
