"""The circuits around one array: a read through its converters, forwards and backwards, with all that is counted on the way."""

from __future__ import annotations

import numpy as np

from hardware_models.chip.conversions import Conversions, priced
from hardware_models.chip.sensing import sense, sense_analog, sense_transposed
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.crossbar import Crossbar
from hardware_models.events import Events
from hardware_models.keys import Key


class Periphery:
    """Converters of one array of a layer.

    Parameters
    ----------
    crossbar : the array.
    layer : its number, under which `conversions` counts.
    dac, adc : the drivers of the word lines, and the converters of the bit-line pairs.
    scale : x at full scale.
    digital_sums : whether each row tile is converted by itself; else the currents of the tiles add on one line.
    conversions : converted and clipped values of the chip, which reads add to.
    """

    def __init__(
        self,
        crossbar: Crossbar,
        layer: int,
        dac: Dac,
        adc: Adc,
        *,
        scale: float,
        digital_sums: bool,
        conversions: Conversions,
    ) -> None:
        self._crossbar, self._layer, self._conversions = crossbar, layer, conversions
        self._dac, self._adc = dac, adc
        self._perfect = Adc(None, adc.full_scale)
        self._scale, self._digital_sums = scale, digital_sums
        # The array is linear: it is read in units of the full-scale voltage, which only energy and noise see.
        self._volts = float(crossbar.device.v_read)

    def read(self, x: np.ndarray, key: Key, *, convert: bool) -> tuple[np.ndarray, Events]:
        """Return z (B, columns) for x (B, rows): converted tile by tile, or the analog sum, converted if asked for."""
        crossbar = self._crossbar
        if self._digital_sums:
            z, clipped, events = sense(crossbar, x, self._dac, self._adc, self._scale, self._volts, key.child("read"))
            converted = z.size * crossbar.tiling.row_tiles
        else:
            adc = self._adc if convert else self._perfect
            z, clipped, events = sense_analog(crossbar, x, self._dac, adc, self._scale, self._volts, key.child("read"))
            converted = z.size
        phases = events["reads.cells"] // max(1, x.size * 2 * crossbar.shape[1])
        count = priced("dac", self._dac.bits, phases * x.size)
        self._conversions.dac(self._layer, x.size, clipped[0])
        if convert:
            count |= priced("adc", self._adc.bits, converted)
            self._conversions.adc(self._layer, converted, clipped[1])
        return z, events + Events(count)

    def convert_outputs(self, y: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return the outputs y (B, columns) of analog neurons, or of neurons on an analog sum, through their converters.

        An analog neuron behind digital sums is driven by a DAC, which is counted and taken as perfect.
        """
        y, clipped = self._adc.convert(np.ascontiguousarray(y)[None], 1.0, None, key)
        self._conversions.adc(self._layer, y.size, clipped)
        count = priced("adc", self._adc.bits, y.size)
        if self._digital_sums:
            count |= priced("dac", self._dac.bits, y.size)
        return y, Events(count)

    def read_back(self, d: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, rows) for d (B, columns), driven at the scale of its largest value, and the events."""
        z, events = sense_transposed(self._crossbar, d, self._dac, self._adc, self._volts, key)
        count = priced("dac", self._dac.bits, 2 * d.size)
        count |= priced("adc", self._adc.bits, self._crossbar.tiling.column_tiles * z.size)
        return z, events + Events(count)
