"""Options of a spiking run that an NIR file cannot express; they are refused if the exported network would differ.

Properties that are only omitted (because they act in training, or because the user of the file provides them) give a notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError


def check(config: SpikingConfig, path: str | Path) -> None:
    """Raise UsageError if a network of this configuration cannot be exported to the file `path`."""
    path = Path(path)
    if config.refractory:
        raise UsageError(
            f"NIR's LIF has no refractory period: export needs --refractory 0, got {config.refractory:g} ms."
        )
    if config.adaptation:
        raise UsageError(f"NIR's LIF has a constant threshold: export needs --adaptation 0, got {config.adaptation:g}.")
    if config.delay_spread:
        raise UsageError(
            "NIR's Delay is one per cell, not per synapse: export needs --delay-spread 0, "
            f"got {config.delay_spread:g} ms."
        )
    if path.exists():
        raise UsageError(f"{path} exists already: give the NIR file another name.")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} of the NIR file does not exist.")


def notices(config: SpikingConfig, gains: Sequence[float]) -> list[str]:
    """Return one sentence for each property of this run that the NIR file omits or holds as a constant."""
    said = [
        f"The NIR file holds for a clock step of {config.step:g} ms (R = tau/dt); scale R for another.",
        "Plasticity (traces, third factor, learning rate) is not in the NIR file: its weights are fixed.",
        f"The goodness ({config.goodness}) is not in the NIR file: form it outside from the spike counts of each layer.",
        f"The {config.encoder} encoder is not in the NIR file: its input is spikes.",
    ]
    if not config.online:
        said.append(
            "The reset between presentations is not in the NIR file: set all membranes to 0 before each of "
            f"{config.present:g} ms."
        )
    if config.reset == "subtract":
        said.append(
            "NIR's LIF resets to v_reset while this network subtracts the threshold: that stands in the metadata alone, "
            "and --reset hard avoids it."
        )
    if gains:
        shown = ", ".join(f"{g:.4g}" for g in gains)
        said.append(f"The divisive pool is frozen at its mean gain: {shown} in front of layer 2 and above.")
    if config.dale or (config.pool == "subtractive" and len(config.layers) > 1):
        said.append(
            "The uniform inhibition that comes with every spike is subtracted from the weights of the NIR file."
        )
    if config.noise:
        said.append(f"The membrane noise of {config.noise:g} is not in the NIR file: its cells are noiseless.")
    if config.device != "none":
        said.append(f"The device {config.device} is not in the NIR file: its weights are those read at the export.")
    return said
