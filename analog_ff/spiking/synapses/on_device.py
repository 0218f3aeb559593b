"""Synapses on any array of devices: the device, its ledger, and the events of spikes on word lines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from analog_ff.spiking import accounting
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.base import Hardware, LayerCells, Plasticity
from analog_ff.spiking.synapses.lines import ROW, Lines, check_hardware, phases_of
from hardware_models.devices.base import Device
from hardware_models.events import Ledger
from hardware_models.load import load_device
from hardware_models.tiles import Tiling

TILE = (256, 256)
"""Largest tile (rows, columns) in cells."""


class Wired(NamedTuple):
    """The word lines of one layer's array."""

    tiling: Tiling
    unit: float  # G_unit [S]
    lines: Lines


class OnDevice(Plasticity):
    """Synapses on arrays of `config.device` (or the `device` given), one array a layer."""

    source = ROW

    def __init__(self, config: SpikingConfig, device: Device | None = None) -> None:
        self.device = load_device(config.device if device is None else device)
        check_hardware(config, self.device)
        self._config = config
        self._ledger = Ledger()
        self._wired: list[Wired] = []

    @abstractmethod
    def cells(self) -> list[LayerCells]:
        """Return the cells of each layer after the run."""

    def _book_pulses(self, total: Ledger) -> None:
        """Book after the run the pulses of learning that were not booked during it."""
        del total

    def ledger(self, parts: Sequence[tuple[str, int]]) -> Ledger:
        """Return all events after the run, given (phase, number of presentations) in the order in which they were shown."""
        presentations = sum(k for _, k in parts)
        total = Ledger.restore(self._ledger.save())
        for n, (tiling, unit, lines) in enumerate(self._wired):
            reads = lines.reads(presentations)
            for phase, part in phases_of(parts).items():
                events = accounting.read_events(
                    self.device, tiling, self._config, n, reads, part, unit, phase == "learn"
                )
                total.book(phase, events, n)
        self._book_pulses(total)
        for phase, k in parts:
            total.book(phase, accounting.clock_events(self._config, k))
        return total

    def hardware(self, parts: Sequence[tuple[str, int]]) -> Hardware:
        """Return the events, the device and its cells after the run."""
        return Hardware(self.ledger(parts), self.device, self.cells())
