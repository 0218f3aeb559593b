"""Chips as they age: waits that add up, factors that cancel, corrections that bring back what was, and what is booked."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff import load_run
from analog_ff.__main__ import app
from analog_ff.cli.app import run_app
from analog_ff.cli.run_table import show
from analog_ff.config.ages import UNITS, ages_of
from analog_ff.config.config import Config
from analog_ff.runs import plots
from analog_ff.runs.ages import AS_IT_IS, WAYS, growing_old
from analog_ff.runs.execute import execute
from analog_ff.runs.rescaled import RescaledPort, of_each_neuron, of_the_layer
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.devices.linear_step import LinearStep
from hardware_models.devices.phase_change import PhaseChange
from hardware_models.devices.retention import Retention
from hardware_models.events import Events
from hardware_models.keys import Key

QUICK: dict[str, Any] = {"data": "toy", "layers": (16, 12), "epochs": 2, "batch": 20, "learning_rate": 0.1}
TAU = 1e4
FADING = f"""
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from hardware_models.devices.base import si
from hardware_models.devices.ideal import Ideal


@dataclass(frozen=True, kw_only=True)
class Fading(Ideal):
    '''An ideal cell whose conductance falls by exp(-t/tau) from the beginning of the chip's clock.'''

    timed: ClassVar[bool] = True
    tau: float = si("s", 0.0, 1e9, {TAU})

    def pulse(self, state, pulses, key, window=None, *, time=0.0):
        super().pulse(state, pulses, key, window)

    def conductance(self, state, time):
        return (state.g * np.exp(-time / self.tau)).astype(np.float32)
