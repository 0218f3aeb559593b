r"""The values of a figure from its best to its worst, in steps: what a search for the worst tolerable one walks along.

Neighbours differ by the factor q = 2^{1/4}, bits by one. Figures whose best value is 0 (noise, spread, faults) rise to their
worst value, the asymmetry rises from 1, and figures that should be large (steps, states, endurance, retention) fall.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, fields, replace
from typing import Any

from analog_ff.config.config import Config
from analog_ff.config.reading import plain_type, read
from analog_ff.improvement.axes import DIGITS, LASTING, MOST_BITS
from analog_ff.plain import Document
from analog_ff.runs.run_device import loaded_device
from hardware_models.check import UsageError, shown
from hardware_models.devices.base import BaseDevice, declared
from hardware_models.devices.single_figures import DERIVED, Given, model_of, names, parsed, si_value, value_of
from hardware_models.tables import closest

Q = 2.0**0.25
MOST = 80
"""Most steps of a figure without a natural end: a factor of a million."""
FROM_ONE = 16
"""Steps of a figure whose best value is 1: a factor of 16."""
LARGE = ("steps", "states", "endurance", "retention")
"""Figures that should be large."""
FINER = 16.0
"""Factor by which the best number of steps exceeds that of the device."""
LEAST_BITS = 2


@dataclass(frozen=True)
class Ladder:
    """A figure with its values from the best to the worst."""

    name: str
    unit: str
    values: tuple[float | None, ...]
    """Best first; None: a converter without steps."""
    at: Callable[[Config, float | None], Config]
    """The run with the figure at a value."""
    whole: bool = False

    def text(self, value: float | None) -> str:
        """Return a value with its unit."""
        unit = "" if self.unit in ("1", "") else f" {self.unit}"
        return "no steps" if value is None else f"{value:.3g}{unit}"


def ladders(config: Config, wanted: Sequence[str]) -> list[Ladder]:
    """Return the ladders of figures named as ``NAME`` or ``NAME=WORST``, of the device or options of the chip.

    Raises UsageError for a name that there is not, and for a worst value that is no worse than the best one.
    """
    device = loaded_device(config)
    found = [_ladder(config, device, text) for text in wanted]
    if len({ladder.name for ladder in found}) < len(found):
        raise UsageError("--specify names one figure twice.")
    return found


def _ladder(config: Config, device: BaseDevice, text: str) -> Ladder:
    name, equals, _ = text.partition("=")
    options = {f.name: f for f in fields(Config) if _searched(f)}
    known = names(device)
    if name in ("adc", "dac"):
        return _bits(name, int(read(Config, name, text.partition("=")[2])[1]) if equals else LEAST_BITS)
    if name in known and value_of(device, name) is not None:
        given = si_value(device, parsed(text), "--specify") if equals else None
        return _of_device(device, name, known[name], given)
    if name in options:
        worst = (
            read(Config, name.replace("_", "-"), text.partition("=")[2])[1]
            if equals
            else options[name].metadata["high"]
        )
        return Ladder(
            name, options[name].metadata["unit"] or "1", _falling(float(worst)), _option(name, float)
        )  # fmt: skip
    own = [figure for figure in sorted(known) if value_of(device, figure) is not None]
    chip = ["adc", "dac", *options]
    raise UsageError(
        f"--specify: neither device '{device.name}' nor the chip has a number {shown(name)}{closest(name, [*own, *chip])} (of "
        f"the device: {', '.join(own)}; of the chip: {', '.join(chip)})."
    )


def _option(name: str, kind: type[int | float]) -> Callable[[Config, float | None], Config]:
    def at(run: Config, value: float | None) -> Config:
        choices: Document = {name: None if value is None else kind(value)}
        return replace(run, **choices)

    return at


def _searched(declared_: Field[Any]) -> bool:
    """Tell whether an option is a number whose best value, and default, is 0."""
    return (
        plain_type(declared_) == "float" and declared_.metadata.get("low") == 0.0 and declared_.default in (0.0, None)
    )


def _bits(name: str, least: int) -> Ladder:
    if not LEAST_BITS <= least < MOST_BITS:
        raise UsageError(f"--specify: {name} goes down to {LEAST_BITS} to {MOST_BITS - 1} bits, got {least}.")
    values = (None, *(float(bits) for bits in range(MOST_BITS, least - 1, -1)))
    return Ladder(
        name,
        "bits",
        values,
        _option(name, int),
        whole=True,
    )


def _of_device(device: BaseDevice, name: str, unit: str, worst: float | None) -> Ladder:
    present = value_of(device, name) or 0.0
    if name in LARGE:
        best = LASTING if name in ("endurance", "retention") else FINER * present
        least = 1.0 if worst is None else worst
        values = [best] + [v for k in range(1, MOST) if (v := FINER * present / Q**k) >= least]
    elif name == "asymmetry":
        end = Q**FROM_ONE if worst is None else worst
        values = [1.0, *(v for k in range(1, MOST) if (v := Q**k) <= end * (1.0 + 1e-9))] if end >= 1.0 else [
            1.0, *(v for k in range(1, MOST) if (v := Q**-k) >= end)
        ]  # fmt: skip
    else:
        said = declared(type(model_of(device))).get(name, {})
        highest = DERIVED[name].high if name in DERIVED else said.get("high")
        if worst is None and highest is None:
            raise UsageError(f"--specify: give the worst value of '{name}', such as {name}=0.1.")
        values = list(_falling(float(highest if worst is None else worst)))  # type: ignore[arg-type]
    if len(values) < 2:
        raise UsageError(
            f"--specify: the worst value of '{name}' lies at its best one, {values[0]:g}; give a worse one."
        )

    def at(run: Config, value: float | None) -> Config:
        figures = {parsed(text).name: text for text in run.figures}
        return replace(run, figures=tuple((figures | {name: str(Given(name, value or 0.0, ""))}).values()))

    return Ladder(name, unit, tuple(_short(v) for v in values), at)


def _falling(worst: float) -> tuple[float, ...]:
    """Return 0 and then values that rise to the worst one."""
    return (0.0, *(_short(worst / Q**k) for k in range(MOST, -1, -1)))


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
