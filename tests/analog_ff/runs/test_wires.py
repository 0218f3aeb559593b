"""Runs on chips whose wires have resistance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError

ROOT = Path(__file__).resolve().parents[3]
SMALL: dict[str, Any] = {
    "data": "toy",
    "shift": 0,
    "layers": (8, 6),
    "epochs": 2,
    "batch": 80,
    "wires": "refreshed",
    "tile": (16, 16),
}


def run(folder: Path, **changed: Any) -> dict[str, Any]:
    result, _ = execute(Config(**{**SMALL, "wire_resistance": 40.0, "out": str(folder), **changed}), quiet=True)
    return dict(result)


def test_a_run_goes_on_with_the_same_bits_and_says_how_its_wires_were_followed(tmp_path: Path) -> None:
    """Stopped after an epoch and resumed, the shares of the wires are those of the whole run."""
    whole = run(tmp_path / "whole", wire_tolerance=1e-4)

    class Stopped(Exception):
        pass

    def stop(*_: object) -> None:
        raise Stopped

    config = Config(**{**SMALL, "wire_resistance": 40.0, "wire_tolerance": 1e-4, "out": str(tmp_path / "parts")})
    with pytest.raises(Stopped):
        execute(config, quiet=True, after_epoch=stop)
    parts = dict(execute(config, resume=True, quiet=True)[0])
    for key in ("wires", "events", "test_error_percent", "cells"):
        assert parts[key] == whole[key]
    first, second = whole["wires"]["layers"]
    assert first["solutions"] >= 1 and 0 < first["share"] < 1 and second["share"] > 0


def test_the_technology_gives_the_resistance_or_the_run_is_refused(tmp_path: Path) -> None:
    """2.97 Ohm a cell in the default technology; a technology without the figure asks for an option."""
    small = run(tmp_path / "default", wire_resistance=None)["wires"]["layers"][0]["share"]
    assert 0.98 < small < 1.0
    text = (ROOT / "hardware_models/energy/technologies/cmos_32nm.toml").read_text()
    start, end = text.index("[line.resistance]"), text.index("[static]")
    file = tmp_path / "bare.toml"
    file.write_text((text[:start] + text[end:]).replace('name = "cmos-32nm"', 'name = "bare"'))
    with pytest.raises(UsageError, match="--wire-resistance"):
        run(tmp_path / "refused", wire_resistance=None, technology=str(file))


def test_another_process_has_the_same_wires(tmp_path: Path) -> None:
    """The chip behind a port in another process reports the same shares."""
    own = run(tmp_path / "own")
    other = run(tmp_path / "other", port="process")
    assert own["wires"] == other["wires"] and own["test_error_percent"] == other["test_error_percent"]


def test_a_network_that_learned_without_wires_is_tested_through_them(tmp_path: Path) -> None:
    """Training has the bits of a run without wires; the test has those of a chip with the same cells and wires."""
    ideal = run(tmp_path / "ideal", wires="off", wire_resistance=None)
    tested = run(tmp_path / "tested", wires="test", wire_resistance=4000.0)
    assert tested["events"]["learn"] == ideal["events"]["learn"]
    for seen, own in zip(tested["cells"]["layers"], ideal["cells"]["layers"], strict=True):
        assert seen.pop("weight_spread") < own.pop("weight_spread")  # weights are those that reads see
        assert seen == own
    before = tested["wires"]["error_percent_without_by_readout"]
    assert before == ideal["test_error_percent_by_readout"]
    assert tested["test_error_percent_by_readout"] != before
    assert tested["wires"]["layers"][0]["share"] < 0.9
