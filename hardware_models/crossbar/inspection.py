r"""A look at every cell of an array, as on a bench: state, pulses received, bounds, asymmetry, symmetry point.

With u(g) and d(g) the mean change of a cell's conductance by one up and by one down pulse at the state g,

.. math:: A = \frac{u + d}{u - d}, \qquad u(g^*) + d(g^*) = 0

A is the asymmetry at the present state (0: one up and one down pulse cancel; 1 or -1: one polarity does nothing) and g* the
symmetry point, to which pulses of random sign drive the cell (T. Gokmen, W. Haensch, Front. Neurosci. 2020,
doi:10.3389/fnins.2020.00103). Both come from pulsing copies of the cells with the write noise off, so they hold for any
device that a `Crossbar` can carry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hardware_models.crossbar import Crossbar
from hardware_models.devices.base import SIGNS, BaseDevice
from hardware_models.devices.drawn import bounds_of
from hardware_models.devices.state import CellState, field, held, remade
from hardware_models.keys import Key

SAMPLE = 4096
"""Cells for which asymmetry and symmetry point are measured, drawn from the whole array."""
_HALVINGS = 24


@dataclass(frozen=True)
class Inspection:
    """The cells of one array, (rows, bit lines); the last three for a sample of cells."""

    conductance: np.ndarray  # [S]
    pulses: np.ndarray  # received since fabrication, both polarities [1]
    at_low: np.ndarray  # at the cell's lower bound
    at_high: np.ndarray  # at the cell's upper bound
    sample: np.ndarray  # flat positions of the sampled cells
    asymmetry: np.ndarray  # A of the sampled cells; NaN where no pulse moves the cell
    symmetry_point: np.ndarray  # g* of the sampled cells [S]; NaN where there is none between the bounds
    range: tuple[float, float]  # nominal bounds [S]
    worn: np.ndarray | None = None  # has had all the pulses that it stands, where the device wears
    faulty: np.ndarray | None = None  # stuck or on a dead line, where the chip has faults

    def summary(self) -> dict[str, float | None]:
        """Return the summary that result.json keeps; None where nothing could be measured."""
        low, high = self.range
        width = high - low
        pulses = self.pulses.astype(np.float64)

        def mean(values: np.ndarray) -> float | None:
            known = values[np.isfinite(values)]
            return float(known.mean(dtype=np.float64)) if known.size else None

        points = (self.symmetry_point - low) / width
        spread = points[np.isfinite(points)]
        marks = {"share_worn": self.worn, "share_faulty": self.faulty}
        return {name: float(cells.mean()) for name, cells in marks.items() if cells is not None} | {
            "share_at_bound": float((self.at_low | self.at_high).mean()),
            "share_at_low": float(self.at_low.mean()),
            "share_at_high": float(self.at_high.mean()),
            "conductance_spread": float(self.conductance.std(dtype=np.float64) / width),
            "common_mode": float((self.conductance.mean(dtype=np.float64) - low) / width),
            "pulses_mean": float(pulses.mean()),
            "pulses_90_percent": float(np.quantile(pulses, 0.9)),
            "pulses_max": int(pulses.max()),
            "asymmetry_mean": mean(np.abs(self.asymmetry)),
            "symmetry_point_mean": mean(points),
            "symmetry_point_spread": float(spread.std()) if spread.size else None,
            "share_without_symmetry_point": float(np.isnan(points).mean()),
        }


def inspect_cells(crossbar: Crossbar) -> Inspection:
    """Return a look at every cell of `crossbar`; nothing of it changes."""
    device, state = crossbar.device, crossbar.state
    g = np.array(device.conductance(state, crossbar.time))
    low, high = (np.broadcast_to(bound, g.shape) for bound in bounds_of(device, state))
    now = held(state)
    place = np.sort(Key(0, "inspection").generator().permutation(g.size)[:SAMPLE])
    part = remade(state, (np.ascontiguousarray(a.reshape(-1)[place][None]) for a in state))
    probe = _Probe(device, part, crossbar.time)
    present = np.asarray(held(part))
    pulsed, lifetime, fault = (field(state, name) for name in ("pulsed", "lifetime", "fault"))
    return Inspection(
        g, crossbar.received.copy(), now <= low, now >= high, place, probe.asymmetry(present)[0],
        probe.symmetry_point(low.reshape(-1)[place][None], high.reshape(-1)[place][None])[0],
        (device.g_min, device.g_max),
        None if pulsed is None or lifetime is None else pulsed >= lifetime,
        None if fault is None else ~np.isnan(fault),
    )  # fmt: skip


def pulse_noise(device: BaseDevice) -> float:
    """Return the standard deviation of one pulse on a fresh cell without spread, in units of the range, over 4096 cells."""
    alike = device.without(read_noise=True, spread=True)
    moved = [_one_pulse(alike, sign) for sign in SIGNS[device.polarities]]
    return float(np.sqrt(np.mean([float(m.var()) for m in moved])) / device.g_range)


def pulse_step(device: BaseDevice) -> float:
    """Return the mean size of one pulse's step on a fresh cell without spread and noise, in units of the range.

    Step over noise says what share of the pulses goes the right way, Phi(step/noise), and how many distinct states a cell
    can be told to take: a device may have many states and still forget them by pulse noise, or little noise and too few.
    """
    alike = device.without(read_noise=True, write_noise=True, spread=True)
    means = [np.abs(_one_pulse(alike, sign)).mean() for sign in SIGNS[device.polarities]]
    return float(np.mean(means) / device.g_range)


def _one_pulse(device: BaseDevice, sign: int) -> np.ndarray:
    """Return the change of 4096 fresh cells by one pulse [S]."""
    state = device.fabricate((64, 64), Key(0, "inspection"))
    now = held(state)
    before = now.astype(np.float64)
    device.pulse(state, np.full((64, 64), sign, np.int32), Key(sign + 1, "inspection"))
    return now - before


def inspected(array: Crossbar, device: BaseDevice) -> dict[str, float | None]:
    """Return the summary of an array, the noise and size of a pulse of its `device` without faults, and the spread of W."""
    pulse = {"pulse_noise": pulse_noise(device), "pulse_step": pulse_step(device)}
    spread = float(array.weights.std(dtype=np.float64) * np.sqrt(array.shape[0]))
    return inspect_cells(array).summary() | pulse | {"weight_spread": spread}


class _Probe:
    """Copies of some cells that are pulsed without write noise."""

    def __init__(self, device: BaseDevice, cells: CellState, time: float) -> None:
        self._device, self._cells, self._time = device.without(write_noise=True), cells, time
        self._one_sided = device.polarities != "both"
        self._held = "g" if field(cells, "hidden") is None else "hidden"

    def _step(self, g: np.ndarray, sign: int) -> np.ndarray:
        """Return the change of the cells' conductance by one pulse from the state g, (1, n) float64 [S]."""
        copies = {name: np.array(a) for name, a in self._cells._asdict().items()}
        before = np.asarray(g, np.float32)
        copies[self._held] = before.copy()
        state = remade(self._cells, copies.values())
        self._device.pulse_at(self._time, state, np.full(g.shape, sign, np.int32), Key(0, "inspection"))
        return held(state).astype(np.float64) - before

    def asymmetry(self, g: np.ndarray) -> np.ndarray:
        """Return A at the state g; NaN for a device with pulses of one sign only, which has none."""
        if self._one_sided:
            return np.full(g.shape, np.nan)
        up, down = self._step(g, 1), self._step(g, -1)
        moved = up - down
        return np.divide(up + down, moved, out=np.full(g.shape, np.nan), where=moved > 0)

    def symmetry_point(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return g* by halving the interval between bounds; NaN where up + down has one sign throughout."""
        if self._one_sided:
            return np.full(low.shape, np.nan)
        margin = 0.01 * (high - low)  # at a bound itself the clipping decides, not the steps
        a, b = (low + margin).astype(np.float64), (high - margin).astype(np.float64)
        at_a, at_b = (self._step(x, 1) + self._step(x, -1) for x in (a, b))
        found = (at_a > 0) & (at_b < 0)
        for _ in range(_HALVINGS):
            middle = 0.5 * (a + b)
            rising = self._step(middle, 1) + self._step(middle, -1) > 0
            a, b = np.where(rising, middle, a), np.where(rising, b, middle)
        return np.where(found, 0.5 * (a + b), np.nan)
