r"""Neurons for which a learner's model is badly wrong: slopes of either sign, or outputs that leak into one another.

Waves:

.. math:: f_j(z) = a_j \left(1 + \sin(\omega_j z + \varphi_j)\right)

with omega_j uniform in [1/2, 3/2] and any phase: within z = -1 ... 1 some curves rise, some fall, others have a hump or a dip.
The output is never negative and the sign of the slope is random: a learner that assumes rectifiers takes all of them as on
and rising, but half of them fall. The gain a_j makes
E f² = 1/2 for z ~ N(0, 1), times a spread of 10 %:

.. math:: E(1 + \sin)^2 = \tfrac32 + 2 e^{-\omega^2/2} \sin\varphi - \tfrac12 e^{-2\omega^2} \cos 2\varphi

Mixing: random monotone curves m_j (`black_box.RandomMonotone`), whose outputs leak into one another,

.. math:: f(z) = \max\!\left(0,\ \sqrt{1 - \kappa}\, m(z) + \sqrt{\kappa}\, Q\, m(z)\right)

with Q orthogonal, uniformly drawn (Haar), and kappa = 3/4 the share of an output's power that comes from other neurons: y_j
tells little about z_j. Both kinds are invented, without a source; they stand for the worst faults.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import in_range
from hardware_models.kernels.products import matmul, one_blas_thread
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import Neurons
from hardware_models.nonlinearities.black_box import RandomMonotone


class _Waves:
    """Neurons of one layer; their parameters are private to the chip."""

    __slots__ = ("__frequency", "__gain", "__phase")

    def __init__(self, gain: np.ndarray, frequency: np.ndarray, phase: np.ndarray) -> None:
        self.__gain, self.__frequency, self.__phase = gain, frequency, phase

    def __call__(self, z: np.ndarray) -> np.ndarray:
        y: np.ndarray = self.__gain * (np.float32(1.0) + np.sin(self.__frequency * z + self.__phase))
        return y


@dataclass(frozen=True)
class RandomWaves:
    """A wave of random gain, frequency and phase in each neuron.

    Parameters
    ----------
    slowest, fastest : float
        Smallest and largest omega [radians per unit of z].

    Raises
    ------
    UsageError
        If one of them is out of range.
    """

    name: str = "random-waves"
    analog: bool = True
    slowest: float = 0.5
    fastest: float = 1.5

    def __post_init__(self) -> None:
        """Refuse figures that no neuron has."""
        owner = f"the nonlinearity {self.name}"
        in_range(owner, "slowest", self.slowest, 0.0, 100.0, low_open=True)
        in_range(owner, "fastest", self.fastest, self.slowest, 100.0)

    def fabricate(self, neurons: int, key: Key) -> _Waves:
        """Return the neurons of one layer with waves drawn from `key`."""
        rng = key.generator()
        omega, phi = rng.uniform(self.slowest, self.fastest, neurons), rng.uniform(0.0, 2 * np.pi, neurons)
        power = 1.5 + 2 * np.exp(-(omega**2) / 2) * np.sin(phi) - 0.5 * np.exp(-2 * omega**2) * np.cos(2 * phi)
        gain = np.sqrt(0.5 / power) * np.exp(rng.normal(0.0, 0.1, neurons))
        return _Waves(*(part.astype(np.float32) for part in (gain, omega, phi)))


class _Mixed:
    """Neurons of one layer whose outputs pass a matrix that mixes them."""

    __slots__ = ("__curve", "__matrix")

    def __init__(self, curve: Neurons, matrix: np.ndarray) -> None:
        self.__curve, self.__matrix = curve, matrix

    def __call__(self, z: np.ndarray) -> np.ndarray:
        return np.maximum(matmul(self.__curve(z), self.__matrix), np.float32(0.0))


@dataclass(frozen=True)
class Mixing:
    """Random monotone curves whose outputs leak into one another.

    Parameters
    ----------
    share : float
        kappa, share of an output's power that comes from other neurons [1].

    Raises
    ------
    UsageError
        If the share is out of range.
    """

    name: str = "mixing"
    analog: bool = True
    share: float = 0.75

    def __post_init__(self) -> None:
        """Refuse figures that no neuron has."""
        in_range(f"the nonlinearity {self.name}", "share", self.share, 0.0, 1.0)

    def fabricate(self, neurons: int, key: Key) -> _Mixed:
        """Return the neurons of one layer, with curves and mixing matrix drawn from `key`."""
        curve = RandomMonotone().fabricate(neurons, key.child("curve"))
        normal = key.child("matrix").generator().standard_normal((neurons, neurons))
        with one_blas_thread():  # the same bits for any number of threads
            q, r = np.linalg.qr(normal)
        q *= np.sign(np.diag(r))  # without the signs, Q would not be uniformly distributed
        matrix = np.sqrt(1.0 - self.share) * np.eye(neurons) + np.sqrt(self.share) * q.T
        return _Mixed(curve, np.ascontiguousarray(matrix, np.float32))
