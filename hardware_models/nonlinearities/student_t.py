r"""Minus the log density of Student's t, up to a constant.

.. math:: f(z) = \frac{\nu + 1}{2} \log\left(1 + \frac{z^2}{\nu}\right), \qquad
          f'(z) = \frac{(\nu + 1)\, z}{\nu + z^2}

Even, zero at zero, and logarithmic far out: the activity of a heavy-tailed expert. G. Hinton, "The forward-forward
algorithm" (arXiv:2212.13345, future work) proposes it for Forward-Forward, after S. Osindero, M. Welling and G. E.
Hinton, Neural Computation 18 (2006) 381, doi:10.1162/089976606775093936.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.check import in_range
from hardware_models.keys import Key


@dataclass(frozen=True)
class StudentT:
    """Neurons that follow the module's equation.

    Parameters
    ----------
    nu : float
        Degrees of freedom; 1 is Cauchy's density, the heaviest tail that is usual.

    Raises
    ------
    UsageError
        If nu is not in ]0, 1e6].
    """

    name: str = "student-t"
    analog: bool = True
    nu: float = 1.0

    def __post_init__(self) -> None:
        """Refuse degrees of freedom that no density has."""
        in_range(f"the nonlinearity {self.name}", "nu", self.nu, 0.0, 1e6, low_open=True)

    def fabricate(self, neurons: int, key: Key):
        """Return the curve; all neurons are alike."""
        del neurons, key
        half, share = np.float32((self.nu + 1.0) / 2.0), np.float32(1.0 / self.nu)
        return lambda z: half * np.log1p(share * z * z)
