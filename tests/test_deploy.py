"""Off-chip training: the weights that arrive, what they are worth, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analog_ff.runs.config import Config
from analog_ff.runs.deploy import AGES
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError

QUICK: dict[str, Any] = {"data": "toy", "layers": (16,), "epochs": 3, "device": "ideal", "learning_rate": 0.1}


def test_written_to_an_ideal_chip_nothing_is_lost(tmp_path: Path) -> None:
    """Same converters, no noise, exact weights: the same predictions at every age."""
    result, _ = execute(Config(**QUICK, program_to="ideal", out=str(tmp_path / "a")), quiet=True)
    aged = result["deployed"]["test_error_percent_by_age"]
    assert set(aged) == set(AGES)
    assert all(errors == result["test_error_percent_by_readout"] for errors in aged.values())


def test_a_device_that_cannot_be_trained_can_be_written(tmp_path: Path) -> None:
    """In situ it is refused with the way out; written, its chip is reported with its figures and its cells."""
    with pytest.raises(UsageError, match=r"--device ideal --program-to joshi2020_pcm"):
        execute(Config(**QUICK | {"device": "joshi2020_pcm"}, out=str(tmp_path / "no")), quiet=True)
    assert not (tmp_path / "no").exists()
    config = Config(**QUICK, program_to="joshi2020_pcm", split="holdout", out=str(tmp_path / "b"))
    result, _ = execute(config, quiet=True)
    deployed = result["deployed"]
    assert deployed["device"]["name"] == "joshi2020_pcm"
    assert deployed["pulses_per_weight"] > 0 and deployed["cells"][0]["conductance_spread"] > 0
    assert set(deployed["validation_error_percent_by_age"]["at once"]) == {"energy", "softmax"}


@pytest.mark.parametrize("where", [{"sealed": True}, {"port": "process"}])
def test_sealed_weights_cannot_be_carried_away(where: dict[str, Any]) -> None:
    """Refused before anything runs."""
    with pytest.raises(UsageError, match="sealed chip does not allow"):
        Config(**QUICK, program_to="memristor", **where)
