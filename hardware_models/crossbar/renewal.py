"""Renewal of pairs of a one-sided device, whose pulses have one sign: at the end of their range they can only start again."""

from __future__ import annotations

import numpy as np

from hardware_models.crossbar import writing
from hardware_models.crossbar.cells import Cells
from hardware_models.events import Events
from hardware_models.kernels import pulses as kernels
from hardware_models.kernels.random import normal
from hardware_models.keys import Key

BITS = 8
"""Bits of the conversion of a pair that is renewed."""


def renew_spent(cells: Cells, direction: int, key: Key) -> Events:
    """Renew the pairs of which a device has used up its range; `direction` of the pulses: 1 up, -1 down.

    Every cell is read once, row by row; behind an access transistor the controller takes its nominal resistance off. The
    conductance is compared with a threshold (`refresh_share` of the range from the end that the pulses drive it to); of the
    pairs with a device beyond it both currents are converted (8 bit), both devices get one strong pulse to the other end
    (counted as one pulse each at its voltage), and the one that should be nearer the end is driven there by the nominal number
    of pulses.
    """
    d = cells.device
    rows, columns = cells.tiling.rows, cells.tiling.bit_lines // 2
    held = np.array(d.conductance(cells.state, cells.time), np.float64)
    g = cells.access.conductance(held)  # as the lines see it
    square = d.v_read**2
    if cells.watch is not None:
        cells.look_again()
    seconds = (rows if cells.watch is None else cells.watch.scan(cells.connected())) * d.t_read
    n = 2 * rows * columns
    counts = {"reads.cells": n, "reads.columns": n, "integrator": n, "comparator": n}
    events = Events(counts, {"read.v2g": square * float(g.sum()), "time": seconds})
    cells.time += seconds
    own = cells.variance() * np.square(cells.access.slope(held)) if cells.access else cells.variance()
    deviation = np.sqrt(np.broadcast_to(own + _of_the_lines(cells, g), g.shape))
    seen = cells.access.behind(g + deviation * normal(g.shape, key.child("read")))
    left = seen - d.g_min if direction < 0 else d.g_max - seen
    spent = (left < d.refresh_share * d.g_range).reshape(rows, columns, 2).any(axis=2)
    if not spent.any():
        return events
    renewed = np.repeat(spent, 2, axis=1)
    before = cells.present().copy()
    d.renew_at(cells.time, cells.state, renewed, key)
    events += Events({f"adc.{BITS}": 2 * int(spent.sum())})
    strong = writing.booked(cells, cells.changed_everywhere(before, np.where(renewed, -direction, 0).astype(np.int32)))
    steps = np.rint((seen[:, 0::2] - seen[:, 1::2]) / (d.g_range / d.states))
    wanted = np.where(spent, np.clip(steps, -d.states, d.states), 0).astype(np.int32)
    pulses = np.empty((rows, 2 * columns), np.int32)
    kernels.split_one_sided(wanted, direction, pulses)
    return events + strong + writing.burst(cells, pulses, key.child("program"))


def _of_the_lines(cells: Cells, g: np.ndarray) -> np.ndarray | float:
    """Return the variance that the noise of the bit lines adds to conductances which are read row by row [S²].

    A bit line has the Johnson noise of all its cells, and the shot noise of the one that is driven.
    """
    d, noise = cells.device, cells.noise
    if not (noise.thermal or noise.fano) or d.v_read == 0.0:
        return 0.0
    tile = np.repeat(cells.bit_line_sums(), [b - a for a, b in cells.tiling.row_cuts], axis=0)
    of_cells = noise.johnson_variance(tile, d.t_read) if noise.thermal else 0.0
    added: np.ndarray = (of_cells + noise.shot_variance(g * d.v_read, d.t_read)) / d.v_read**2
    return added
