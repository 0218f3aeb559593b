r"""What stands between two groups of cells: how a spike arrives, and how a synapse changes.

A strategy of this kind is handed to `model.build`, which knows no devices. `attach` makes the synapses from one group to
the layer above it; `source` and `target` are equations that the strategy needs in the cells before and behind its
synapses. Here: synapses that are numbers,

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
"""Order of a change of the weights in the first step of a presentation; the other orders are those of `model`."""


class Plasticity(Protocol):
    """What `model.build` asks of synapses."""

    source: str  # equations of the cells that drive synapses
    target: str  # equations of the cells that synapses drive
    types: Mapping[str, Any]  # NumPy types of variables of these equations, where not the default

    def attach(
        self, b2: Any, config: SpikingConfig, n: int, below: Any, layer: Any, initial: np.ndarray,
        space: Mapping[str, Any], dt: Any, period: Any, learn: bool,
    ) -> tuple[Any, list[Any]]:  # fmt: skip
        """Return the synapses from `below` to layer n with first weights (inputs, cells), and more objects to run.

        dt and period are the clocks of a step and of a presentation.
        """
        ...


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


class IdealSynapses:
    """Synapses that are numbers: any weight, changed by exactly what is wanted."""

    source = ""
    target = ""
    types: Mapping[str, Any] = MappingProxyType({})

    def attach(
        self, b2: Any, config: SpikingConfig, n: int, below: Any, layer: Any, initial: np.ndarray,
        space: Mapping[str, Any], step: Any, period: Any, learn: bool,
    ) -> tuple[Any, list[Any]]:  # fmt: skip
        """Return the synapses from `below` to layer n, and no more objects."""
        first = b2.TimedArray(np.asarray(initial, float), dt=1 * b2.ms, name=f"table_first_{n}")
        x = f"{presynaptic(n)}_pre"
        paired = config.eligibility == "synaptic"
        wanted = f"w + M_post*{'el' if paired else x}"
        post = {"change": f"w = clip({wanted}, 0, inf)" if config.dale else f"w = {wanted}"}
        events = {"arrive": "spike", "change": "learn"}
        if paired:  # a spike of the cell meets the spikes of the input until then
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
    """Give the spikes that arrive their delays, uniform over synapses within mean plus and minus spread."""
    if config.delay_spread:
        low, width = config.delay - config.delay_spread, 2 * config.delay_spread
        synapses.arrive.delay = f"({low!r} + {width!r}*rand())*ms"
    else:
        synapses.arrive.delay = f"{config.delay!r}*ms"


def synapses_of(config: SpikingConfig) -> Any:
    """Return the synapses that a configuration names: numbers, crossbars pulsed exactly, or step tables."""
    if config.device == "none":
        return IdealSynapses()
    if config.chip == "table":
        from analog_ff.spiking.synapses.table import TableSynapses

        return TableSynapses(config)
    from analog_ff.spiking.synapses.crossbar import CrossbarSynapses

    return CrossbarSynapses(config)
