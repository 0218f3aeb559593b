"""Makers of negatives by name: one row each, with its options."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from analog_ff.registry.options import option
from analog_ff.registry.rows import Kind


@dataclass(frozen=True, kw_only=True)
class BlurOptions:
    """Options of hybrid images."""

    blurs: int = option(6, "times that the mask of a hybrid image is blurred", low=0, high=100)


@dataclass(frozen=True, kw_only=True)
class RolloutOptions:
    """Options of negatives that the network makes itself."""

    rollout_every: int = option(200, "batches between two roll-outs", low=1, high=10**9)


NEGATIVES = MappingProxyType(
    {
        "hard": Kind("analog_ff.objective.negatives:HardNegatives", "wrong labels that the read-out believes"),
        "random": Kind("analog_ff.objective.negatives:RandomNegatives", "any wrong label"),
        "hybrid": Kind(
            "analog_ff.objective.hybrid:Hybrid", "two images under a mask, no labels", options=(BlurOptions,)
        ),
        "self-contrastive": Kind(
            "analog_ff.objective.self_contrastive:SelfContrastive", "an image with another one, no labels"
        ),
        "self-generated": Kind(
            "analog_ff.objective.self_generated:SelfGenerated", "predicted strings", options=(RolloutOptions,)
        ),
    }
)
"""Makers of negatives by name; each has a class method ``of(setting)``."""
