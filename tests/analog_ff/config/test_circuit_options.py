"""Options of the circuit around the cells: from the command to the chip, the same through every door, refused where idle."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.config.array_parts import ADC_FAULTS, DAC_FAULTS
from analog_ff.config.config import Config
from analog_ff.improvement.ablation import cases
from analog_ff.registry.options import flag
from analog_ff.runs import checkpoint
from analog_ff.runs.account import account
from analog_ff.runs.build import calibrated, data_of, frame_of, learner_of, port_of, wiring_of
from analog_ff.runs.execute import execute
from analog_ff.runs.result_file import read_run
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.port import ChipBench

SHAPES = ((33, 12), (13, 10))
NOISY: dict[str, Any] = {"johnson_noise": True, "chip_temperature": 350.0, "shot_noise": 0.3, "read_time": 2e-8}
FAULTY: dict[str, Any] = {
    "adc_offset": 2.0, "adc_gain_spread": 0.02, "adc_inl": 1.0, "comparator_noise": 0.5,
    "dac_offset": 1.0, "dac_gain_spread": 0.01, "dac_inl": 0.7,
}  # fmt: skip
CALIBRATED: dict[str, Any] = {**FAULTY, "calibrate": "offset-gain", "calibration_reads": 10}
KEY = Key(5, "circuit options")


def port(**options: Any) -> ChipBench:
    """Return the chip of a configuration, programmed; its converters are finer than the noise of its reads."""
    made = port_of(Config(**{"data": "toy", "layers": (12, 10), "adc": 10, **options}), SHAPES)
    for layer, shape in enumerate(SHAPES):
        weights = np.random.default_rng(layer).standard_normal(shape) / np.sqrt(shape[0])
        made.program(layer, weights, key=KEY.child("program", layer))
    return made


def seen(made: ChipBench) -> list[np.ndarray]:
    """Return what comes out of every read of a chip."""
    x = np.random.default_rng(9).uniform(-6.0, 12.0, (8, 33)).astype(np.float32)
    back = np.random.default_rng(8).standard_normal((8, 12)).astype(np.float32)
    return [
        made.observe(0, x, key=KEY)[0],
        made.read(0, np.abs(x), key=KEY)[0],
        made.observe_transposed(0, back, key=KEY)[0],
    ]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Tell whether two lists of arrays are equal to the bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "options",
    [
        {"access_transistor": True},
        {"johnson_noise": True},
        {"shot_noise": 1.0},
        {"johnson_noise": True, "read_time": 1e-9},
        NOISY,
        *({name: 0.02 if "gain" in name else 2.0} for name in (*ADC_FAULTS, *DAC_FAULTS)),
        {**NOISY, **FAULTY},
    ],
    ids=lambda options: "+".join(options),
)
def test_every_option_reaches_the_chip(options: dict[str, Any]) -> None:
    """Another read than at the defaults, and the same one on a sealed chip and after its state was restored."""
    made = port(**options)
    first = seen(made)
    assert not any(np.array_equal(a, b) for a, b in zip(first, seen(port()), strict=True))
    assert same(first, seen(port(sealed=True, **options)))
    again = port_of(Config(data="toy", layers=(12, 10), adc=10, **options), SHAPES)
    again.restore(made.save())
    assert same(seen(again), seen(made))


def test_a_chip_in_another_process_gives_the_same_bits() -> None:
    """All options at once across the pipe."""
    every = {"access_transistor": True, **NOISY, **FAULTY}
    other = port(port="process", **every)
    try:
        assert same(seen(other), seen(port(**every)))
    finally:
        other.close()


def test_access_transistors_of_a_device_without_are_none() -> None:
    """The option then changes nothing, and the ablation has no case without them."""
    device = "renaudineau2026_hfox_ti"
    assert same(seen(port(device=device, access_transistor=True)), seen(port(device=device)))
    for name, expected in ((device, False), ("kuzum2011_gst", True)):
        runs = cases(Config(data="toy", device=name, access_transistor=True))
        assert ("no access transistors" in runs) == expected
        assert not expected or not runs["all of these off"].access_transistor


def test_a_run_with_access_transistors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its energy is that of cells in series with transistors, its worst case too, when it is run and when it is priced anew."""
    small = [
        "--preset",
        "plain",
        "--data",
        "toy",
        "--layers",
        "6",
        "--epochs",
        "1",
        "--batch",
        "100",
        "--device",
        "kuzum2011_gst",
        "--json",
    ]
    found = []
    for words in ([], ["--access-transistor"]):
        place = tmp_path / f"run{len(words)}"
        assert run_app(app, [*words, *small, "--out", str(place)]) == 0, capsys.readouterr().err
        assert Config.from_toml(place / "config.toml").access_transistor == bool(words)
        result = json.loads((place / "result.json").read_text())
        priced = account(read_run(str(place)), "cmos-32nm")
        assert priced["line_currents"]["line_current_ratio"] == result["energy"]["line_currents"]["line_current_ratio"]
        found.append(result)
    plain, behind = found
    assert plain["device"] == behind["device"] and behind["device"]["r_access"] == 15e3
    for what in ("read", "write"):
        ratios = [result["energy"]["line_currents"]["line_current_ratio"][what] for result in found]
        assert ratios[0] / ratios[1] == pytest.approx(1.0 + 15e3 * behind["device"]["g_max"])
    joules = [result["integrals"]["learn"]["read.v2g"]["value"] for result in found]
    assert joules[1] < 0.6 * joules[0]


