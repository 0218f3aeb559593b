"""Options of the circuit around the cells: from the command to the chip, the same through every door, refused where idle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.runs.ablate import cases
from analog_ff.runs.build import port_of
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.port import ChipBench

SHAPES = ((33, 12), (13, 10))
NOISY: dict[str, Any] = {"johnson_noise": True, "chip_temperature": 350.0, "shot_noise": 0.3, "read_time": 2e-8}
KEY = Key(5, "circuit options")


def port(**options: Any) -> ChipBench:
    """Return the chip of a configuration, programmed."""
    made = port_of(Config(**{"data": "toy", "layers": (12, 10), "adc": 14, **options}), SHAPES)
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
    [{"johnson_noise": True}, {"shot_noise": 1.0}, {"johnson_noise": True, "read_time": 1e-9}, NOISY],
    ids=lambda options: "+".join(options),
)
def test_every_option_reaches_the_chip(options: dict[str, Any]) -> None:
    """Another read than at the defaults, and the same one on a sealed chip and after its state was restored."""
    made = port(**options)
    first = seen(made)
    assert not any(np.array_equal(a, b) for a, b in zip(first, seen(port()), strict=True))
    assert same(first, seen(port(sealed=True, **options)))
    again = port_of(Config(data="toy", layers=(12, 10), adc=14, **options), SHAPES)
    again.restore(made.save())
    assert same(seen(again), seen(made))


def test_a_chip_in_another_process_gives_the_same_bits() -> None:
    """All options at once across the pipe."""
    other = port(port="process", **NOISY)
    try:
        assert same(seen(other), seen(port(**NOISY)))
    finally:
        other.close()


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
    ],
)
def test_what_would_do_nothing_is_refused(options: dict[str, Any], said: str) -> None:
    """One sentence at construction."""
    with pytest.raises(UsageError, match=said):
        Config(**options)


def test_johnson_noise_that_a_file_contains_is_refused(tmp_path: Path) -> None:
    """It would be counted twice; without the file's read noise it is taken."""
    text = Path("hardware_models/parameters/wu2018_taox_hfox.toml").read_text(encoding="utf-8")
    head, _, tail = text.partition("[read_noise_contains_thermal]")
    file = tmp_path / "mine.toml"
    file.write_text(f"{head}[read_noise_contains_thermal]{tail.replace('value = false', 'value = true', 1)}")
    with pytest.raises(UsageError, match="contains the Johnson noise of its cells"):
        port(device=str(file), johnson_noise=True)
    assert same(
        seen(port(device=str(file), johnson_noise=True, read_noise=False)),
        seen(port(johnson_noise=True, read_noise=False)),
    )


def test_a_run_with_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line to result.json and config.toml; the ablation knows the noise as one of the non-idealities."""
    words = ["--johnson-noise", "--chip-temperature", "350", "--shot-noise", "0.3", "--read-time", "2e-8"]
    small = ["--data", "toy", "--layers", "6", "--epochs", "1", "--batch", "100"]
    assert run_app(app, [*words, *small, "--out", str(tmp_path / "run"), "--json"]) == 0, capsys.readouterr().err
    config = Config.from_toml(tmp_path / "run" / "config.toml")
    assert {name: getattr(config, name) for name in NOISY} == NOISY
    assert "no line noise" in cases(config) and "no line noise" not in cases(Config(data="toy"))
