"""A user's own functions and classes: whatever they do is one sentence, found before the run or kept to its last checkpoint."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from analog_ff.objective.negatives import load_negatives
from analog_ff.simulate import app, run_app
from hardware_models import user_faults
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.nonlinearities.base import load_nonlinearity
from hardware_models.testing import examine_device

NEURONS = """
import sys
import numpy as np
def none(): return 0
def two(z, w): return z
def imaginary(z): return z + 1j
def words(z): return np.full(z.shape, 'a')
def things(z): return z.astype(object)
def huge(z): return np.full(z.shape, 1e300)
def listed(z): return z.tolist()
def nothing(z): pass
def exits(z): sys.exit(0)
def many(z): raise ValueError('line\\n' * 1000)
class Silent(Exception):
    def __str__(self): raise KeyError('no words')
def silent(z): raise Silent()
def one_row(z): return z if len(z) > 1 else z[0]
number = 3
def good(z): return z
"""
BAD_NEURONS = {
    "none": "takes 0 positional arguments", "two": "missing 1 required positional argument", "imaginary": "complex",
    "words": "<U1", "things": "object", "huge": "NaN or infinity", "listed": "returned", "nothing": "returned None",
    "exits": "failed: SystemExit: 0", "many": "ValueError: line line", "silent": "failed: Silent", "one_row": "shape",
    "number": "is not a function",
}  # fmt: skip


@pytest.fixture(scope="module")
def neurons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("user") / "neurons.py"
    file.write_text(NEURONS)
    return file


def one_sentence(error: BaseException) -> str:
    said = str(error)
    assert "\n" not in said and said.endswith(".") and len(said) < 500
    return said


@pytest.mark.parametrize("name", BAD_NEURONS)
def test_neurons_are_tried_before_anything_starts(neurons: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_nonlinearity(f"{neurons}:{name}").fabricate(4, Key(0, "n"))
    assert BAD_NEURONS[name] in one_sentence(caught.value) and f"neurons.py:{name}" in str(caught.value)
    assert np.array_equal(
        load_nonlinearity(f"{neurons}:good").fabricate(2, Key(0, "n"))(np.ones((3, 2))), np.ones((3, 2))
    )


NEGATIVES = """
import sys
import numpy as np
calls = 0
def short(images, labels): return images
def imaginary(images, labels, generator): return images + 1j
def ragged(images, labels, generator): return [[1], [1, 2]]
def words(images, labels, generator): return images, ['a', 'b']
def float_labels(images, labels, generator): return images, labels + 0.5
def beyond(images, labels, generator): return images, labels + 7
def exits(images, labels, generator): sys.exit()
def huge(images, labels, generator): return np.full(images.shape, 1e300)
def late(images, labels, generator):
    global calls
    calls += 1
    if calls > 2: raise OSError('the file of negatives has gone')
    return images, (labels + 1) % 4
"""
BAD_NEGATIVES = {
    "short": "takes 2 positional arguments", "imaginary": "complex64", "ragged": "inhomogeneous", "words": "labels",
    "float_labels": "whole numbers", "beyond": "labels lie in 0..3", "exits": "SystemExit", "huge": "NaN or infinity",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_NEGATIVES)
def test_negatives_are_tried_before_anything_starts(tmp_path: Path, name: str) -> None:
    (tmp_path / "negatives.py").write_text(NEGATIVES)
    spec = f"{tmp_path}/negatives.py:{name}"
    with pytest.raises(UsageError) as caught:
        load_negatives(spec, 6, classes=4)
    assert BAD_NEGATIVES[name] in one_sentence(caught.value) and spec in str(caught.value)


def test_negatives_that_fail_later_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "negatives.py").write_text(NEGATIVES)
    maker = load_negatives(f"{tmp_path}/negatives.py:late", 6, classes=4)
    asked = np.ones((3, 6), np.float32), np.arange(3), np.full((3, 4), 0.25), Key(0, "n").generator()
    assert maker(*asked)[1].tolist() == [1, 2, 3]  # type: ignore[union-attr]
    with pytest.raises(RunError, match="OSError: the file of negatives has gone"):
        maker(*asked)


@pytest.mark.parametrize("option", ["--negatives", "--nonlinearity", "--device"])
def test_an_object_of_another_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str) -> None:
    """`os:getcwd` is a function without arguments."""
    assert run_app(app, ["--data", "toy", "--layers", "4", option, "os:getcwd", "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.count("\n") == 1 and "os:getcwd" in err and not (tmp_path / "run").exists()


DEVICES = """
import sys
from hardware_models.devices.ideal import Ideal
class Mean(Exception):
    def __init__(self, a, b): pass
