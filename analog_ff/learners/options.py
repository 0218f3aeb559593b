"""Options that several learners share, beside those of goodness; rows of `analog_ff.learners.LEARNERS` say who reads them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from analog_ff.objective.readout import READOUT_FORMATS, READOUT_LAYERS
from analog_ff.registry.options import option
from analog_ff.registry.rows import FinalKind, Kind
from analog_ff.updates import UPDATES

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
