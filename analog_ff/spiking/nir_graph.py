"""The former place of files of spiking networks in the form NIR, which are in `analog_ff.spiking.nir.graph` now."""

from analog_ff.spiking.nir.graph import NirLayer, NirNetwork, check, export, export_run, frozen_gains, load, spikes

__all__ = ["NirLayer", "NirNetwork", "check", "export", "export_run", "frozen_gains", "load", "spikes"]
