r"""Consolidation: in the last epochs a digital record holds the weights that learning intends, and the worst cells are corrected.

In situ nobody knows the weights that learning wants: they are what the pulses have made of them. While a network is
consolidated, a word a weight says it,

.. math:: R \leftarrow \hat W \;\text{(at the start)}, \qquad R \leftarrow R + n\,\Delta W \;\text{(with every burst)}

with W-hat what the converters tell of the rows, read one by one, and n the pulses that an update asks for. Every K-th batch all
rows are read again, and the share q of the cells of an array with the largest error get

.. math:: e = R - \hat W, \qquad n = \mathrm{rint}\left(\frac{e}{2\,\Delta W}\right)

pulses, at least one each. The gain of 1/2 is that of noisy pulses: a burst of g e pulses of noise c, all in steps, leaves
:math:`(1-g)^2 e^2 + g c^2 e`, which is less than e² only for

.. math:: e > \frac{c^2}{2 - g}

so that a correction of a smaller error adds more than it takes away, however well it was read. Errors that are left stay in the
record and may be among the worst the next time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analog_ff.registry.options import option
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort

WORD_BITS = 32
"""Bits of a word of the record."""


@dataclass(frozen=True, kw_only=True)
class ConsolidationOptions:
    """Consolidation."""

    consolidate: int = option(
        0,
        "last epochs in which a digital record of the intended weights is kept and the worst cells are corrected; 0: none",
        low=0,
        high=100_000,
        later=True,
    )
    consolidate_share: float = option(
        0.05,
        "cells with the largest error that are corrected after a reading [1]",
        low=0.0,
        high=1.0,
        beside="consolidate",
        later=True,
    )
    consolidate_every: int = option(
        10, "batches from reading to reading", low=1, high=1_000_000, beside="consolidate", later=True
    )


class Record:
    """The intended weights of one array while its network is consolidated.

    Parameters
    ----------
    port, layer : the chip and the layer.
    share : q, cells that are corrected after a reading [1].
    every : K, batches from reading to reading.
    """

    def __init__(self, port: ChipPort, layer: int, *, share: float, every: int) -> None:
        self._port, self._layer, self.share, self.every = port, layer, share, every
        self._sheet = port.sheet(layer)
        self.wanted: np.ndarray | None = None
        """R (inputs, neurons) float32; None before the first reading."""
        self._batches = 0

    def follow(self, counts: np.ndarray) -> Events:
        """Add the pulses of a burst (inputs, neurons) to the record, and return the events: one product and word a burst."""
        if self.wanted is None:
            return Events()
        limit = np.float32(self._sheet.weight_limit)
        self.wanted += counts * np.float32(self._sheet.weight_step)
        np.clip(self.wanted, -limit, limit, out=self.wanted)
        number = int(np.count_nonzero(counts))
        return Events({"mac.fp32": number, "sram.words_read": number, "sram.words_written": number})

    def after_batch(self, key: Key) -> Events:
        """Begin the record after the first batch; after every K-th one of the following read all rows and correct the worst."""
        if self.wanted is None:
            self.wanted, events = self._read(key)
            return events + Events({"sram.words_written": self.wanted.size})
        self._batches += 1
        if self._batches % self.every:
            return Events()
        readings, events = self._read(key)
        steps = (self.wanted - readings) / np.float32(self._sheet.weight_step)
        counts = self._corrections(steps)
        spent = Events({"add.fp32": steps.size, "comparator": steps.size, "sram.words_read": steps.size})
        return events + spent + self._port.fire_cells(self._layer, counts, key=key.child("correct"))

    def _corrections(self, steps: np.ndarray) -> np.ndarray:
        """Return pulses (inputs, neurons) int32 that take half of the largest errors back, errors being in steps."""
        worst = np.zeros(steps.shape, np.int32)
        number = round(self.share * steps.size)
        if number:
            place = np.argpartition(np.abs(steps), -number, axis=None)[-number:]
            chosen = steps.flat[place]
            half = np.rint(chosen / 2.0)
            worst.flat[place] = np.where(np.abs(chosen) >= 1.0, np.where(half == 0.0, np.sign(chosen), half), 0.0)
        return worst

    def _read(self, key: Key) -> tuple[np.ndarray, Events]:
        rows = np.arange(self._sheet.inputs)
        here = key.child("read")
        return self._port.read_rows(self._layer, rows, full_scale=self._sheet.weight_limit, key=here)

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the record and the batches since it began, nothing before that; without `copy` it goes on changing."""
        if self.wanted is None:
            return {}
        return {"wanted": self.wanted.copy() if copy else self.wanted, "batches": np.array(self._batches)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        if saved:
            self.wanted, self._batches = np.array(saved["wanted"]), int(saved["batches"])
