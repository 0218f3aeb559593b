r"""Single figures of a device, replaced by others, to ask what the device would do if its pulses were half as noisy.

A figure is named as the model declares it (`cycle_noise`, `g_max`, `a_down`), or as a researcher speaks of it where a model
stores it otherwise (`DERIVED`). The names of `hardware_models.devices.ageing` reach the wear and the retention that a device's
file puts around its model. A value is in SI units, or has its unit behind it: ``cycle_noise=1 %``, ``g_max=20 uS``.

With P pulses over the range upwards and P' downwards (`states`, `states_down`), a step up is 1/P of the range and a step down
1/P', so

.. math:: steps = P, \qquad asymmetry = \frac{1/P}{1/P'} = \frac{P'}{P}

`steps` keeps the asymmetry, and the noise of a pulse as a share of its step: a pulse that is cut into two shorter ones is cut
with its noise. `states` alone keeps the noise as a share of the range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

from hardware_models.check import UsageError, in_range, shown
from hardware_models.devices import ageing
from hardware_models.devices.adapted import Adapted, adapted
from hardware_models.devices.base import BaseDevice, declared
from hardware_models.devices.wrapper import Wrapper
from hardware_models.tables import closest
from hardware_models.units import dimension, to_si

NOT_FIGURES = ("name", "source", "assumptions", "inner", "maps", "plugged")
"""Fields of a device that are no figures of its cells."""
_GIVEN = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(\S.*)")
_VALUE = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*(\S*)")
SWITCH = {"true": True, "false": False}


class Given(NamedTuple):
    """A figure as a user has given it: a number with a unit, or without one in SI units; or a word."""

    name: str
    value: float | str
    unit: str

    def __str__(self) -> str:
        value = repr(self.value) if isinstance(self.value, float) else self.value
        return f"{self.name}={value}{' ' if self.unit else ''}{self.unit}"


def parsed(text: str) -> Given:
    """Return the figure of ``NAME=VALUE`` or ``NAME=VALUE UNIT``; raise UsageError for another form, or an unknown unit."""
    found = _GIVEN.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"a figure reads NAME=VALUE, such as cycle_noise=0.01 or 'g_max=20 uS', got {shown(text)}.")
    name, value = found.groups()
    number = _VALUE.fullmatch(value)
    if number is None:
        return Given(name, value, "")
    if number[2]:
        try:
            dimension(number[2])
        except UsageError as error:
            raise UsageError(f"figure '{name}': {error}") from None
    return Given(name, float(number[1]), number[2])


@dataclass(frozen=True)
class Derived:
    """A figure that a researcher names and that models store as others."""

    unit: str
    low: float
    high: float
    about: str
    of: Callable[[BaseDevice], float | None]
    """Its value in a device [SI]; None where the device has no such figure."""
    as_figures: Callable[[BaseDevice, float], Mapping[str, float]]
    """The device's own figures with which it has that value, the decisive one first; others yield to a value that is given."""


def _steps(device: BaseDevice) -> float | None:
    return None if device.noise_of_finer_steps() is None else device.states


def _with_steps(device: BaseDevice, steps: float) -> Mapping[str, float]:
    ratio = device.states / steps
    found = {"states": steps}
    if (down := number(device, "states_down")) is not None:
        found["states_down"] = down / ratio
    noises = {name: number(device, name) or 0.0 for name in device.noise_of_finer_steps() or ()}
    return found | {name: noise * ratio for name, noise in noises.items() if noise}


def _asymmetry(device: BaseDevice) -> float | None:
    down = number(device, "states_down")
    both = device.polarities == "both" and device.noise_of_finer_steps() is not None
    return down / device.states if both and down is not None else None


def _cell_spread(device: BaseDevice) -> float | None:
    return next((value for name in SPREADS_OF_STEPS if (value := number(device, name)) is not None), None)


def _with_cell_spread(device: BaseDevice, spread: float) -> Mapping[str, float]:
    return {next(name for name in SPREADS_OF_STEPS if number(device, name) is not None): spread}


SPREADS_OF_STEPS = ("step_spread", "rate_spread")
"""Names under which models store the spread of the step from cell to cell; a model has one of them."""
DERIVED: Mapping[str, Derived] = {
    "steps": Derived(
        "1", 1.0, 1e9, "pulses over the range, up; the noise of a pulse stays the same share of its step", _steps, _with_steps
    ),
    "asymmetry": Derived(
        "1", 1e-3, 1e3, "step up over step down; 1 is symmetric", _asymmetry,
        lambda device, value: {"states_down": device.states * value},
    ),
    "cell_spread": Derived(
        "1", 0.0, 2.0, "log-normal spread of the step from cell to cell", _cell_spread, _with_cell_spread
    ),
}  # fmt: skip
"""Figures by the name of the field that devices store otherwise: name -> what it is, and how it becomes a device's own.

Several that are given at once are applied in this order.
"""


def number(device: BaseDevice, name: str) -> float | None:
    """Return a number of a device by its name [SI], that of the model inside wear and retention too; None if it has none."""
    inside = model_of(device)
    value: object = getattr(inside, name, None) if name in _own(inside) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def value_of(device: BaseDevice, name: str) -> float | None:
    """Return a number of a device by its own name, by one of `DERIVED` or of `ageing` [SI]; None if it has none."""
    inside = model_of(device)
    if name in _own(inside):
        return number(device, name)
    if name in DERIVED:
        return DERIVED[name].of(inside)
    kind, own = _around(device).get(name, ("", ""))
    around = device.chain() if isinstance(device, Wrapper) else ()
    return next((one.numbers()[own] for one in around if isinstance(one, Wrapper) and type(one).__name__ == kind), None)


