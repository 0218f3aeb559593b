r"""Synapses between two groups of cells: the arrival of a spike, and the change of a synapse.

`model.build`, which knows no devices, gets a strategy of this kind. Its `attach` makes the synapses from one group to
the layer above it; `source` and `target` are equations that the strategy needs in the cells before and behind its
synapses. This module has the synapses that are numbers,

.. math:: v_j \leftarrow v_j + w_{ij}\ \text{(spike of i)}, \qquad w_{ij} \leftarrow w_{ij} + M_j x_i
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from analog_ff.spiking.config import SpikingConfig

CHANGE = 2
"""Order of a change of the weights within the first step of a presentation; `model` has the other orders."""


class Plasticity(Protocol):
    """Contract of the synapses that `model.build` uses."""

    source: str  # equations of the cells that drive synapses
    target: str  # equations of the cells that synapses drive
    types: Mapping[str, Any]  # NumPy types of those variables in these equations that do not have the default type

    def attach(
        self, b2: Any, config: SpikingConfig, n: int, below: Any, layer: Any, initial: np.ndarray,
        space: Mapping[str, Any], dt: Any, period: Any, learn: bool,
    ) -> tuple[Any, list[Any]]:  # fmt: skip
        """Return the synapses from `below` to layer n with first weights (inputs, cells), and further objects to run.

        dt and period are the clocks of a step and of a presentation.
        """
        ...


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


class IdealSynapses:
    """Synapses that are numbers: they have any weight and change by exactly the wanted amount."""

    source = ""
    target = ""
    types: Mapping[str, Any] = MappingProxyType({})

    def attach(
        self, b2: Any, config: SpikingConfig, n: int, below: Any, layer: Any, initial: np.ndarray,
        space: Mapping[str, Any], step: Any, period: Any, learn: bool,
    ) -> tuple[Any, list[Any]]:  # fmt: skip
        """Return the synapses from `below` to layer n, and no further objects."""
        first = b2.TimedArray(np.asarray(initial, float), dt=1 * b2.ms, name=f"table_first_{n}")
        x = f"{presynaptic(n)}_pre"
        paired = config.eligibility == "synaptic"
        wanted = f"w + M_post*{'el' if paired else x}"
        post = {"change": f"w = clip({wanted}, 0, inf)" if config.dale else f"w = {wanted}"}
        events = {"arrive": "spike", "change": "learn"}
        if paired:  # at a spike of the cell, its input's spikes so far are added to the trace
            post["pair"], events["pair"] = f"el += {x}", "spike"
        synapses = b2.Synapses(
            below, layer, "w : 1\nel : 1" if paired and learn else "w : 1", on_pre={"arrive": arrival(config, n)},
            on_post=post if learn else None, on_event=events if learn else "spike", clock=step,
            namespace={**space, "FIRST": first, "inhibition": inhibition(config, n, initial.shape[0])},
            name=f"synapses_{n}",
        )  # fmt: skip
        synapses.connect()
        synapses.w = "FIRST((i + 0.5)*ms, j)"
        if config.delay:
            delays(synapses, config)
        if learn:
            synapses.change.when, synapses.change.order = "start", CHANGE
            if paired:
                synapses.run_regularly("el = 0", clock=period, when="start", order=CHANGE + 1, name=f"unpair_{n}")
        return synapses, []


def delays(synapses: Any, config: SpikingConfig) -> None:
    """Set the delays of arriving spikes, uniformly distributed over synapses between mean - spread and mean + spread."""
    if config.delay_spread:
        low, width = config.delay - config.delay_spread, 2 * config.delay_spread
        synapses.arrive.delay = f"({low!r} + {width!r}*rand())*ms"
    else:
        synapses.arrive.delay = f"{config.delay!r}*ms"


def synapses_of(config: SpikingConfig) -> Any:
    """Return the kind of synapses in a configuration: numbers, crossbars pulsed exactly, or step tables."""
    if config.device == "none":
        return IdealSynapses()
    if config.chip == "table":
        from analog_ff.spiking.table_synapses import TableSynapses

        return TableSynapses(config)
    from analog_ff.spiking.crossbar_synapses import CrossbarSynapses

    return CrossbarSynapses(config)
