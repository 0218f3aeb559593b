"""Choices that do not go together, each refused in one sentence that names a valid one."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from analog_ff.objective.gate import ROUNDINGS
from analog_ff.runs.options import flag
from hardware_models.check import UsageError, positive_int, shown
from hardware_models.tables import closest

COPIES = ("copies", "copies_from", "copy_dropout", "projection")
"""Choices that belong to the learner dimensionality alone."""
AVERAGES = ("accumulate", "accumulate-int8")
"""Updates with a leaky average in digital memory."""
VERIFY = ("verify_rounds", "verify_reads", "verify_tolerance")
"""Choices that belong to the one write of the learner backprop-programmed."""
BELONGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "block": ("schedule", ("wake-sleep",)),
    "sleep": ("schedule", ("wake-sleep",)),
    "dither": ("slope", ("dither",)),
    "perturbation": ("slope", ("node-perturbation",)),
    "perturbations": ("slope", ("node-perturbation",)),
    "weight_perturbation": ("learner", ("weight-perturbation",)),
    "modulation": ("learner", ("pepita",)),
    "local_readout": ("learner", ("local-softmax",)),
    **dict.fromkeys(VERIFY, ("learner", ("backprop-programmed",))),
    "blurs": ("negatives", ("hybrid",)),
    "rollout_every": ("negatives", ("self-generated",)),
    "iterations": ("network", ("recurrent",)),
    "damping": ("network", ("recurrent",)),
    "patch": ("network", ("local", "convolution")),
    "stride": ("network", ("local", "convolution")),
    "slots": ("update", ("coincidence",)),
    "rounding": ("update", AVERAGES),
    "write_every": ("update", AVERAGES),
    **dict.fromkeys(("gate", "drive_bits"), ("learner", ("forward-forward",))),
    **dict.fromkeys(COPIES, ("learner", ("dimensionality",))),
}
"""Choice -> the choice, and its values, without which it would do nothing."""
ALSO: dict[str, tuple[str, str]] = dict.fromkeys(("perturbation", "perturbations"), ("learner", "node-perturbation"))
"""Choice -> another choice and its value with which it does something, too."""
ERROR_DRIVEN = (
    "backprop", "backprop-nominal", "backprop-programmed", "feedback-alignment", "backprop-sigmoid", "pepita",
    "local-softmax", "node-perturbation", "weight-perturbation",
)  # fmt: skip
"""Learners that follow the error of a read-out instead of comparing two passes."""
UNUSED: dict[str, tuple[str, ...]] = {
    "weight-perturbation": ("update", "momentum", "rounding", "write_every"),
    "backprop-programmed": ("update", "rounding", "write_every"),
}
"""Learner -> choices of the update that it does not make."""
LOCAL = ("peer", "slope", "dropout", "weight_decay")
"""Choices that belong to rules local to a layer."""
SOURCES = ("dropout", "read-noise")
LOCAL_READOUTS = ("trained", "fixed")
CONTRAST = ("theta", "temperature", "goodness", "regions", "negatives", "label_strength", "blurs", "rollout_every")
"""Choices that belong to a contrast of positives and negatives."""


def check_belongings(config: Any) -> None:
    """Refuse a choice that would do nothing with the others; `config` is a `Config`."""
    if config.readout == "output" and config.learner != "backprop-sigmoid":
        raise UsageError("--readout output belongs to --learner backprop-sigmoid: choose --readout softmax.")
    if config.drive_rounding not in ROUNDINGS:
        near = closest(config.drive_rounding, ROUNDINGS)
        raise UsageError(
            f"--drive-rounding is one of {', '.join(ROUNDINGS)}, got {shown(config.drive_rounding)}{near}."
        )
    if config.drive_rounding != "stochastic" and config.drive_bits is None:
        raise UsageError("--drive-rounding rounds a factor of so many bits: give --drive-bits, such as --drive-bits 2.")
    for f in fields(config):
        if f.name not in BELONGS or getattr(config, f.name) == f.default:
            continue
        parent, values = BELONGS[f.name]
        also, value = ALSO.get(f.name, (parent, None))
        if getattr(config, parent) not in values and getattr(config, also) != value:
            asked = f"{flag(parent)} {' or '.join(values)}"
            raise UsageError(f"{flag(f.name)} belongs to {asked}, not to {shown(getattr(config, parent))}.")


def check_dimensionality(config: Any) -> None:
    """Refuse choices that the learner dimensionality lacks, or that it alone has; `config` is a `Config`."""
    defaults = {f.name: f.default for f in fields(config)}
    changed = [name for name in CONTRAST if getattr(config, name) != defaults[name]]
    if config.learner != "dimensionality":
        return
    if config.projection is not None:
        positive_int("learner dimensionality", "--projection", config.projection, 0, min(config.layers))
    for name in changed:
        raise UsageError(
            f"learner dimensionality compares noisy copies and has neither threshold, labels nor negatives: "
            f"leave {flag(name)} out, or choose --learner forward-forward."
        )
    if config.readout != "softmax":
        raise UsageError(
            "learner dimensionality is shown no labels, so no label has a goodness: choose --readout softmax."
        )
    if config.network == "recurrent":
        raise UsageError(
            "learner dimensionality is shown no labels, which a recurrent network takes at its top: choose --network stack."
        )
    if config.schedule == "wake-sleep":
        raise UsageError(
            "learner dimensionality has no negatives to sleep with: choose --schedule interleaved or greedy."
        )
    if config.copies_from not in SOURCES:
        near = closest(config.copies_from, SOURCES)
        raise UsageError(f"--copies-from is one of {', '.join(SOURCES)}, got {shown(config.copies_from)}{near}.")
    if config.copies_from == "read-noise":
        if config.copy_dropout != defaults["copy_dropout"]:
            raise UsageError("--copy-dropout makes copies by dropout: choose --copies-from dropout.")
        if not config.read_noise:
            raise UsageError(
                "copies from the read noise need it on: leave --no-read-noise out, or choose --copies-from dropout."
            )


def check_error_driven(config: Any) -> None:
    """Refuse choices that learners with an error lack; `config` is a `Config`."""
    if config.learner not in ERROR_DRIVEN:
        return
    defaults = {f.name: f.default for f in fields(config)}
    for name in (*CONTRAST, *LOCAL):
        if getattr(config, name) != defaults[name]:
            raise UsageError(
                f"learner {config.learner} follows the read-out's error and has no {flag(name)}: leave it out, or choose "
                "--learner forward-forward."
            )
    for name in UNUSED.get(config.learner, ()):
        if getattr(config, name) != defaults[name]:
            raise UsageError(f"learner {config.learner} makes its own updates and has no {flag(name)}: leave it out.")
    if config.learner == "pepita" and config.update == "coincidence":
        raise UsageError(
            "learner pepita has inputs of both signs, for which pulse trains have none: choose --update accumulate."
        )
    if config.local_readout not in LOCAL_READOUTS:
        near = closest(config.local_readout, LOCAL_READOUTS)
        raise UsageError(
            f"--local-readout is one of {', '.join(LOCAL_READOUTS)}, got {shown(config.local_readout)}{near}."
        )
    if config.learner == "backprop-sigmoid":
        _check_sigmoid(config, defaults)
    if config.network != "stack":
        raise UsageError(f"learner {config.learner} trains a stack: choose --network stack.")
    if config.schedule != "interleaved":
        raise UsageError(f"learner {config.learner} learns from every batch at once: choose --schedule interleaved.")
    if config.readout != "softmax" and config.learner != "backprop-sigmoid":
        raise UsageError(f"learner {config.learner} has no goodness to read: choose --readout softmax.")
    if config.learner == "backprop" and (config.sealed or config.port != "local"):
        raise UsageError(
            "learner backprop looks up the chip's weights, which a sealed chip or one in another process does not allow: "
            "choose --learner backprop-nominal."
        )


def _check_sigmoid(config: Any, defaults: dict[str, Any]) -> None:
    """Refuse choices that a chip with its output layer on it lacks; `config` is a `Config`."""
    if config.nonlinearity != "sigmoid":
        raise UsageError(f"learner {config.learner} takes the slope of a sigmoid: choose --nonlinearity sigmoid.")
    if config.readout != "output":
        raise UsageError(f"learner {config.learner} reads its output layer alone: choose --readout output.")
    for name in ("readout_layers", "readout_rate", "readout_decay"):
        if getattr(config, name) != defaults[name]:
            raise UsageError(f"learner {config.learner} has no digital read-out to train: leave {flag(name)} out.")
    if config.sealed or config.port != "local":
        raise UsageError(
            f"learner {config.learner} looks up the chip's weights, which a sealed chip or one in another process does "
            "not allow: choose --learner backprop-nominal."
        )


def check_read_noise(config: Any, device: Any) -> None:
    """Refuse copies from the read noise of a device that has none."""
    if config.learner != "dimensionality" or config.copies_from != "read-noise":
        return
    from hardware_models.keys import Key

    cells = device.fabricate((8, 8), Key(config.chip_seed, "chip").child("read noise"))
    if not np.any(np.asarray(device.read_variance(cells, 0.0)) > 0.0):
        raise UsageError(f"device '{config.device}' reads without noise: choose --copies-from dropout.")
