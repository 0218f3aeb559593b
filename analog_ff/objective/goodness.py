r"""Goodness functions of a layer's activity with their derivatives, and the probability of a positive.

.. math:: p = \sigma\!\left(s\,\frac{G - \theta}{T}\right), \qquad c = 1-p \text{ on positives}, \quad -p
          \text{ on negatives}, \qquad d = s\,c\,G'(y)

Gradient ascent of log p on positives and log(1-p) on negatives changes the weights by the outer product of x with d.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from analog_ff.objective.normalise import rms
from analog_ff.objective.winners import WINNERS, number, part_of_squares, part_of_sum, winning
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.events import Events
from hardware_models.tables import lookup


def sum_of_squares(y: np.ndarray) -> np.ndarray:
    """Return G = sum_j y_j² of each row, (B, neurons) -> (B,)."""
    return np.einsum("ij,ij->i", y, y)


def half_derivative_of_squares(y: np.ndarray) -> np.ndarray:
    """Return G'(y) = y; the factor 2 of dG/dy = 2 y is absorbed in the learning rate, as in Hinton's code."""
    return y


def probability(
    g: np.ndarray, theta: float | np.ndarray, temperature: float = 1.0, sign: int | np.ndarray = 1
) -> np.ndarray:
    """Return p = sigma(sign (g - theta) / temperature), without overflow for any argument.

    g and theta have the units of the goodness; sign is +1 if positives should have a high goodness, -1 if they should have
    a low one.
    """
    t = sign * (g - theta) / temperature
    decay = np.exp(-np.abs(t))  # in [0, 1]: never overflows
    return np.where(t >= 0.0, 1.0, decay).astype(decay.dtype) / (1.0 + decay)


def coefficient(p: np.ndarray, *, positive: bool) -> np.ndarray:
    """Return c = T d log p/dG = 1 - p on positives, c = T d log(1-p)/dG = -p on negatives (times the sign).

    The factor 1/T is absorbed in the learning rate, like the factor 2 of the squares.
    """
    return 1.0 - p if positive else -p


def unsquared_sum(y: np.ndarray) -> np.ndarray:
    """Return G = sum_j y_j of each row, (B, neurons) -> (B,); for neurons whose outputs are not negative."""
    return y.sum(axis=1)


def active(y: np.ndarray) -> np.ndarray:
    """Return G'(y) = 1 where a neuron is on and 0 where it is off, since no weight changes the output of an off rectifier."""
    return (y > 0).astype(y.dtype)


DEGREES_OF_FREEDOM = 1.0
"""Parameter nu of the Student t goodness: the heaviest tail in common use (Cauchy)."""


def student_t_terms(y: np.ndarray) -> np.ndarray:
    """Return each neuron's (nu+1)/2 log(1 + y²/nu): minus the log density of a Student t, up to a constant.

    Hinton (arXiv:2212.13345, 8) names it as an alternative to squares; as a model of images: Osindero, Welling and Hinton
    2006, doi:10.1162/089976606775093936. A single large response counts little more than a moderate one.
    """
    return (DEGREES_OF_FREEDOM + 1.0) / 2.0 * np.log1p(np.square(y) / DEGREES_OF_FREEDOM)


def student_t(y: np.ndarray) -> np.ndarray:
    """Return G = sum_j (nu+1)/2 log(1 + y_j²/nu) of each row, (B, neurons) -> (B,)."""
    return student_t_terms(y).sum(axis=1)


def derivative_of_student_t(y: np.ndarray) -> np.ndarray:
    """Return G'(y) = (nu+1) y/(nu + y²); it falls for large y, so that outliers do not steer the weights."""
    return (DEGREES_OF_FREEDOM + 1.0) * y / (DEGREES_OF_FREEDOM + np.square(y))


