"""What stands between two groups of cells: how a spike arrives, and how a synapse changes.

A strategy of this kind is handed to `model.build`, which knows no devices. `attach` makes the synapses from one group to
the layer above it; `source` and `target` are equations that the strategy needs in the cells before and behind its
synapses.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from analog_ff.spiking.brian import Brian, BrianObject, Clock, NeuronGroup, Synapses
from analog_ff.spiking.config import SpikingConfig
from hardware_models.devices.base import BaseDevice
from hardware_models.events import Ledger

CHANGE = 2
"""Order of a change of the weights in the first step of a presentation; the other orders are those of `model`."""


class Hardware(NamedTuple):
    """What a run on a device leaves behind besides."""

    ledger: Ledger  # learn, infer (all labels of the test images), monitor (the recorded presentations), program
    device: BaseDevice
    cells: list[Mapping[str, float | None]]  # what the bench sees of each layer


class Plasticity(ABC):
    """What `model.build` asks of synapses."""

    source: str = ""  # equations of the cells that drive synapses
    target: str = ""  # equations of the cells that synapses drive
    types: Mapping[str, type[np.generic]] = MappingProxyType(
        {}
    )  # of variables of these equations, where not the default

    @abstractmethod
    def attach(
        self, b2: Brian, config: SpikingConfig, n: int, below: NeuronGroup, layer: NeuronGroup, initial: np.ndarray,
        space: Mapping[str, object], dt: Clock, period: Clock, learn: bool,
    ) -> tuple[Synapses, list[BrianObject]]:  # fmt: skip
        """Return the synapses from `below` to layer n with first weights (inputs, cells), and more objects to run.

        dt and period are the clocks of a step and of a presentation.
        """

    def hardware(self, parts: Sequence[tuple[str, int]]) -> Hardware | None:
        """Return what the run leaves behind on a device, None where synapses are numbers; after the run.

        parts : (phase, presentations) in the order shown.
        """
        del parts
        return None


def presynaptic(n: int) -> str:
    """Return the variable of the cells below layer n that plasticity sees: counts, or counts of which G is taken out."""
    return "x" if n == 0 else "xn"


def arrival(config: SpikingConfig, n: int, weight: str = "w") -> str:
    """Return what a spike does to a cell of layer n, as Brian2 code, where the synapse's weight is `weight`.

    Uniform inhibition is subtracted from every spike; a divisive pool scales it by the cell's present `gain`.
    """
    effect = f"({weight} - inhibition)" if inhibition(config, n, 1) else weight
    return f"v_post += {effect}*gain_post" if n and config.pool == "divisive" else f"v_post += {effect}"


def inhibition(config: SpikingConfig, n: int, inputs: int) -> float:
    r"""Return what every spike takes from all cells of layer n, whatever its synapse [thresholds].

    Under Dale's law the mean of the first weights, :math:`\sqrt{2/\pi}` of their deviation; of a subtractive pool its gain
    by the square root of the inputs.
    """
    dale = math.sqrt(2.0 / math.pi) * config.initial if config.dale else 0.0
    pool = config.pool_gain if n and config.pool == "subtractive" else 0.0
    return (dale + pool) / math.sqrt(inputs)


def delays(synapses: Synapses, config: SpikingConfig) -> None:
    """Give the spikes that arrive their delays, uniform over synapses within mean plus and minus spread."""
    if config.delay_spread:
        low, width = config.delay - config.delay_spread, 2 * config.delay_spread
        synapses.arrive.delay = f"({low!r} + {width!r}*rand())*ms"
    else:
        synapses.arrive.delay = f"{config.delay!r}*ms"
