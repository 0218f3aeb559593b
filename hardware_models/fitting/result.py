"""Result of a fit: numbers with intervals, scores of the forms, and the parameter file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.devices import MODELS
from hardware_models.devices.base import BaseDevice
from hardware_models.files import toml_value
from hardware_models.fitting.assumed import Stand
from hardware_models.fitting.pulse_train import PulseTrain

Progress = Callable[[float, str], None]


def short_name(path: str) -> str:
    """Return the name of a train's file as one short line of printable characters."""
    return shown(Path(path).name, 60, quoted=False)


@dataclass(frozen=True)
class Parameter:
    """A number of the fitted device with its 95 % interval, in SI units.

    If the data give no interval, `instead` is a sentence about the known facts, and low and high equal the value.
    """

    name: str
    value: float
    low: float
    high: float
    unit: str
    instead: str = ""


@dataclass(frozen=True)
class Score:
    """Score of one form on the held-out cycles, in log-likelihood per step."""

    form: str
    free: int
    held_out: float
    behind: float  # score of the best form minus this form's score
    behind_error: float  # standard error of `behind`


@dataclass(frozen=True)
class Fit:
    """A fitted device with its intervals, the scores of all forms, the goodness of the fit and notices."""

    device: BaseDevice
    form: str
    scores: tuple[Score, ...]
    parameters: tuple[Parameter, ...]
    goodness: Mapping[str, float]
    notices: tuple[str, ...]
    train: PulseTrain
    residuals: np.ndarray  # (2, steps): state before the step [S], standardised innovation [1]
    stands: tuple[Stand, ...] = ()  # conditions of the measurement, measured, given or assumed

    def describe(self) -> dict[str, object]:
        """Return all fields except the residuals as plain values, ready for JSON."""
        return {
            "device": self.device.describe(),
            "form": self.form,
            "models": [vars(s) for s in self.scores],
            "parameters": [vars(p) | ({"low": None, "high": None} if p.instead else {}) for p in self.parameters],
            "goodness": dict(self.goodness),
            "notices": list(self.notices),
            "conditions": [vars(stand) for stand in self.stands],
            "taken": [dict(zip(("what", "from", "as"), row, strict=True)) for row in self.train.taken],
            "data": {
                "file": self.train.path,
                "files": list(self.train.files),
                "cells": len(self.train.cells),
                "cycles": self.train.cycles,
                "steps": self.train.steps,
                "outliers": list(self.train.outliers),
            },
        }

    def toml(self) -> str:
        """Return the text of the device's parameter file, in which low and high are the ends of the 95 % intervals."""
        train, device = self.train, self.device
        model = next((n for n, path in MODELS.items() if path.endswith(f":{type(device).__name__}")), None)
        if model is None:
            raise UsageError(f"{type(device).__name__} is no model of this library and has no parameter file.")
        quoted = toml_value
        said = [f"files: {', '.join(train.files)}"] * (len(train.files) > 1) + list(self.notices)
        file = f"fitted to {short_name(train.path)}"
        lines = [
            f"model = {quoted(model)}",
            f"name = {quoted(device.name)}",
            "",
            "[source]",
            f"citation = {quoted(device.source)}",
            f"note = {quoted(shown(' | '.join(said) or 'no notices', 9000, quoted=False))}",
        ]

        def entry(name: str, value: float, low: float, high: float, unit: str, kind: str, source: str) -> None:
            numbers = [f"{part} = {float(x)!r}" for part, x in (("value", value), ("low", low), ("high", high))]
            lines.extend(["", f"[{name}]", numbers[0], f'unit = "{unit}"', *numbers[1:], f'kind = "{kind}"',
                          f"source = {quoted(source)}"])  # fmt: skip

        for p in self.parameters:
            known = f"low and high are no interval: {p.instead}" if p.instead else "low and high are the 95 % interval"
            entry(p.name, p.value, p.low, p.high, p.unit, "fitted", f"{file}; {known}")
        for stand in self.stands:
            if isinstance(stand.value, str):
                lines.extend(["", f"[{stand.name}]", f"value = {quoted(stand.value)}", f'kind = "{stand.kind}"',
                              f"source = {quoted(stand.source)}"])  # fmt: skip
            else:
                entry(stand.name, stand.value, stand.value, stand.value, stand.unit, stand.kind, stand.source)
        return "\n".join(lines) + "\n"