def test_a_longer_read_takes_its_time() -> None:
    """The read time is that of the clock and of the device's description, from which energy is priced."""
    made, usual = port(read_time=1e-6), port()
    x = np.ones((8, 33), np.float32)
    events, before = (p.observe(0, x, key=KEY)[1] for p in (made, usual))
    assert events.integrals["time"] == pytest.approx(8e-6)
    assert made.description["t_read"] == 1e-6
    assert events.integrals["read.v2g"] == pytest.approx(before.integrals["read.v2g"], rel=0.02)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chip_temperature": 350.0}, "--chip-temperature needs --johnson-noise beside it"),
        ({"chip_temperature": 0.0, "johnson_noise": True}, "for --chip-temperature, got 0 K"),
        ({"shot_noise": 1.5}, "--shot-noise"),
        ({"read_time": 0.0}, "--read-time"),
        ({"read_time": 1e-300}, "--read-time"),
        ({"adc": None, "adc_inl": 1.0}, "--adc-inl is an error of a converter with steps: .*--adc bits"),
        ({"dac": None, "dac_offset": 1.0}, "--dac-offset is an error of a converter with steps"),
        ({"calibrate": "offset"}, "nothing to correct: .* --adc-offset, --dac-offset"),
        ({"calibrate": "offset", "adc_gain_spread": 0.1, "comparator_noise": 1.0}, "nothing to correct"),
        ({"calibration_reads": 8, "adc_offset": 1.0}, "--calibration-reads needs --calibrate beside it"),
    ],
)
def test_what_would_do_nothing_is_refused(options: dict[str, Any], said: str) -> None:
    """One sentence at construction."""
    with pytest.raises(UsageError, match=said):
        Config(**options)


def test_johnson_noise_that_a_file_contains_is_not_added_again(tmp_path: Path) -> None:
    """Reads are those without the option, and last as long; without the file's read noise the option adds it."""
    text = Path("hardware_models/parameters/wu2018_taox_hfox.toml").read_text(encoding="utf-8")
    head, _, tail = text.partition("[read_noise_contains_thermal]")
    file = tmp_path / "mine.toml"
    file.write_text(f"{head}[read_noise_contains_thermal]{tail.replace('value = false', 'value = true', 1)}")
    assert same(seen(port(device=str(file), johnson_noise=True)), seen(port()))
    assert same(
        seen(port(device=str(file), johnson_noise=True, read_noise=False)),
        seen(port(johnson_noise=True, read_noise=False)),
    )
    noisy = Config(data="toy", device=str(file), johnson_noise=True)
    for config, expected in (
        (noisy, False),
        (replace(noisy, read_noise=False), True),
        (replace(noisy, shot_noise=0.5), True),
    ):
        assert ("no line noise" in cases(config)) == expected, "the ablation has no case that would change nothing"


