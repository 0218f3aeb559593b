r"""Slopes from the neurons' curves, which are learned from pairs of z and y: a property of the chip, averaged over time.

z is read at its pin ("read": the array without the neurons), one extra read of a layer; y comes from the pass. The range -R ...
R of z is cut into K equal bins (`--curve-range`, `--curve-bins`); what lies outside counts to the outermost ones. For each
neuron j and bin b five leaky sums over the images whose z_j lies in the bin are kept, with rho = .98 a batch:

.. math:: n, \quad \sum z, \quad \sum g(y), \quad \sum z^2, \quad \sum z\,g(y)

and the slope in bin b is that of the straight line fitted by least squares to the pairs in the bins b - 1, b and b + 1,

.. math:: T_{jb} = \frac{n \sum z g - \sum z \sum g}{F\left(n \sum z^2 - (\sum z)^2\right)}

It needs no bias on the neurons. With Z the variance of z in the three bins, n pairs, and noise of variance v in one g(y), a
slope has the variance v/(F² n Z): averaging lowers the error as 1/sqrt(n), up to the 1/(1 - rho) = 50 batches that the sums
remember. Two errors stay. The line is straight: over bins of the width w = 2R/K its slope is that of a difference over about w,
as with a dither of delta = w. And noise of variance v_z in the reading of z lowers all slopes to the part Z/(Z + v_z). A neuron
whose pairs all lie at one z has the slope 0.

Memory: 6 K words a neuron, the sums and T.
"""

from __future__ import annotations

import numpy as np

from analog_ff.learners.slopes import Slope, each_value
from analog_ff.network.base import Activity, Network
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

KEPT = 0.98
"""Share rho of the sums that a batch leaves."""
SUMS = 5
"""Number of sums: n, z, g, z², z g."""
LEAST = 1e-6
"""Least variance of z in three bins, as a part of the square of a bin's width, through which a line is fitted."""


class NeuronCurves(Slope):
    """Slopes of curves learned from pairs of z and y; see the module for the equations.

    Parameters
    ----------
    network, outputs
        See `Slope`.
    curve_bins : int
        K.
    curve_range : float
        R [units of z].

    Raises
    ------
    UsageError
        If a number is out of range, or the chip has no pin "read".
    """

    def __init__(
        self, network: Network, *, outputs: bool = False, curve_bins: int = 16, curve_range: float = 4.0
    ) -> None:
        super().__init__(network, outputs=outputs)
        if "read" not in network.port.pins:
            raise UsageError("slope curve measures z, and this chip has no pin 'read'; choose --slope dither.")
        owner = "slope curve"
        self._bins = positive_int(owner, "--curve-bins", curve_bins, 1, 256)
        self._range = in_range(owner, "--curve-range", curve_range, 0.0, 1e6, "units of z", low_open=True)
        self._sums = [np.zeros((SUMS, units, self._bins)) for units in network.units]

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the slopes (B, units) of the curves at z, this batch's pairs included, and the events of one read."""
        network, tally = self._network, Tally()
        read = []
        for part, x in zip(network.parts[layer], activity.x, strict=True):
            z, events = network.port.read(part, x, key=key.child("z", part))
            read.append(z)
            tally.add(part, events)
        z = network.join(layer, read)
        width = 2.0 * self._range / self._bins
        bins = np.clip(np.floor((z + self._range) / width), 0, self._bins - 1).astype(np.intp)
        self._learn(layer, z, activity.y, bins)
        slopes = self._table(layer, LEAST * width**2)[np.arange(z.shape[1]), bins]
        # A pair: its square and product, added with itself and its number to a bin; then one word of the table is read.
        tally = tally + each_value(
            network,
            layer,
            z,
            {"goodness": 1, "mac.fp32": 2, "add.fp32": 3, "sram.words_read": 6, "sram.words_written": 5},
        )
        # Every bin, once a batch: five sums forget, each is added up over three bins, and the line's slope takes five products.
        words = z.shape[1] * self._bins
        counts = {"mac.fp32": (SUMS + 5) * words, "add.fp32": 2 * SUMS * words}
        counts |= {"sram.words_read": SUMS * words, "sram.words_written": (SUMS + 1) * words}
        tally.add(network.parts[layer][0], Events(counts))
        return slopes, tally

    def _learn(self, layer: int, z: np.ndarray, y: np.ndarray, bins: np.ndarray) -> None:
        """Add the pairs of z and y (B, units) to the sums of their bins (B, units)."""
        sums, units = self._sums[layer], z.shape[1]
        place = (np.arange(units) * self._bins + bins).ravel()
        g = self._sum(layer).terms(y).astype(np.float64)
        z = z.astype(np.float64)
        for total, values in zip(sums, (np.ones_like(z), z, g, z * z, z * g), strict=True):
            found = np.bincount(place, values.ravel(), units * self._bins).reshape(units, self._bins)
            total *= KEPT
            total += found

    def _table(self, layer: int, least: float) -> np.ndarray:
        """Return the slope of every bin (units, K) float32; 0 where the variance of z in three bins is below `least`."""
        wide = np.pad(self._sums[layer], ((0, 0), (0, 0), (1, 1)))
        n, z, g, zz, zg = wide[..., :-2] + wide[..., 1:-1] + wide[..., 2:]
        spread, rise = n * zz - z * z, n * zg - z * g
        slope = np.divide(rise, spread, out=np.zeros_like(rise), where=spread > least * n * n)
        return (slope / self._sum(layer).kind.factor).astype(np.float32)

    def save(self) -> dict[str, np.ndarray]:
        """Return copies of the sums of every layer."""
        return {str(layer): sums.copy() for layer, sums in enumerate(self._sums)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._sums = [np.array(saved[str(layer)]) for layer in range(len(self._sums))]
