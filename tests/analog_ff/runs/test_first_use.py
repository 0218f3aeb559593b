"""The first use on a machine: kernels are compiled once, by several processes, and the time left is that without them."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.runs import first_use, progress
from analog_ff.runs.first_use import SAYS, SWITCH, compiling_ahead
from analog_ff.runs.progress import Progress
from analog_ff.runs.rehearsal import can_be_rehearsed, in_small
from hardware_models.kernels import compiling

SMALL = {"data": "toy", "epochs": 1, "images_per_epoch": 40, "batch": 20, "shift": 0}
CALLED = """
import pickle, sys
from analog_ff.config.config import Config
from analog_ff.runs.execute import prepared
from hardware_models.kernels.products import one_blas_thread
from pathlib import Path
config = Config.from_toml(Path(sys.argv[1]))
with prepared(config) as parts, one_blas_thread():
    parts.run.train(Path(sys.argv[2]), quiet=True)
    parts.run.test()
found = []
for module in [module for name, module in sys.modules.items() if name.startswith(("analog_ff", "hardware_models"))]:
    for name, kernel in list(vars(module).items()):
        dispatcher = getattr(kernel, "dispatcher", None)
        if dispatcher is not None and kernel.__module__ == module.__name__:
            found += [(module.__name__, name, types) for types in dispatcher.overloads]
sys.stdout.buffer.write(pickle.dumps(found))
"""
"""A program that carries out a run and writes the kernels that Python has called."""


LONG = pytest.mark.slow
"""Two new processes, one of which interprets a whole run: the main job shows the rule, `pytest -m slow` the other two."""


def rehearsed(config: Config) -> list[Any]:
    """Return the kernels that a rehearsal hands on."""
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-m", "analog_ff.runs.rehearsal"]
    done = subprocess.run(command, input=config.to_toml({}).encode(), env=environment, capture_output=True, check=True)
    found: list[Any] = pickle.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "options",
    [
        {"device": "memristor"},
        pytest.param(
            {"device": "memristor", "preset": "plain", "update": "accumulate", "layers": (30, 20, 10)}, marks=LONG
        ),
        pytest.param({"device": "kim2019_ecram", "preset": "plain", "update": "coincidence"}, marks=LONG),
    ],
    ids=["main job", "plain", "coincidence"],
)
def test_a_rehearsal_knows_the_kernels_of_the_run(options: dict[str, Any], tmp_path: Path) -> None:
    """All that a run of other sizes calls from its chip to its test, with the same types; nothing is written down by hand."""
    config = Config(**recommended({**SMALL, **options}))
    (tmp_path / "config.toml").write_text(config.to_toml({}))
    command = [sys.executable, "-c", CALLED, str(tmp_path / "config.toml"), str(tmp_path)]
    called = set(pickle.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    known = rehearsed(config)
    assert len(known) == len(set(known)) and len(called) >= 8
    assert len(called & set(known)) >= 0.9 * len(called), [name for _, name, _ in called - set(known)]


def test_a_run_in_small_is_quick_for_any_size() -> None:
    """Its cells and images are few, whatever the run has; what decides the kernels stays."""
    small = in_small(Config(layers=(2000, 2000), epochs=60, batch=500), Path("x"))
    assert small.layers == (6, 6) and small.epochs == 2 and small.batch == 10 and small.images_per_epoch == 20
    assert small.device == Config.device and small.update == Config.update


@pytest.mark.parametrize(
    ("options", "can"),
    [
        ({}, True),
        ({"device": "my/device.toml"}, True),
        ({"device": "device.py:Mine"}, False),
        ({"nonlinearity": "here/neuron.py:hump"}, False),
        ({"port": "process"}, False),
    ],
)
def test_code_of_a_users_own_is_not_rehearsed(options: dict[str, Any], can: bool) -> None:
    """It may write files, or ask an instrument."""
    assert can_be_rehearsed(Config(**options)) is can


def test_processes_begin_at_the_first_compilation_and_end_with_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a kernel to compile there is neither a message nor a process."""
    begun: list[Any] = []
    start = first_use.Popen
    monkeypatch.setattr(first_use, "Popen", lambda *args, **named: begun.append(start(*args, **named)) or begun[-1])
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setattr(first_use, "cores", lambda: 2)
    with compiling_ahead(Config()):
        pass
    assert not begun and capsys.readouterr().err == ""
    with compiling_ahead(Config()):
        compiling._first[0]()
        assert len(begun) == 2 and all(process.poll() is None for process in begun)
    assert all(process.poll() is not None for process in begun) and capsys.readouterr().err == SAYS + "\n"
    monkeypatch.setenv(SWITCH, "0")
    with compiling_ahead(Config()):
        assert not compiling._first


def test_the_time_left_is_without_compilation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten of 100 batches in 10 s, and 20 s of compiling before the first: 90 s are left, not 270; told first after a second."""
    clock, compiled = [100.0], [7.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(compiling, "seconds", lambda: compiled[0])
    shown = Progress(100)
    clock[0] = 150.0  # the chip is programmed
    shown.begin()
    clock[0], compiled[0] = 170.0, 27.0
    for _ in range(10):
        clock[0] += 1.0
        shown.advance("epoch 1/1")
    said = ["epoch 1/1: 1/100 batches, 99 s left\n", "epoch 1/1: 10/100 batches, 90 s left\n"]
    assert capsys.readouterr().err == "".join(said)
