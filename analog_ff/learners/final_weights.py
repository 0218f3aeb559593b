r"""Weights that a network ends with: those of the last update, or a running average of all.

.. math:: \bar W \leftarrow \bar W + \frac{1 - \mu^k}{1 - \mu^n}\,(\hat W - \bar W)

after n batches, k of them since the last reading, with mu `weight_average`: the weights of batch i count in proportion to
:math:`\mu^{n-i}`, and the first reading is the average. A chip cannot average its own cells, so the average is a word of
32 bits a weight in digital memory. The weights :math:`\hat W` are read through the pins, one word line after the other, with
the converters and the noise of any read, every `average_every` batches; the digital read-out is averaged beside them. When
training is over, `finish` writes the average to the array by `analog_ff.learners.write_verify`, phase ``program``, and the
read-out becomes its average. Until then the network is that of the last update, and so are the errors of each epoch.

Averages of weights over the last part of training: Polyak and Juditsky 1992, doi:10.1137/0330046.
"""

from __future__ import annotations

import numpy as np

from analog_ff.learners.write_verify import write_verified
from analog_ff.objective.readout import SoftmaxReadout
from hardware_models.check import in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class Last:
    """The weights of the last update: nothing is read, kept or written."""

    def __init__(self, port: ChipPort, readout: SoftmaxReadout | None) -> None:
        del port, readout

    def after_batch(self, key: Key) -> Tally:
        """Return no events."""
        del key
        return Tally()

    def finish(self, key: Key) -> Tally:
        """Return no events."""
        del key
        return Tally()

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return no arrays."""
        del copy
        return {}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore nothing."""
        del saved


class Average(Last):
    """A running average of the weights; see the module for the equation.

    Parameters
    ----------
    port : the chip whose arrays are averaged and written.
    readout : the digital read-out that is averaged too, or None.
    weight_average, average_every : mu; batches from one reading to the next.
    verify_rounds, verify_reads, verify_tolerance : see `write_verified`.
    """

    def __init__(
        self,
        port: ChipPort,
        readout: SoftmaxReadout | None,
        *,
        weight_average: float = 0.999,
        average_every: int = 10,
        verify_rounds: int = 20,
        verify_reads: int = 1,
        verify_tolerance: float = 0.1,
    ) -> None:
        owner = "an average of weights"
        self.kept = in_range(owner, "weight_average", weight_average, 0.0, 0.999999)
        self.every = positive_int(owner, "average_every", average_every, 1, 1_000_000)
        self._rounds = positive_int(owner, "verify_rounds", verify_rounds, 0, 1000)
        self._reads = positive_int(owner, "verify_reads", verify_reads, 1, 1000)
        self._tolerance = in_range(owner, "verify_tolerance", verify_tolerance, 0.0, 1.0, "W_max")
        self._port, self._readout = port, readout
        self.means = [np.zeros(shape, np.float32) for shape in port.shapes]
        self.readout_mean = None if readout is None else np.zeros_like(readout.weights)
        self.batches = np.zeros(2, np.int64)
        """Batches so far, and those since the last reading."""

    def after_batch(self, key: Key) -> Tally:
        """Note one batch; on the last of every `average_every` read the weights into their average. Return the events."""
        self.batches += 1
        return self._look(key) if self.batches[1] == self.every else Tally()

    def finish(self, key: Key) -> Tally:
        """Read what was not read yet, write the average to the arrays and to the read-out, and return the events."""
        tally = self._look(key.child("last")) if self.batches[1] or not self.batches[0] else Tally()
        for part, mean in enumerate(self.means):
            here = key.child("write", part)
            tally.add(part, write_verified(self._port, part, mean, rounds=self._rounds, reads=self._reads,
                                           tolerance=self._tolerance, key=here, fresh=False))  # fmt: skip
        if self._readout is not None and self.readout_mean is not None:
            self._readout.weights = self.readout_mean.copy()
            size = self.readout_mean.size
            tally.add("readout", Events({"sram.words_read": size, "sram.words_written": size}))
        return tally

    def _look(self, key: Key) -> Tally:
        tally = Tally()
        total, since = (int(n) for n in self.batches)
        share = np.float32(1.0 if since == total else (1.0 - self.kept**since) / (1.0 - self.kept**total))
        for part, mean in enumerate(self.means):
            sheet = self._port.datasheet[part]
            rows = np.arange(sheet.inputs)
            seen, events = self._port.read_rows(part, rows, full_scale=sheet.weight_limit, key=key.child("part", part))
            tally.add(part, events + _averaged(mean, seen, share))
        if self._readout is not None and self.readout_mean is not None:
            words = {"sram.words_read": self.readout_mean.size}
            tally.add("readout", Events(words) + _averaged(self.readout_mean, self._readout.weights, share))
        self.batches[1] = 0
        return tally

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the averages and the numbers of batches."""
        saved = {f"mean{part}": mean for part, mean in enumerate(self.means)}
        if self.readout_mean is not None:
            saved["readout"] = self.readout_mean
        return {n: array.copy() for n, array in saved.items()} | {"batches": self.batches.copy()} if copy else {
            **saved, "batches": self.batches,
        }  # fmt: skip

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        for part, mean in enumerate(self.means):
            mean[:] = saved[f"mean{part}"]
        if self.readout_mean is not None:
            self.readout_mean[:] = saved["readout"]
        self.batches[:] = saved["batches"]


def _averaged(mean: np.ndarray, seen: np.ndarray, share: np.float32) -> Events:
    """Move an average in place to what was seen, by a share of the way, and return the events of its digital words."""
    mean += share * (seen - mean)
    return Events({"mac.fp32": mean.size, "sram.words_read": mean.size, "sram.words_written": mean.size})
