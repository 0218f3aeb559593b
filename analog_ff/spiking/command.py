"""The former place of the command `spiking`, which is in `analog_ff.spike` now."""

from analog_ff.spike import app, main, spiking

__all__ = ["app", "main", "spiking"]
