r"""One-sided dither: the pass itself is one of the two reads of a slope, so that a slope costs one read more and not two.

.. math:: \text{slope}_j = s\,\frac{g(y_j^s) - g(y_j)}{\delta F}, \qquad y_j^s = f_j(z_j + s\delta), \qquad s = \pm 1

The sign s turns over from image to image. With g(y) a function of z, the error of one image is

.. math:: s\,\frac{\delta}{2 F} \frac{d^2 g}{dz^2} + \frac{\delta^2}{6 F} \frac{d^3 g}{dz^3} + O(\delta^3)

so that the term of first order averages out over the images of a batch, whose outer products are summed anyway. The noise of one
image is :math:`\sqrt 2\,|g'(y_j)|\,\sigma_y/\delta`, twice that of a two-sided dither, which takes two reads more.
"""

from __future__ import annotations

import numpy as np

from analog_ff.learners.slopes import Slope, each_value
from analog_ff.network.base import Activity, Network
from hardware_models.check import in_range
from hardware_models.events import Tally
from hardware_models.keys import Key


class OneSidedDither(Slope):
    """One bias of s delta on all neurons, and every neuron's own output against that of the pass; see the module.

    Parameters
    ----------
    network, outputs
        See `Slope`.
    dither : float
        delta [units of z].

    Raises
    ------
    UsageError
        If delta is out of range.
    """

    def __init__(self, network: Network, *, outputs: bool = False, dither: float = 0.25) -> None:
        super().__init__(network, outputs=outputs)
        self._delta = in_range("slope dither-one-sided", "--dither", dither, 0.0, 100.0, "units of z", low_open=True)

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the one-sided difference of every neuron (B, units), and the events of one read."""
        goodness = self._sum(layer)
        signs = np.ones((len(activity.y), 1), np.float32)
        signs[1::2] = -1.0
        beside, tally = self._network.again(layer, activity, np.float32(self._delta) * signs, key.child("beside"))
        slope = goodness.terms(beside) - goodness.terms(activity.y)
        slope *= signs / np.float32(self._delta * goodness.kind.factor)
        return slope, tally + each_value(self._network, layer, slope, {"goodness": 2, "mac.fp32": 1})
