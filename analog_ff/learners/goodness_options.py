"""Options of learning by goodness, which several learners share: goodness, negatives, collaboration, gate, noisy copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from analog_ff.objective.collaboration import COLLABORATORS
from analog_ff.objective.gate import ROUNDINGS
from analog_ff.objective.goodness import GOODNESS, share_of_winners
from analog_ff.objective.makers import NEGATIVES
from analog_ff.objective.winners import WINNERS
from analog_ff.registry.options import flag, option, parse_regions
from hardware_models.check import UsageError, positive_int

COPIES_FROM = ("dropout", "read-noise")
"""Sources of the difference between the copies of an image."""


def _thresholds() -> str:
    """Return the default thresholds with the names of the goodness functions that have them; the common one without names."""
    names: dict[float, list[str]] = {}
    for name, row in GOODNESS.items():
        names.setdefault(row.theta_factor, []).append(name)
    usual, *others = names
    return "; ".join([f"{usual:g}", *(f"{other:g} with {', '.join(names[other])}" for other in others)])


class _Selecting(Protocol):
    goodness: str
    winners: float | None


@dataclass(frozen=True, kw_only=True)
class GoodnessOptions:
    """Options of a layer's goodness."""

    goodness: str = option(
        "sum-of-squares",
        "goodness of a layer; min-...: positives are to have a low one, mixed-...: those of the second half of the regions, "
        "top-k...: the largest outputs alone count",
        table=GOODNESS,
    )
    regions: int | str = option(
        1,
        "regions of a layer with a goodness of their own, or 'positions' (local, convolution)",
        parse_regions,
        low=1,
        high=100_000,
    )
    theta: float | None = option(
        None,
        "goodness threshold per neuron [units of the goodness]",
        shown=_thresholds(),
        low=0.0,
        high=1000000.0,
        unit="units of the goodness",
    )
    temperature: float = option(
        1.0,
        "temperature of the logistic, or of the softmax over groups [units of z^2]",
        low=1e-06,
        high=1000000.0,
        unit="units of z^2",
    )
    winners: float | None = option(
        None,
        "share of a layer's outputs that count in --goodness top-k..., the largest ones, 1: all [1]",
        shown=f"{WINNERS:g}",
        low=0.0,
        high=1.0,
        low_open=True,
        beside="goodness",
        later=True,
    )

    @staticmethod
    def check(config: _Selecting) -> None:
        """Raise UsageError for winners of a goodness that has none."""
        share_of_winners(config.goodness, config.winners)


class _Collaborating(Protocol):
    collaboration: float
    schedule: str
    layers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class CollaborationOptions:
    """Options of layers that learn with the goodness of the others."""

    collaboration: float = option(
        0.0,
        "kappa, weight of the other layers' goodness in a layer's probability, 0: none [1]",
        low=0.0,
        high=10.0,
        later=True,
    )
    collaborators: str = option(
        "all", "layers whose goodness is taken", choices=COLLABORATORS, beside="collaboration", later=True
    )

    @staticmethod
    def check(config: _Collaborating) -> None:
        """Raise UsageError where a layer has no other layer, or learns before the others have read its image."""
        if not config.collaboration:
            return
        if len(config.layers) < 2:
            raise UsageError("--collaboration is among layers: give at least two of them, such as --layers 500,500.")
        if config.schedule == "pipelined":
            raise UsageError(
                "--collaboration needs the goodness of one image in several layers at once, which schedule pipelined has not: "
                "choose --schedule interleaved."
            )


@dataclass(frozen=True, kw_only=True)
class NegativesOptions:
    """Options of a contrast of positives and negatives."""

    negatives: str = option(
        "hard", "what negatives are", table=NEGATIVES, or_own="file.py:function(images, labels, generator)"
    )


@dataclass(frozen=True, kw_only=True)
class GateOptions:
    """Options of c, the factor of an image's drive, 1-p or -p."""

    gate: float = option(
        0.0,
        "c0: an image with |c| < c0 teaches a layer nothing, 0: every image teaches [1]",
        low=0.0,
        high=1.0,
    )
    drive_bits: int | None = option(None, "bits of c; default: not rounded", low=1, high=8)
    drive_rounding: str = option(
        "stochastic",
        "rounding of c, stochastic is unbiased",
        choices=ROUNDINGS,
        beside="drive_bits",
    )


class _Copying(Protocol):
    copies_from: str
    copy_dropout: float
    projection: int | None
    layers: tuple[int, ...]
    read_noise: bool
    johnson_noise: bool
    shot_noise: float


@dataclass(frozen=True, kw_only=True)
class CopyOptions:
    """Options of noisy copies."""

    copies: int = option(4, "noisy copies of each image", low=2, high=1000)
    copies_from: str = option("dropout", "what makes copies differ", choices=COPIES_FROM)
    copy_dropout: float = option(0.2, "share of pixels that a copy loses [1]", low=0.0, high=0.9, low_open=True)
    projection: int | None = option(
        None,
        "random directions in which the dimensionality is measured, 0: the neurons themselves",
        shown="neurons/5",
        low=0,
        high=100_000,
    )

    @staticmethod
    def check(config: _Copying) -> None:
        """Raise UsageError for more directions than units, and for choices that copies from the read noise lack."""
        if config.projection is not None:
            positive_int("learner dimensionality", flag("projection"), config.projection, 0, min(config.layers))
        if config.copies_from == "read-noise":
            if config.copy_dropout != CopyOptions.copy_dropout:
                raise UsageError("--copy-dropout makes copies by dropout: choose --copies-from dropout.")
            if not (config.read_noise or config.johnson_noise or config.shot_noise):
                raise UsageError(
                    "copies from the read noise need it on: leave --no-read-noise out, or choose --copies-from dropout."
                )
