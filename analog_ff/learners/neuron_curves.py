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

Where a box stands between two layers, the curve of each of its lines is learned in the same way, from what goes in and what
comes out, x against a: both are known from the pass, so no read is added. A box whose lines leak into one another has no such
curve, and what is learned is then the mean rise of a line with its own input.
"""

from __future__ import annotations

import numpy as np

from analog_ff.learners.slopes import Slope, each_value
from analog_ff.network.base import Activity, Network
from analog_ff.network.stack import Stack
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

KEPT = 0.98
"""Share rho of the sums that a batch leaves."""
SUMS = 5
"""Number of sums: n, z, g, z², z g."""
PAIR = {"mac.fp32": 2, "add.fp32": 3, "sram.words_read": 6, "sram.words_written": 5}
"""Operations and words that a pair of z and y costs beside its bins."""
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
        boxed = isinstance(network, Stack) and bool(network.boxes)
        self._behind = [np.zeros((SUMS, units, self._bins)) for units in network.units[:-1] if boxed]

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the slopes (B, units) of the curves at z, this batch's pairs included, and the events of one read."""
        network, tally = self._network, Tally()
        read = []
        for part, x in zip(network.parts[layer], activity.x, strict=True):
            z, events = network.port.read(part, x, key=key.child("z", part))
            read.append(z)
            tally.add(part, events)
        z = network.join(layer, read)
        risen = self._slopes(self._sums[layer], z, self._sum(layer).terms(activity.y))
        slopes = (risen / self._sum(layer).kind.factor).astype(np.float32)
        # A pair: its square and product, added with itself and its number to a bin; then one word of the table is read.
        tally = tally + each_value(network, layer, z, {"goodness": 1, **PAIR})
        tally.add(network.parts[layer][0], self._every_bin(z.shape[1]))
        return slopes, tally

    def behind(self, layer: int, a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray | None, Events]:
        """Return the slopes dx/da (B, units) of a box's lines, this batch's pairs included; None where no box stands."""
        if not self._behind:
            return None, Events()
        counts = Events({name: n * a.size for name, n in PAIR.items()})
        slopes = self._slopes(self._behind[layer], a, x).astype(np.float32)
        return slopes, counts + self._every_bin(a.shape[1])

    def _every_bin(self, lines: int) -> Events:
        """Return the cost of the bins of so many lines in a batch."""
        # Every bin, once a batch: five sums forget, each is added up over three bins, and the line's slope takes five products.
        words = lines * self._bins
        counts = {"mac.fp32": (SUMS + 5) * words, "add.fp32": 2 * SUMS * words}
        return Events(counts | {"sram.words_read": SUMS * words, "sram.words_written": (SUMS + 1) * words})

    def _slopes(self, sums: np.ndarray, z: np.ndarray, g: np.ndarray) -> np.ndarray:
        """Add the pairs of z and g (B, units) to `sums`; return the slopes dg/dz (B, units) float64 at z."""
        width = 2.0 * self._range / self._bins
        bins = np.clip(np.floor((z + self._range) / width), 0, self._bins - 1).astype(np.intp)
        self._learn(sums, z, g, bins)
        slopes: np.ndarray = self._table(sums, LEAST * width**2)[np.arange(z.shape[1]), bins]
        return slopes

    def _learn(self, sums: np.ndarray, z: np.ndarray, g: np.ndarray, bins: np.ndarray) -> None:
        """Add the pairs of z and g (B, units) to the sums of their bins (B, units)."""
        units = z.shape[1]
        place = (np.arange(units) * self._bins + bins).ravel()
        g, z = g.astype(np.float64), z.astype(np.float64)
        for total, values in zip(sums, (np.ones_like(z), z, g, z * z, z * g), strict=True):
            found = np.bincount(place, values.ravel(), units * self._bins).reshape(units, self._bins)
            total *= KEPT
            total += found

    def _table(self, sums: np.ndarray, least: float) -> np.ndarray:
        """Return the slope dg/dz of every bin (units, K) float64; 0 where the variance of z in three bins is below `least`."""
        wide = np.pad(sums, ((0, 0), (0, 0), (1, 1)))
        n, z, g, zz, zg = wide[..., :-2] + wide[..., 1:-1] + wide[..., 2:]
        spread, rise = n * zz - z * z, n * zg - z * g
        return np.divide(rise, spread, out=np.zeros_like(rise), where=spread > least * n * n)

    def save(self) -> dict[str, np.ndarray]:
        """Return copies of the sums of every layer, and of every box between layers."""
        kept = {str(layer): sums.copy() for layer, sums in enumerate(self._sums)}
        return kept | {f"behind{layer}": sums.copy() for layer, sums in enumerate(self._behind)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._sums = [np.array(saved[str(layer)]) for layer in range(len(self._sums))]
        self._behind = [np.array(saved[f"behind{layer}"]) for layer in range(len(self._behind))]
