r"""The figures of a device and of a chip that can be improved, each between what it is and its best value.

A `share` says how much of an imperfection is left: 1 is the run as given, 0 the best value. A figure p with the best value b is

.. math:: x(s) = b + s\,(p - b), \qquad\text{or}\qquad \frac{1}{x(s)} = \frac{s}{p} + \frac{1 - s}{b}

the latter where the best value is the larger one, such as for a time constant. Steps over the range are divided by the share,
down to `FINEST`; one bit more of a converter halves its share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from analog_ff.config.array_parts import ADC_FAULTS, DAC_FAULTS, FAULTS
from analog_ff.config.config import Config
from analog_ff.improvement.switches import SWITCHES
from analog_ff.plain import Document
from analog_ff.runs.chip_parts import interconnect_of
from analog_ff.runs.run_device import loaded_device
from hardware_models.check import UsageError, shown
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.single_figures import Given, names, parsed, si_value, value_of
from hardware_models.tables import closest

SHARES = (0.5, 0.25, 0.1)
"""Shares of an imperfection at which a curve has points, beside the run as given and the best value."""
FINEST = 1.0 / 16.0
"""Share of the present size of a step that counts as the best: steps without end could not be counted out."""
LASTING = 1e15
"""Endurance [pulses] and retention [s] that count as the best."""
MOST_BITS = 16
DIGITS = 6
"""Digits of a figure at a share."""


@dataclass(frozen=True)
class Axis:
    """One figure, or a few that go together, which can be improved alone."""

    name: str  # as --axes takes it
    label: str  # in tables and on the axes of pictures
    unit: str
    changes: Callable[[float], Document]
    """Choices of a run that has so much of the imperfection left; the entry `figures` holds those of this axis alone."""
    value: Callable[[float], float | None]
    """The leading figure at a share [unit]; None where it has no number, such as a converter without steps."""
    shares: tuple[float, ...] = SHARES
    """Shares between the run as given and the best value; none where an effect is only there or not."""
    best: float = 0.0
    """Share that stands for the best value."""

    whole: bool = False
    """True for a figure that has values at its shares alone, such as bits."""

    def reached(self, share: float) -> float:
        """Return the largest share, at most the given one, at which the figure has a value."""
        if not self.whole:
            return share
        return max((own for own in (1.0, *self.shares, self.best) if own <= share), default=self.best)

    def text(self, share: float) -> str:
        """Return the leading figure at a share with its unit, or in words."""
        value = self.value(share)
        if value is None:
            return "as given" if share else "none"
        return f"{value:.4g}{'' if self.unit == '1' else ' ' + self.unit}"


def axes_of(config: Config, wanted: Sequence[str] = ()) -> list[Axis]:
    """Return the axes of a run in which something is left to improve, or those that `wanted` names.

    A name of `wanted` is that of an axis, or ``NAME=BEST``: any figure of the device with the value that counts as its best.
    Raises UsageError for a name that there is not, with the list of those that there are.
    """
    device = loaded_device(config)
    found = {axis.name: axis for axis in (*_of_device(config, device), *_of_chip(config, device))}
    chosen = []
    for text in wanted or found:
        name, equals, _ = text.partition("=")
        if equals:
            chosen.append(_single(device, parsed(text)))
        elif name in found:
            chosen.append(found[name])
        else:
            raise UsageError(
                f"--axes: nothing to improve is called {shown(name)}{closest(name, found)} (this run has {', '.join(found)}; any "
                "other figure of the device is given with its best value, such as a_down=1e6)."
            )
    if len({axis.name for axis in chosen}) < len(chosen):
        raise UsageError("--axes names one figure twice.")
    return chosen


def changed(config: Config, shares: Mapping[Axis, float]) -> Config:
    """Return a run in which the imperfection of each axis is left to its share."""
    choices: Document = {}
    figures = {parsed(text).name: text for text in config.figures}
    for axis, share in shares.items():
        own = dict(axis.changes(share))
        figures |= {parsed(text).name: text for text in own.pop("figures", ())}
        choices |= own
    return replace(config, **choices, figures=tuple(figures.values()))


def between(present: float, best: float, share: float) -> float:
    """Return the value of a figure whose imperfection is left to a share; see the module for the equation."""
    if abs(best) > abs(present) and present != 0.0:
        return 1.0 / (share / present + (1.0 - share) / best)
    return best + share * (present - best)


# --- the device ---

GROUPS = {
    "cycle_noise": ("write_noise", "write_noise", "noise of a pulse"),
    "read_noise": ("read_noise", "read_noise", "noise of a read"),
    "spread": ("spread", "device_spread", "spread from cell to cell"),
}
"""Axis -> group of a device's imperfections, switch of a run without which it has them, and label."""


