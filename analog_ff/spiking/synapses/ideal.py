r"""Synapses that are numbers.

.. math:: v_j \leftarrow v_j + w_{ij}\ \text{(spike of i)}, \qquad w_{ij} \leftarrow w_{ij} + M_j x_i
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analog_ff.spiking.brian import Brian, BrianObject, Clock, NeuronGroup, Synapses
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.base import CHANGE, Plasticity, arrival, delays, inhibition, presynaptic


class IdealSynapses(Plasticity):
    """Synapses that are numbers: they have any weight and change by exactly the wanted amount."""

    def attach(
        self, b2: Brian, config: SpikingConfig, n: int, below: NeuronGroup, layer: NeuronGroup, initial: np.ndarray,
        space: Mapping[str, object], dt: Clock, period: Clock, learn: bool,
    ) -> tuple[Synapses, list[BrianObject]]:  # fmt: skip
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
            on_post=post if learn else None, on_event=events if learn else "spike", clock=dt,
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
