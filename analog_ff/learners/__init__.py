"""Learners change the network: each one sees a port and returns the events that it caused."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from analog_ff.learners.goodness_options import (
    CollaborationOptions,
    CopyOptions,
    GateOptions,
    GoodnessOptions,
    NegativesOptions,
)
from analog_ff.learners.options import (
    LOCAL_READOUTS,
    ArrayOptions,
    FormatOptions,
    LocalOptions,
    PerturbationOptions,
    ReadoutOptions,
    VerifyOptions,
)
from analog_ff.registry.options import option
from analog_ff.registry.rows import LearnerKind, Only
from hardware_models.check import UsageError

ERROR_DRIVEN = {
    "network": Only(("stack",), "trains a stack"),
    "schedule": Only(("interleaved",), "learns from every batch at once"),
    "readout": Only(("softmax",), "has no goodness to read"),
}
"""The choices that work with a learner which follows the error of the digital read-out."""


@dataclass(frozen=True, kw_only=True)
class WeightPerturbationOptions:
    """Options of weight perturbation."""

    weight_perturbation: float = option(0.005, "sigma, random change of the weights [of W_max]", low=1e-6, high=1.0)


@dataclass(frozen=True, kw_only=True)
class PepitaOptions:
    """Options of error-driven input modulation."""

    modulation: float = option(
        0.05, "kappa, strength of the error that is fed back to the input [units of x]", low=1e-6, high=100.0
    )


@dataclass(frozen=True, kw_only=True)
class LocalReadoutOptions:
    """Options of layer-local softmax regressions."""

    local_readout: str = option("trained", "read-outs of the layers", choices=LOCAL_READOUTS)


class _Reading(Protocol):
    softmax_readout: bool
    readout: str


@dataclass(frozen=True, kw_only=True)
class CompetitionOptions:
    """Options of groups that compete."""

    softmax_readout: bool = option(True, "train no digital softmax read-out beside the competition", later=True)

    @staticmethod
    def check(config: _Reading) -> None:
        """Raise UsageError for a headline that is the error of a read-out which is not trained."""
        if not config.softmax_readout and config.readout == "softmax":
            raise UsageError(
                "--readout softmax needs the digital read-out that --no-softmax-readout leaves out: choose --readout competition."
            )


LEARNERS = MappingProxyType(
    {
        "backprop": LearnerKind(
            "analog_ff.learners.backprop:Backprop",
            "a perfect model",
            options=(ReadoutOptions, FormatOptions, ArrayOptions),
            recipe={"learning_rate": 0.5},
            only=ERROR_DRIVEN,
            looks_inside=True,
            memory_bits=32,  # a digital copy of the weights
        ),
        "backprop-nominal": LearnerKind(
            "analog_ff.learners.backprop:NominalBackprop",
            "errors go back through the array",
            options=(ReadoutOptions, FormatOptions, ArrayOptions, "slope"),
            recipe={"learning_rate": 0.5},
            only=ERROR_DRIVEN,
        ),
        "backprop-programmed": LearnerKind(
            "analog_ff.learners.programmed_backprop:ProgrammedBackprop",
            "off the chip, written once",
            options=(ReadoutOptions, "learning_rate", "momentum", VerifyOptions),
            recipe={"learning_rate": 0.5},
            only=ERROR_DRIVEN,
            memory_bits=64,  # a weight and its average, in fp32
        ),
        "backprop-sigmoid": LearnerKind(
            "analog_ff.learners.sigmoid_backprop:SigmoidBackprop",
            "squared error, output layer on the chip",
            options=(ArrayOptions,),
            recipe={
                "preset": "plain", "learning_rate": 0.8,
                "nonlinearity": "sigmoid", "readout": "output", "momentum": 0.0, "rounding": "nearest",
                "layers": (100,), "batch": 1, "shift": 0, "input_scale": 1.0, "weight_range": 10.0, "adc_range": 16.0,
            },
            only={
                **ERROR_DRIVEN,
                "readout": Only(("output",), "reads its output layer alone"),
                "nonlinearity": Only(("sigmoid",), "takes the slope of a sigmoid"),
                "box_place": Only(("inside",), "takes the slope of a sigmoid"),
            },
            looks_inside=True,
            output_layer=True,
            memory_bits=32,  # a digital copy of the weights
        ),
        "competitive": LearnerKind(
            "analog_ff.learners.competitive:Competitive",
            "one pass, groups of neurons compete for the class",
            options=(
                ReadoutOptions, FormatOptions, ArrayOptions, LocalOptions, GateOptions, CompetitionOptions, "temperature",
            ),
            recipe={"learning_rate": 0.03, "readout": "competition"},
            only={
                "readout": Only(("competition", "softmax"), "is shown no labels, so no label has a goodness"),
                "network": Only(
                    ("stack", "local", "convolution"), "is shown no labels, which a recurrent network takes at its top"
                ),
                "schedule": Only(("interleaved", "greedy"), "has no negatives to sleep with, and takes no stream of frames"),
            },
            goodness="sum-of-squares",
        ),
        "dimensionality": LearnerKind(
            "analog_ff.learners.dimensionality:DimensionalityLearner",
            "noisy copies, no negatives",
            options=(ReadoutOptions, ArrayOptions, LocalOptions, CopyOptions),
            recipe={"learning_rate": 4e-4, "readout_rate": 0.03},
            only={
                "readout": Only(("softmax",), "is shown no labels, so no label has a goodness"),
                "network": Only(
                    ("stack", "local", "convolution"), "is shown no labels, which a recurrent network takes at its top"
                ),
                "schedule": Only(("interleaved", "greedy"), "has no negatives to sleep with, and takes no stream of frames"),
            },
            goodness="sum",
        ),
        "feedback-alignment": LearnerKind(
            "analog_ff.learners.backprop:FeedbackAlignment",
            "errors through fixed random matrices",
            options=(ReadoutOptions, FormatOptions, ArrayOptions, "slope"),
            recipe={"learning_rate": 0.5},
            only=ERROR_DRIVEN,
        ),
        "forward-forward": LearnerKind(
            "analog_ff.learners.forward_forward:ForwardForward",
            "positives and negatives, a goodness a layer",
            options=(
                ReadoutOptions, FormatOptions, ArrayOptions, LocalOptions, GoodnessOptions, NegativesOptions,
                "label_strength", GateOptions, CollaborationOptions,
            ),
            only={
                "readout": Only(("softmax", "energy", "both"), "has no output layer, and no groups of neurons that compete")
            },
            streaming="analog_ff.learners.pipelined:Pipelined",
        ),
        "local-softmax": LearnerKind(
            "analog_ff.learners.local_softmax:LocalSoftmax",
            "a read-out a layer",
            options=(ReadoutOptions, FormatOptions, ArrayOptions, LocalReadoutOptions, "slope"),
            recipe={"learning_rate": 0.3},
            only=ERROR_DRIVEN,
        ),
        "node-perturbation": LearnerKind(
            "analog_ff.learners.node_perturbation:NodePerturbation",
            "random biases on all neurons",
            options=(ReadoutOptions, ArrayOptions, PerturbationOptions),
            recipe={"learning_rate": 0.03},
            only=ERROR_DRIVEN,
        ),
        "pepita": LearnerKind(
            "analog_ff.learners.pepita:Pepita",
            "the error modulates the input",
            options=(ReadoutOptions, FormatOptions, ArrayOptions, PepitaOptions),
            recipe={"learning_rate": 0.3},
            only={
                **ERROR_DRIVEN,
                "update": Only(
                    ("accumulate", "accumulate-int8"), "has inputs of both signs, for which pulse trains have none"
                ),
            },
        ),
        "random-features": LearnerKind(
            "analog_ff.learners.random_features:RandomFeatures",
            "frozen random layers",
            options=(ReadoutOptions, FormatOptions, "label_strength"),
            only={"readout": Only(("softmax",), "has frozen layers and no goodness to read")},
        ),
        "weight-perturbation": LearnerKind(
            "analog_ff.learners.weight_perturbation:WeightPerturbation",
            "random changes of all weights",
            options=(ReadoutOptions, "learning_rate", WeightPerturbationOptions),
            recipe={"learning_rate": 3e-4},
            only=ERROR_DRIVEN,
        ),
    }
)  # fmt: skip
"""Learners by name."""