class Goodness(NamedTuple):
    """A goodness function G: its value, its derivative dG/dy, and whether positives should have a high or a low G."""

    value: Callable[[np.ndarray], np.ndarray]  # (B, neurons) -> (B,), the sum of the terms
    terms: Callable[[np.ndarray], np.ndarray]  # (B, neurons) -> (B, neurons), the share of each neuron
    derivative: Callable[[np.ndarray], np.ndarray]  # (B, neurons) -> (B, neurons), dG/dy up to a stated constant factor
    factor: float  # dG/dy = factor * derivative
    sign: int  # s: +1 if positives should have a high goodness, -1 if a low one, 0: half of the regions each
    theta_factor: float  # default threshold per neuron [units of the goodness]
    winners: float = 1.0  # share of the outputs that count, the largest ones
    of_winners: Callable[[float], Goodness] | None = None  # the same goodness of another share; None: all outputs count


def _squares(sign: int) -> Goodness:
    return Goodness(sum_of_squares, np.square, half_derivative_of_squares, 2.0, sign, 1.0)


def _sums(sign: int) -> Goodness:
    return Goodness(unsquared_sum, np.array, active, 1.0, sign, 0.5)


def _student(sign: int) -> Goodness:
    return Goodness(student_t, student_t_terms, derivative_of_student_t, 1.0, sign, 0.5)


def _top(plain: Goodness, part: Callable[[float], float], share: float) -> Goodness:
    """Return a goodness of a share of winners; `part` says which part of an untrained layer's goodness they hold."""
    return Goodness(
        lambda y: plain.value(winning(y, share)),
        lambda y: plain.terms(winning(y, share)),
        lambda y: plain.derivative(winning(y, share)),
        plain.factor, plain.sign, plain.theta_factor * part(share), share, partial(_top, plain, part),
    )  # fmt: skip


GOODNESS: MappingProxyType[str, Goodness] = MappingProxyType(
    {
        "sum-of-squares": _squares(1),
        "min-sum-of-squares": _squares(-1),
        "mixed-sum-of-squares": _squares(0),
        "sum": _sums(1),
        "min-sum": _sums(-1),
        "mixed-sum": _sums(0),
        "student-t": _student(1),
        "min-student-t": _student(-1),
        "mixed-student-t": _student(0),
        "top-k": _top(_squares(1), part_of_squares, WINNERS),
        "top-k-sum": _top(_sums(1), part_of_sum, WINNERS),
    }
)
"""Goodness functions by name. With a minimised goodness neurons detect violated constraints: a positive leaves them silent
(Hinton, arXiv:2212.13345, sections 3.3 and 4); currents of positives are then low. "mixed": feature detectors in the first
half of a layer's regions, constraint violations in the second (his section 8). "top-k": the k largest outputs alone count,
squared or as they are (`analog_ff.objective.winners`)."""


def share_of_winners(name: str, share: float | None) -> Goodness:
    """Return the goodness of a name, of a share of winners if one is given; raise UsageError if it has no winners."""
    kind: Goodness = lookup("goodness", name, GOODNESS)
    if share is None:
        return kind
    if kind.of_winners is None:
        able = " or ".join(other for other, row in GOODNESS.items() if row.of_winners is not None)
        raise UsageError(
            f"--winners belongs to --goodness {able}; goodness {name} has no --winners: leave --winners out."
        )
    return kind.of_winners(in_range("a goodness", "--winners", share, 0.0, 1.0, low_open=True))


