"""The former place of `hardware_models.energy.facts.limits`, which parameter files name as a source."""

from hardware_models.energy.facts.limits import floor, johnson, landauer, sampling

__all__ = ["floor", "johnson", "landauer", "sampling"]
