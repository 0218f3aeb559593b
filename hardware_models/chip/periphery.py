"""The circuits around one array: a read through its converters, forwards and backwards, with all that is counted on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.chip.calibration import calibrated_adc, calibrated_dac
from hardware_models.chip.conversions import Conversions, priced
from hardware_models.chip.sensing import sense, sense_analog, sense_transposed, settle
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.faults import AdcFaults, Correction, DacFaults, FaultyAdc, FaultyDac
from hardware_models.crossbar import Crossbar
from hardware_models.events import Events
from hardware_models.keys import Key

ROW_DRIVERS, COLUMN_DRIVERS = "row drivers", "column drivers"
COLUMNS, ROWS, NEURONS = "column converters", "row converters", "neuron converters"


class Circuit(NamedTuple):
    """Design of the circuits around every array of a chip."""

    dac: Dac  # drivers of the lines
    adc: Adc  # converters of the sums
    dac_faults: DacFaults
    adc_faults: AdcFaults
    scale: float  # x at full scale
    digital_sums: bool  # each row tile is converted by itself; else the currents of the tiles add on one line
    analog_neurons: bool  # the outputs of neurons are converted


class Periphery:
    """Converters of one array of a layer.

    A word line has one driver for all column tiles, a bit-line pair one converter in each row tile (one in all on analog sums),
    which converts the groups of rows of a tile one after the other.
    Analog neurons behind digital sums have converters of their own, and so have the columns and rows for transposed reads.

    Parameters
    ----------
    crossbar : the array.
    layer : its number, under which `conversions` counts.
    circuit : the design.
    conversions : converted and clipped values of the chip, which reads add to.
    key : fabrication of the converters.

    Raises UsageError for a device whose reads have no voltage.
    """

    def __init__(self, crossbar: Crossbar, layer: int, circuit: Circuit, conversions: Conversions, key: Key) -> None:
        self._crossbar, self._layer, self._conversions = crossbar, layer, conversions
        self._perfect = Adc(None, circuit.adc.full_scale)
        self._scale, self._digital_sums = circuit.scale, circuit.digital_sums
        rows, columns = crossbar.shape
        # Of a transposed read the columns are driven, and the rows converted.
        lines = {ROW_DRIVERS: rows, COLUMN_DRIVERS: columns}
        shapes = {COLUMNS: (crossbar.tiling.row_tiles if circuit.digital_sums else 1, columns), ROWS: (1, rows)}
        if circuit.digital_sums and circuit.analog_neurons:
            shapes[NEURONS] = (1, columns)
        self._dacs = {name: circuit.dac_faults.bank(circuit.dac, n, key.child(name)) for name, n in lines.items()}
        self._adcs = {name: circuit.adc_faults.bank(circuit.adc, n, key.child(name)) for name, n in shapes.items()}
        # The array is linear: it is read in units of the full-scale voltage, which only energy and noise see.
        self._volts = float(crossbar.device.v_read)
        if self._volts == 0.0:
            raise UsageError(
                f"device {crossbar.device.name} is read at 0 V, which drives no current: give v_read above 0 V."
            )

    def read(self, x: np.ndarray, key: Key, *, convert: bool) -> tuple[np.ndarray, Events]:
        """Return z (B, columns) for x (B, rows): converted tile by tile, or the analog sum, converted if asked for."""
        crossbar, dac, adc = self._crossbar, self._dacs[ROW_DRIVERS], self._adcs[COLUMNS]
        refused = settle(crossbar, x, dac, self._scale, self._volts)
        division = crossbar.cells.division
        if self._digital_sums:
            z, clipped, events = sense(crossbar, x, dac, adc, self._scale, self._volts, key.child("read"))
            converted = z.size * division.samples
        else:
            through = adc if convert else self._perfect
            z, clipped, events = sense_analog(crossbar, x, dac, through, self._scale, self._volts, key.child("read"))
            converted = z.size
        phases = events["reads.cells"] // max(1, x.size * crossbar.tiling.bit_lines)
        count = priced("dac", dac.bits, phases * len(x) * division.drives)
        self._conversions.dac(self._layer, x.size, clipped[0])
        if crossbar.device.disturbs:
            crossbar.disturbed(np.count_nonzero(x, axis=0))
        if convert:
            count |= priced("adc", adc.bits, converted)
            self._conversions.adc(self._layer, converted, clipped[1])
        return z, refused + events + Events(count)

    def read_rows(self, rows: np.ndarray, full_scale: float, key: Key) -> tuple[np.ndarray, Events]:
        """Return the weights (N, columns) of word lines `rows` (N,), each driven at full scale, and the events.

        The converters' full scale is `full_scale` [units of a weight]; those of the tile of a row convert it.
        """
        crossbar, dac = self._crossbar, self._dacs[ROW_DRIVERS]
        adc = replace(self._adcs[COLUMNS], full_scale=full_scale)
        shares, _ = dac.convert(np.full((1, crossbar.shape[0]), self._scale, np.float32), self._scale)
        seen = crossbar.read_rows(rows, shares[0, rows] * np.float32(self._volts), joined=not self._digital_sums)
        to_weight = 1.0 / (crossbar.g_unit * self._volts)
        sigma = None if seen.sigma is None else seen.sigma[None] * np.float32(to_weight)
        tiles = rows // crossbar.tiling.tile_rows if self._digital_sums else np.zeros(len(rows), np.int64)
        weights = np.empty(seen.currents.shape, np.float32)
        for tile in [0] if adc.ideal else np.unique(tiles):
            own = slice(None) if adc.ideal else tiles == tile
            bank = adc if adc.ideal else adc.of_tile(int(tile))
            noise = None if sigma is None else np.ascontiguousarray(sigma[:, own])
            weights[own], _ = bank.convert(
                np.ascontiguousarray(seen.currents[None, own]), to_weight, noise, key.child("tile", int(tile))
            )
        count = priced("dac", dac.bits, len(rows)) | priced("adc", adc.bits, weights.size)
        return weights, seen.events + Events(count)

    def convert_outputs(self, y: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return the outputs y (B, columns) of analog neurons, or of neurons on an analog sum, through their converters.

        An analog neuron behind digital sums is driven by a DAC, which is counted and taken as perfect.
        """
        adc = self._adcs.get(NEURONS, self._adcs[COLUMNS])
        y, clipped = adc.convert(np.ascontiguousarray(y)[None], 1.0, None, key)
        self._conversions.adc(self._layer, y.size, clipped)
        count = priced("adc", adc.bits, y.size)
        if self._digital_sums:
            count |= priced("dac", self._dacs[ROW_DRIVERS].bits, y.size)
        return y, Events(count)

    def read_back(self, d: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, rows) for d (B, columns), driven at the scale of its largest value, and the events."""
        dac, adc = self._dacs[COLUMN_DRIVERS], self._adcs[ROWS]
        z, events = sense_transposed(self._crossbar, d, dac, adc, self._volts, key)
        division = self._crossbar.cells.transposed_division
        count = priced("dac", dac.bits, len(d) * division.drives)
        count |= priced("adc", adc.bits, division.samples * z.size)
        return z, events + Events(count)

    def calibrate(self, kind: str, reads: int, key: Key, *, transposed: bool) -> Events:
        """Measure and correct the errors of the converters; return the events.

        See `hardware_models.chip.calibration`. The converters of transposed reads are left out unless `transposed`.
        """
        seconds = self._crossbar.device.t_read
        pairs = [(COLUMNS, ROW_DRIVERS), *([(ROWS, COLUMN_DRIVERS)] if transposed else [])]
        total = Events()
        for converters, drivers in pairs:
            adc, events = calibrated_adc(self._adcs[converters], kind, reads, seconds, key.child(converters))
            dac, more = calibrated_dac(self._dacs[drivers], adc, kind, reads, seconds, key.child(drivers))
            self._adcs[converters], self._dacs[drivers] = adc, dac
            total += events + more
        if NEURONS in self._adcs:
            self._adcs[NEURONS], events = calibrated_adc(self._adcs[NEURONS], kind, reads, seconds, key.child(NEURONS))
            total += events
        return total

    def save(self) -> dict[str, np.ndarray]:
        """Return the corrections of all converters with faults, as plain arrays."""
        return {
            f"{bank}.{name}": values.copy()
            for bank, converter in self._banks().items()
            for name, values in converter.correction._asdict().items()
        }

    def restore(self, saved: Mapping[str, np.ndarray]) -> None:
        """Restore what `save` returned."""
        for bank, converter in self._banks().items():
            known = Correction(*(np.array(saved[f"{bank}.{name}"]) for name in Correction._fields))
            if isinstance(converter, FaultyAdc):
                self._adcs[bank] = replace(converter, correction=known)
            else:
                self._dacs[bank] = replace(converter, correction=known)

    def _banks(self) -> dict[str, FaultyAdc | FaultyDac]:
        """Return the banks with faults by name."""
        every: dict[str, Adc | Dac] = {**self._adcs, **self._dacs}
        return {name: one for name, one in every.items() if isinstance(one, FaultyAdc | FaultyDac)}
