"""Counts of results of earlier versions, as today's versions count them.

A word line runs through one tile, so a value that drives a row of an array drives one line in each column tile, each by a
converter of its own; in a transposed read it drives one bit line in each row tile. Results that keep no circuit counted the
value once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analog_ff.plain import Document, Facts
from analog_ff.runs.circuit import tile_of
from hardware_models.tiles import Tiling

Counts = Mapping[str, int]


def as_counted_today(result: Facts) -> Document:
    """Return a result whose counts of row drivers are those of today: a result that keeps its circuit is returned as it is.

    Without counts by layer the layers must be of one width, as the default ones are; others are returned as they are.
    """
    if result.get("energy", {}).get("circuit") or "tile" not in result["config"]:
        return dict(result)
    tile, shapes = tile_of(result["config"]), result.get("shapes")
    if shapes and "events_by_layer" in result:
        by_layer = {
            phase: {
                layer: driven(counts, shapes[int(layer)], tile) if layer.isdecimal() else dict(counts)
                for layer, counts in layers.items()
            }
            for phase, layers in result["events_by_layer"].items()
        }
        events = {phase: _sum(result["events"][phase], layers) for phase, layers in by_layer.items()}
        return {**result, "events": events, "events_by_layer": by_layer}
    widths = {m for _, m in shapes} if shapes else set(result["config"]["layers"])
    if len(widths) != 1:
        return dict(result)
    neurons = widths.pop()
    # A transposed read is one of an upper layer, whose inputs are the neurons below and a bias.
    events = {phase: driven(counts, (neurons + 1, neurons), tile) for phase, counts in result["events"].items()}
    return {**result, "events": events}


def driven(counts: Counts, shape: Sequence[int], tile: tuple[int, int]) -> dict[str, int]:
    """Return the counts of arrays of a shape (inputs, neurons) with one conversion a driven line, from one a driving value."""
    names = [name for name, count in counts.items() if name.startswith("dac.") and count]
    if len(names) != 1:
        return dict(counts)
    inputs, neurons = shape
    cut = Tiling(inputs, 2 * neurons, *tile)
    forward = counts.get("reads.cells", 0) // (2 * neurons)
    back = counts.get("reads.transposed_cells", 0) // (2 * inputs)
    lines = forward * (cut.column_tiles - 1) + back * (cut.row_tiles - 1)
    return {**counts, names[0]: counts[names[0]] + lines}


def _sum(names: Counts, layers: Mapping[str, Counts]) -> dict[str, int]:
    return {name: sum(counts.get(name, 0) for counts in layers.values()) for name in names}
