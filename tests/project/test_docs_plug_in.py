"""The guide "Plug in your device": every block of code in it works as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.simulate import app, run_app
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.testing import examine_device

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "plug-in.md"


def blocks(language: str) -> list[str]:
    """Return the guide's blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the guide's files."""
    place = tmp_path_factory.mktemp("guide")
    numpy_only, compiled, test = blocks("python")
    (place / "sluggish.py").write_text(numpy_only)
    (place / "compiled.py").write_text(compiled)
    (place / "test_sluggish.py").write_text(test)
    (place / "mine.toml").write_text(blocks("toml")[0])
    return place


def test_the_parameter_file_loads(folder: Path) -> None:
    """The TOML block is a whole device."""
    device: Any = load_device(str(folder / "mine.toml"))
    assert (device.g_max, device.states, device.cycle_noise) == pytest.approx((40e-6, 90, 0.015))


@pytest.mark.slow
def test_the_numpy_device_is_short_and_trains(folder: Path) -> None:
    """At most 60 lines, NumPy only; the main job runs on it and learns."""
    text = blocks("python")[0]
    assert len(text.splitlines()) <= 60 and "numba" not in text
    options = ["--data", "toy", "--layers", "64", "--epochs", "8", "--batch", "20", "--learning-rate", "0.3"]
    assert run_app(app, [*options, "--device", f"{folder}/sluggish.py:Sluggish", "--out", str(folder / "run")]) == 0
    import json

    result = json.loads((folder / "run" / "result.json").read_text())
    assert result["events"]["learn"]["write.selected"] > 0 and result["test_error_percent"] < 25


@pytest.mark.parametrize("name", ["sluggish", "compiled"])
def test_both_pass_the_examination(name: str, folder: Path) -> None:
    """Every check of the whole."""
    report = examine_device(f"{folder}/{name}.py:Sluggish")
    report.raise_if_failed()
    verdicts = {c.name: c.passed for c in report.checks}
    assert verdicts["compiled = interpreted"] is (True if name == "compiled" else None)


def test_both_are_the_same_device(folder: Path) -> None:
    """Equal without noise, equal in law with it."""
    one, two = (load_device(f"{folder}/{name}.py:Sluggish") for name in ("sluggish", "compiled"))
    shape = (64, 64)
    for quiet in (True, False):
        means = []
        for device in (one, two):
            used: Any = device.without(write_noise=True) if quiet else device  # type: ignore[attr-defined]
            state = used.fabricate(shape, Key(0, "guide"))
            for n in (20, -7):
                used.pulse(state, np.full(shape, n, np.int32), Key(n, "guide"))
            means.append(state.g)
        if quiet:
            assert np.allclose(means[0], means[1], rtol=2e-5)
        else:
            error = np.sqrt((means[0].var() + means[1].var()) / means[0].size)
            assert abs(means[0].mean() - means[1].mean()) < 5 * error
            assert means[0].std() == pytest.approx(means[1].std(), rel=0.08)


@pytest.mark.slow
def test_the_users_own_test_passes(folder: Path) -> None:
    """The last block is a pytest file."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_sluggish.py"],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=False, env=_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def _environment() -> dict[str, str]:
    import os

    root = str(GUIDE.parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