def test_a_run_with_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line to result.json and config.toml; the ablation knows noise and faults among the non-idealities."""
    every = {**NOISY, **CALIBRATED}
    words = [
        word for name, value in every.items() for word in ([flag(name)] if value is True else [flag(name), str(value)])
    ]
    small = ["--preset", "plain", "--data", "toy", "--layers", "6", "--epochs", "1", "--batch", "100"]
    assert run_app(app, [*words, *small, "--out", str(tmp_path / "run"), "--json"]) == 0, capsys.readouterr().err
    config = Config.from_toml(tmp_path / "run" / "config.toml")
    assert {name: getattr(config, name) for name in every} == every
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    (inputs, neurons), *_ = result["shapes"]
    measured = 10 * (3 * neurons * -(-inputs // 256) + 2 * inputs)
    assert result["events"]["program"]["adc.8"] == measured and result["events"]["program"]["dac.8"] == 10 * 2 * inputs
    runs = cases(config)
    assert {"no line noise", "no converter faults", "no converters"} <= set(runs)
    assert not {"no line noise", "no converter faults", "no wires"} & set(cases(Config(data="toy")))


@pytest.mark.parametrize("wires", ["test", "refreshed"])
def test_an_ablation_takes_the_wires_away(wires: str) -> None:
    """In a case of their own, with their options, and where all is off."""
    runs = cases(Config(data="toy", wires=wires, wire_resistance=9.0))
    assert all(
        runs[name].wires == "off" and runs[name].wire_resistance is None for name in ("no wires", "all of these off")
    )
    assert runs["no read noise"].wires == wires


@pytest.mark.parametrize("learner", ["backprop-nominal", "feedback-alignment"])
def test_only_a_learner_that_reads_backwards_pays_for_that(learner: str) -> None:
    """The converters of transposed reads are calibrated where there is a transposed read."""
    config = Config(data="toy", layers=(6,), learner=learner, **CALIBRATED)
    data = data_of(config)
    wiring = wiring_of(config, frame_of(config, data, None))
    learned = learner_of(config, port_of(config, wiring.shapes), len(data.classes), wiring, None)
    inputs, neurons = wiring.shapes[0]
    backwards = 10 * (3 * inputs + 2 * neurons) if learner == "backprop-nominal" else 0
    assert calibrated(config, learned).total()["adc.8"] == 10 * (3 * neurons + 2 * inputs) + backwards


def test_the_classifier_calibrates_its_chip_and_resumes_it() -> None:
    """Its events count the calibration, and a pickled classifier predicts the same."""
    from analog_ff import ForwardForwardClassifier

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((40, 6)), np.repeat([0, 1], 20)
    model = ForwardForwardClassifier(hidden=(8,), epochs=1, settings={**CALIBRATED, "johnson_noise": True}).fit(x, y)
    assert model.events_["program"]["dac.8"] > 0
    assert np.array_equal(pickle.loads(pickle.dumps(model)).decision_function(x), model.decision_function(x))


def test_a_resumed_run_keeps_what_was_calibrated(tmp_path: Path) -> None:
    """Two epochs at once, or one and then another: the same result, the calibration counted once."""
    options: dict[str, Any] = {"data": "toy", "layers": (6,), "batch": 100, "johnson_noise": True, **CALIBRATED}
    whole, _ = execute(Config(epochs=2, out=str(tmp_path / "whole"), **options), quiet=True)
    execute(Config(epochs=1, out=str(tmp_path / "parts"), **options), quiet=True)
    rest, _ = execute(Config(epochs=2, out=str(tmp_path / "parts"), **options), quiet=True, resume=True)
    assert rest["events"]["program"] == whole["events"]["program"] and whole["events"]["program"]["dac.8"] > 0
    lines = [
        (tmp_path / name / "metrics.csv").read_text().splitlines()[1].split(",")[:4] for name in ("whole", "parts")
    ]
    assert lines[0] == lines[1]
    chips = [checkpoint.read(tmp_path / name, checkpoint.NAME)[0] for name in ("whole", "parts")]
    known = [name for name in chips[0] if "converters" in name]
    assert len(known) == 2 * 4 and all(np.array_equal(chips[0][name], chips[1][name]) for name in known)
    assert any(np.any(chips[0][name] != 0.0) for name in known if name.endswith("offset"))
