r"""The slope inside a layer: an estimate of :math:`\partial g(y_j)/\partial z_j` where the neurons' curve is unknown.

With y = f(z), each neuron's share g(y_j) of the goodness, F the goodness's constant factor and g' = dg/dy / F,

.. math::
   \text{dropped:} &\quad g'(y_j) \\
   \text{oracle:} &\quad g'(y_j)\,f_j'(z_j) \\
   \text{dither:} &\quad \frac{g(y_j^+) - g(y_j^-)}{2\delta F}, \qquad y_j^\pm = f_j(z_j \pm \delta) \\
   \text{node perturbation:} &\quad \frac{G(z + \sigma\xi) - G(z - \sigma\xi)}{2\sigma F}\,\xi_j, \qquad \xi_j = \pm 1

`dropped` is exact for a rectifier and squares (y f' = y), and for any non-decreasing f still a direction of ascent for each
sample: its product with the true slope is sum g'(y)² f' >= 0. It costs nothing.

`dither` needs only that the goodness is a sum over neurons: one bias for all of them gives all slopes at once. `node
perturbation` needs not even that, but reads one number for n slopes.

A learner that sends an error to the neurons' outputs asks for the slope of y itself instead, g(y) = y and F = 1: the same
reads, and `dropped` is then the slope [y > 0] of a rectifier. `one_sided` and `neuron_curves` measure with one read.

The extra reads go through the chip's pins like any other: each has read noise of its own, and is counted. Where neurons
have a memory (a hysteresis), a read is also a drive. The batch is presented anew for every read, row after row, so that each
row is reached from the one before it, as in the pass itself; but the next pass starts from where the last read has left the
neurons, and the slopes are those along this path, not those of the neurons at rest. A real chip would do the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from analog_ff.learners.oracle import inside
from analog_ff.network.base import Activity, Network
from analog_ff.objective.goodness import LayerGoodness
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key
from hardware_models.port import SealedChipError


class Slope(ABC):
    """A method by which a learner finds the slope of a layer's goodness, or of its neurons' outputs.

    Parameters
    ----------
    network : Network
    outputs : bool
        True: the slope dy/dz of each neuron's output; False: that of the layer's goodness, up to the goodness's factor.
    """

    def __init__(self, network: Network, *, outputs: bool = False) -> None:
        self._network, self._outputs = network, outputs
        self._goodness: Sequence[LayerGoodness] = (
            [LayerGoodness("sum", units) for units in network.units] if outputs else network.goodness
        )

    def _sum(self, layer: int) -> LayerGoodness:
        """Return the sum over neurons whose slope is asked for in a layer."""
        return self._goodness[layer]

    @abstractmethod
    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the slope (B, units) and the events."""

    def behind(self, layer: int, a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray | None, Events]:
        """Return the slope dx/da (B, units) of what stands behind a layer, for a and the x that came out; None: that of a wire.

        Most methods measure neurons alone and take the way to the next layer for a wire.
        """
        del layer, a, x
        return None, Events()

    def save(self) -> dict[str, np.ndarray]:
        """Return copies of what the method remembers; most remember nothing."""
        return {}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        del saved


class Dropped(Slope):
    """The default slope: no derivative of the neurons is used."""

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return g'(y) (B, units), and no events."""
        del key
        return self._sum(layer).derivative(activity.y), Tally()


