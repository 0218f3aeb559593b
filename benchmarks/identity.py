"""Identity of a stored result: the key of its run, and the check that a run would give the same today.

The key covers everything that decides a result: the resolved configuration (recipes included; options at their defaults are
left out, so that a new option does not change old keys), digests of the inputs (the figures of its devices, its data,
files that it names) and the version of the model (`analog_ff.runs.model`). A changed default raises that version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

from analog_ff.config.choices import Choices
from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import NEGATED, read
from analog_ff.datasets import load
from analog_ff.datasets.checksums import CHECKSUMS
from analog_ff.runs.build import device_of
from analog_ff.runs.further_arrays import fast_device_of
from analog_ff.runs.model import MODEL, changes_since
from analog_ff.spiking.config import SpikingConfig
from hardware_models.devices.base import BaseDevice

TEXTS = ("name", "source", "assumptions")
"""Entries of a device that are not figures."""
PRICED = ("c_gate",)
"""Figures of a device that decide its energy alone, which is computed from stored counts with the figures of today."""
OF_DEVICE = ("device", "program_to", "read_noise", "write_noise", "device_spread", "step_nonlinearity", "endurance",
             "endurance_spread", "retention", "read_time", "johnson_noise", "chip_temperature", "weight_range",
             "input_scale", "access_transistor")  # fmt: skip
"""Options that decide the device of a run."""
_DEVICES: dict[tuple[Any, ...], str] = {}
FILES = ("fault_map", "nonlinearity", "negatives")
"""Options that may name a user's file, which the run then reads."""


def digest(value: Any) -> str:
    """Return a short SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def resolved(command: str, options: Mapping[str, Any]) -> Choices:
    """Return the configuration of a point: the recipe, replaced by its options as the command line reads them."""
    kind = SpikingConfig if command == "spiking" else Config
    chosen: dict[str, Any] = {}
    for name, value in options.items():
        field = name.replace("-", "_")
        if field.startswith(NEGATED) and isinstance(value, bool):
            chosen[field.removeprefix(NEGATED)] = not value
        else:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            chosen.update([read(kind, name, text)])
    return SpikingConfig(**chosen) if kind is SpikingConfig else Config(**recommended(chosen))


def key(command: str, config: Choices) -> dict[str, Any]:
    """Return the key of a run: {"model", "configuration", "inputs": {what: digest}}."""
    plain = config.as_dict()
    defaults = {f.name: list(f.default) if isinstance(f.default, tuple) else f.default for f in fields(config)}
    changed = {n: v for n, v in plain.items() if n not in config.not_in_hash and v != defaults[n]}
    inputs = {"data": _data(plain["data"])}
    for what in ("device", "program_to"):
        if plain.get(what) not in (None, "none"):
            inputs[what] = _device(config, plain, what)
    if isinstance(config, Config) and (fast := fast_device_of(config)) is not None:
        inputs["fast_device"] = digest(figures(fast, access_transistor=bool(plain.get("access_transistor"))))
    for what in FILES:
        path = Path(str(plain.get(what)).rpartition(":")[0] if what != "fault_map" else str(plain.get(what)))
        if path.is_file():
            inputs[what] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return {"model": MODEL, "configuration": digest([command, changed]), "inputs": inputs}


def _device(config: Choices, plain: Mapping[str, Any], what: str) -> str:
    """Return the digest of the figures of a device of a run (its own, or that of its written weights); `plain` holds options."""
    place = (what, *(plain.get(name) for name in OF_DEVICE))
    if place not in _DEVICES:  # about a thousand points share a few devices
        known = config if isinstance(config, Config) else Config(device=plain[what])
        device = device_of(known, written_once=what == "program_to")
        _DEVICES[place] = digest(figures(device, access_transistor=bool(plain.get("access_transistor"))))
    return _DEVICES[place]


def figures(device: BaseDevice, *, access_transistor: bool = False) -> dict[str, Any]:
    """Return the model of a device and every figure that differs from the model's default.

    The resistance of an access transistor decides nothing in a run that leaves the transistor out.
    """
    left_out = (*TEXTS, *PRICED, *(() if access_transistor else ("r_access",)))
    defaults = {f.name: list(f.default) if isinstance(f.default, tuple) else f.default for f in fields(device)}
    of_the_model = device.__dataclass_fields__.keys() - defaults.keys()  # figures that all devices of the model share
    kept = {
        name: value
        for name, value in device.describe().items()
        if name not in left_out and name not in of_the_model and value != defaults.get(name, MISSING)
    }
    return json.loads(json.dumps(kept))


@cache
def _data(name: str) -> str:
    """Return a digest of a data set: of its arrays, or of the published checksums with which its files are compared."""
    if name in CHECKSUMS:
        return digest(CHECKSUMS[name])
    if name == "cifar-10":  # the files are the user's own and not known to the repository
        return "cifar-10"
    found = hashlib.sha256()
    data = load(name)
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:16]


def out_of_date(command: str, options: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """Return the reasons why a run with these options would not give the stored result today; empty if it would."""
    config = resolved(command, options)
    now, then = key(command, config), stored.get("key")
    if then is None:
        return ["it was stored without a key"]
    reasons = []
    if now["configuration"] != then["configuration"]:
        reasons.append("another configuration")
    for what in sorted(now["inputs"].keys() | then["inputs"].keys()):
        if now["inputs"].get(what) != then["inputs"].get(what):
            reasons.append(f"{what} changed")
    reasons += [change.what for change in changes_since(then["model"], command, config.as_dict())]
    return reasons


def older(found: Mapping[str, Any], command: str, choices: Mapping[str, Any] = {}) -> str:
    """Return the mark of a result whose model version ("model", default 1) is older than a change that affects it; else ""."""
    changes = changes_since(found.get("model", 1), command, choices)
    commits = dict.fromkeys(change.before for change in changes)
    return (
        f"before the correction, commit {', '.join(commits)}: {'; '.join(c.what for c in changes)}" if changes else ""
    )
