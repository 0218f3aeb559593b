r"""Updates on two arrays: a fast one gathers outer products, and what it holds is moved to the slow one from time to time.

Every k-th batch (`write_every`) all rows of the fast array A are read, and the slow weights W get n device pulses,

.. math:: n = \left\lfloor \frac{\eta\,k\,\rho}{a\,\Delta W}\,\hat A + u \right\rfloor, \quad u \sim U[0, 1), \qquad
          E[\Delta A] = a\,g

g is the mean outer product of a batch, a the expected change of A by it (`FastArray.gain` times the images), rho the share of A
that it forgets in a batch, and A-hat what the converters tell of A. Because A forgets by itself and is not emptied by a read,
each g is read 1/(k rho) times in all, so that it changes W by eta g in the end, as with `accumulate`. A subclass says what rho
is and may put a memory between reading and pulses.

Where signs cancel what the cells add by themselves (`analog_ff.updates.signs`), the signs change after the last transfer of a
period of `cancel_every`, and every cell whose sign changes is pulsed by -2 of what it was just read to hold, so that it goes on
with the same average under the other sign. (To move all that is left at once instead would be a step of 1/rho batches without
a look at the network in between, and learning does not stand it.)
With `zero-shift` the array is read before anything is learned, after `zero_pulses` pairs of an up and a down pulse on every
cell, which take it to its symmetric point (H. Kim et al., Zero-shifting technique, arXiv:1907.10228); what it reads there is
programmed into an array "reference" of slow cells, which is read beside it from then on and subtracted.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from analog_ff.updates.accumulate import RANDOM_BITS
from analog_ff.updates.base import Update
from analog_ff.updates.fast_array import NAME, FastArray
from analog_ff.updates.signs import ZERO_SHIFT, Signs
from hardware_models.check import positive_int
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort

REFERENCE = "reference"
"""Name of the array that holds what the fast array reads at rest."""


class Transfer(Update):
    """The two arrays of one layer; see the module.

    Parameters
    ----------
    port, layer : the chip, whose layer has an array "fast", and the layer.
    slots, drive_limit, fast_range, skip_silent : see `FastArray`.
    write_every : k, batches from transfer to transfer.
    cancel, cancel_every : a name of `analog_ff.updates.CANCELS`; transfers of a period.
    """

    name: ClassVar[str] = "transfer"
    zero_pulses: int = 0

    def __init__(
        self, port: ChipPort, layer: int, *, slots: int = 10, write_every: int = 1, drive_limit: float = 4.0,
        fast_range: float | None = None, cancel: str = "none", cancel_every: int = 100, skip_silent: bool = False,
    ) -> None:  # fmt: skip
        self._port, self._layer = port, layer
        self._sheet = port.sheet(layer)
        self.fast = FastArray(
            port, layer, slots=slots, drive_limit=drive_limit, fast_range=fast_range, skip_silent=skip_silent
        )
        self.signs = Signs(self._sheet.inputs, self._sheet.neurons, cancel)
        self.every = positive_int(f"update {self.name}", "--write-every", write_every, 1, 1_000_000)
        self.period = positive_int(f"update {self.name}", "--cancel-every", cancel_every, 1, 1_000_000)
        self.batches = 0

    @abstractmethod
    def forgets(self, images: int) -> float:
        """Return rho, the share of itself that the fast array forgets in a batch of so many images."""

    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        """Charge the fast array by x (P, inputs) and d (P, neurons); on every k-th call move it to the slow one."""
        events = self._find_zero(key.child("zero")) if self.batches == 0 and self.signs.kind == ZERO_SHIFT else Events()
        rho = self.forgets(images)
        events = events + self.fast.charge(x, d, bias_rate, self.signs, key.child("charge"))
        self.batches += 1
        if self.batches % self.every:
            return events
        last = self.signs.turns and self.batches % (self.every * self.period) == 0
        factor = rate * min(1.0, self.every * rho) / (self.fast.gain * images * self._sheet.weight_step)
        return events + self._transfer(factor, last, key.child("transfer"))

    def _transfer(self, factor: float, last: bool, key: Key) -> Events:
        """Read all rows and pulse the slow cells by `factor` times the readings; turn the fast ones at the end of a period."""
        readings, events = self.fast.read(key.child("read"))
        if self.signs.kind == ZERO_SHIFT:
            zeros, more = self._read_reference(key.child("reference"))
            readings, events = readings - zeros, events + more + Events({"add.int32": readings.size})
        counts, more = self.pulses(np.float32(factor) * self.signs.on(readings), key)
        events = events + more + self.burst(self._port, self._layer, counts, key)
        if last:
            before = self.signs.on(np.ones((1, 1), np.float32))
            self.signs.turn(key.child("signs"))
            changed = before != self.signs.on(np.ones((1, 1), np.float32))
            events = events + self.fast.move(np.where(changed, -2.0 * readings, 0.0), key.child("turn"))
        return events

    def pulses(self, wanted: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return whole pulses (inputs, neurons) int32 for the wanted ones, float32, and the events of finding them.

        Rounding is stochastic and row by row: a product and a random number a value, and no word of memory.
        """
        draws = key.child("rounding").generator().random(wanted.shape, dtype=np.float32)
        counts = {"mac.int8": wanted.size, "rng.bits": RANDOM_BITS * wanted.size}
        return np.floor(wanted + draws).astype(np.int32), Events(counts)

    def _find_zero(self, key: Key) -> Events:
        """Take the fast array to where it rests, and program what it reads there into the reference."""
        every = np.ones((1, self._sheet.inputs)), np.ones((1, self._sheet.neurons))
        events = Events()
        for number in range(self.zero_pulses):
            for sign in (1, -1, -1, 1):  # calls alternate between the cells of a pair: both get both
                here = key.child("pair", number).child("sign", sign)
                events = events + self._port.fire(self._layer, *every, sign, key=here, array=NAME)
        readings, more = self.fast.read(key.child("read"))
        return events + more + self._port.program(self._layer, readings, key=key.child("program"), array=REFERENCE)

    def _read_reference(self, key: Key) -> tuple[np.ndarray, Events]:
        full = self.fast.share * self.fast.sheet.weight_limit
        rows = np.arange(self._sheet.inputs)
        return self._port.read_rows(self._layer, rows, full_scale=full, key=key, array=REFERENCE)

    @property
    def measured(self) -> dict[str, float]:
        """Shares that went beyond their range, and what is left of the fast array after a batch."""
        return dict(self.fast.measured)

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state that a resumed run needs; that of the arrays belongs to the chip."""
        saved = {f"fast.{name}": value for name, value in self.fast.save(copy=copy).items()}
        saved |= {f"signs.{name}": value for name, value in self.signs.save().items()}
        return saved | {"batches": np.array(self.batches)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        parts: dict[str, dict[str, np.ndarray]] = {"fast": {}, "signs": {}}
        for name, value in saved.items():
            part, dot, entry = name.partition(".")
            if dot:
                parts[part][entry] = value
        self.fast.restore(parts["fast"])
        self.signs.restore(parts["signs"])
        self.batches = int(saved["batches"])
