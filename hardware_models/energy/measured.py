"""Energy that the computer itself draws, from its own counters: RAPL for processors, NVML for graphics processors.

A counter tells the energy that a part has drawn since it was switched on, for whatever program: the figure includes other
programs on the same machine, and memory only if the machine has a counter for it. The counters measure the machine that runs
the simulation, never the simulated chip; they give an upper bound of the energy of the same training on a real digital
computer.

RAPL counts in microjoule and starts again from zero at the end of its range (after some minutes to an hour of full load): a
meter has to be read at least once in that time. Linux shows the counters under /sys/class/powercap
(https://docs.kernel.org/power/powercap/powercap.html); most users can read them only if the machine's owner allows it. NVML is
a library of the graphics driver
(nvmlDeviceGetTotalEnergyConsumption, in millijoule, since the driver was loaded).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware_models.check import UsageError

POWERCAP = Path("/sys/class/powercap")
ABSENT = (
    "this machine's own energy cannot be measured: no readable RAPL counter under {root} and no NVML library that answers; "
    "ask its owner for the right to read energy_uj, or leave the measured joules out."
)


@dataclass
class Counter:
    """One energy counter: its name, the function that reads it [J], and the range [J] after which it restarts (0: never)."""

    name: str
    read: Callable[[], float]
    span: float = 0.0
    last: float = 0.0
    total: float = 0.0

    def look(self) -> None:
        """Add the energy drawn since the last reading; a reading below the last one means that the counter has restarted."""
        now = self.read()
        drawn = now - self.last
        self.total += drawn + self.span if drawn < 0.0 else drawn
        self.last = now


class MachineMeter:
    """Energy drawn since the meter was made, by counter.

    Parameters
    ----------
    root : Path
        Folder in which Linux shows the RAPL counters.
    library : object, optional
        The NVML library; by default that of the graphics driver, if there is one.
    """

    def __init__(self, root: Path = POWERCAP, library: Any = None) -> None:
        self._root = root
        self.counters = [*rapl_counters(root), *nvml_counters(_nvml() if library is None else library)]
        for counter in self.counters:
            counter.last = counter.read()

    def look(self) -> None:
        """Read all counters; needed at least once in the time after which a counter restarts."""
        for counter in self.counters:
            counter.look()

    def after_epoch(self, then: Callable[[int], None] | None) -> Callable[[int], None]:
        """Return a function for the end of every epoch that reads the counters and then calls `then`."""

        def both(epoch: int) -> None:
            self.look()
            if then is not None:
                then(epoch)

        return both

    def joule(self) -> dict[str, float] | None:
        """Return the energy [J] of each counter up to now; None on a machine without readable counters."""
        self.look()
        return {counter.name: counter.total for counter in self.counters} or None

    def required(self) -> MachineMeter:
        """Return the meter itself; raise UsageError on a machine without readable counters."""
        if not self.counters:
            raise UsageError(ABSENT.format(root=self._root))
        return self


def rapl_counters(root: Path) -> list[Counter]:
    """Return the readable counters of processor packages and of memory.

    The counters of cores and graphics are part of their package's, and "psys" includes the packages; to count nothing twice,
    they are left out.
    """
    counters = []
    for zone in sorted(root.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text().strip()
            span = float((zone / "max_energy_range_uj").read_text()) * 1e-6
            _microjoule(zone)
        except (OSError, ValueError):  # the counter is missing, or this user may not read it
            continue
        if name.startswith("package") or name == "dram":
            parent = zone.name.split(":")[1]
            counters.append(Counter(name if name != "dram" else f"dram-{parent}", lambda z=zone: _microjoule(z), span))  # type: ignore[misc]
    return counters


def _microjoule(zone: Path) -> float:
    return float((zone / "energy_uj").read_text()) * 1e-6


def _nvml() -> Any:
    try:
        return ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None


def nvml_counters(library: Any) -> list[Counter]:
    """Return the counters of all graphics processors that have one; an empty list without a library or a device."""
    if library is None or library.nvmlInit_v2() != 0:
        return []
    number = ctypes.c_uint(0)
    if library.nvmlDeviceGetCount_v2(ctypes.byref(number)) != 0:
        return []
    counters = []
    for index in range(number.value):
        handle = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) != 0:
            continue
        if _millijoule(library, handle) is not None:
            counters.append(Counter(f"gpu-{index}", lambda h=handle: _millijoule(library, h) or 0.0))  # type: ignore[misc]
    return counters


def _millijoule(library: Any, handle: Any) -> float | None:
    energy = ctypes.c_ulonglong(0)
    if library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(energy)) != 0:
        return None
    return energy.value * 1e-3
