r"""Competition of groups: the neurons of a layer are shared out among the classes, and the groups compete by their goodness.

.. math:: q_k = \frac{1}{n_k} \sum_{j \in k} y_j^2, \qquad p = \mathrm{softmax}(q/T), \qquad c_k = [k = t] - p_k, \qquad
          d_j = c_k\,\frac{\bar n}{n_k}\,y_j \text{ for } j \in k

with n_k the neurons of group k, n-bar their mean, and t the class of the image. d is the ascent of log p_t: it is
(T n-bar/2) times the derivative of log p_t with respect to z, for rectifiers; the factor is absorbed in the learning rate, as the
factor 2 of the squares is in `analog_ff.objective.goodness`. This is the competition of channels of Papachristodoulou et al.,
AAAI 2024, doi:10.1609/aaai.v38i13.29369 (groups of channels, their mean squares, cross-entropy) with a temperature beside it.
"""

from __future__ import annotations

import numpy as np

from analog_ff.objective.readout import one_hot_error
from hardware_models.check import UsageError, in_range, positive_int


def shares(units: int, classes: int) -> np.ndarray:
    """Return the number of neurons (classes,) of each group: units / classes, and one more for the first classes.

    Raises UsageError if there are fewer neurons than classes.
    """
    if units < classes:
        raise UsageError(
            f"groups of neurons that compete need a neuron for each of {classes} classes in every layer, got a layer of "
            f"{units}: give --layers of at least {classes}."
        )
    return np.full(classes, units // classes) + (np.arange(classes) < units % classes)


class Competition:
    """Groups of one layer that compete; see the module for the equations.

    Parameters
    ----------
    units : number of neurons of one position of the layer, which are shared out by `shares` in their order.
    classes : number of groups.
    temperature : T [units of z²].
    positions : number of positions of the layer; every one of them has the same groups, and q is the mean over all.

    Raises
    ------
    UsageError
        If there are fewer neurons than classes, or a number is out of range.
    """

    def __init__(self, units: int, classes: int, *, temperature: float = 1.0, positions: int = 1) -> None:
        self.sizes = shares(units, positive_int("a competition", "classes", classes, 2))
        self.temperature = in_range(
            "a competition", "temperature", temperature, 0.0, 1e6, "units of z^2", low_open=True
        )
        self.positions = positive_int("a competition", "positions", positions)
        self._starts = np.concatenate(([0], np.cumsum(self.sizes)[:-1]))
        self._weights = (units / classes / self.sizes).astype(np.float32)

    def goodness(self, y: np.ndarray) -> np.ndarray:
        """Return q (B, classes) for outputs y (B, positions units), in the dtype of y."""
        of_neurons = np.square(y).reshape(len(y), self.positions, -1).mean(axis=1)
        found: np.ndarray = np.add.reduceat(of_neurons, self._starts, axis=1) / self.sizes.astype(y.dtype)
        return found

    def log_probabilities(self, q: np.ndarray) -> np.ndarray:
        """Return log p (B, classes) float64 for the goodness q (B, classes) of the groups."""
        logits = q.astype(np.float64) / self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        found: np.ndarray = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return found

    def coefficients(self, q: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return c = [k = t] - p (B, classes) float32 for the goodness q (B, classes) and the labels (B,)."""
        return one_hot_error(np.exp(self.log_probabilities(q)), labels).astype(np.float32)

    def driven(self, c: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Return d (B, positions units) float32 for the factors c (B, classes) and slopes (B, positions units) of y²/2."""
        of_neurons = np.repeat(c * self._weights, self.sizes, axis=1)[:, None, :]
        d = of_neurons * slope.reshape(len(slope), self.positions, -1)
        return np.ascontiguousarray(d.reshape(slope.shape), np.float32)
