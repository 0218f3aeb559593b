"""The machine's own counters: RAPL from a folder that looks like Linux's, NVML from a library that answers like it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analog_ff.config.config import Config
from analog_ff.runs import execute as running
from hardware_models.check import UsageError
from hardware_models.energy.measured import MachineMeter


class NoDriver:
    """NVML on a machine without a driver."""

    def nvmlInit_v2(self) -> int:
        return 12


class TwoProcessors:
    """NVML with a device that counts its energy and an old one that does not."""

    energy = 5_000_000

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlDeviceGetCount_v2(self, number) -> int:
        number._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, handle) -> int:
        handle._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, handle, energy) -> int:
        energy._obj.value = self.energy
        return 0 if handle.value == 1 else 3


def zone(root: Path, number: str, name: str, microjoule: int) -> Path:
    """Make a RAPL zone with a range of 100 J."""
    folder = root / f"intel-rapl:{number}"
    folder.mkdir(exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text("100000000\n")
    (folder / "energy_uj").write_text(f"{microjoule}\n")
    return folder


def test_rapl_counts_packages_and_memory_and_goes_on_after_its_range(tmp_path: Path) -> None:
    for number, name in (("0", "package-0"), ("0:0", "core"), ("0:1", "dram"), ("1", "psys")):
        zone(tmp_path, number, name, 90_000_000)
    (tmp_path / "intel-rapl:2").mkdir()  # a zone that may not be read
    meter = MachineMeter(tmp_path, NoDriver())
    assert meter.joule() == {"package-0": 0.0, "dram-0": 0.0}
    zone(tmp_path, "0", "package-0", 98_000_000)
    meter.look()
    zone(tmp_path, "0", "package-0", 3_000_000)
    zone(tmp_path, "0:1", "dram", 91_500_000)
    assert meter.joule() == {"package-0": pytest.approx(13.0), "dram-0": pytest.approx(1.5)}
    assert meter.required() is meter


def test_nvml_counts_devices_that_can(tmp_path: Path) -> None:
    library = TwoProcessors()
    meter = MachineMeter(tmp_path, library)
    library.energy += 2_500
    assert meter.joule() == {"gpu-0": pytest.approx(2.5)}


def test_a_machine_that_tells_nothing_says_so(tmp_path: Path) -> None:
    meter = MachineMeter(tmp_path / "nothing", NoDriver())
    assert meter.joule() is None
    with pytest.raises(UsageError, match="no readable RAPL counter under"):
        meter.required()


@pytest.mark.parametrize("counted", [True, False])
def test_a_run_records_joules_only_where_they_can_be_read(counted: bool, tmp_path: Path, monkeypatch) -> None:
    """The counters are read after every epoch, so that none starts again unseen between two looks."""
    if counted:
        zone(tmp_path, "0", "package-0", 0)
    monkeypatch.setattr(running, "MachineMeter", lambda: MachineMeter(tmp_path, NoDriver()))
    config = Config(
        device="ideal", learner="random-features", data="toy", layers=(8,), epochs=3, out=str(tmp_path / "run")
    )

    def after(epoch: int) -> None:
        if counted:
            zone(tmp_path, "0", "package-0", (60_000_000 * epoch) % 100_000_000)

    result, folder = running.execute(config, quiet=True, after_epoch=after)
    assert result == json.loads((folder / "result.json").read_text())
    if counted:
        assert result["machine_joule"] == {"package-0": pytest.approx(180.0)}
    else:
        assert "machine_joule" not in result
