r"""Weight decay by counted pulses: read the array row by row, then pull each weight back.

.. math:: \hat W_{ij} = z_j(x = s\,e_i)/s, \qquad n = \left\lfloor -\kappa\,\hat W/\Delta W + u \right\rfloor, \quad
          \kappa = \eta\,\delta\,K

every K batches, with s the input at full scale, Delta W the nominal change of a weight by one pulse, u ~ U[0, 1) and delta
the decay of Hinton's recipe (W <- W + eta (g - delta W)). A chip does not show its weights, so each is read by driving
one word line at full scale, through the converter and with the noise of the array; the bias row stays. K batches at once
instead of K small steps: the same for kappa << 1, at 1/K of the reads.
"""

from __future__ import annotations

import numpy as np

from hardware_models.check import in_range, positive_int
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort


class Decay:
    """The decay of one layer: delta `strength` [1], every `every` batches."""

    def __init__(self, port: ChipPort, layer: int, *, strength: float, every: int = 100) -> None:
        self.strength = in_range("weight decay", "strength", strength, 0.0, 1.0)
        self.every = positive_int("weight decay", "every", every, 1, 1_000_000)
        self._port, self._layer = port, layer
        self._sheet = port.datasheet[layer]
        self._pending = 0.0

    def after_batch(self, step: int, rate: float, key: Key) -> Events:
        """Note one batch at learning rate `rate` (eta times its gain); on the last of every K, read and pull back."""
        if self.strength == 0.0:
            return Events()
        self._pending += rate * self.strength
        if (step + 1) % self.every:
            return Events()
        share, self._pending = self._pending, 0.0
        rows = np.zeros((self._sheet.inputs - 1, self._sheet.inputs), np.float32)
        np.fill_diagonal(rows, self._sheet.input_scale)
        z, events = self._port.read(self._layer, rows, key=key.child("read"))
        wanted = -share / (self._sheet.input_scale * self._sheet.weight_step) * z.astype(np.float64)
        counts = np.zeros((self._sheet.inputs, self._sheet.neurons), np.int32)
        counts[:-1] = np.floor(wanted + key.child("rounding").generator().random(z.shape)).astype(np.int32)
        events = events + Events({"mac.fp32": z.size, "rng.bits": 53 * z.size})
        return events + self._port.fire_cells(self._layer, counts, key=key)

    def save(self) -> dict[str, np.ndarray]:
        """Return the decay that has come due since the last pull."""
        return {"pending": np.array(self._pending)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._pending = float(saved["pending"])
