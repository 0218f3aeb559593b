"""The arrays of a run's chip beside the main ones: what its update scheme asks for."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from analog_ff.config.array_parts import CellChoices
from analog_ff.config.config import Config
from analog_ff.config.together import settings
from analog_ff.learners import LEARNERS
from analog_ff.plain import Document, Facts
from analog_ff.registry.options import flag
from analog_ff.registry.rows import UpdateKind
from analog_ff.runs.run_device import loaded_device
from analog_ff.updates import UPDATES
from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.load import load_device

if TYPE_CHECKING:
    from hardware_models.chip.designs import Design

FAST = "fast"
REST = 0.5
"""Rest of fast cells that are given a leak which their device does not have, as a share of their range."""


def update_of(choices: Facts) -> UpdateKind | None:
    """Return the row of the update of a run with these choices, None for a learner that has none."""
    learner = LEARNERS.get(str(choices.get("learner")))
    if learner is None or "update" not in learner.reads:
        return None
    return UPDATES.get(str(choices.get("update")))


def further(choices: Facts) -> tuple[str, ...]:
    """Return the names of the arrays that a layer of a run with these choices has beside the main one."""
    row = update_of(choices)
    if row is None or not row.arrays:
        return ()
    return (*row.arrays, *(("reference",) if choices.get("cancel") == "zero-shift" else ()))


def switched(device: BaseDevice, config: CellChoices) -> BaseDevice:
    """Return a device without the effects that a run has switched off."""
    switches = {"read_noise": config.read_noise, "write_noise": config.write_noise, "spread": config.device_spread,
                "nonlinearity": config.step_nonlinearity}  # fmt: skip
    return device if all(switches.values()) else device.without(**{name: not on for name, on in switches.items()})


def fast_device_of(config: Config) -> BaseDevice | None:
    """Return the device of a run's fast cells; None for an update without a fast array.

    Where it is that of the run it has the single figures that the run replaces; a device of its own name has those of its file.
    """
    row = update_of(vars(config))
    if row is None or not row.arrays:
        return None
    chosen = settings(config, "update")
    name = chosen["fast_device"] or row.fast_device
    device = switched(load_device(name) if name else loaded_device(config), config)
    if not device.trainable:
        raise UsageError(
            f"device '{name or config.device}' is written once and verified: choose another {flag('fast_device')}."
        )
    leak = chosen.get("leak_time")
    return device if leak is None else _leaking(device, leak)


def _leaking(device: BaseDevice, seconds: float) -> BaseDevice:
    """Return a device that forgets with a time constant [s]."""
    if "tau" in {f.name for f in fields(device)}:
        return replace(device, tau=seconds)  # type: ignore[call-arg]
    from hardware_models.devices.retention import Retention  # brings the compiled loops with it

    return Retention.around(device, tau=seconds, rest=REST)


def left_out(config: Config) -> str:
    """Return a sentence on the arrays of a run that a file of its cells does not hold; empty if it holds all."""
    if not (names := further(vars(config))):
        return ""
    which = " and ".join(names)
    return (
        f"not in this file, for each layer: cells of {which}, on which update {config.update} gathers; inference reads the "
        "main array alone, and the checkpoint of the run holds all cells."
    )


def further_described(config: Config) -> Document:
    """Return the descriptions of the devices of a run's further arrays, by array."""
    fast = fast_device_of(config)
    if fast is None:
        return {}
    main = switched(loaded_device(config), config)
    return {name: (fast if name == FAST else main).describe() for name in further(vars(config))}


def arrays_of(config: Config, device: BaseDevice, layers: int) -> dict[int, dict[str, Design]]:
    """Return the designs of the arrays beside the main one, whose device is `device`, by layer and name."""
    fast = fast_device_of(config)
    if fast is None:
        return {}
    from hardware_models.chip.designs import Design  # its package brings the compiled loops with it

    one = Design(fast, settings(config, "update")["fast_cells"] == "single-ended")
    made = {name: one if name == FAST else Design(device) for name in further(vars(config))}
    return dict.fromkeys(range(layers), made)
