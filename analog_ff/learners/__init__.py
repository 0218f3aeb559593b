"""Who changes the network: each learner sees a port and returns the events it caused."""

from __future__ import annotations

from types import MappingProxyType

LEARNERS = MappingProxyType(
    {
        "backprop": "analog_ff.learners.backprop:Backprop",
        "backprop-nominal": "analog_ff.learners.backprop:NominalBackprop",
        "backprop-programmed": "analog_ff.learners.programmed_backprop:ProgrammedBackprop",
        "backprop-sigmoid": "analog_ff.learners.sigmoid_backprop:SigmoidBackprop",
        "dimensionality": "analog_ff.learners.dimensionality:DimensionalityLearner",
        "feedback-alignment": "analog_ff.learners.backprop:FeedbackAlignment",
        "forward-forward": "analog_ff.learners.forward_forward:ForwardForward",
        "local-softmax": "analog_ff.learners.local_softmax:LocalSoftmax",
        "node-perturbation": "analog_ff.learners.node_perturbation:NodePerturbation",
        "pepita": "analog_ff.learners.pepita:Pepita",
        "random-features": "analog_ff.learners.random_features:RandomFeatures",
        "weight-perturbation": "analog_ff.learners.weight_perturbation:WeightPerturbation",
    }
)
"""Learners by name."""

STREAMING = MappingProxyType({"forward-forward": "analog_ff.learners.pipelined:Pipelined"})
"""What learns from a stream of frames (schedule pipelined), by the learner's name."""
