"""The command ``python -m analog_ff spiking``: run folder, result, errors, targets, compiled code."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.output import whole_files
from analog_ff.simulate import run_app
from analog_ff.spiking import execute, statistics, target
from analog_ff.spiking.command import app
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.simulation import first_weights, simulate
from hardware_models.check import UsageError

SHORT = ["--data", "digits", "--layers", "20", "--epochs", "1", "--images-per-epoch", "20", "--test-images", "5",
         "--target", "numpy", "--step", "3"]  # fmt: skip


def test_run_folder_holds_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Result with the keys of `simulate`, configuration that reads back, weights, goodness by epoch, pictures."""
    out = tmp_path / "run"
    assert run_app(app, [*SHORT, "--layers", "20,10", "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result == json.loads((out / "result.json").read_text())
    assert result["schema"] == 1 and 0 <= result["test_error_percent"] <= 100
    assert set(result["test_error_percent_by_readout"]) == {"energy", "layer-0", "layer-1"}
    assert result["shapes"] == [[164, 20], [20, 10]] and result["presentations"] == {"training": 40, "testing": 50}
    assert result["images"] == {"learn": 20, "infer": 5}
    assert SpikingConfig.from_toml(out / "config.toml").layers == (20, 10)
    with np.load(out / "weights.npz") as weights:
        assert [list(weights[name].shape) for name in weights.files] == result["shapes"]
    assert {p.name for p in out.iterdir()} >= {"raster.png", "goodness.png", "rates.png", "weights.png", "metrics.csv"}
    again = ["--out", str(out), *SHORT]
    assert run_app(app, again) == 2  # nothing is overwritten
    assert "exists already" in capsys.readouterr().err
    assert json.loads((out / "result.json").read_text()) == result


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_and_learning_helps() -> None:
    """Same numbers from the same seed; trained goodness tells right labels from wrong ones better than chance."""
    config = SpikingConfig(
        data="digits", layers=(40,), epochs=2, images_per_epoch=200, test_images=40, target="numpy", learning_rate=1e-3,
        theta=2.0, shift=0, step=3.0,
    )  # fmt: skip
    short = replace(config, images_per_epoch=10, test_images=3)
    first, second = simulate(short, quiet=True), simulate(short, quiet=True)
    assert np.array_equal(first.scores, second.scores) and np.array_equal(first.weights[0], second.weights[0])
    first = simulate(config, quiet=True)
    # 40 images, chance 90 % error: below 70 % is more than four deviations away.
    assert first.errors()["energy"] < 70
    curve = first.curve(2)
    assert curve[-1]["goodness_awake_0"] > 1.3 * curve[-1]["goodness_asleep_0"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--encoder", "wavelet"], "--encoder is one of"),
        (["--tau", "-3"], "--tau"),
        (["--layers", "20,x"], "--layers takes whole numbers"),
        (["--data", "nothing"], "no data set 'nothing'"),
        (["--target", "cuda"], "--target is one of"),
        (["--device", "memristor", "--target", "standalone", "--chip", "exact"], "--target cython"),
    ],
)
def test_errors_are_one_sentence(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 2, one line, no folder."""
    out = tmp_path / "run"
    assert run_app(app, [*SHORT, *options, "--out", str(out)]) == 2
    text = capsys.readouterr().err
    assert said in text and text.count("\n") == 1 and "Traceback" not in text
    assert not out.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Brian2 looks for Microsoft's compiler in its own way there")
def test_without_a_compiler_the_slower_target_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, status 2; NumPy code needs no compiler."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    for name in ("standalone", "cython"):
        assert run_app(app, [*SHORT, "--target", name, "--out", str(tmp_path / "run")]) == 2
        text = capsys.readouterr().err
        assert "C++ compiler" in text and "--target numpy" in text and text.count("\n") == 1
    target.check_compiler("numpy")


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_control_c_leaves_no_half_result(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Brian2's own handler would end the simulation early and let its result pass for a whole one."""
    with target.prepared("numpy", 0) as brian2:
        handler = brian2._InterruptHandler(signal.default_int_handler)

    sent = []

    def interrupt(self: Any, elapsed: Any, completed: float, start: Any, duration: Any) -> None:
        if 0.0 < completed < 1.0 and not sent:
            sent.append(completed)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(target, "REPORT_SECONDS", 1e-6)
    monkeypatch.setattr(target._Spoken, "__call__", interrupt)
    before = signal.signal(signal.SIGINT, handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    config = SpikingConfig(data="digits", layers=(5,), epochs=1, images_per_epoch=5, test_images=2, target="numpy")
    with pytest.raises(KeyboardInterrupt):
        simulate(config, quiet=False)
    assert brian2.prefs.core.stop_on_keyboard_interrupt is True  # put back


def test_a_folder_of_compiled_code_belongs_to_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run at the same time gets another folder, a later one the first again."""
    monkeypatch.setenv(target.CACHE, str(tmp_path))
    with target._folder(["a"]) as first:
        with target._folder(["a"]) as second:
            assert first != second
    with target._folder(["a"]) as third, target._folder(["b"]) as other:
        assert third == first and other not in (first, second)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(target.CACHE, str(tmp_path / "file"))
    with pytest.raises(UsageError, match="cannot be made"), target._folder(["a"]):
        pass


@pytest.mark.slow
def test_standalone_learns_as_numpy_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same job compiled in float32 and interpreted in float64 agrees in spikes, goodness and weights but for rounding.

    The encoder draws nothing, so that the two need no statistics to be compared. Time is five times slower than by default,
    with no other effect than that the run lasts beyond the 64 s after which Brian2's C++ takes times apart that differ by
    rounding alone.
    """
    try:
        target.check_compiler("standalone")
    except UsageError:
        pytest.skip("there is no C++ compiler")
    monkeypatch.setenv(target.CACHE, str(tmp_path))
    options = {
        "data": "digits",
        "layers": (30,),
        "epochs": 2,
        "images_per_epoch": 150,
        "test_images": 3,
        "learning_rate": 1e-3,
        "step": 5.0,
        "present": 150.0,
        "tau": 100.0,
        "encoder": "latency",
        "initial_mean": 1.0,
        "theta": 3.0,
    }
    slow = simulate(SpikingConfig(**options, target="numpy"), quiet=True)
    fast = simulate(SpikingConfig(**options, target="standalone"))
    assert fast.seconds["core"] > 0
    for one, other in zip(slow.spikes["training"], fast.spikes["training"], strict=True):
        assert one.sum() > 20_000 and abs(one.sum() / other.sum() - 1) < 0.001
    mine, theirs = slow.curve(2)[-1], fast.curve(2)[-1]
    for name in ("goodness_awake_0", "goodness_asleep_0"):
        assert abs(mine[name] / theirs[name] - 1) < 0.002
    first = first_weights(SpikingConfig(**options), [w.shape[0] for w in slow.weights] + [30])[0]
    changes = [(outcome.weights[0] - first).ravel() for outcome in (slow, fast)]
    # Equal but for rounding; with the updates of a third of the presentations lost it was 0.995 (of random spikes).
    assert np.corrcoef(*changes)[0, 1] > 0.9999
    assert abs(np.linalg.norm(changes[1]) / np.linalg.norm(changes[0]) - 1) < 0.0005


def test_sparseness_and_bursts_have_their_limits() -> None:
    """0 for equal rates, 1 for a single one; a regular train of 12 ms has no interval of a burst."""
    assert statistics.sparseness(np.ones((1, 50)), 1)[0] == pytest.approx(0.0)
    assert statistics.sparseness(np.eye(50)[:1], 1)[0] == pytest.approx(1.0)
    assert math.isnan(statistics.sparseness(np.zeros((1, 5)), 1)[0])
    found = statistics.firing(np.array([[0, 3], [0, 6]]), 30.0)
    assert found["mean_rate_hz"] == pytest.approx(75.0) and found["active_rate_hz"] == pytest.approx(150.0)
    assert found["silent_share"] == 0.5 and found["log10_rate_sd"] == 0.0
    assert statistics.firing(np.zeros((4, 3)), 30.0)["active_rate_hz"] is None
    cells, times = np.array([0, 0, 0, 1, 1]), np.array([0.0, 12.0, 24.0, 28.0, 31.0])
    assert statistics.burstiness(cells, times, 30.0) == 0.0  # the last two lie in different presentations
    assert statistics.burstiness(cells, times, 60.0) == pytest.approx(1 / 3)
    assert statistics.burstiness(cells[:1], times[:1], 30.0) is None


@pytest.mark.slow
def test_a_killed_run_is_carried_out_again_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brian2 keeps nothing on the way; the folder's configuration is enough, and the result names its inputs."""
    monkeypatch.setattr(execute, "draw", lambda folder, *a: whole_files.write(folder / "raster.png", b"--"))
    command = [
        *SHORT,
        "--device",
        "memristor",
        "--images-per-epoch",
        "4",
        "--test-images",
        "2",
        "--layers",
        "5",
        "--json",
    ]
    simulated: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(execute, "simulate", lambda *a, **k: (simulated.append(simulate(*a, **k)), simulated[-1])[1])
        assert run_app(app, [*command, "--out", str(tmp_path / "whole")]) == 0
    whole = json.loads(capsys.readouterr().out)

    class Killed(BaseException):
        pass

    def kill(*args: Any, **kwargs: Any) -> None:
        raise Killed

    folder = tmp_path / "pieces"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(execute, "draw", kill)  # while the folder is filled
        patch.setattr(execute, "simulate", lambda *a, **k: simulated[0])  # until then it is the same run
        run_app(app, [*command, "--out", str(folder)])
    assert run_app(app, [*command, "--out", str(folder)]) == 2
    assert run_app(app, [*command, "--seed", "1", "--out", str(folder), "--resume"]) == 2
    assert "begun with --seed 0, not 1" in capsys.readouterr().err
    assert run_app(app, ["--json", "--out", str(folder), "--resume"]) == 0
    pieces = json.loads(capsys.readouterr().out)
    for result in (whole, pieces):
        del result["wall_seconds"], result["seconds"], result["config"]["out"]
    assert pieces == whole
    assert set(whole["inputs_sha256"]) == {
        "data set digits", "device file wu2018_taox_hfox.toml", "technology file cmos_32nm.toml",
    }  # fmt: skip
    for name in ("metrics.csv", "weights.npz"):
        assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
