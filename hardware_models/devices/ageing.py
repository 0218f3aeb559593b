"""Wear and retention by name: what a parameter file or a command asks for is put around any device.

The names are those of a parameter file. `retention` is the time constant tau_0 [s]; the laws stand in `wear` and `retention`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hardware_models.check import UsageError, in_range
from hardware_models.devices.base import declared

ENTRIES = {
    "endurance": ("Wear", "endurance"),
    "endurance_spread": ("Wear", "endurance_spread"),
    "retention": ("Retention", "tau"),
    "retention_spread": ("Retention", "tau_spread"),
    "retention_rest": ("Retention", "rest"),
    "activation_energy": ("Retention", "activation_energy"),
    "temperature": ("Retention", "temperature"),
}
"""Entry of a parameter file -> wrapper and its number."""
NEEDS = {
    "endurance_spread": "endurance",
    "retention_spread": "retention",
    "retention_rest": "retention",
    "activation_energy": "retention",
    "temperature": "activation_energy",  # without an energy the temperature does nothing
}
"""Entry -> the entry without which it would say nothing."""


def wrappers() -> dict[str, Any]:
    """Return the wrappers by name, in the order in which they are put around a device."""
    from hardware_models.devices.retention import Retention  # both bring the compiled loops with them
    from hardware_models.devices.wear import Wear

    return {"Retention": Retention, "Wear": Wear}


def unit(entry: str) -> str:
    """Return the SI unit of an entry."""
    kind, number = ENTRIES[entry]
    return declared(wrappers()[kind])[number]["unit"]


def complete(entries: Iterable[str], where: str) -> None:
    """Raise UsageError in one sentence for an entry that says nothing without another one."""
    given = set(entries)
    for entry in NEEDS:
        if entry in given and NEEDS[entry] not in given:
            raise UsageError(f"{where}: '{entry}' needs the entry '{NEEDS[entry]}' beside it.")


def aged(device: Any, numbers: Mapping[str, float], where: str) -> Any:
    """Return `device` with wear and retention around it as far as `numbers` [SI] ask for them, else itself.

    Raises UsageError in one sentence that begins with `where` for a number that lacks its partner or lies outside its
    range, and for a device that cannot be wrapped: one with a law of time of its own cannot have retention.
    """
    complete(numbers, where)
    for name, wrapper in wrappers().items():
        own = {entry: number for entry, (kind, number) in ENTRIES.items() if kind == name and entry in numbers}
        said = declared(wrapper)
        for entry, number in own.items():
            m = said[number]
            in_range(where, entry, numbers[entry], m["low"], m["high"], m["unit"], low_open=m["low_open"])
        if own:
            try:
                device = wrapper.around(device, **{number: numbers[entry] for entry, number in own.items()})
            except UsageError as error:
                raise UsageError(f"{where}: {error}") from None
    return device
