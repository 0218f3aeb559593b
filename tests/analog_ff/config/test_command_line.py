"""The command that repeats a run: the program makes the same choices of it, and it names no more than it must."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analog_ff import simulate
from analog_ff.config.command_line import command_line, options_of
from analog_ff.config.config import Config, recommended
from analog_ff.simulate import app, run_app

CASES: list[dict[str, Any]] = [
    {},
    {"device": "pcm", "epochs": 3, "layers": (64, 64), "adc": None},
    {"learner": "backprop", "learning_rate": 0.02},
    {"preset": "plain", "tile": (64, 32), "wires": "off", "shift": 0},
    {"device": "ideal", "nonlinearity": "tanh", "sealed": True, "line_groups": "off"},
    {"figures": ("cycle_noise=2 %", "step_spread=0"), "johnson_noise": False},
    {"preset": "plain", "update": "coincidence"},
]


@pytest.mark.parametrize("options", CASES)
def test_the_command_makes_the_same_choices(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """All choices but the folder: those given, those of the recipe, and those that were switched off."""
    config = Config(**recommended(options))
    program, *words = shlex.split(command_line(config, "simulate"))
    found: list[Config] = []
    monkeypatch.setattr(simulate, "_run", lambda config, *more: found.append(config))
    assert program == "simulate" and run_app(app, [*words, "--out", str(tmp_path / "run")]) == 0
    assert replace(found[0], out=config.out) == config


def test_no_option_stands_there_that_follows_from_the_others() -> None:
    assert set(options_of(Config(**recommended({})))) == {"device"}
    assert set(options_of(Config(**recommended({"learner": "backprop", "out": "x", "data_dir": "/y"})))) == {
        "device",
        "learner",
    }