def names(device: BaseDevice) -> dict[str, str]:
    """Return every figure of a device that can be replaced, by name, with its SI unit; "" for a word or a switch."""
    inside = model_of(device)
    found = dict(_own(inside))
    found |= {name: ageing.unit(name) for name in _around(device)}
    return found | {name: row.unit for name, row in DERIVED.items() if row.of(inside) is not None}


def with_figures(device: BaseDevice, given: Iterable[Given], where: str) -> BaseDevice:
    """Return a device with some of its figures replaced; its `assumptions` say which, and that `where` has set them.

    Raises UsageError in one sentence for a name that the device does not have, with the names that it has; for a value outside
    the range of the figure, of another dimension, or of another kind; and for two values of one figure.
    """
    wanted = list(given)
    for one in wanted:
        if sum(other.name == one.name for other in wanted) > 1:
            raise UsageError(f"{where} sets the figure '{one.name}' of device '{device.name}' twice: leave {one} out.")
    own = {one.name: si_value(device, one, where) for one in wanted}
    said = tuple(f"{one}: set by {where}" for one in wanted)
    try:
        for name, row in DERIVED.items():
            if name in own and name not in _own(model_of(device)):
                value = in_range(f"device '{device.name}'", name, own.pop(name), row.low, row.high, row.unit)
                found = row.as_figures(model_of(device), value)
                if (first := next(iter(found))) in own:
                    raise UsageError(f"'{name}' sets '{first}' of device '{device.name}': leave one of the two out.")
                device = _replaced(device, found, ())
        return _replaced(device, own, said) if wanted else device
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def si_value(device: BaseDevice, given: Given, where: str) -> Any:
    """Return the value of a figure as a device stores it [SI]; raise UsageError, which begins with `where`, for another kind."""
    inside, known = model_of(device), names(device)
    if given.name not in known:
        raise UsageError(
            f"{where}: device '{device.name}' has no figure {shown(given.name)}{closest(given.name, known)} (it has "
            f"{', '.join(sorted(known))}{_ageing_hint(given.name)})."
        )
    unit = known[given.name]
    present: object = getattr(inside, given.name, None)
    if isinstance(present, bool) or (isinstance(present, str) and given.name in _own(inside)):
        kind = "true or false" if isinstance(present, bool) else "a word"
        if isinstance(present, bool) and given.value in SWITCH and isinstance(given.value, str):
            return SWITCH[given.value]
        if isinstance(present, bool) or not isinstance(given.value, str):
            raise UsageError(f"{where}: '{given.name}' takes {kind}, got {shown(str(given), quoted=False)}.")
        return given.value
    if not isinstance(given.value, float):
        of_unit = "" if unit == "1" else f" [{unit}]"
        raise UsageError(f"{where}: '{given.name}' takes a number{of_unit}, got {shown(given.value)}.")
    if not given.unit:
        return given.value
    wanted, got = dimension(unit), dimension(given.unit)
    if wanted != got:
        raise UsageError(f"{where}: '{given.name}' is a {wanted} [{unit}], but '{given.unit}' is a unit of {got}.")
    return to_si(given.value, given.unit)


def _own(device: BaseDevice) -> dict[str, str]:
    """Return the figures that a model stores itself, with their units; lists and tables cannot be replaced one by one."""
    model = device.plugged if isinstance(device, Adapted) else device
    if not is_dataclass(model):
        return {}
    said = declared(type(model))
    single = (bool, int, float, str)
    return {
        f.name: said[f.name].get("unit", "" if isinstance(getattr(model, f.name), bool | str) else "1")
        for f in fields(model)
        if f.init and f.name not in NOT_FIGURES and isinstance(getattr(model, f.name), single)
    }


def model_of(device: BaseDevice) -> BaseDevice:
    """Return the model inside wear and retention."""
    return device.chain()[-1] if isinstance(device, Wrapper) else device


def _around(device: BaseDevice) -> dict[str, tuple[str, str]]:
    """Return the entries of `ageing` that a device's wear and retention have: entry -> (wrapper, number)."""
    kinds = [type(one).__name__ for one in device.chain()] if isinstance(device, Wrapper) else []
    return {entry: place for entry, place in ageing.ENTRIES.items() if place[0] in kinds}


def _ageing_hint(name: str) -> str:
    return f"; --{name.replace('_', '-')} puts it around any device" if name in ageing.ENTRIES else ""


def _replaced(device: BaseDevice, values: Mapping[str, Any], said: tuple[str, ...]) -> BaseDevice:
    if isinstance(device, Wrapper):
        here = {n: entry for entry, (kind, n) in _around(device).items() if kind == type(device).__name__}
        own = {n: values[entry] for n, entry in here.items() if entry in values}
        inner = {name: value for name, value in values.items() if name not in here.values()}
        return device.with_inside(_replaced(device.inner, inner, said), own)
    if isinstance(device, Adapted):
        return adapted(replace(device.plugged, **values))
    return replace(device, **values, assumptions=(*device.assumptions, *said))