class Oracle(Slope):
    """The slope that an observer who knows every neuron's curve would find: g'(y) f'(z).

    The curve is looked up inside the chip, z is measured: one read more of every array, through the pin "read", with
    converters and read noise of its own. This slope therefore has the limits of every measurement and no others.

    Raises
    ------
    UsageError
        If the chip is sealed, or has no pin "read".
    """

    def __init__(self, network: Network, *, outputs: bool = False) -> None:
        super().__init__(network, outputs=outputs)
        if "read" not in network.port.pins:
            raise UsageError("slope oracle measures z, and this chip has no pin 'read'; choose --slope dither.")
        try:
            self._oracle = inside(network.port)
        except SealedChipError:
            raise UsageError(
                "slope oracle looks up the neurons' curves inside the chip, which a sealed chip or one in another process "
                "does not allow; choose --slope dither, which needs only reads."
            ) from None

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return g'(y) f'(z) with z read anew, and the events."""
        network, tally = self._network, Tally()
        known = []
        for part, x in zip(network.parts[layer], activity.x, strict=True):
            z, events = network.port.read(part, x, key=key.child("z", part))
            known.append(self._oracle.slope(part, z))
            tally.add(part, events + Events({"mac.fp32": z.size}))
        slope = network.join(layer, known)
        return slope if self._outputs else self._sum(layer).derivative(activity.y) * slope, tally


class Dither(Slope):
    r"""Parallel dither: one bias of +delta, then of -delta, on all neurons, and every neuron's own output read both times.

    The error is

    .. math:: \frac{\delta^2}{6 F} \frac{d^3 g(f(z_j))}{dz_j^3} + O(\delta^4)

    (none where g(f) is a quadratic within +-delta) and a noise of standard deviation
    :math:`|g'(y_j)| \sigma_y / (\sqrt 2\,\delta)` where sigma_y is that of one output: read noise and the
    rounding of the converters, independent in the two reads; noise of z counts with f'. There is no factor n: the variance
    does not grow with the layer. As a small alternating current on the bias line, with synchronous detection in every neuron,
    it is the lock-in amplifier's way of measuring a slope.

    Parameters
    ----------
    network, outputs
        See `Slope`.
    dither : float
        delta [units of z].
    """

    def __init__(self, network: Network, *, outputs: bool = False, dither: float = 0.25) -> None:
        super().__init__(network, outputs=outputs)
        self._delta = in_range("slope dither", "--dither", dither, 0.0, 100.0, "units of z", low_open=True)

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the central difference of every neuron's share of the goodness, and the events."""
        goodness = self._sum(layer)
        above, tally = self._network.again(layer, activity, self._delta, key.child("above"))
        below, events = self._network.again(layer, activity, -self._delta, key.child("below"))
        slope = (goodness.terms(above) - goodness.terms(below)) / (2.0 * self._delta * goodness.kind.factor)
        return slope, tally + events + each_value(self._network, layer, slope, {"goodness": 2, "mac.fp32": 1})


class NodePerturbation(Slope):
    r"""Node perturbation: random signs on the biases of all neurons, and only the scalar goodness is read.

    A region with a goodness of its own has a number of its own to read. The estimate is unbiased (up to the same O(sigma²)
    as a dither's), its variance is :math:`\sum_{i \ne j} (\partial G/\partial z_i)^2 / F^2` per draw, and one draw's cosine
    with the true gradient is :math:`\sqrt{2/(\pi n)}` in the mean for n neurons to a region. Random signs are the
    perturbation of least variance, and one random bit a neuron (simultaneous perturbation: Spall, IEEE Transactions on
    Automatic Control 37:332, 1992, doi:10.1109/9.119632).

    Parameters
    ----------
    network, outputs
        See `Slope`.
    perturbation : float
        sigma [units of z].
    perturbations : int
        Draws that are averaged; two reads each.
    """

    def __init__(
        self, network: Network, *, outputs: bool = False, perturbation: float = 0.25, perturbations: int = 1
    ) -> None:
        super().__init__(network, outputs=outputs)
        owner = "slope node-perturbation"
        self._sigma = in_range(owner, "--perturbation", perturbation, 0.0, 100.0, "units of z", low_open=True)
        self._draws = positive_int(owner, "--perturbations", perturbations, 1, 1_000_000)

    def __call__(self, layer: int, activity: Activity, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the mean estimate over the draws, and the events."""
        network, goodness = self._network, self._goodness[layer]
        batch, units = activity.y.shape
        slope, tally = np.zeros((batch, units), np.float32), Tally()
        for draw in range(self._draws):
            here = key.child("draw", draw)
            signs = 2 * here.child("signs").generator().integers(0, 2, (batch, units), dtype=np.int8) - 1
            bias = signs * np.float32(self._sigma)
            above, events = network.again(layer, activity, bias, here.child("above"))
            below, more = network.again(layer, activity, -bias, here.child("below"))
            rise = goodness.value(above) - goodness.value(below)  # (B, regions)
            slope += rise.repeat(units // rise.shape[1], axis=1) * signs
            tally = tally + events + more
        slope /= 2.0 * self._sigma * goodness.kind.factor * self._draws
        counts = {"goodness": 2, "mac.fp32": 1, "rng.bits": 1}
        return slope, tally + each_value(network, layer, slope, {name: n * self._draws for name, n in counts.items()})


def each_value(network: Network, layer: int, values: np.ndarray, counts: dict[str, int]) -> Tally:
    """Return `counts` for every one of the values (B, units) of a network layer, under the arrays that they belong to."""
    pieces = zip(network.parts[layer], network.split(layer, values), strict=True)
    return Tally({str(part): Events({name: n * piece.size for name, n in counts.items()}) for part, piece in pieces})