"""


def test_ages_as_they_are_written() -> None:
    """Each unit, a decimal, an exponent and spaces; the age at once is always the first."""
    assert ages_of("--ages", "30s, 2min,1h,1.5d,1e1y") == {
        "at once": 0.0, "30s": 30.0, "2min": 120.0, "1h": 3600.0, "1.5d": 129600.0, "1e1y": 315576000.0,
    }  # fmt: skip
    assert UNITS["y"] == 365.25 * UNITS["d"]
    assert Config(ages="1h, 1d").ages == "1h,1d"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' lacks its unit"),
        ("3600", "'3600' lacks its unit"),
        ("1h,,1d", "'' lacks its unit"),
        ("1month", "no unit of time is called 'month'"),
        ("1H", "no unit of time is called 'H'"),
        ("h", "got 'h'"),
        ("1 d", "got '1 d'"),
        ("-1h", "above 0 s"),
        ("0h", "the test at once is always made"),
        ("1e9y", "up to 1e[+]12 s"),
        ("1d,1h", "'1h' is not later than '1d'"),
        ("60min,1h", "'1h' is not later than '60min'"),
    ],
)
def test_ages_that_are_none(text: str, words: str) -> None:
    """One sentence names what is wrong, on the command line and from Python."""
    with pytest.raises(UsageError, match=f"^--ages takes ages.*{words}"):
        Config(ages=text)


@pytest.mark.parametrize(
    "device",
    [
        Retention.around(LinearStep(g_min=1e-6, g_max=1e-5, states=100.0, name="steps", source="none"), tau=1e4, tau_spread=0.5),
        PhaseChange(g_min=1e-7, g_max=2e-5, states=20.0, source="none", nu=0.05, nu_low=0.0, nu_spread=0.02, t0=20.0),
    ],
    ids=["retention", "drift"],
)  # fmt: skip
def test_two_waits_are_one_and_follow_the_law(device: Any) -> None:
    """After t and again t a cell is where one wait of 2t leaves it: G_r + (G - G_r) e^(-2t/tau), or g (2t/t0)^-nu."""
    t = 3600.0
    seen = []
    for ages in ({"at once": 0.0, "t": t, "2t": 2 * t}, {"at once": 0.0, "2t": 2 * t}):
        chip = Chip(device, ((5, 3),), chip_seed=3)
        chip.program(0, np.linspace(-0.5, 0.5, 15).reshape(5, 3), key=Key(1, "program"))
        state = {name.rpartition(".")[2]: value for name, value in chip.save().items()}
        names = list(growing_old(chip, ages, Key(2, "ages")))
        assert names == list(ages)
        seen.append(chip.oracle.conductances(0))
    assert np.array_equal(*seen)
    g, written = state["g"].astype(np.float64), state["written"]
    passed = 2 * t + float(state["time"]) - written
    if isinstance(device, PhaseChange):
        nu = np.maximum(0.05 + 0.02 * state["xi"].astype(np.float64), 0.0)
        law = g * (np.maximum(passed, 20.0) / 20.0) ** -nu
    else:
        law = state["rest"] + (g - state["rest"]) * np.exp(-passed / state["tau"])
    both = np.stack((law[:, 0::2], law[:, 1::2]))
    assert np.allclose(seen[0], both, rtol=2e-6, atol=1e-13)


class Drifted:
    """Pins of one layer whose neurons answer max(0, z/factor - offset) where they answered max(0, z)."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights
        self.shapes, self.pins, self.datasheet = (weights.shape,), frozenset({"observe", "read"}), ()
        self.factor, self.offset = np.ones(weights.shape[1]), np.zeros(weights.shape[1])

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        return (x @ self.weights / self.factor - self.offset).astype(np.float32), Events({"reads.columns": 1})

    def observe(
        self, layer: int, x: np.ndarray, *, bias: Any = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        z, events = self.read(layer, x, key=key)
        return np.maximum(z + (0.0 if bias is None else bias), 0.0), events


@pytest.mark.parametrize("way", WAYS)
def test_a_correction_brings_back_what_the_neurons_were(way: str) -> None:
    """One factor for each layer undoes a common factor; two numbers for each neuron undo factors and offsets of its own."""
    rng = np.random.default_rng(4)
    port: Any = Drifted(rng.standard_normal((8, 6)))
    x, key = rng.random((50, 8), dtype=np.float32), Key(0, "test")
    rescaled = RescaledPort(port)
    fresh, _ = rescaled.observe(0, x, key=key)

    def moments() -> Any:
        rescaled.watch((0,))
        rescaled.observe(0, x[:20], key=key)
        _, events = rescaled.observe(0, x[20:], key=key)
        assert events["reads.columns"] == 2, "a read beside each observation"
        found = rescaled.moments()[0]
        rescaled.watch(())
        return found

    before = moments()
    z = port.read(0, x, key=key)[0].astype(np.float64)
    assert np.allclose(before.mean, z.mean(axis=0)) and np.allclose(before.deviation, z.std(axis=0))
    port.factor = np.full(6, 3.0) if way == "factor_per_layer" else rng.uniform(0.5, 20.0, 6)
    port.offset = np.zeros(6) if way == "factor_per_layer" else rng.uniform(-0.2, 0.2, 6)
    old, _ = rescaled.observe(0, x, key=key)
    assert np.abs(old - fresh).max() > 0.1
    rescaled.corrections = {0: WAYS[way](before, moments())}
    now, events = rescaled.observe(0, x, key=key)
    assert np.allclose(now, fresh, atol=1e-5)
    assert events["mac.fp32"] == events["add.fp32"] == x.shape[0] * 6
    biased, _ = rescaled.observe(0, x, bias=np.float32(0.5) / rescaled.corrections[0].factor, key=key)
    assert np.allclose(biased, np.maximum(z + 0.5, 0.0), atol=1e-5)


def test_neurons_without_a_signal_keep_a_factor_of_one() -> None:
    """No division by a deviation of zero."""
    rescaled = RescaledPort(Drifted(np.zeros((4, 2))))  # type: ignore[arg-type]
    rescaled.watch((0,))
    rescaled.observe(0, np.ones((3, 4), np.float32), key=Key(0, "test"))
    silent = rescaled.moments()[0]
    for correction in (of_the_layer(silent, silent), of_each_neuron(silent, silent)):
        assert correction.factor.tolist() == [1.0, 1.0] and correction.offset.tolist() == [0.0, 0.0]


@pytest.fixture(scope="module")
def fading(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a device whose cells all fall by the same factor."""
    file = tmp_path_factory.mktemp("fading") / "fading.py"
    file.write_text(FADING)
    return f"{file}:Fading"


def test_a_common_factor_cancels(fading: str, tmp_path: Path) -> None:
    """Lengths are normalised away, so no answer changes without converters; G falls by exp(-2t/tau), a factor restores it."""
    config = Config(**QUICK, device=fading, dac=None, adc=None, ages="1000s,1h", out=str(tmp_path / "a"))
    result, _ = execute(config, quiet=True)
    by_age = result["ages"]["by_age"]
    assert result["ages"]["no_law_of_time"] is None and list(by_age) == ["at once", "1000s", "1h"]
    at_once = by_age["at once"][AS_IT_IS]
    assert at_once["error_percent_by_readout"] == result["test_error_percent_by_readout"]
    assert set(by_age["at once"]) == {"seconds", AS_IT_IS}
    for age in ("1000s", "1h"):
        left = math.exp(-2.0 * by_age[age]["seconds"] / TAU)
        for way in (AS_IT_IS, *WAYS):
            looked = by_age[age][way]
            assert looked["error_percent_by_readout"] == at_once["error_percent_by_readout"]
            for what in ("goodness_positive", "goodness_negative"):
                expected = np.array(at_once[what]) * (left if way == AS_IT_IS else 1.0)
                assert looked[what] == pytest.approx(expected, rel=1e-3)
    assert result["ages"]["theta"] == [16.0, 12.0] and result["ages"]["scales_measured_on"] == 200


def _without_its_choices(path: Path) -> dict[str, bytes]:
    """Return every array of a cells.h5 but the text of the run's configuration, which names the ages."""
    found: dict[str, bytes] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    assert "ages" in found.pop("configuration").decode()
    return {name: np.asarray(value).tobytes() for name, value in found.items()}


def test_the_run_is_what_it_is_without_ages(tmp_path: Path) -> None:
    """Counts, energies, cells and the checkpoint are those of before; a run that is killed before its result repeats its ages."""
    device = {**QUICK, "device": "memristor", "retention": 1e4}
    plain, _ = execute(Config(**device, out=str(tmp_path / "plain")), quiet=True)
    older = Config(**device, ages="1h", out=str(tmp_path / "older"))
    aged, folder = execute(older, quiet=True)
    moving = ("config", "wall_seconds", "ages", "machine_joule")
    assert {k: v for k, v in aged.items() if k not in moving} == {k: v for k, v in plain.items() if k not in moving}
    held, plain_held = (_without_its_choices(place / "cells.h5") for place in (folder, tmp_path / "plain"))
    assert held == plain_held and len(held) > 10
    found = aged["ages"]
    assert found["events"]["monitor"]["reads.cells"] > 0 and found["events"]["program"]["reads.cells"] > 0
    assert found["events"]["program"]["write.selected"] == found["events"]["monitor"]["write.selected"] == 0
    assert found["integrals"]["monitor"]["time"]["value"] < 1.0, "waits are booked nowhere"
    assert found["by_component_joule"]["monitor"]["adc"] > 0.0
    (folder / "result.json").unlink()
    again, _ = execute(older, resume=True, quiet=True)
    assert again["ages"] == found


def test_a_chip_without_a_law_of_time_is_tested_at_once_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence stands in the result and in the table; neurons that wander with the clock are a law of time."""
    result, folder = execute(Config(**QUICK, ages="1h,1d", out=str(tmp_path / "a")), quiet=True)
    ages = result["ages"]
    assert list(ages["by_age"]) == ["at once"] and ages["no_law_of_time"].startswith("no law of time in 'memristor'")
    assert ages["by_age"]["at once"][AS_IT_IS]["error_percent_by_readout"] == result["test_error_percent_by_readout"]
    show(result, folder)
    assert "no law of time" in " ".join(capsys.readouterr().out.split())
    wandering = Config(**QUICK | {"epochs": 1}, nonlinearity="drifting-hard", ages="1h", out=str(tmp_path / "b"))
    ages = execute(wandering, quiet=True)[0]["ages"]
    assert list(ages["by_age"]) == ["at once", "1h"] and ages["no_law_of_time"] is None


KINDS: dict[str, dict[str, Any]] = {
    "sealed": {"sealed": True},
    "two chips": {"chips": "per-layer"},
    "recurrent": {"network": "recurrent", "iterations": 3},
    "without labels": {"learner": "dimensionality"},
    "output layer": {"learner": "backprop-sigmoid", "nonlinearity": "sigmoid", "readout": "output"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_run_grows_old(kind: str, tmp_path: Path) -> None:
    """At the pins alone, whatever the network, the read-outs and the number of chips."""
    device = {**QUICK, "epochs": 1, "device": "memristor", "retention": 1e3, **KINDS[kind]}
    result, _ = execute(Config(**device, ages="1h", out=str(tmp_path / "a")), quiet=True)
    old = result["ages"]["by_age"]["1h"]
    for way in (AS_IT_IS, *WAYS):
        assert set(old[way]["error_percent_by_readout"]) == set(result["test_error_percent_by_readout"])
        labelled = len(result["test_error_percent_by_readout"]) == 2
        assert (old[way]["goodness_positive"] is not None) == labelled


@pytest.mark.usefixtures("pictures")
def test_the_ages_of_a_written_chip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They replace the hour and the day; table and picture show each of them."""
    config = Config(
        **QUICK | {"epochs": 1}, device="ideal", program_to="nandakumar2019_pcm", ages="1h,30d", out=str(tmp_path / "a")
    )
    result, folder = execute(config, quiet=True)
    deployed = result["deployed"]
    assert "ages" not in result and list(deployed["ages"]["by_age"]) == ["at once", "1h", "30d"]
    for age, found in deployed["ages"]["by_age"].items():
        assert deployed["test_error_percent_by_age"][age] == found[AS_IT_IS]["error_percent_by_readout"]
    show(result, folder)
    shown = " ".join(capsys.readouterr().out.split())
    assert "age 30d, error, softmax read-out" in shown and "a factor per neuron" in shown
    assert (folder / plots.AGES).read_bytes()[:4] == b"\x89PNG"
    assert json.loads((folder / "result.json").read_text())["deployed"]["ages"] == deployed["ages"]


FORGETS: dict[str, Any] = {"device": "memristor", "retention": 1e3}
LATER: dict[str, dict[str, Any]] = {
    "forgets": FORGETS,
    "wires for the test": {**FORGETS, "wires": "test"},
    "written once": {"device": "ideal", "program_to": "nandakumar2019_pcm"},
    "no law": {"device": "memristor"},
}


@pytest.mark.parametrize("kind", LATER)
def test_a_finished_run_gives_the_ages_that_it_would_have_given(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`infer --ages` on a run without ages: every number of the run that had them, also after other images were shown."""
    chosen = {**QUICK, "epochs": 1, **LATER[kind]}
    asked, _ = execute(Config(**chosen, ages="1h,1d", out=str(tmp_path / "asked")), quiet=True)
    expected = json.loads(json.dumps(asked.get("ages") or asked["deployed"]["ages"]))
    _, folder = execute(Config(**chosen, out=str(tmp_path / "plain")), quiet=True)
    capsys.readouterr()
    assert run_app(app, ["infer", str(folder), "--ages", "1h, 1d", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ages"] == expected
    with load_run(folder) as loaded:
        loaded.chip.wait(1e3, key=Key(9, "wait"))
        assert loaded.aged("1h,1d") == expected
        x, y = loaded.data.x_test[:50], loaded.data.y_test[:50]
    np.savez(tmp_path / "x.npz", x=x, y=y)
    np.savez(tmp_path / "bare.npz", x=x)
    assert run_app(app, ["infer", str(folder), "--ages", "1h", "--data", str(tmp_path / "x.npz")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert ("no law of time" if kind == "no law" else "age 1h, error, softmax read-out") in said
    assert run_app(app, ["infer", str(folder), "--ages", "1h", "--data", str(tmp_path / "bare.npz")]) == 2
    assert "--ages needs labels" in capsys.readouterr().err
    assert run_app(app, ["infer", str(folder), "--ages", "1d,1h"]) == 2
    assert "'1h' is not later than '1d'" in capsys.readouterr().err
