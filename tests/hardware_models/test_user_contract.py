"""What a user's code must leave alone: masks, global random states, the arrays that it is handed."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from analog_ff.estimator import ForwardForwardClassifier
from analog_ff.objective.negatives import load_negatives
from analog_ff.simulate import app, run_app
from hardware_models import user_contract
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.crossbar import Crossbar
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.nonlinearities.base import load_nonlinearity

CODE = """
import random
import numpy as np
from hardware_models.devices.ideal import Ideal
mine, calls = np.random.default_rng(0), 0
def masked(z): return np.ma.masked_less(z, 0)
def draws(z): return z + np.random.normal(size=z.shape)
def shuffles(z): return z + random.random()
def own(z): return z + mine.normal(size=z.shape)
def late(z):
    global calls
    calls += 1
    return z + (np.random.normal() if calls > 6 else 0)
def images(images, labels, generator): return np.ma.masked_less(images, 0)
def labels(images, labels, generator): return images, np.ma.masked_less(labels, 1)
def drawn(images, labels, generator): return np.random.random(images.shape)
class MaskedG(Ideal):
    def conductance(self, state, time): return np.ma.masked_less(state.g, 0)
class MaskedVariance(Ideal):
    def read_variance(self, state, time): return np.ma.masked_less(np.zeros(state.g.shape), 0)
class MaskedLater(Ideal):
    def conductance(self, state, time): return state.g if time < 2 else np.ma.masked_less(state.g, 0)
class MaskedState(Ideal):
    def fabricate(self, shape, key):
        state = super().fabricate(shape, key)
        return state._replace(g=np.ma.masked_less(state.g, 0))
class Global(Ideal):
    def fabricate(self, shape, key):
        np.random.random()
        return super().fabricate(shape, key)
class Own(Ideal):
    def wait(self, state, seconds, key): state.g[:] *= np.float32(mine.uniform(0.9, 1.0))
class Clears(Ideal):
    def pulse(self, state, pulses, key, window=None):
        super().pulse(state, pulses, key, window)
        if 'late' in key.purpose: pulses[:] = 0
class ClearsListed(Ideal):
    def pulse(self, state, pulses, key, window=None): super().pulse(state, pulses, key, window)
    def pulse_some(self, state, where, pulses, key):
        state.g.reshape(-1)[where] *= np.float32(1.0)
        if 'late' in key.purpose: pulses[:] = 0
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("user") / "mine.py"
    file.write_text(CODE)
    return file


@pytest.mark.parametrize(
    ("name", "words"),
    [("masked", "mask would be lost"), ("draws", "numpy.random"), ("shuffles", "the module random"), ("own", "two results")],
)  # fmt: skip
def test_a_neuron_without_mask_and_draws(code: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_nonlinearity(f"{code}:{name}").fabricate(3, Key(0, "n"))


@pytest.mark.parametrize(
    ("name", "words"), [("images", "mask would be lost"), ("labels", "mask would be lost"), ("drawn", "numpy.random")]
)
def test_negatives_without_mask_and_draws(code: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_negatives(f"{code}:{name}", 6, classes=4)


@pytest.mark.parametrize(
    ("name", "words"),
    [("MaskedG", "conductance should be a plain array"), ("MaskedVariance", "read_variance should be a plain array"),
     ("MaskedState", "state should be a plain array"), ("Global", "global state of numpy.random"),
     ("Own", "the same key gave other numbers")],
)  # fmt: skip
def test_a_device_without_mask_and_draws(code: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_device(f"{code}:{name}")


def test_a_mask_that_comes_late_stops_the_run(code: Path) -> None:
    array = Crossbar(load_device(f"{code}:MaskedLater"), (3, 4), key=Key(0, "x"))
    with pytest.raises(RunError, match="mask would be lost"):
        array.wait(2.0, key=Key(0, "wait"))


@pytest.mark.parametrize("array", ["x", "weights", "counts", "fault map", "rows of a classifier", "its labels"])
def test_masks_from_outside(array: str) -> None:
    masked, key = np.ma.masked_less(np.zeros((4, 3), np.float32), 0), Key(0, "x")
    chip = Chip("ideal", [(4, 3)])
    with pytest.raises(UsageError, match="mask would be lost"):
        if array == "x":
            chip.read(0, masked.T, key=key)
        elif array == "weights":
            chip.program(0, masked, key=key)
        elif array == "counts":
            chip.fire_cells(0, masked.astype(np.int32), key=key)
        elif array == "fault map":
            Chip("ideal", [(4, 3)], faults={"map": {"0.dead_rows": np.ma.zeros(4, bool)}})
        elif array == "rows of a classifier":
            ForwardForwardClassifier().fit(masked, [0, 1, 0, 1])
        else:
            ForwardForwardClassifier().fit(np.zeros((4, 3)), np.ma.array([0, 1, 0, 1]))


@pytest.mark.parametrize(("name", "way"), [("Clears", "cells"), ("Clears", "trains"), ("ClearsListed", "few cells")])
def test_pulses_that_are_cleared_late(code: Path, name: str, way: str) -> None:
    """The examination's calls leave the pulses alone; the burst that does not stops the run at once."""
    chip = Chip(load_device(f"{code}:{name}"), [(20, 30)])
    counts = np.full((20, 30), 2, np.int32)
    if way == "few cells":
        counts[1:] = 0
    chip.fire_cells(0, counts, key=Key(0, "early"))
    with pytest.raises(RunError, match="has changed its argument `pulses`"):
        if way == "trains":
            chip.fire(0, np.ones((2, 20), bool), np.ones((2, 30), bool), 1, key=Key(0, "late"))
        else:
            chip.fire_cells(0, counts, key=Key(0, "late"))


def _seeded() -> None:
    np.random.seed(0)  # noqa: NPY002


def test_global_states_are_seen_and_left_alone() -> None:
    with user_contract.no_global_draws("this"):
        np.random.default_rng(0).normal()
        random.Random(0).random()
    for draw in (np.random.random, random.random, _seeded):
        with (
            pytest.raises(RunError, match="this uses the global state of"),
            user_contract.no_global_draws("this", RunError),
        ):
            draw()


def test_a_file_that_draws_while_it_is_loaded(tmp_path: Path) -> None:
    """A table of random numbers would be another one in the resumed run."""
    (tmp_path / "table.py").write_text(
        "import numpy as np\nTABLE = np.random.random(3)\ndef f(z): return z * TABLE[0]\n"
    )
    with pytest.raises(
        UsageError, match="nonlinearity file table.py, while it is loaded, uses the global state of numpy.random"
    ):
        load_nonlinearity(f"{tmp_path}/table.py:f")


@pytest.mark.parametrize("port", ["local", "process"])
def test_a_neuron_that_draws_late_stops_the_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, code: Path, port: str
) -> None:
    options = ["--data", "toy", "--layers", "4", "--epochs", "2", "--device", "ideal", "--nonlinearity", f"{code}:late"]
    assert run_app(app, [*options, "--port", port, "--out", str(tmp_path / "run")]) == 1
    err = capsys.readouterr().err
    assert "uses the global state of numpy.random" in err and err.count("error: ") == 1
    assert not (tmp_path / "run" / "result.json").exists()