def _of_device(config: Config, device: BaseDevice) -> list[Axis]:
    """Return the axes of the cells: what the model itself calls noise, spread and nonlinearity, and its steps."""
    imperfect, known = device.imperfections(), names(device)
    found = [
        _figures(device, name, label, dict.fromkeys(imperfect.get(group, ()), 0.0))
        for name, (group, switch, label) in GROUPS.items()
        if getattr(config, switch)
    ]
    if config.step_nonlinearity:
        found.append(_figures(device, "nonlinearity", "steps that depend on the state", device.straight()))
    if "steps" in known:
        found.append(_steps(device.states))
    if "asymmetry" in known:
        found.append(_figures(device, "asymmetry", "step up over step down", {"asymmetry": 1.0}))
    found += [_figures(device, name, name, {name: LASTING}) for name in ("endurance", "retention") if name in known]
    if config.access_transistor:
        found.append(_figures(device, "access", "access transistor", {"r_access": 0.0}))
    return [axis for axis in found if axis is not None]


def _figures(device: BaseDevice, name: str, label: str, best: Mapping[str, float]) -> Axis | None:
    """Return the axis of some figures of a device, the first of which leads; None if all have their best values."""
    ends: dict[str, tuple[float, float]] = {}
    for figure, wanted in best.items():
        present = value_of(device, figure)
        if present is not None and not math.isclose(present, wanted):
            ends[figure] = present, wanted
    if not ends:
        return None
    lead = next(iter(ends))

    def at(share: float) -> Document:
        return {"figures": tuple(_written(figure, between(*pair, share)) for figure, pair in ends.items())}

    named = label if name in (label, lead) else f"{label} ({', '.join(ends)})"
    return Axis(name, named, names(device)[lead], at, lambda share: between(*ends[lead], share))


def _steps(present: float) -> Axis:
    return Axis(
        "steps", "steps over the range", "1", lambda share: {"figures": (_written("steps", present / share),)},
        lambda share: present / share, best=FINEST,
    )  # fmt: skip


def _single(device: BaseDevice, best: Given) -> Axis:
    """Return the axis of one figure that a user names with its best value."""
    found = _figures(device, best.name, best.name, {best.name: si_value(device, best, "--axes")})
    if found is None:
        raise UsageError(f"--axes: device '{device.name}' has no number '{best.name}', or has its best value already.")
    return found


def _written(figure: str, value: float) -> str:
    return str(Given(figure, float(f"{value:.{DIGITS}g}"), ""))


# --- the chip ---


def _of_chip(config: Config, device: BaseDevice) -> list[Axis]:
    """Return the axes of what is around the cells."""
    found = [
        _bits(config, "adc", "column converters", ADC_FAULTS, DAC_FAULTS),
        _bits(config, "dac", "row drivers", DAC_FAULTS, ADC_FAULTS),
        _scaled(config, "faults", "stuck cells and dead lines", "1", FAULTS),
        _scaled(config, "converter faults", "faults of converters", "LSB or 1", (*ADC_FAULTS, *DAC_FAULTS)),
    ]
    if config.wires != "off":
        ohm = interconnect_of(config).r_word
        found.append(
            Axis(
                "wires", "resistance of the wires", "ohm a cell",
                lambda s: {"wire_resistance": float(f"{ohm * s:.{DIGITS}g}")} if s else SWITCHES["wires"].off,
                lambda s: ohm * s,
            )
        )  # fmt: skip
    for name in ("line groups", "line noise", "wear", "retention", "failures"):
        if (switch := SWITCHES[name]).on(config, device):
            found.append(_switch(name.replace(" ", "_"), switch.label, switch.off))
    return [axis for axis in found if axis is not None]


def _bits(config: Config, name: str, label: str, own: Iterable[str], others: Iterable[str]) -> Axis | None:
    """Return the axis of a converter; one without steps has no faults, and with no other faults left nothing is calibrated."""
    bits: int | None = getattr(config, name)
    if bits is None:
        return None
    finer = {0.5**more: bits + more for more in (1, 2) if bits + more <= MOST_BITS}
    without: Document = {name: None, **dict.fromkeys(own, 0.0)}
    if not any(getattr(config, fault) for fault in others):
        without |= {"calibrate": "none", "calibration_reads": Config.calibration_reads}

    def value(share: float) -> float | None:
        return float(finer.get(share, bits)) if share else None

    return Axis(
        name,
        f"bits of the {label}",
        "bits",
        lambda s: {name: finer.get(s, bits)} if s else without,
        value,
        tuple(finer),
        whole=True,
    )


def _scaled(config: Config, name: str, label: str, unit: str, options: Iterable[str]) -> Axis | None:
    """Return the axis of options that shrink together, the largest of which leads; a map of faults is there or not."""
    given = {option: float(getattr(config, option)) for option in options if getattr(config, option)}
    off = SWITCHES[name].off
    if not given:
        return _switch(name, label, off) if name == "faults" and config.fault_map else None
    lead = max(given, key=lambda option: given[option])

    def at(share: float) -> Document:
        return {option: share * value for option, value in given.items()} if share else off

    return Axis(name.replace(" ", "_"), f"{label} ({', '.join(given)})", unit, at, lambda share: share * given[lead])


def _switch(name: str, label: str, off: Document) -> Axis:
    """Return the axis of an effect that a run has or has not."""
    return Axis(name, label, "", lambda share: {} if share else off, lambda share: None, shares=())
