r"""The word lines of a layer's array: counts of reads in each presentation, and the read noise.

A spike of cell i below is one read pulse on word line i. All spikes of a clock step are one read of the array; with N
of them a membrane receives noise of variance

.. math:: \sigma_v^2 = 2 N \sigma_G^2/G_{unit}^2

(sigma_G the standard deviation of one cell's read, two cells a weight), drawn once a step. The sum of independent normal
numbers is normal, so this is exact as long as the variance is the same for all cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analog_ff.spiking.brian import Brian, BrianObject, Clock, NeuronGroup
from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.keys import Key
from hardware_models.tiles import Tiling

ROW = "row : 1"
"""Equation of cells that drive a word line: the sum of the line's conductances, in units of the layer's G_unit."""
HEARD = "heard : 1 (linked)"
"""Equation of cells with the same read noise for all devices: the number of spikes of this step in the layer below."""
NOISE, COUNT = 5, 6
"""Order within the synapses' slot of a step, after all spikes have arrived."""
TURNS = 4096


class Reads(NamedTuple):
    """Counted reads of one layer's array in each of k presentations, and the spikes of its cells."""

    spikes: np.ndarray  # (k,) read pulses, one for each spike below
    steps: np.ndarray  # (k,) clock steps with a read
    tile_steps: np.ndarray  # (k,) clock steps with a read, counted once for each row tile with a spike
    g: np.ndarray  # (k,) sum over read pulses of the conductance of the read row [G_unit]
    fired: np.ndarray  # (k,) spikes of the layer's cells


class Lines:
    """Brian2 objects that count the reads of layer n's array; `reads` returns the counts."""

    def __init__(
        self, b2: Brian, config: SpikingConfig, n: int, groups: tuple[NeuronGroup, NeuronGroup], tiling: Tiling,
        deviation: float | None, dt: Clock, period: Clock,
    ) -> None:  # fmt: skip
        """Count reads between groups (below, layer n); if the deviation of a pair's read is given, add its noise (`HEARD`)."""
        below, layer = groups
        lines = b2.NeuronGroup(1, "k : 1\nspikes : 1\ndriven : 1\ng : 1\nfired : 1", clock=dt, name=f"lines_{n}")
        tiles = b2.NeuronGroup(tiling.row_tiles, "k : 1\ndriven : 1", clock=dt, name=f"tiles_{n}")
        drive = b2.Synapses(below, lines, on_pre="k_post += 1\ng_post += row_pre", clock=dt, name=f"drive_{n}")
        drive.connect()
        split = b2.Synapses(
            below, tiles, on_pre="k_post += 1", clock=dt, namespace={"tile_rows": tiling.tile_rows}, name=f"split_{n}"
        )
        split.connect("j == i//tile_rows")
        out = b2.Synapses(layer, lines, on_pre="fired_post += 1", clock=dt, name=f"fired_{n}")
        out.connect()
        if config.delay:  # a row is driven when the spike arrives
            for way in (drive, split):
                way.pre.delay = f"{config.delay!r}*ms"
        after = {"clock": dt, "when": "synapses", "order": COUNT}
        lines.run_regularly("spikes += k\ndriven += int(k > 0)\nk = 0", name=f"count_lines_{n}", **after)
        tiles.run_regularly("driven += int(k > 0)\nk = 0", name=f"count_tiles_{n}", **after)
        if deviation is not None:
            layer.heard = b2.linked_var(lines, "k")
            layer.namespace["read_deviation"] = deviation
            layer.run_regularly(
                f"v += {heard_gain(config, n)}read_deviation*sqrt(heard)*randn()",
                clock=dt,
                when="synapses",
                order=NOISE,
                name=f"read_noise_{n}",
            )
        # The counts of a presentation are stored and reset in the first step of the next one.
        first = {"clock": period, "when": "start"}
        lines.run_regularly("spikes = 0\ndriven = 0\ng = 0\nfired = 0", order=0, name=f"new_lines_{n}", **first)
        tiles.run_regularly("driven = 0", order=0, name=f"new_tiles_{n}", **first)
        self._whole = b2.StateMonitor(
            lines, ["spikes", "driven", "g", "fired"], record=True, order=-1, name=f"record_lines_{n}", **first
        )
        self._tiles = b2.StateMonitor(tiles, "driven", record=True, order=-1, name=f"record_tiles_{n}", **first)
        self.objects: list[BrianObject] = [lines, tiles, drive, split, out, self._whole, self._tiles]

    def reads(self, presentations: int) -> Reads:
        """Return the counts of the first `presentations` presentations."""
        kept = slice(1, presentations + 1)
        whole, tiles = self._whole, np.asarray(self._tiles.driven[:], float)
        spikes, steps, g, fired = (
            np.asarray(counted[0], float)[kept] for counted in (whole.spikes, whole.driven, whole.g, whole.fired)
        )
        return Reads(spikes, steps, tiles[:, kept].sum(axis=0), g, fired)


def heard_gain(config: SpikingConfig, n: int) -> str:
    """Return Brian2 code for the factor on a charge that reaches a membrane of layer n, as the start of a product."""
    return "gain*" if n and config.pool == "divisive" else ""


def turns(config: SpikingConfig, n: int) -> np.ndarray:
    """Return random bits (TURNS,), one for each presentation: 1 moves the odd pulses to the other device of layer n's pairs.

    Crossbar.pulse changes sides at each call; if waking and sleeping presentations alternate, one device of a pair would
    otherwise get all odd pulses.
    """
    return Key(config.seed, "turns").child("layer", n).generator().integers(0, 2, TURNS)


def check_hardware(config: SpikingConfig, device: BaseDevice) -> None:
    """Raise UsageError if options of the run cannot be combined with an array of this device."""
    refused = (
        (config.dale, "--dale: a pair holds both signs"),
        (
            config.eligibility != "rank-1",
            f"--eligibility {config.eligibility}: an array has no memory for each synapse",
        ),
        (config.delay_spread > 0.0, "--delay-spread: a word line reaches all its cells at once"),
        (not device.trainable, f"device {device.name}, which is written once and not pulsed"),
    )
    for wrong, what in refused:
        if wrong:
            raise UsageError(f"synapses on a crossbar do not go with {what}.")


def read_deviation(device: BaseDevice, shape: tuple[int, int], weight_range: float) -> float | None:
    """Return the standard deviation of a pair's read [thresholds]; None without noise, NaN if it depends on the cell."""
    variance = device.read_variance(device.fabricate((1, 2), Key(0, "read noise")), 0.0)
    if np.ndim(variance) > 0:
        return float("nan")
    unit = device.g_range * np.sqrt(shape[0]) / weight_range
    return float(np.sqrt(2.0 * float(variance)) / unit) if variance else None


def phases_of(parts: Sequence[tuple[str, int]]) -> Mapping[str, slice]:
    """Return {phase: slice of presentations}, from (phase, number of presentations) in order."""
    ends = np.cumsum([0, *(n for _, n in parts)])
    return {name: slice(int(a), int(b)) for (name, _), a, b in zip(parts, ends[:-1], ends[1:], strict=True)}
