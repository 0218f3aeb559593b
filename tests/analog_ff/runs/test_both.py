"""A run whose headline is both read-outs, and which ends with the average of its weights: result, loaded run, ages, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff import load_run
from analog_ff.config.config import Config, recommended
from analog_ff.runs.circuit import memory_bytes
from analog_ff.runs.execute import execute
from analog_ff.runs.identity import key
from hardware_models.check import UsageError

OPTIONS: dict[str, Any] = {
    "data": "toy", "layers": (12, 9), "epochs": 2, "batch": 100, "device": "memristor", "preset": "plain", "readout": "both",
    "final_weights": "average", "average_every": 3, "split": "holdout",
}  # fmt: skip


def config(folder: Path, **more: Any) -> Config:
    """Return the configuration of a run into a folder."""
    return Config(**recommended({**OPTIONS, "out": str(folder), **more}))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the result of a run."""
    folder = tmp_path_factory.mktemp("both") / "run"
    result, _ = execute(config(folder), quiet=True)
    return folder, result


def test_the_result_has_it_beside_the_others(run: tuple[Path, dict[str, Any]]) -> None:
    """Its error is the headline, its events are those of the passes of both; a line of metrics has every read-out."""
    folder, result = run
    errors = result["validation_error_percent_by_readout"]
    assert list(errors) == ["energy", "softmax", "both"] and result["validation_error_percent"] == errors["both"]
    by = result["events_by_readout"]
    assert by["both"]["reads.cells"] == by["energy"]["reads.cells"] + by["softmax"]["reads.cells"]
    joule = result["energy"]["per_image_joule"]
    assert joule["both"] > joule["energy"] > joule["softmax"] > 0
    assert joule["both"] == pytest.approx(joule["energy"] + joule["softmax"], rel=0.05)
    assert "both_error_percent" in (folder / "metrics.csv").read_text().splitlines()[0]
    assert result["events"]["program"]["adc.8"] > 0, "the average is written with a look at every cell"
    # A word of 32 bits a weight beside that of the accumulator.
    weights = sum(n * m for n, m in result["shapes"])
    without = memory_bytes({**result["config"], "final_weights": "last"}, weights, 12 + 9, 2)
    assert result["energy"]["circuit"]["memory_bytes"] - without == 4 * (weights + (12 + 9) * 2)


def test_a_loaded_run_answers_as_the_test_did(run: tuple[Path, dict[str, Any]]) -> None:
    """From the checkpoint before the write: the average is written again with the same bits, and each read-out errs as before."""
    folder, result = run
    with load_run(folder) as loaded:
        truth = np.array(loaded.classes)[loaded.data.y_test]
        for name, error in result["validation_error_percent_by_readout"].items():
            assert 100.0 * np.mean(loaded.predict(loaded.data.x_test, readout=name) != truth) == error
        assert np.array_equal(loaded.predict(loaded.data.x_test), loaded.predict(loaded.data.x_test, readout="both"))
        scores, _ = loaded.learner.scores(loaded.data.x_test, "both", loaded._key)
        assert scores.shape == (len(truth), 2)


def test_ages_and_a_second_chip_have_it(tmp_path: Path) -> None:
    """Errors by age of a chip that the average is written to, each with the three read-outs."""
    again, _ = execute(config(tmp_path / "run", ages="1h", program_to="memristor"), quiet=True)
    for look in again["deployed"]["ages"]["by_age"].values():
        assert list(look["as_it_is"]["error_percent_by_readout"]) == ["energy", "softmax", "both"]


def test_a_run_that_is_stopped_goes_on(run: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    """Stopped after its first epoch, between two readings, and resumed: the same result."""

    class Stopped(Exception):
        pass

    def stop(epoch: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        execute(config(tmp_path / "run"), quiet=True, after_epoch=stop)
    result, _ = execute(config(tmp_path / "run"), quiet=True, resume=True)
    for name in ("validation_error_percent_by_readout", "events", "integrals", "events_by_readout", "cells"):
        assert result[name] == run[1][name], name


def test_choices_at_rest_change_no_key() -> None:
    """A run without the new choices has the key of a run before they were there, one with them another."""
    plain = {n: v for n, v in OPTIONS.items() if n not in ("readout", "final_weights", "average_every")}
    one, same = (Config(**recommended(o)) for o in (plain, {**plain, "readout": "softmax", "final_weights": "last"}))
    assert key("simulate", one) == key("simulate", same) and one.digest() == same.digest()
    others = [Config(**recommended({**plain, **more})) for more in ({"readout": "both"}, {"final_weights": "average"})]
    assert len({one.digest(), *(other.digest() for other in others)}) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"goodness_weight": 3.0}, "--goodness-weight belongs to --readout both"),
        ({"average_every": 3}, "--average-every belongs to --final-weights average"),
        ({"verify_rounds": 3}, "--verify-rounds belongs to --final-weights average or --learner backprop-programmed"),
        ({"readout": "both", "learner": "local-softmax"}, "has no goodness to read: choose --readout softmax"),
        ({"readout": "all"}, "no readout 'all'"),
        ({"final_weights": "average", "learner": "random-features"}, "has no --final-weights"),
        ({"final_weights": "average", "weight_average": 1.0}, "--weight-average"),
    ],
)
def test_choices_that_do_nothing_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Config(**recommended({"data": "toy", **options}))
