r"""One-sided dither: the pass itself is one of the two reads of a slope, so that a slope costs one read more and not two.

.. math:: \text{slope}_j = s\,\frac{g(y_j^s) - g(y_j)}{\delta F}, \qquad y_j^s = f_j(z_j + s\delta), \qquad s = \pm 1

The sign s turns over from image to image, and from the last one of a batch to the first one of the next. With g(y) a function
of z, the error of one image is

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
        self._seen = np.zeros(len(network.units), np.int64)  # images so far, layer by layer: the sign of the next one

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the one-sided difference of every neuron (B, units), and the events of one read."""
        goodness = self._sum(layer)
        images = len(activity.y)
        signs = np.ones((images, 1), np.float32)
        signs[(np.arange(images) + self._seen[layer]) % 2 == 1] = -1.0
        self._seen[layer] += images
        beside, tally = self._network.again(layer, activity, np.float32(self._delta) * signs, key.child("beside"))
        slope = goodness.terms(beside) - goodness.terms(activity.y)
        slope *= signs / np.float32(self._delta * goodness.kind.factor)
        return slope, tally + each_value(self._network, layer, slope, {"goodness": 2, "mac.fp32": 1})

    def save(self) -> dict[str, np.ndarray]:
        """Return the numbers of images so far, from which the next sign follows."""
        return {"seen": self._seen.copy()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._seen = np.array(saved["seen"])
