"""The time of a read from Johnson noise: the law, who decides, what a run says, and devices that it makes fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.cli.run_table import show
from analog_ff.config.config import Config, recommended
from analog_ff.runs.account import account
from analog_ff.runs.build import device_of
from analog_ff.runs.execute import examine, execute
from analog_ff.runs.identity import key
from analog_ff.runs.read_time import LARGEST_NOISE, least_read_time, noise_of_z
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.devices import PUBLISHED
from hardware_models.keys import Key
from hardware_models.load import load_device

TRAINABLE = [name for name in PUBLISHED if load_device(name).trainable and name != "memristor"]
OWN = Path("benchmarks/devices")
HIGH, LOW = str(OWN / "memristor_10megohm.toml"), str(OWN / "memristor_5kiloohm.toml")


# --- the law ---


@pytest.mark.parametrize("chip", [{}, {"weight_range": 2.0, "input_scale": 7.0, "chip_temperature": 370.0}])
def test_the_noise_is_that_of_the_simulated_array_for_any_fan_in(chip: dict[str, float]) -> None:
    """Fresh cells in mid-range, 40 and 160 rows: the deviation of z that the crossbar draws with."""
    config = Config(johnson_noise=True, **chip)  # type: ignore[arg-type]
    for name, t in (("memristor", 5e-9), ("tang2018_ecram", 3e-8)):
        device = replace(load_device(name).without(read_noise=True, spread=True), t_read=t)
        for rows in (40, 160):
            noise = LineNoise(johnson=True, temperature=config.chip_temperature)
            bar = Crossbar(device, (rows, 3), key=Key(0, "f"), noise=noise)
            deviation = bar.noise_deviation(np.zeros((1, rows), np.float32))
            assert deviation is not None
            g_unit = device.g_range * np.sqrt(rows) / config.weight_range
            in_z = deviation * config.input_scale / (g_unit * device.v_read)
            np.testing.assert_allclose(in_z, noise_of_z(device, config, t), rtol=1e-5)


@pytest.mark.parametrize("name", [*TRAINABLE, HIGH, LOW])
def test_a_read_is_the_shortest_step_of_1_2_5_with_little_noise(name: str) -> None:
    device, config = load_device(name), Config(johnson_noise=True)
    t = least_read_time(device, config)
    digit, _, power = f"{t:e}".partition("e")
    assert float(digit) in (1.0, 2.0, 5.0) and t == float(f"{float(digit):g}e{power}")
    shorter = t / (2.5 if float(digit) == 5.0 else 2.0)
    assert noise_of_z(device, config, t) <= LARGEST_NOISE < noise_of_z(device, config, shorter)
    made = device_of(replace(config, device=name))
    assert made.t_read == max(t, device.t_read) and made == replace(device, t_read=made.t_read)


# --- who decides ---


def test_the_default_device_stays_at_its_5_nanoseconds() -> None:
    """1.04 ns would do; the device, and with it the key of a stored point, is the one without the option."""
    noisy = Config(johnson_noise=True)
    assert device_of(noisy) == device_of(Config()) and device_of(noisy).t_read == 5e-9
    assert key("simulate", noisy)["inputs"] == key("simulate", Config())["inputs"]
    assert noise_of_z(device_of(noisy), noisy, 5e-9) == pytest.approx(0.0455, rel=1e-2)


def test_high_resistance_asks_for_longer_reads_and_a_chosen_time_wins() -> None:
    """200 ns for 10 MOhm at 300 K; hotter cells and wider weights ask for more; without the noise nothing is asked."""

    def seconds(**options: Any) -> float:
        return device_of(Config(device=HIGH, **options)).t_read

    assert seconds() == 5e-9
    assert seconds(johnson_noise=True) == 2e-7
    assert seconds(johnson_noise=True, chip_temperature=600.0) == 5e-7  # 208 ns are more than 200
    assert seconds(johnson_noise=True, weight_range=8.0) == 5e-7
    assert seconds(johnson_noise=True, read_time=3e-9) == 3e-9
    written = Config(device="ideal", program_to=HIGH, johnson_noise=True)
    assert device_of(written, written_once=True).t_read == 2e-7


def test_the_key_of_a_stored_point_follows_the_read_time() -> None:
    """Points that differ in what decides the read time do not share the digest of a device."""
    points = [Config(device="park2013_pcmo", **more) for more in ({}, {"johnson_noise": True},
              {"johnson_noise": True, "weight_range": 40.0})]  # fmt: skip
    assert len({key("simulate", point)["inputs"]["device"] for point in points}) == 3


def test_noise_that_no_read_outlasts_is_refused(tmp_path: Path) -> None:
    text = Path(HIGH).read_text(encoding="utf-8")
    file = tmp_path / "far.toml"
    file.write_text(text.replace('unit = "uS"', 'unit = "aS"'), encoding="utf-8")
    with pytest.raises(UsageError, match="reads would have to last .* s: give a shorter --read-time, or leave"):
        device_of(Config(device=str(file), johnson_noise=True))


@pytest.mark.parametrize("more", [[], ["--johnson-noise"]])
def test_a_read_time_that_heat_drowns_is_refused_before_the_run(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bound as in the price of a run: 3 kT 4^8 for 8 bits. Coarser converters, or none, take it."""
    small = ["--data", "toy", "--layers", "6", "--epochs", "1", "--read-time", "1e-12", "--preset", "plain", *more]
    assert run_app(app, [*small, "--out", str(tmp_path / "run")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--read-time 1e-12 is too short for --adc 8: a bit line of 67 cells dissipates 9.21e-17 J" in said
    assert not (tmp_path / "run").exists()
    assert run_app(app, [*small, "--adc", "6", "--out", str(tmp_path / "coarse")]) == 0


# --- what a run says ---


def said_by(result: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    show(result, folder)
    return " ".join(capsys.readouterr().out.split())


def test_a_run_says_how_long_it_reads_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """result.json and the table; a longer read takes its time and its bias, and nothing without the option."""
    small: dict[str, Any] = {
        "data": "toy",
        "layers": (6,),
        "epochs": 1,
        "device": "park2013_pcmo",
        "technology": "cmos-32nm",
    }
    noisy, folder = execute(Config(**small, johnson_noise=True, out=str(tmp_path / "noisy")), quiet=True)
    found = json.loads((folder / "result.json").read_text())["johnson_noise"]
    deviation = noise_of_z(load_device("park2013_pcmo"), Config(), 5e-7)
    assert found == noisy["johnson_noise"] == {
        "read_time": {"value": 5e-7, "unit": "s"}, "read_time_from": "johnson-noise",
        "deviation_z": pytest.approx(deviation), "contained_in_read_noise": False,
    }  # fmt: skip
    table = said_by(noisy, folder, capsys)
    assert "500 ns, from Johnson noise" in table and "0.074 (standard deviation of z)" in table
    plain, folder = execute(Config(**small, out=str(tmp_path / "plain")), quiet=True)
    assert "johnson_noise" not in plain and "read time" not in said_by(plain, folder, capsys)
    assert noisy["device"]["t_read"] == 5e-7 and plain["device"]["t_read"] == 5e-9
    time, cost = ([result[part]["infer"] for result in (noisy, plain)] for part in ("integrals", "events"))
    assert time[0]["time"]["value"] == pytest.approx(100.0 * time[1]["time"]["value"])
    bias = [result["energy"]["by_component_joule"]["infer"]["integrator"] for result in (noisy, plain)]
    assert cost[0]["integrator"] == cost[1]["integrator"]
    assert bias[0] - bias[1] == pytest.approx(cost[0]["integrator"] * 3e-6 * 495e-9)  # 3 uW


def contained(folder: Path) -> str:
    """Return a device whose read noise contains the Johnson noise of its reads of 5 ns."""
    text = Path("hardware_models/parameters/park2013_pcmo.toml").read_text(encoding="utf-8")
    head, mark, tail = text.partition("[read_noise_contains_thermal]")
    file = folder / "contained.toml"
    file.write_text(head + mark + tail.replace("value = false", "value = true", 1), encoding="utf-8")
    return str(file)


def test_a_run_says_that_the_read_noise_contains_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the chip that learns and of the one that is written; the read lasts as long as when its noise was measured."""
    small: dict[str, Any] = {"data": "toy", "layers": (6,), "epochs": 1, "johnson_noise": True}
    config = Config(**small, device=contained(tmp_path), program_to=HIGH, out=str(tmp_path / "run"))
    result, folder = execute(config, quiet=True)
    found, written = result["johnson_noise"], result["deployed"]["johnson_noise"]
    assert found["contained_in_read_noise"] and found["deviation_z"] is None and found["read_time"]["value"] == 5e-9
    assert found["read_time_from"] == "device" and written["read_time"]["value"] == 2e-7
    table = said_by(result, folder, capsys)
    assert "contained in the read noise" in table and "5 ns, that of the device" in table


def test_options_that_contained_noise_ignores_are_refused(tmp_path: Path) -> None:
    """A shorter read would have more noise than the file has; a temperature would change nothing."""
    small: dict[str, Any] = {"data": "toy", "layers": (6,), "device": contained(tmp_path), "johnson_noise": True}
    for more in ({}, {"read_time": 5e-9}, {"read_time": 1e-7}, {"read_noise": False, "chip_temperature": 350.0}):
        examine(Config(**small, **more))
    with pytest.raises(UsageError, match="Johnson noise of reads of 5e-09 s, .* would have more: give at least 5e-09"):
        examine(Config(**small, read_time=4e-9))
    with pytest.raises(UsageError, match="which --chip-temperature cannot change: leave --chip-temperature out"):
        examine(Config(**small, chip_temperature=350.0))
    written = {"device": HIGH, "program_to": small["device"], "chip_temperature": 350.0}
    examine(Config(**(small | written)))


def test_no_run_converts_more_bits_than_its_reads_have(tmp_path: Path) -> None:
    """What `energy RUN` would refuse of a run with Johnson noise is refused before it; one bit less is priced."""
    small: dict[str, Any] = {"data": "toy", "layers": (6,), "epochs": 1, "johnson_noise": True}
    with pytest.raises(UsageError, match="a read of 5e-09 s is too short for --adc 13: a bit line of 67 cells"):
        examine(Config(**small, adc=13))
    result, _ = execute(Config(**small, adc=12, out=str(tmp_path / "run")), quiet=True)
    assert account(result, "cmos-32nm")["full_scale_read"]["times"] >= 1.0


# --- every device a chip that fits ---


@pytest.mark.parametrize("device", [HIGH, LOW])
def test_ten_megohm_and_five_kiloohm_run_without_options(device: str, tmp_path: Path) -> None:
    """No current above the limit of a line; the one reads longer, the other in many groups."""
    small = {"data": "toy", "layers": (20,), "epochs": 1, "device": device, "out": str(tmp_path / "run")}
    result, _ = execute(Config(**recommended(small)), quiet=True)
    lines = result["energy"]["line_currents"]
    assert lines["physical"] and all(0.0 < ratio <= 1.0 for ratio in lines["line_current_ratio"].values())
    assert (result["johnson_noise"]["read_time_from"] == "johnson-noise") == (device == HIGH)
    assert result["johnson_noise"]["deviation_z"] <= LARGEST_NOISE
    assert (lines["steps_of_a_read"] > 1) == (lines["worst_case_ratio"]["read"] > 10.0) == (device == LOW)


@pytest.mark.slow
@pytest.mark.parametrize("device", TRAINABLE)
def test_every_published_device_starts_on_a_chip_that_fits(device: str, tmp_path: Path) -> None:
    """300 images of mnist-5k with the default options: currents within the limit, and little Johnson noise."""
    small = {"images_per_epoch": 300, "layers": (50,), "epochs": 1, "device": device, "out": str(tmp_path / "run")}
    config = Config(**recommended(small))
    result, _ = execute(config, quiet=True)
    assert result["config"]["line_groups"] == "auto" and result["config"]["access_transistor"]
    ratios = result["energy"]["line_currents"]["line_current_ratio"]
    assert all(0.0 < ratio <= 1.0 for ratio in ratios.values())
    assert result["johnson_noise"]["deviation_z"] <= LARGEST_NOISE
