r"""A fast array beside the slow one of a layer: charged by coinciding trains, read row by row through converters.

In each of L slots of a sample, row i is on with probability abs(x_i)/s and column j with probability abs(d_j)/D, so that a
batch moves the cell i, j, in units of a weight, by

.. math:: E[\Delta A_{ij}] = \frac{L\,\Delta A}{s D} \sum_{samples} x_i d_j

with Delta A the nominal change of a weight by one pulse, s the `input_scale` and D the `drive_limit`; drives above D are cut, and
counted. A call of the port serves one polarity. The trains of all samples of a batch follow one another in four calls, even and
odd samples apart, because calls alternate between the two cells of a pair: either polarity charges one and discharges the other
equally often (a single-ended array has one cell). Lines with signs of both kinds in x or in the choppers take slots of their
own for each.

Readings pass converters whose full scale is a share of the range of the cells. Without a given share it is halved when fewer
than one reading in a thousand is above half of it, and doubled when more than one in a thousand is at its end: a programmable
gain, set by two counters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from analog_ff.updates.coincidence import RANDOM_BITS
from analog_ff.updates.signs import Signs
from hardware_models.check import in_range, positive_int
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort

NAME = "fast"
"""Name of the array on the chip."""
RARE = 1e-3
"""Share of readings that a choice of the full scale leaves out of account."""
LEAST_SHARE = 2.0**-8
"""Smallest full scale as a share of the range."""
NEAR = 0.98
"""Share of the nominal range from which a cell counts as saturated."""


class Tried(NamedTuple):
    """Counts of what went beyond a range, int64."""

    drives: int  # drives d that were charged
    cut: int  # drives above the limit
    readings: int
    clipped: int  # readings at the end of the converters' range
    saturated: int  # readings of cells at the end of their own range


class FastArray:
    """The fast array of one layer.

    Parameters
    ----------
    port, layer : the chip and the layer.
    slots : L, pulse slots of a sample.
    drive_limit : D, the drive at which a column is on in every slot [units of z].
    fast_range : full scale of the converters as a share of the range; None: found as it is read.
    skip_silent : whether lines whose activity is zero take no random number.
    """

    def __init__(
        self, port: ChipPort, layer: int, *, slots: int, drive_limit: float, fast_range: float | None, skip_silent: bool
    ) -> None:
        self.slots = positive_int("a fast array", "--slots", slots, 1, 1000)
        self.limit = in_range("a fast array", "--drive-limit", drive_limit, 0.0, 1e6, low_open=True)
        self._port, self._layer, self._skip = port, layer, skip_silent
        self.sheet = port.sheet(layer, NAME)
        self._fixed = fast_range is not None
        self.share = (
            1.0 if fast_range is None else in_range("a fast array", "--fast-range", fast_range, 0.0, 1.0, low_open=True)
        )
        self.tried = np.zeros(len(Tried._fields), np.int64)

    @property
    def gain(self) -> float:
        """Expected change of a weight of this array by one unit of a sample's x d."""
        return self.slots * self.sheet.weight_step / (self.sheet.input_scale * self.limit)

    def charge(self, x: np.ndarray, d: np.ndarray, bias_rate: float, signs: Signs, key: Key) -> Events:
        """Fire the trains of x (P, inputs) and d (P, neurons) with signs; the shares of the last row are times `bias_rate`."""
        shares = np.abs(x) / np.float32(self.sheet.input_scale)
        shares[:, -1] *= np.float32(bias_rate)
        row_signs = np.where(x < 0, -signs.rows, signs.rows)
        columns = d * (signs.columns / np.float32(self.limit))
        self.tried[:2] += (np.count_nonzero(d), np.count_nonzero(np.abs(columns) > 1.0))
        total = Events()
        for sign in (1, -1):
            for half in (0, 1):
                here = key.child("sign", sign).child("half", half)
                part = slice(half, None, 2)
                trains = [
                    self._trains(np.where(row_signs[part] == group, shares[part], 0.0), sign * group * columns[part],
                                 here.child("group", group))
                    for group in (1, -1) if (row_signs[part] == group).any()
                ]  # fmt: skip
                total = total + sum((events for _, _, events in trains), Events())
                rows, lines = _joined(trains) if trains else (np.empty((0, 0)), np.empty((0, 0)))
                if len(rows):
                    total = total + self._port.fire(self._layer, rows, lines, sign, key=here, array=NAME)
        return total

    def _trains(self, rows: np.ndarray, columns: np.ndarray, key: Key) -> tuple[np.ndarray, np.ndarray, Events]:
        """Return trains (slots of all samples that fire, lines) of probabilities (P, lines), and the events of drawing them."""
        columns = np.maximum(columns, 0.0)
        fires = rows.any(axis=1) & columns.any(axis=1)
        shares = np.concatenate((rows[fires], columns[fires]), axis=1)
        levels = np.rint(np.minimum(shares, 1.0) * 2.0**RANDOM_BITS).astype(np.uint32)
        on = (key.bits((self.slots, *levels.shape)) < levels).reshape(-1, levels.shape[1])
        live = int(np.count_nonzero(levels)) if self._skip else levels.size
        counts = {"comparator": self.slots * live, "rng.bits": RANDOM_BITS * self.slots * live}
        return on[:, : rows.shape[1]], on[:, rows.shape[1] :], Events(counts)

    def read(self, key: Key) -> tuple[np.ndarray, Events]:
        """Return the weights of all rows (inputs, neurons), read one by one, and the events; the full scale may follow."""
        full = self.share * self.sheet.weight_limit
        readings, events = self._port.read_rows(
            self._layer, np.arange(self.sheet.inputs), full_scale=full, key=key, array=NAME
        )
        size = np.abs(readings)
        clipped = int(np.count_nonzero(size >= full * (1.0 - 1e-6)))
        saturated = int(np.count_nonzero(size >= NEAR * self.sheet.weight_limit))
        self.tried[2:] += (size.size, clipped, saturated)
        if not self._fixed and clipped > RARE * size.size:
            self.share = min(1.0, 2.0 * self.share)
        elif not self._fixed and np.count_nonzero(size > 0.5 * full) < RARE * size.size:
            self.share = max(LEAST_SHARE, 0.5 * self.share)
        return readings, events

    def move(self, wanted: np.ndarray, key: Key) -> Events:
        """Move every cell by whole pulses, as near to `wanted` (inputs, neurons) as they come [units of a weight]."""
        counts = np.rint(wanted / self.sheet.weight_step).astype(np.int32)
        return self._port.fire_cells(self._layer, counts, key=key, array=NAME)

    @property
    def measured(self) -> Mapping[str, float]:
        """Shares of drives, readings and cells so far that went beyond their range, and the present full scale."""
        seen = Tried(*(int(n) for n in self.tried))
        return {
            "drive_cut_share": seen.cut / max(1, seen.drives),
            "fast_clipped_share": seen.clipped / max(1, seen.readings),
            "fast_saturated_share": seen.saturated / max(1, seen.readings),
            "fast_full_scale": self.share,
        }

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state as arrays; that of the cells belongs to the chip. Without `copy` the counts go on counting."""
        return {"share": np.array(self.share), "tried": self.tried.copy() if copy else self.tried}

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.share, self.tried = float(saved["share"]), np.array(saved["tried"])


def _joined(trains: list[tuple[np.ndarray, np.ndarray, Events]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the trains of rows and of columns one after the other, without a copy where there is one."""
    rows, columns, _ = trains[0]
    if len(trains) == 1:
        return rows, columns
    return np.concatenate([each[0] for each in trains]), np.concatenate([each[1] for each in trains])
