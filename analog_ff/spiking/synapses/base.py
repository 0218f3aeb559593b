"""Synapses between two groups of cells: the arrival of a spike, and the change of a synapse.

`model.build`, which knows no devices, gets a strategy of this kind. Its `attach` makes the synapses from one group to
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
"""Order of a change of the weights within the first step of a presentation; `model` has the other orders."""


class LayerCells(NamedTuple):
    """The cells of one layer's array after the run, as an inspection finds them."""

    figures: Mapping[str, float | None]
    conductance: np.ndarray  # (rows, bit lines), G+ and G- alternating [S]
    pulses: np.ndarray | None  # received by each cell since fabrication [1]; None if not counted cell by cell


class Hardware(NamedTuple):
    """Further results of a run whose synapses are devices."""

    ledger: Ledger  # phases learn, infer (all labels of the test images), monitor (recorded presentations), program
    device: BaseDevice
    cells: list[LayerCells]  # of each layer


class Plasticity(ABC):
    """Contract of the synapses that `model.build` uses."""

    source: str = ""  # equations of the cells that drive synapses
    target: str = ""  # equations of the cells that synapses drive
    types: Mapping[str, type[np.generic]] = MappingProxyType({})  # of variables that do not have the default type

    @abstractmethod
    def attach(
        self, b2: Brian, config: SpikingConfig, n: int, below: NeuronGroup, layer: NeuronGroup, initial: np.ndarray,
        space: Mapping[str, object], dt: Clock, period: Clock, learn: bool,
    ) -> tuple[Synapses, list[BrianObject]]:  # fmt: skip
        """Return the synapses from `below` to layer n with first weights (inputs, cells), and further objects to run.

        dt and period are the clocks of a step and of a presentation.
        """

    def hardware(self, parts: Sequence[tuple[str, int]]) -> Hardware | None:
        """Return the further results after the run; None if the synapses are numbers.

        parts : (phase, number of presentations) in the order in which they were shown.
        """
        del parts
        return None


def presynaptic(n: int) -> str:
    """Return the variable of the cells below layer n that plasticity uses: counts, or counts divided by their length."""
    return "x" if n == 0 else "xn"


def arrival(config: SpikingConfig, n: int, weight: str = "w") -> str:
    """Return Brian2 code for the effect of a spike on a cell of layer n through a synapse of weight `weight`.

    Uniform inhibition is subtracted from the weight; a divisive pool multiplies the effect by the cell's present `gain`.
    """
    effect = f"({weight} - inhibition)" if inhibition(config, n, 1) else weight
    return f"v_post += {effect}*gain_post" if n and config.pool == "divisive" else f"v_post += {effect}"


def inhibition(config: SpikingConfig, n: int, inputs: int) -> float:
    r"""Return the uniform inhibition [thresholds] that every spike subtracts from all cells of layer n.

    Under Dale's law it is the mean of the first weights, :math:`\sqrt{2/\pi}` times their standard deviation; for a subtractive
    pool it is the pool's gain divided by the square root of the number of inputs.
    """
    dale = math.sqrt(2.0 / math.pi) * config.initial if config.dale else 0.0
    pool = config.pool_gain if n and config.pool == "subtractive" else 0.0
    return (dale + pool) / math.sqrt(inputs)


def delays(synapses: Synapses, config: SpikingConfig) -> None:
    """Set the delays of arriving spikes, uniformly distributed over synapses between mean - spread and mean + spread."""
    if config.delay_spread:
        low, width = config.delay - config.delay_spread, 2 * config.delay_spread
        synapses.arrive.delay = f"({low!r} + {width!r}*rand())*ms"
    else:
        synapses.arrive.delay = f"{config.delay!r}*ms"
