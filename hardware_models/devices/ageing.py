"""Wear, retention, drift and failing cells by name: what a parameter file or a command asks for is put around any device.

The names are those of a parameter file. `retention` is the time constant tau_0 [s], `drift` the exponent nu; the laws stand in
`wear`, `retention`, `power_drift` and `failing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hardware_models.check import UsageError, in_range
from hardware_models.devices.base import BaseDevice, declared
from hardware_models.devices.state import CellState
from hardware_models.keys import Key

if TYPE_CHECKING:
    from hardware_models.devices.wrapper import Wrapper

ENTRIES = {
    "endurance": ("Wear", "endurance"),
    "endurance_spread": ("Wear", "endurance_spread"),
    "retention": ("Retention", "tau"),
    "retention_spread": ("Retention", "tau_spread"),
    "retention_rest": ("Retention", "rest"),
    "activation_energy": ("Retention", "activation_energy"),
    "temperature": ("Retention", "temperature"),
    "drift": ("PowerDrift", "nu"),
    "drift_slope": ("PowerDrift", "nu_slope"),
    "drift_spread": ("PowerDrift", "nu_spread"),
    "drift_time": ("PowerDrift", "t0"),
    "failure_time": ("Failing", "failure_time"),
    "failure_high": ("Failing", "failure_high"),
}
"""Entry of a parameter file -> wrapper and its number."""
NEEDS = {
    "endurance_spread": "endurance",
    "retention_spread": "retention",
    "retention_rest": "retention",
    "activation_energy": "retention",
    "temperature": "activation_energy",  # without an energy the temperature does nothing
    "drift_slope": "drift",
    "drift_spread": "drift",
    "drift_time": "drift",
    "failure_high": "failure_time",
}
"""Entry -> the entry without which it would say nothing."""


def wrappers() -> dict[str, type[Wrapper]]:
    """Return the wrappers by name, in the order in which they are put around a device."""
    from hardware_models.devices.failing import Failing
    from hardware_models.devices.power_drift import PowerDrift  # all bring the compiled loops with them
    from hardware_models.devices.retention import Retention
    from hardware_models.devices.wear import Wear

    return {"Retention": Retention, "PowerDrift": PowerDrift, "Wear": Wear, "Failing": Failing}


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


def aged(device: BaseDevice, numbers: Mapping[str, float], where: str) -> BaseDevice:
    """Return `device` with wear, retention, drift and failing cells around it as far as `numbers` [SI] ask for them, else itself.

    Raises UsageError in one sentence that begins with `where` for a number that lacks its partner or lies outside its
    range, and for a device that cannot be wrapped: one with a law of time of its own cannot have retention or drift.
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


LOOKED_AT = (1.0, 3600.0, 86400.0, 2.6e6)
"""Times since the write at which a cell is looked at [s]: a second, an hour, a day, a month."""


def written_over_the_range(device: BaseDevice, shape: tuple[int, int], key: Key) -> CellState:
    """Return cells that were pulsed at time 0 to conductances all over the range, as far as the device has polarities."""
    state = device.fabricate(shape, key)
    counts = (
        np.linspace(-device.states, device.states, shape[0] * shape[1]).clip(-1e4, 1e4).astype(np.int32).reshape(shape)
    )
    signs = {"up": np.abs(counts), "down": -np.abs(counts)}
    device.pulse_at(0.0, state, signs.get(device.polarities, counts), key.child("write"))
    return state


def has_law_of_time(device: BaseDevice) -> bool:
    """Tell whether cells that are left alone change with time: what a read sees, or its noise.

    It is tried, not declared: cells written all over the range are read at once and after up to a month. So it holds for a
    file whose figures switch the law of its model off, and for a class of a user. Cells that fail are the exception: the few
    that are tried may all outlive the month.
    """
    from hardware_models.devices.failing import Failing
    from hardware_models.devices.wrapper import Wrapper

    if isinstance(device, Wrapper) and any(isinstance(inner, Failing) for inner in device.chain()):
        return True
    key = Key(0, "law of time")
    state = written_over_the_range(device, (2, 64), key)

    def seen(time: float) -> tuple[np.ndarray, ...]:
        return np.array(device.conductance(state, time)), np.array(device.read_variance(state, time))

    fresh, passed = seen(0.0), 0.0
    for time in LOOKED_AT:
        device.wait(state, time - passed, key.child("wait", int(time)))
        passed = time
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(fresh, seen(time), strict=True)):
            return True
    return False


def no_law_of_time(device: BaseDevice) -> str | None:
    """Return the sentence that stands where an age is asked of a device without a law of time; None if it has one."""
    if has_law_of_time(device):
        return None
    return f"no law of time in '{device.name}': its figures are those of one moment and say nothing of any later one."
