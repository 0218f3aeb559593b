"""A read through both converters; with digital partial sums it is the operation that training repeats millions of times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hardware_models.chip.conversions import priced
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.crossbar import Crossbar, reading
from hardware_models.events import Events
from hardware_models.kernels.products import awake_threads, one_blas_thread
from hardware_models.kernels.reads import Converter, Matrix, converted_read, drive_tiles
from hardware_models.keys import Key

SAMPLES = 512
"""Smallest number of samples in a panel of a batch."""
PER_VOLTAGE = 20
"""Multiply-adds that take as long as one voltage of the drivers."""
_NO_LINES = np.empty((0, 0), np.float32)


def sense(
    crossbar: Crossbar, x: np.ndarray, dac: Dac, adc: Adc, scale: float, volts: float, key: Key
) -> tuple[np.ndarray, np.ndarray, Events]:
    """Return z (B, columns) for x (B, rows), the numbers of values clipped by DAC and ADC, and the events.

    One loop does the same as ``dac.convert``, ``crossbar.partial_currents`` and ``adc.convert`` one after the other. Converters
    with faults and lines with shot noise are left to these parts themselves.
    """
    x = np.ascontiguousarray(x, np.float32)
    rows, columns = crossbar.shape
    if x.ndim != 2 or x.shape[1] != rows:
        raise ValueError(f"inputs should have the shape (B, {rows}), got {x.shape}")
    cells = crossbar.cells
    if cells.noise.fano or not (dac.ideal and adc.ideal):
        return sense_in_turn(crossbar, x, dac, adc, scale, volts, key)
    cells.look_again()
    batch = len(x)
    count = max(1, batch // SAMPLES)
    if batch and cells.wired is not None:
        cells.watch_wires(dac.convert(x[:1], scale)[0][0] * np.float32(volts))
    variance, common = cells.noise_map()
    order, cuts, blocks, variance = reading.grouped(cells, variance)
    x = x if order is None else np.ascontiguousarray(x[:, order])
    parts = min(8, max(1, batch // 16))
    v, squares = np.empty(batch * rows, np.float32), np.empty((parts, rows))
    dac_clipped, polarity = np.empty(parts, np.int64), np.empty((parts, 2), np.bool_)
    inverse = np.float32(1.0) / np.float32(scale)
    with awake_threads(PER_VOLTAGE * batch * rows):
        drive_tiles(x, inverse, dac.levels, np.float32(volts), cuts, v, squares, dac_clipped, polarity)
    z, adc_clipped = np.empty((batch, columns), np.float32), np.empty((count, len(blocks)), np.int64)
    phases = 2 if bool(polarity.any(axis=0).all()) else 1
    to_z = scale / (crossbar.g_unit * volts)
    lines = reading.johnson_variance(cells, phases)
    thermal = _NO_LINES if lines is None else (lines[:, 0] * to_z**2).astype(np.float32)
    step = adc.full_scale / adc.levels if adc.levels else 1.0
    w0, w1, _, _ = key.words
    with one_blas_thread(), awake_threads(batch * rows * columns):
        converted_read(
            v, Matrix(blocks, variance, np.float32(common), cuts, thermal),
            Converter(np.float32(to_z), np.float32(step), adc.levels), (w0, w1), count, z, adc_clipped,
        )  # fmt: skip
    clipped = np.array((dac_clipped.sum(), adc_clipped.sum()))
    total = squares.sum(axis=0)
    if order is not None:
        total[order] = total.copy()
    return z, clipped, reading.read_events(cells, total, batch, phases)


def settle(crossbar: Crossbar, x: np.ndarray, dac: Dac, scale: float, volts: float) -> Events:
    """Find groups of lines for x (B, rows) that keep the limit of the lines; return the events of reads refused on the way.

    The drivers refuse a read above the limit before anything is converted.
    """
    if crossbar.cells.watch is None:
        return Events()
    v, _ = dac.convert(x, scale)
    events, drives = reading.settle(crossbar.cells, v * np.float32(volts))
    return events + Events(priced("dac", dac.bits, drives))


class Unconverted(NamedTuple):
    """A read between its drivers and its converters."""

    partial: np.ndarray  # currents of each group of rows (T, B, columns) [A]
    to_z: float  # units of z per current [1/A]
    sigma: np.ndarray | None  # standard deviation of the noise in units of z, None without noise
    dac_clipped: int  # values that the drivers clipped
    events: Events


def unconverted(crossbar: Crossbar, x: np.ndarray, dac: Dac, scale: float, volts: float) -> Unconverted:
    """Return the currents that reach the converters for x (B, rows), with their noise."""
    v, dac_clipped = dac.convert(x, scale)
    v *= np.float32(volts)
    partial, events = crossbar.partial_currents(v)
    to_z = scale / (crossbar.g_unit * volts)
    sigma = crossbar.noise_deviation(v)
    return Unconverted(partial, to_z, None if sigma is None else sigma * np.float32(to_z), dac_clipped, events)


def sense_in_turn(
    crossbar: Crossbar, x: np.ndarray, dac: Dac, adc: Adc, scale: float, volts: float, key: Key
) -> tuple[np.ndarray, np.ndarray, Events]:
    """Return the outputs of `sense`, made by the converters and the array one after the other."""
    seen = unconverted(crossbar, x, dac, scale, volts)
    bank = adc.of_tiles(crossbar.cells.tiles_of_groups)
    z, adc_clipped = bank.convert(seen.partial, seen.to_z, seen.sigma, key)
    return z, np.array((seen.dac_clipped, adc_clipped)), seen.events


def sense_analog(
    crossbar: Crossbar, x: np.ndarray, dac: Dac, adc: Adc, scale: float, volts: float, key: Key
) -> tuple[np.ndarray, np.ndarray, Events]:
    """Return the outputs of `sense` where the currents of the row tiles add on one line, which is converted once."""
    seen = unconverted(crossbar, x, dac, scale, volts)
    sigma = None if seen.sigma is None else np.sqrt(np.square(seen.sigma).sum(axis=0, keepdims=True))
    z, adc_clipped = adc.convert(seen.partial.sum(axis=0, keepdims=True), seen.to_z, sigma, key)
    return z, np.array((seen.dac_clipped, adc_clipped)), seen.events


def sense_transposed(
    crossbar: Crossbar, d: np.ndarray, dac: Dac, adc: Adc, volts: float, key: Key
) -> tuple[np.ndarray, Events]:
    """Return d W^T (B, rows) for d (B, columns), driven at the scale of its largest value, and the events.

    The events hold the drives of reads that were refused, as those of `settle` do, and leave out all other conversions.
    """
    scale = float(np.abs(d).max(initial=0.0)) or 1.0
    v, _ = dac.convert(d, scale)
    v *= np.float32(volts)
    refused, drives = reading.settle_transposed(crossbar.cells, v)
    current, events = crossbar.read_transposed(v, key=key)
    back = current * np.float32(scale / (crossbar.g_unit * volts))
    converted, _ = adc.convert(back[None] / np.float32(scale), 1.0, None, key)
    return converted * np.float32(scale), refused + Events(priced("dac", dac.bits, drives)) + events
