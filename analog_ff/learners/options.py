"""Options that several learners share; a row of `analog_ff.learners.LEARNERS` says which of them it reads."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from analog_ff.objective.collaboration import COLLABORATORS
from analog_ff.objective.gate import ROUNDINGS
from analog_ff.objective.goodness import GOODNESS, share_of_winners
from analog_ff.objective.makers import NEGATIVES
from analog_ff.objective.readout import READOUT_FORMATS, READOUT_LAYERS
from analog_ff.objective.winners import WINNERS
from analog_ff.registry.options import flag, option, parse_regions
from analog_ff.registry.rows import FinalKind, Kind
from analog_ff.updates import UPDATES
from hardware_models.check import UsageError, positive_int

COPIES_FROM = ("dropout", "read-noise")
"""Sources of the difference between the copies of an image."""
LOCAL_READOUTS = ("trained", "fixed")
"""Kinds of read-outs in the layers of layer-local softmax regression."""


@dataclass(frozen=True, kw_only=True)
class DitherOptions:
    """Options of the slope by dither."""

    dither: float = option(0.25, "delta, bias on all neurons at once [units of z]", low=1e-6, high=100.0)


@dataclass(frozen=True, kw_only=True)
class CurveOptions:
    """Options of slopes from learned curves."""

    curve_bins: int = option(16, "bins of z in which a neuron's curve is learned", low=1, high=256, later=True)
    curve_range: float = option(
        4.0, "R: the bins reach from -R to R [units of z]", low=1e-6, high=1e6, later=True, unit="units of z"
    )


@dataclass(frozen=True, kw_only=True)
class PerturbationOptions:
    """Options of node perturbation, as a learner and as a slope."""

    perturbation: float = option(0.25, "sigma, random bias on a neuron [units of z]", low=1e-6, high=100.0)
    perturbations: int = option(1, "draws of the random biases that are averaged", low=1, high=1_000_000)


SLOPES = MappingProxyType(
    {
        "dropped": Kind("analog_ff.learners.slopes:Dropped", "that of the goodness alone"),
        "oracle": Kind("analog_ff.learners.slopes:Oracle", "looked up in the chip"),
        "dither": Kind("analog_ff.learners.slopes:Dither", "two biased reads", options=(DitherOptions,)),
        "dither-one-sided": Kind(
            "analog_ff.learners.one_sided:OneSidedDither", "one biased read", options=(DitherOptions,)
        ),
        "curve": Kind(
            "analog_ff.learners.neuron_curves:NeuronCurves",
            "learned from pairs of z and y",
            options=(CurveOptions,),
        ),
        "node-perturbation": Kind(
            "analog_ff.learners.slopes:NodePerturbation", "random biases", options=(PerturbationOptions,)
        ),
    }
)
"""Slopes by name; each is made from (network, outputs=..., **options)."""


@dataclass(frozen=True, kw_only=True)
class BothOptions:
    """Options of the two read-outs together."""

    goodness_weight: float = option(
        20.0,
        "weight of a neuron's mean goodness beside the logits of the softmax read-out [1/(units of the goodness)]",
        low=0.0,
        high=1e6,
        unit="1/(units of the goodness)",
        later=True,
    )


READOUTS = MappingProxyType(
    {
        "softmax": Kind("analog_ff.learners.readouts:softmax", "a pass without a label, digital regression"),
        "energy": Kind("analog_ff.learners.readouts:energy", "a pass per label, the best goodness"),
        "both": Kind(
            "analog_ff.learners.readouts:both", "the two of them, their log probabilities added", options=(BothOptions,)
        ),
        "competition": Kind(
            "analog_ff.learners.competitive:competition", "groups of neurons of learner competitive, one a class"
        ),
        "output": Kind("analog_ff.learners.readouts:output", "the output layer of backprop-sigmoid"),
    }
)
"""Read-outs by name; each is called with (learner, images, key, scores that are known already)."""


@dataclass(frozen=True, kw_only=True)
class ReadoutOptions:
    """Options of the digital softmax read-out."""

    readout_layers: str = option("all", "layers that the read-outs see", choices=READOUT_LAYERS)
    readout_rate: float = option(0.1, "learning rate of the softmax read-out", low=0.0, high=100.0)
    readout_decay: float = option(0.003, "weight decay of the softmax read-out [1]", low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class FormatOptions:
    """Option of read-outs whose products may be whole numbers."""

    readout_format: str = option(
        "fp32", "numbers in which the softmax read-out multiplies", choices=tuple(READOUT_FORMATS)
    )


@dataclass(frozen=True, kw_only=True)
class VerifyOptions:
    """Options of writing finished weights."""

    verify_rounds: int | None = option(
        None,
        "largest number of corrections of the write",
        shown="20; 0 for devices verified by their model",
        low=0,
        high=1000,
    )
    verify_reads: int = option(1, "reads that are averaged before a correction", low=1, high=1000)
    verify_tolerance: float = option(0.1, "an error up to it is not corrected [of W_max]", low=0.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class AverageOptions:
    """Options of an average of the weights."""

    weight_average: float = option(
        0.999, "share of the weights' running average that is kept from batch to batch [1]", low=0.0, high=0.999999,
        later=True,
    )  # fmt: skip
    average_every: int = option(
        10, "batches from one reading of the weights for their average to the next", low=1, high=1_000_000, later=True
    )


FINAL_WEIGHTS = MappingProxyType(
    {
        "last": FinalKind("analog_ff.learners.final_weights:Last", "as the last update leaves them"),
        "average": FinalKind(
            "analog_ff.learners.final_weights:Average",
            "their running average in digital memory, written to the array at the end",
            options=(AverageOptions, VerifyOptions),
            memory_bits=32,
        ),
    }
)
"""Weights that a network ends with, by name; each is made from (port, parts, read-out, **options)."""


@dataclass(frozen=True, kw_only=True)
class ArrayOptions:
    """Options of learners that apply outer products to the arrays."""

    learning_rate: float = option(0.01, "eta, size of an update [1]", low=0.0, high=100.0)
    update: str = option("accumulate", "how an update reaches the array", table=UPDATES)
    final_weights: str = option("last", "weights that the network ends with", table=FINAL_WEIGHTS, later=True)


@dataclass(frozen=True, kw_only=True)
class LocalOptions:
    """Options of rules that are local to a layer."""

    slope: str = option("dropped", "slope of the neurons inside a layer", table=SLOPES)
    dropout: float = option(0.0, "share of hidden outputs that are dropped in training [1]", low=0.0, high=0.9)
    peer: float = option(0.03, "strength of peer normalisation [1]", low=0.0, high=10.0)
    weight_decay: float = option(
        0.0, "delta of W <- W - eta delta W, by counted reads and pulses [1]", low=0.0, high=1.0
    )
    decay_every: int = option(
        100, "batches between two pulls of the weight decay", low=1, high=1_000_000, beside="weight_decay"
    )


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
