"""The former place of `analog_ff.improvement.ablation`."""

from analog_ff.improvement.ablation import ablate, cases, show

__all__ = ["ablate", "cases", "show"]
