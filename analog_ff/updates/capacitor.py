r"""Update `capacitor`: a leaky capacitor beside each weight is the average, without a word of memory or a digital product.

.. math:: c \leftarrow e^{-T/\tau} c + a\,g, \qquad \mu = e^{-T/\tau}, \qquad
          n = \left\lfloor \frac{\eta\,k\,(1 - \mu)}{a\,\Delta W}\,\hat c + u \right\rfloor

T is the time of a batch by the chip's clock and tau the leak time of the fast cells, so that mu follows from the physics and
the sample rate f, T = images/f. The chip waits at the end of a batch until its images have taken their time; without a
`sample_rate` it is the one with which mu is the wanted `momentum`. The scheme pairs a volatile capacitor with a lasting cell,
as S. Ambrogio et al. do (Nature 558, 60 (2018), doi:10.1038/s41586-018-0180-5), and reads its charge as Tiki-Taka does
(T. Gokmen and W. Haensch, Frontiers in Neuroscience 14, 103 (2020), doi:10.3389/fnins.2020.00103); see
`analog_ff.updates.transfer`. A transfer takes one conversion a weight and reading, (inputs x neurons)/(k x images) an image.
"""

from __future__ import annotations

import math
from typing import ClassVar, TypedDict, Unpack

import numpy as np

from analog_ff.updates.transfer import Transfer
from hardware_models.check import UsageError, in_range
from hardware_models.port import ChipPort


class TransferKeywords(TypedDict, total=False):
    """Keyword arguments of every update on two arrays; see `Transfer`."""

    slots: int
    write_every: int
    drive_limit: float
    fast_range: float | None
    cancel: str
    cancel_every: int
    skip_silent: bool


class Capacitor(Transfer):
    """The leaky capacitors of one layer.

    Parameters
    ----------
    port, layer : the chip, whose fast cells forget, and the layer.
    momentum : mu, what a batch leaves of the charge, where no sample rate is given [1].
    sample_rate : f, images a second [1/s]; None: the one of `momentum`.
    others : see `Transfer`.
    """

    name: ClassVar[str] = "capacitor"

    def __init__(
        self, port: ChipPort, layer: int, *, momentum: float = 0.98, sample_rate: float | None = None,
        **others: Unpack[TransferKeywords],
    ) -> None:  # fmt: skip
        super().__init__(port, layer, **others)
        self.momentum = in_range("update capacitor", "momentum", momentum, 0.0, 0.9999)
        self.tau = self.fast.sheet.leak_time
        if self.tau == 0.0:
            raise UsageError(
                "update capacitor needs fast cells that forget, and these do not: choose --fast-device li2018_3t1c, give "
                "--leak-time, or choose --update tiki-taka."
            )
        self._seconds = 0.0 if sample_rate is None else 1.0 / sample_rate
        self._mu = math.nan

    @property
    def seconds_per_image(self) -> float:
        """Time between two images [s], 0 before the first batch where it follows from `momentum`."""
        return self._seconds

    def forgets(self, images: int) -> float:
        """Return 1 - mu of a batch; the first one fixes the sample rate if there is none."""
        if not self._seconds:
            self._seconds = -self.tau * math.log(max(self.momentum, 1e-6)) / images
        self._mu = math.exp(-images * self._seconds / self.tau)
        return 1.0 - self._mu

    @property
    def measured(self) -> dict[str, float]:
        """Shares beyond their range, mu of the last batch, and images a second."""
        rate = 1.0 / self._seconds if self._seconds else 0.0
        return {**super().measured, "fast_momentum": self._mu, "sample_rate": rate}

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state that a resumed run needs."""
        return super().save(copy=copy) | {"seconds": np.array(self._seconds), "mu": np.array(self._mu)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        super().restore(saved)
        self._seconds, self._mu = float(saved["seconds"]), float(saved["mu"])
