"""Result of a fit to retention or write-verify traces: a device, its numbers with intervals, and its parameter file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hardware_models.check import shown
from hardware_models.devices.base import BaseDevice
from hardware_models.files import toml_value
from hardware_models.fitting.result import Parameter, Score, short_name
from hardware_models.laboratory.traces import Traces


@dataclass(frozen=True)
class Curves:
    """Arrays for a picture of the fit; each has one row a reading."""

    expected: np.ndarray  # conductance of the fitted law [S]
    residual: np.ndarray  # in deviations of the noise [1]
    held: np.ndarray  # of each trace: conductance at the law's beginning [S], number of the law, its standard error


@dataclass(frozen=True)
class TraceFit:
    """A device fitted to traces, with the intervals of its numbers, the scores of the laws, the goodness and notices."""

    kind: str  # "retention" or "write-verify"
    device: BaseDevice
    model: str
    law: str
    scores: tuple[Score, ...]
    parameters: tuple[Parameter, ...]
    assumed: tuple[Parameter, ...]  # numbers of the device that the traces do not give
    goodness: Mapping[str, float]
    notices: tuple[str, ...]
    traces: Traces
    curves: Curves
    base: TraceFit | None = None  # fit whose numbers the device has beside its own

    def describe(self) -> dict[str, object]:
        """Return all fields except the curves as plain values, ready for JSON."""
        return {
            "kind": self.kind,
            "device": self.device.describe(),
            "law": self.law,
            "models": [vars(s) for s in self.scores],
            "parameters": [vars(p) for p in self.parameters],
            "assumed": [vars(p) for p in self.assumed],
            "goodness": dict(self.goodness),
            "notices": list(self.notices),
            "taken": [dict(zip(("what", "from", "as"), row, strict=True)) for row in self.traces.taken],
            "data": {"file": self.traces.path, "cells": self.traces.devices, "traces": len(self.traces.names),
                     "readings": len(self.traces.g)},
            **({"beside": self.base.describe()} if self.base else {}),
        }  # fmt: skip

    def entries(self) -> list[str]:
        """Return the lines of the parameter file with the fitted numbers."""
        file = f"fitted to {short_name(self.traces.path)}"
        lines: list[str] = []
        for p in self.parameters:
            known = f"low and high are no interval: {p.instead}" if p.instead else "low and high are the 95 % interval"
            lines += _entry(p, "fitted", f"{file}; {known}")
        return lines

    def toml(self) -> str:
        """Return the text of the device's parameter file, in which low and high are the ends of the 95 % intervals."""
        notices = (*(self.base.notices if self.base else ()), *self.notices)
        lines = [
            f"model = {toml_value(self.model)}", f"name = {toml_value(self.device.name)}", "", "[source]",
            f"citation = {toml_value(self.device.source)}",
            f"note = {toml_value(shown(' | '.join(notices) or 'no notices', 9000, quoted=False))}",
            *(self.base.entries() if self.base else ()), *self.entries(),
        ]  # fmt: skip
        for p in (*(self.base.assumed if self.base else ()), *self.assumed):
            lines += _entry(p, "assumption", p.instead)
        return "\n".join(lines) + "\n"


def _entry(p: Parameter, kind: str, source: str) -> list[str]:
    """Return the lines of one figure of a parameter file."""
    numbers = [f"{part} = {float(x)!r}" for part, x in (("value", p.value), ("low", p.low), ("high", p.high))]
    return ["", f"[{p.name}]", numbers[0], f'unit = "{p.unit}"', *numbers[1:], f'kind = "{kind}"',
            f"source = {toml_value(source)}"]  # fmt: skip