class LayerGoodness:
    r"""Goodness of one layer: its units form R regions, each with its own goodness, sign and threshold.

    .. math:: G_r = \sum_{j \in r} g(y_j), \quad p_r = \sigma\!\left(s_r\frac{G_r - \theta n_r}{T}\right), \quad
              d_j = s_r\, c_r\, g'(y_j) \text{ for } j \in r

    Many local goodness functions instead of one are Hinton's suggestion (arXiv:2212.13345, 8); with one region this is the
    plain rule. Each region is normalised by itself: its length holds its goodness and must not reach the next layer.

    Parameters
    ----------
    name : a name of `GOODNESS`.
    units : number of units n; regions are equal and contiguous.
    regions : R; a mixed goodness needs an even number, and uses 2 if R is 1.
    theta_factor : theta per unit; by default that of the goodness function.
    temperature : T.
    winners : share of the outputs of a region that count, in a goodness of winners; by default that of its row.

    Raises
    ------
    UsageError
        If the name is unknown, the units cannot be divided into the regions, a number is out of range, or a goodness without
        winners is given a share of them.
    """

    def __init__(
        self,
        name: str,
        units: int,
        *,
        regions: int = 1,
        theta_factor: float | None = None,
        temperature: float = 1.0,
        winners: float | None = None,
    ) -> None:
        self.kind = share_of_winners(name, winners)
        if self.kind.sign == 0 and regions == 1:
            regions = 2
        self.units, self.regions = units, positive_int("a goodness", "regions", regions)
        if units % regions or (self.kind.sign == 0 and regions % 2):
            even = (
                "an even number of regions that divides" if self.kind.sign == 0 else "a number of regions that divides"
            )
            raise UsageError(f"goodness {name} needs {even} the {units} units of a layer, got {regions}.")
        theta = self.kind.theta_factor if theta_factor is None else theta_factor
        self.theta = in_range("a goodness", "theta_factor", theta, 0.0, 1e6) * (units // regions)
        self.temperature = in_range("a goodness", "temperature", temperature, 0.0, 1e6, low_open=True)
        half = regions // 2
        signs = [1] * half + [-1] * half if self.kind.sign == 0 else [self.kind.sign] * regions
        self.signs = np.array(signs, np.float32)

    def _folded(self, y: np.ndarray) -> np.ndarray:
        """Return y (B, units) as (B R, units/R)."""
        return y.reshape(-1, self.units // self.regions)

    def value(self, y: np.ndarray) -> np.ndarray:
        """Return the goodness G_r (B, R) of each region."""
        return self.kind.value(self._folded(y)).reshape(-1, self.regions)

    def terms(self, y: np.ndarray) -> np.ndarray:
        """Return the share g(y_j) of each neuron (B, units) in the goodness of its region."""
        return self.kind.terms(self._folded(y)).reshape(y.shape)

    def derivative(self, y: np.ndarray) -> np.ndarray:
        """Return g'(y_j) (B, units), up to the goodness's factor."""
        return self.kind.derivative(self._folded(y)).reshape(y.shape)

    def score(self, y: np.ndarray) -> np.ndarray:
        """Return sum_r s_r G_r (B,), which is high if the layer takes the input for a positive."""
        return (self.value(y) * self.signs).sum(axis=1)

    def evidence(self, y: np.ndarray) -> np.ndarray:
        """Return E = sum_r s_r (G_r - theta) (B,), what the layer holds for a positive."""
        return ((self.value(y) - self.theta) * self.signs).sum(axis=1).astype(y.dtype, copy=False)

    def costs(self, outputs: int) -> Events:
        """Return the events of measuring goodness and length of so many outputs, the choice of the winners included."""
        counts = {"goodness": outputs, "normalise": outputs}
        if self.kind.winners < 1.0:
            # The squares of all outputs give the length; those of the winners are summed once more.
            counts["comparator"] = outputs
            counts["goodness"] += number(self.kind.winners, outputs)
        return Events(counts)

    def coefficients(self, g: np.ndarray, *, positive: bool, beside: np.ndarray | None = None) -> np.ndarray:
        """Return the factors s_r c_r (B, R) for goodness G_r (B, R); `beside` (B,) is added to each s_r (G_r - theta)."""
        if beside is not None:
            g = g + self.signs * beside[:, None]
        p = probability(g, self.theta, self.temperature, self.signs)
        return self.signs * coefficient(p, positive=positive)

    def drive(self, y: np.ndarray, slope: np.ndarray, *, positive: bool) -> np.ndarray:
        """Return d (B, units) = s c slope for outputs y (B, units); slope is dG/dz up to the goodness's factor."""
        return self.driven(self.coefficients(self.value(y), positive=positive), slope)

    def driven(self, c: np.ndarray, slope: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return d (B, units) = c slope for the factors c = s_r c_r (B, R) of the regions, in `out` if it is given."""
        each = c if self.regions == 1 else c.repeat(self.units // self.regions, axis=1)
        found: np.ndarray = np.multiply(each, slope, out=out)
        return found

    def normalise(self, y: np.ndarray) -> np.ndarray:
        """Return y with a mean square of 1 in each region."""
        return rms(self._folded(y)).reshape(y.shape)
