"""Off-chip training: the weights that arrive, what they are worth, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from analog_ff.cli import energy_table
from analog_ff.cli.run_table import show
from analog_ff.config.config import Config
from analog_ff.runs.account import account
from analog_ff.runs.deploy import AGES
from analog_ff.runs.execute import execute
from analog_ff.runs.result_file import check
from hardware_models.check import UsageError

QUICK: dict[str, Any] = {"data": "toy", "layers": (16,), "epochs": 3, "device": "ideal", "learning_rate": 0.1}


def test_written_to_an_ideal_chip_nothing_is_lost(tmp_path: Path) -> None:
    """Same converters, no noise, exact weights: the same predictions."""
    result, _ = execute(Config(**QUICK, program_to="ideal", out=str(tmp_path / "a")), quiet=True)
    assert result["deployed"]["test_error_percent_by_age"] == {"at once": result["test_error_percent_by_readout"]}


@pytest.mark.parametrize("wires", ["test", "exact"])
def test_behind_wires_the_weights_of_the_cells_are_written(tmp_path: Path, wires: str) -> None:
    """Not those that the wires left of them: on an ideal chip behind the same wires nothing is lost."""
    where = {"wires": wires, "wire_resistance": 500.0, "out": str(tmp_path / wires)}
    result, _ = execute(Config(**QUICK | {"epochs": 1}, program_to="ideal", **where), quiet=True)
    assert result["wires"]["layers"][0]["share"] < 0.8
    assert result["deployed"]["test_error_percent_by_age"] == {"at once": result["test_error_percent_by_readout"]}


def test_behind_access_transistors_the_weights_of_the_cells_are_written(tmp_path: Path) -> None:
    """On an ideal chip behind the same transistors nothing is lost; they do take a share."""
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from hardware_models.devices.ideal import Ideal\n\n\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Behind(Ideal):\n"
        "    r_access: float = 3e5\n"
    )
    device = f"{tmp_path / 'mine.py'}:Behind"
    quick = QUICK | {"epochs": 1, "device": device, "access_transistor": True}
    result, _ = execute(Config(**quick, program_to=device, out=str(tmp_path / "a")), quiet=True)
    assert result["deployed"]["test_error_percent_by_age"] == {"at once": result["test_error_percent_by_readout"]}
    plain, _ = execute(Config(**quick | {"access_transistor": False}, out=str(tmp_path / "b")), quiet=True)
    drawn = [r["integrals"]["infer"]["read.v2g"]["value"] for r in (result, plain)]
    assert drawn[0] < 0.8 * drawn[1]


def test_a_device_is_tested_at_the_ages_that_it_knows_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a law of time at every age; without one at once, and the reason stands in the result and in the table."""
    result, _ = execute(Config(**QUICK, program_to="nandakumar2019_pcm", out=str(tmp_path / "a")), quiet=True)
    assert set(result["deployed"]["test_error_percent_by_age"]) == set(AGES)
    assert result["deployed"]["no_law_of_time"] is None
    result, _ = execute(Config(**QUICK, program_to="milo2021_rram", out=str(tmp_path / "b")), quiet=True)
    assert set(result["deployed"]["test_error_percent_by_age"]) == {"at once"}
    assert result["deployed"]["no_law_of_time"].startswith("no law of time in 'milo2021_rram'")
    show(result, tmp_path / "b")
    assert "no law of time" in " ".join(capsys.readouterr().out.split())


def test_a_device_that_cannot_be_trained_can_be_written(tmp_path: Path) -> None:
    """In situ it is refused with the way out; written, its chip is reported with its figures and its cells."""
    with pytest.raises(UsageError, match=r"--device ideal --program-to joshi2020_pcm"):
        execute(Config(**QUICK | {"device": "joshi2020_pcm"}, out=str(tmp_path / "no")), quiet=True)
    assert not (tmp_path / "no").exists()
    config = Config(**QUICK, program_to="joshi2020_pcm", split="holdout", out=str(tmp_path / "b"))
    result, _ = execute(config, quiet=True)
    deployed = result["deployed"]
    assert deployed["device"]["name"] == "joshi2020_pcm"
    assert deployed["pulses_per_weight"] > 0 and deployed["cells"][0]["conductance_spread"] > 0
    assert set(deployed["validation_error_percent_by_age"]["at once"]) == {"energy", "softmax"}


@pytest.mark.parametrize("where", [{"sealed": True}, {"port": "process"}])
def test_sealed_weights_cannot_be_carried_away(where: dict[str, Any]) -> None:
    """Refused before anything runs."""
    with pytest.raises(UsageError, match="sealed chip does not allow"):
        Config(**QUICK, program_to="memristor", **where)


def test_what_the_written_chip_costs_is_booked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Calibration adds its conversions, derived here, their price and their time to the programming; a new price prices them."""
    still = {"epochs": 1, "learning_rate": 1e-12}  # so that both runs write the same weights
    reads, rows, columns, t_read = 8, 64 + 2 + 1, 16, 5e-9  # pixels, labels beside them, bias
    runs: list[dict[str, Any]] = []
    ways: tuple[dict[str, Any], ...] = ({}, {"calibrate": "offset-gain", "calibration_reads": reads})
    for way in ways:
        config = Config(
            **QUICK | still, **way, program_to="memristor", adc_offset=2.0, dac_offset=1.0,
            out=str(tmp_path / str(len(runs))),
        )  # fmt: skip
        runs.append(execute(config, quiet=True)[0])
    plain, done = (run["deployed"] for run in runs)
    written = done["events"]["program"]["write.selected"]
    assert done["pulses_per_weight"] == written / (rows * columns) > 0.0
    more = {n: c - plain["events"]["program"].get(n, 0) for n, c in done["events"]["program"].items()}
    # Each converter looks at three references, each driver is seen at two codes by a converter of the columns.
    drivers, converters = 2 * reads * rows, 3 * reads * columns
    assert {n: c for n, c in more.items() if c} == {
        "adc.8": drivers + converters, "dac.8": drivers, "integrator": drivers + converters
    }  # fmt: skip
    seconds = [run["integrals"]["program"]["time"]["value"] for run in (plain, done)]
    assert (
        seconds[1] - seconds[0] == pytest.approx((3 * reads + 2 * reads * math.ceil(rows / columns)) * t_read)
        and seconds[0] > 0.0
    )
    joule = [run["by_component_joule"]["program"] for run in (plain, done)]
    price = {"adc": 0.197411e-12 * 8 + 1.3841e-18 * 4**8, "dac": 0.032e-12 * 8 + 4.9704e-20 * 4**8}
    assert joule[1]["adc"] == pytest.approx((drivers + converters) * price["adc"]) and joule[0].get("adc", 0.0) == 0.0
    assert joule[1]["dac"] == pytest.approx(drivers * price["dac"])
    assert (
        joule[0]["write.v2gt"] == joule[1]["write.v2gt"] == plain["integrals"]["program"]["write.v2gt"]["value"] > 0.0
    )
    check(runs[1], "the run")
    found = account(runs[1], "cmos-32nm")
    assert found["deployed_joule"] == done["by_component_joule"]
    assert account(runs[1], "cmos-32nm", "high")["deployed_joule"]["program"]["adc"] > joule[1]["adc"]
    show(runs[1], tmp_path)
    energy_table.show(found)
    assert capsys.readouterr().out.count("before") == 2
    runs[1]["deployed"]["events"]["program"]["adc.8"] = -1
    with pytest.raises(UsageError, match=r"the run: 'deployed': 'events.program'"):
        check(runs[1], "the run")
