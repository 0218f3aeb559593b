"""A user's class as a device: whatever keeps it from being one is said in one sentence, with the line that would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hardware_models import user_code
from hardware_models.check import UsageError, shown
from hardware_models.devices.adapted import adapted
from hardware_models.devices.base import BaseDevice, Device, declared

_USED = ("name", "g_min", "g_max", "g_range", "states", "v_read", "t_read", "v_up", "t_up", "v_down", "t_down", "access",
         "conductance", "read_variance", "wait", "without", "describe")  # fmt: skip
"""Members that a run uses of every device."""
NEEDED = MappingProxyType(
    {"g_min": "lowest conductance", "g_max": "highest conductance", "states": "pulses from the lowest to the highest"}
)
"""Figures that every device gives itself, in words."""


def without_class(file: str) -> UsageError:
    """Return the error of a Python file that is named without a class: it lists what could be written, and runs nothing."""
    found = [f"{file}:{name}" for name in user_code.classes(Path(file), "device")]
    right = f": say {' or '.join(found)}" if found else ", and it defines none (docs/how-to/plug-in.md has an example)"
    return UsageError(f"device {shown(file, 200)} is a file without the name of a class{right}.")


def _idle(kind: type) -> list[str]:
    """Return the numbers that a class writes down without being a dataclass: its parent's would be used in their place."""
    if not issubclass(kind, BaseDevice) or {"__dataclass_fields__", "__init__"} & vars(kind).keys():
        return []
    said = {n: str(v) for n, v in vars(kind).get("__annotations__", {}).items()}
    known = {f.name for f in fields(kind)} | {n for n, v in said.items() if "ClassVar" not in v}
    return [
        n for n in dict.fromkeys((*vars(kind), *said)) if n in known and not isinstance(vars(kind).get(n), property)
    ]


def _unmade(kind: type) -> str | None:
    """Return the figures without a value that keep a class from being made, with lines that give them one; None without any."""
    if not issubclass(kind, BaseDevice):
        return None
    missing = [f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING]
    if not missing:
        return None
    named = ", ".join(f"{name} ({NEEDED[name]})" if name in NEEDED else name for name in missing)
    lines = "; ".join(_line(name, declared(kind)[name]) for name in missing)
    return f"lacks a value of {named}; write into the class, each with its number: {lines}"


def _line(name: str, said: Mapping[str, Any]) -> str:
    """Return the line that declares a figure in a class; its value stands as three dots."""
    return f'{name}: float = si("{said["unit"]}", {said["low"]:g}, {said["high"]:g}, ...)' if said else f"{name} = ..."


def pulsed(made: Device) -> bool:
    """Tell whether both methods are a device's own: `BaseDevice` has them as words only."""
    own = (BaseDevice.fabricate, BaseDevice.pulse)
    return not isinstance(made, BaseDevice) or not {type(made).fabricate, type(made).pulse} & set(own)


def checked(spec: str, made: object) -> BaseDevice:
    """Return the device that a user's class, or an object of it, stands for; raise UsageError in one sentence if it is none."""
    if isinstance(made, type):
        if not all(callable(getattr(made, name, None)) for name in ("fabricate", "pulse")):
            raise UsageError(f"device '{spec}' needs the methods fabricate and pulse.")
        if idle := _idle(made):
            raise UsageError(
                f"device '{spec}' is no dataclass, so that its {', '.join(idle)} would not count: write "
                "@dataclass(frozen=True, kw_only=True) above the class."
            )
        kind = made
        try:
            made = kind()
        except UsageError:
            raise
        except Exception as error:
            fault = _unmade(kind) if isinstance(error, TypeError) else None
            said = fault or f"cannot be made without arguments: {type(error).__name__}: {error}"
            raise UsageError(f"device '{spec}' {said}.") from error
    if not isinstance(made, Device) or not pulsed(made):
        raise UsageError(f"device '{spec}' needs the methods fabricate and pulse.")
    missing = [name for name in _USED if not hasattr(made, name)]
    if missing:
        raise UsageError(
            f"device '{spec}' lacks {', '.join(missing)}; derive it from hardware_models.devices.base.BaseDevice, which "
            "has them."
        )
    return adapted(made)
