r"""Updates `tiki-taka`, `tiki-taka-v2` and `tiki-taka-chopped`: two arrays of any cells, after Gokmen, Haensch and Rasch.

A gathers outer products by coinciding trains and C is the weight. A forgets by the asymmetry of its cells, which pulls
them to their symmetric point; rho (`transfer_rate`) is the share that it is taken to forget in a batch. In pulses of C, with
f = eta k rho/(a Delta W) of `analog_ff.updates.transfer`:

.. math:: \text{v1:}\; n = \lfloor f \hat A + u \rfloor, \qquad
          \text{v2:}\; H \leftarrow H + f \hat A,\; n = \mathrm{trunc}\,H,\; H \leftarrow H - n, \qquad
          \text{chopped:}\; f \hat A \to r_i f \hat A

v1 (T. Gokmen and W. Haensch, Frontiers in Neuroscience 14, 103 (2020), doi:10.3389/fnins.2020.00103) keeps no memory. v2 (T.
Gokmen, Frontiers in Artificial Intelligence 4, 699148 (2021), doi:10.3389/frai.2021.699148) keeps a digital word H a weight,
which filters the noise of A. The chopped form, c-TTv2 (M. J. Rasch et al., Nature Communications 15, 7133 (2024),
doi:10.1038/s41467-024-51221-z), charges row i with a sign r_i that changes with a probability after each transfer, so that an
error of the symmetric point cancels. aihwkit calls the three TransferCompound, BufferedTransferCompound and
ChoppedTransferCompound. They read one row or column at a time, in turn; here all rows are read every k batches, the same number
of reads where k is the number of rows times their interval. `cancel` zero-shift is what v1 and v2 are published with: a
reference that holds the symmetric point.
"""

from __future__ import annotations

from typing import ClassVar, Unpack

import numpy as np

from analog_ff.updates import UPDATES
from analog_ff.updates.accumulate import WORD_BITS
from analog_ff.updates.capacitor import TransferKeywords
from analog_ff.updates.transfer import Transfer
from hardware_models.check import in_range, positive_int
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class TikiTaka(Transfer):
    """Tiki-Taka, version 1.

    Parameters
    ----------
    port, layer : the chip and the layer.
    transfer_rate : rho, the share of A that a batch is taken to forget [1].
    zero_pulses : pairs of pulses on every cell before a zero shift.
    others : see `Transfer`.
    """

    name: ClassVar[str] = "tiki-taka"

    def __init__(
        self, port: ChipPort, layer: int, *, transfer_rate: float = 0.02, zero_pulses: int = 500,
        **others: Unpack[TransferKeywords],
    ) -> None:  # fmt: skip
        super().__init__(port, layer, **others)
        self.rho = in_range(f"update {self.name}", "--transfer-rate", transfer_rate, 0.0, 1.0, low_open=True)
        self.zero_pulses = positive_int(f"update {self.name}", "--zero-pulses", zero_pulses, 0, 1_000_000)

    def forgets(self, images: int) -> float:
        """Return rho."""
        del images
        return self.rho


class BufferedTikiTaka(TikiTaka):
    """Tiki-Taka, version 2, with a digital word H a weight."""

    name: ClassVar[str] = "tiki-taka-v2"

    def __init__(
        self, port: ChipPort, layer: int, *, transfer_rate: float = 0.02, zero_pulses: int = 500,
        **others: Unpack[TransferKeywords],
    ) -> None:  # fmt: skip
        super().__init__(port, layer, transfer_rate=transfer_rate, zero_pulses=zero_pulses, **others)
        self.hidden = np.zeros((self._sheet.inputs, self._sheet.neurons), np.float32)

    def pulses(self, wanted: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Add the wanted pulses to H and return its whole part, which H loses."""
        del key
        self.hidden += wanted
        whole = np.trunc(self.hidden)
        self.hidden -= whole
        words = -(-wanted.size * UPDATES[self.name].memory_bits // WORD_BITS)
        counts = {"mac.fp32": wanted.size, "sram.words_read": words, "sram.words_written": words}
        return whole.astype(np.int32), Events(counts)

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state that a resumed run needs, H among it; without `copy` it is that of the update, which changes."""
        return super().save(copy=copy) | {"hidden": self.hidden.copy() if copy else self.hidden}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        self.hidden[:] = saved["hidden"]


class ChoppedTikiTaka(BufferedTikiTaka):
    """Tiki-Taka, version 2, with choppers on the rows (c-TTv2); `chop_probability` after each transfer."""

    name: ClassVar[str] = "tiki-taka-chopped"

    def __init__(
        self, port: ChipPort, layer: int, *, transfer_rate: float = 0.02, zero_pulses: int = 500,
        chop_probability: float = 0.1, **others: Unpack[TransferKeywords],
    ) -> None:  # fmt: skip
        super().__init__(port, layer, transfer_rate=transfer_rate, zero_pulses=zero_pulses, **others)
        self.probability = in_range(f"update {self.name}", "--chop-probability", chop_probability, 0.0, 1.0)

    def _transfer(self, factor: float, last: bool, key: Key) -> Events:
        """Transfer, and change the sign of some rows."""
        events = super()._transfer(factor, last, key)
        self.signs.chop(self.probability, key.child("chop"))
        return events
