"""Off-chip training: the finished weights, written once to a chip of another device, and what they are worth there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analog_ff.runs.build import port_of
from analog_ff.runs.config import Config
from analog_ff.runs.train import Run
from hardware_models.devices.ageing import no_law_of_time
from hardware_models.events import Events
from hardware_models.keys import Key

AGES = {"at once": 0.0, "after an hour": 3600.0, "after a day": 86400.0}
"""When the written chip is tested [s after the writing]; at once alone where the device has no law of time."""


def deployed_port(config: Config, shapes: Sequence[tuple[int, int]]) -> Any:
    """Return the chip that the weights will be written to; same converters, tiles and chip seed, another device."""
    return port_of(config, shapes, written_once=True)


def deploy(run: Run, port: Any) -> dict[str, Any]:
    """Write the weights of a finished run to `port`, open loop, and test it as it ages.

    The digital read-out is the one that was trained; nothing is tuned to the new chip. A device without a law of time is
    tested at once and no more: its errors at a later age would be the same by construction, and would say nothing.
    """
    lawless = no_law_of_time(port.device)
    ages = {age: seconds for age, seconds in AGES.items() if seconds == 0.0 or not lawless}
    key = Key(run.config.seed, "deploy")
    events = Events()
    for layer in range(len(port.shapes)):
        weights = run.port.oracle.weights(layer).astype(np.float64)
        events += port.program(layer, weights, key=key.child("program", layer))
    learner, home = run.learner, run.learner.port
    learner.port = learner.network.port = port
    errors: dict[str, dict[str, float]] = {}
    passed = 0.0
    try:
        for age, seconds in ages.items():
            if seconds > passed:
                port.wait(seconds - passed, key=key.child("wait", int(seconds)))
                passed = seconds
            errors[age] = {}
            for name in learner.readouts:
                predicted, _ = learner.predict(run.data.x_test, readouts=(name,), key=key.child("test"))
                errors[age][name] = 100.0 * float(np.mean(predicted[name] != run.data.y_test))
    finally:
        learner.port = learner.network.port = home
    kind = "test" if run.config.split == "final" else "validation"
    return {
        "device": port.device.describe(),
        f"{kind}_error_percent_by_age": errors,
        "no_law_of_time": lawless,
        "pulses_per_weight": events["write.selected"] / sum(n * m for n, m in port.shapes),
        "cells": port.inspect(),
    }
