r"""Minus the log density of Student's t, up to a constant.

.. math:: f(z) = \frac{\nu + 1}{2} \log\left(1 + \frac{z^2}{\nu}\right), \qquad
          f'(z) = \frac{(\nu + 1)\, z}{\nu + z^2}

f is even, zero at zero, and grows as a logarithm far out: the activity of a heavy-tailed expert. G. Hinton, "The forward-forward
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
        Degrees of freedom; nu = 1 gives Cauchy's density, the heaviest tail in common use.

    Raises
    ------
    UsageError
        If nu is not in ]0, 1e6].
    """

    name: str = "student-t"
    analog: bool = True
    nu: float = 1.0

    def __post_init__(self) -> None:
        """Raise UsageError if nu is outside ]0, 1e6]."""
        in_range(f"the nonlinearity {self.name}", "nu", self.nu, 0.0, 1e6, low_open=True)

    def fabricate(self, neurons: int, key: Key):
        """Return the function f, which is the same for all neurons."""
        del neurons, key
        half, share = np.float32((self.nu + 1.0) / 2.0), np.float32(1.0 / self.nu)
        return lambda z: half * np.log1p(share * z * z)