class Good(Ideal): pass
class Late(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        if key.purpose.startswith('train'): raise Mean('spent', 2)
        super().pulse(state, pulses, key, window)
class Ends(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        if key.purpose.startswith('train'): sys.exit(0)
        super().pulse(state, pulses, key, window)
class Exits(Ideal):
    def fabricate(self, shape, key): sys.exit(0)
class Imaginary(Ideal):
    def read_variance(self, state, time): return 1j
class Wide(Ideal):
    def __post_init__(self): object.__setattr__(self, 'v_read', 0.2j)
class Shrinks(Ideal):
    def wait(self, state, seconds, key): state.g[:] = float('nan')
class Lost(Ideal):
    bad = float('nan')
    def pulse(self, state, pulses, key, window=None, **time):
        super().pulse(state, pulses, key, window)
        if key.purpose.startswith('train'): state.g[0, 0] = self.bad
class Far(Lost):
    bad = 1e30
class Turned(Lost):
    bad = -1.0
class Odd(Ideal):
    def describe(self): return {'me': self}
class Unnamed(Ideal):
    def conductance(self, state, time): raise KeyError
"""


@pytest.fixture(scope="module")
def devices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("user") / "devices.py"
    file.write_text(DEVICES)
    return file


@pytest.mark.parametrize(
    ("name", "words"),
    [("Exits", "SystemExit: 0"), ("Imaginary", "complex128"), ("Wide", "v_read should be a finite real number, got 0.2j"),
     ("Shrinks", "after a second the conductance is nan"), ("Odd", "not JSON serializable"), ("Unnamed", "KeyError")],
)  # fmt: skip
def test_devices_are_examined_before_anything_starts(devices: Path, name: str, words: str) -> None:
    with pytest.raises(UsageError, match="fails its examination") as caught:
        load_device(f"{devices}:{name}")
    assert words in one_sentence(caught.value)


def test_an_examination_survives_whatever_it_is_given() -> None:
    class Hostile:
        @property
        def name(self) -> str:
            raise SystemExit(0)

    assert not examine_device(Hostile()).passed
    assert not examine_device(3, quick=True).passed and examine_device(3, quick=True).device == "int"


@pytest.mark.parametrize(("name", "words"), [("Late", "Mean: ('spent', 2)"), ("Ends", "SystemExit: 0")])
def test_a_device_that_fails_in_training(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, devices: Path, name: str, words: str
) -> None:
    """Status 1, one sentence with file, line and reason, and the checkpoint kept."""
    run = tmp_path / "run"
    options = ["--data", "toy", "--layers", "4", "--epochs", "1", "--device", f"{devices}:{name}", "--out", str(run)]
    assert run_app(app, options) == 1
    err = capsys.readouterr().err
    assert words in err and "devices.py, line " in err and "--resume" in err and err.count("error: ") == 1
    assert "Traceback" not in err and (run / "checkpoint.h5").is_file() and not (run / "result.json").exists()


@pytest.mark.parametrize("name", ["Lost", "Far", "Turned"])
def test_a_device_that_leaves_its_range_between_checkpoints(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, devices: Path, name: str
) -> None:
    """The sentence names the device, not the learning rate that diverges because of it."""
    run = tmp_path / "run"
    options = ["--data", "toy", "--layers", "4,3", "--epochs", "3", "--device", f"{devices}:{name}", "--out", str(run)]
    assert run_app(app, options) == 1
    err = capsys.readouterr().err
    assert "has left its range" in err and "ideal" in err and "learning rate" not in err and err.count("error: ") == 1


@pytest.mark.slow
def test_the_same_sentence_from_another_process(devices: Path, neurons: Path) -> None:
    """A class of the user's own goes to the chip's process and fails there as it does here; so does a function."""
    layers, weights, key = ((5, 4),), np.zeros((5, 4), np.int32), Key(0, "train")
    weights[0] = 3
    said = []
    with ProcessPort(load_device(f"{devices}:Late"), layers) as there:
        here = Chip(load_device(f"{devices}:Late"), layers)
        for port in (here, there):
            with pytest.raises(RunError) as caught, user_faults.guarded(RunError):
                port.fire_cells(0, weights, key=key)
            said.append(one_sentence(caught.value))
        there.wait(1.0, key=key)  # and it goes on answering
    assert said[0] == said[1] and "Mean" in said[0]
    for kind in (Chip, ProcessPort):
        with pytest.raises(UsageError, match="the nonlinearity .*exits failed: SystemExit: 0") as caught:
            kind("ideal", layers, nonlinearity=f"{neurons}:exits")
    with pytest.raises(UsageError, match="cannot be sent to another process"):
        ProcessPort(lambda: None, layers)


def test_a_fault_of_our_own_stays_one() -> None:
    with pytest.raises(ZeroDivisionError), user_faults.guarded(UsageError):
        math.floor(1 / 0)
    with pytest.raises(UsageError, match="SystemExit"), user_faults.guarded(UsageError):
        raise SystemExit(0)
