"""Choose the kind of synapses of a configuration."""

from __future__ import annotations

from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.base import Plasticity
from analog_ff.spiking.synapses.ideal import IdealSynapses


def synapses_of(config: SpikingConfig) -> Plasticity:
    """Return the kind of synapses in a configuration: numbers, crossbars pulsed exactly, or step tables."""
    if config.device == "none":
        return IdealSynapses()
    if config.chip == "table":
        from analog_ff.spiking.synapses.table import TableSynapses

        return TableSynapses(config)
    from analog_ff.spiking.synapses.crossbar import CrossbarSynapses

    return CrossbarSynapses(config)
