"""The identity of a run: everything that decides its result, as digests. Equal keys are equal results.

The key covers the configuration (options at their defaults are left out, so that a new option does not change old keys), the
inputs (the figures of its devices, its data, files that it names) and the version of the model (`analog_ff.runs.model`). A
changed default raises that version.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path

from analog_ff.config.choices import Choices
from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.datasets.checksums import CHECKSUMS
from analog_ff.plain import Document, Facts
from analog_ff.runs.build import device_of
from analog_ff.runs.further_arrays import fast_device_of, further
from analog_ff.runs.model import MODEL
from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.files import home
from hardware_models.nonlinearities.base import MEASURED
from hardware_models.nonlinearities.recorded import LOOKUP
from hardware_models.places import placed
from hardware_models.protocol.links import programs
from hardware_models.user_faults import guarded

TEXTS = ("name", "source", "assumptions")
"""Entries of a device that are not figures."""
PRICED = ("c_gate",)
"""Figures of a device that decide its energy alone, which is computed from stored counts with the figures of today."""
OF_DEVICE = ("device", "program_to", "read_noise", "write_noise", "device_spread", "step_nonlinearity", "endurance",
             "endurance_spread", "retention", "failure_time", "failure_high", "read_time", "johnson_noise", "chip_temperature",
             "weight_range", "input_scale", "access_transistor", "figures", "learner", "update",
             "fast_device", "leak_time")  # fmt: skip
"""Options that decide the devices of a run."""
FAST = "fast_device"
"""Option that names the device of fast cells, which an update may have of itself."""
DEVICES = ("device", "program_to", FAST)
"""Options that name a device."""
FILES = ("fault_map", "nonlinearity", "negatives", "conductances")
"""Options that may name a user's file, which the run then reads."""
BOXES = ("nonlinearity", "port")
"""Options that may name the command of a box outside of this project, whose files then decide what it answers."""
Version = tuple[int, ...]
"""Time of the last change [ns] and size [B] of a file; empty if there is no file."""
_DEVICES: dict[str, str] = {}


def digest(value: object) -> str:
    """Return a short SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def key(command: str, config: Choices) -> Document:
    """Return the key of a run: {"model", "configuration", "inputs": {what: digest}}.

    Raises UsageError for a device or data that cannot be read.
    """
    plain = config.as_dict()
    defaults = {f.name: list(f.default) if isinstance(f.default, tuple) else f.default for f in fields(config)}
    changed = {n: v for n, v in plain.items() if n not in config.not_in_hash and v != defaults[n]}
    inputs = {"data": _data(plain["data"], plain.get("label_column"), _version(plain["data"]))}
    for what in DEVICES:
        if plain.get(what) not in (None, "none") or (what == FAST and further(plain)):
            inputs[what] = _device(config, plain, what)
            if (code := _file(plain[what])) is not None and code.suffix == ".py":
                inputs[f"{what} code"] = _short(code.read_bytes())
    for what in FILES:
        if (path := _file(plain.get(what))) is not None:
            inputs[what] = _short(path.read_bytes())
    for what in BOXES:
        if found := programs(str(plain.get(what, ""))):
            inputs[f"{what} programs"] = digest([_short(path.read_bytes()) for path in found])
    return {"model": MODEL, "configuration": digest([command, changed]), "inputs": inputs}


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _file(value: object) -> Path | None:
    """Return the file that an option names: ``map.npz``, ``file.py:function``, ``measured:FILE`` or ``lookup:FILE``, or None."""
    text = value if isinstance(value, str) else ""
    for name in (text, text.rpartition(":")[0], text.removeprefix(MEASURED), text.removeprefix(LOOKUP)):
        if name and (path := placed(home(name))).is_file():
            return path
    return None


def _version(value: object) -> Version:
    """Return the version of the file that an option names, so that a value computed from it can be kept."""
    if (path := _file(value)) is None:
        return ()
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _device(config: Choices, plain: Facts, what: str) -> str:
    """Return the digest of the figures of a device of a run, named by the option `what`; `plain` holds options."""
    options, files = [plain.get(name) for name in OF_DEVICE], [_version(plain.get(name)) for name in DEVICES]
    place = digest([what, options, files])
    if place not in _DEVICES:  # about a thousand points share a few devices
        known = config if isinstance(config, Config) else Config(device=plain[what])
        with guarded(UsageError):
            fast = fast_device_of(known) if what == FAST else None
            device = device_of(known, written_once=what == "program_to") if fast is None else fast
            _DEVICES[place] = digest(figures(device, access_transistor=bool(plain.get("access_transistor"))))
    return _DEVICES[place]


def figures(device: BaseDevice, *, access_transistor: bool = False) -> Document:
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
    plain: Document = json.loads(json.dumps(kept))
    return plain


@cache
def _data(name: str, label_column: str | None, version: Version) -> str:
    """Return a digest of a data set: of its arrays, or of the published checksums with which its files are compared."""
    del version
    if name in CHECKSUMS:
        return digest(CHECKSUMS[name])
    if name == "cifar-10":  # the files are the user's own and not known to the repository
        return "cifar-10"
    found = hashlib.sha256()
    data = load(name, label_column=label_column)
    for array in (data.x_train, data.y_train, data.x_test, data.y_test):
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:16]
