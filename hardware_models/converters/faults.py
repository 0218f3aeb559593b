r"""Converters as they are made: offset, gain, integral nonlinearity and comparator noise, different for each converter.

An ADC of L levels on each side of zero sees the input u = z/LSB (LSB = Z_fs/L) of its column as

.. math:: u' = (1 + \gamma_j)\,u + o_j + a_j\,\tfrac{3\sqrt3}{2}\, s(1 - s^2) + \nu\,\xi, \qquad s = u/L

and clips round(u') at -L and L. A DAC of L levels drives the word line i, for a code c > 0, at

.. math:: v = \tfrac{V_{fs}}{L}\,\bigl((1 + \gamma_i)\,c + o_i + 4\,a_i\, s(1 - s)\bigr), \qquad s = c/L

and never below 0 V; a line whose code is 0 is connected to ground, not to the DAC. Offsets o, peaks a of the integral
nonlinearity [LSB] and gain errors gamma [1] are normal numbers of the given standard deviations, drawn once for each converter
from the key of the chip; the comparator's noise of deviation nu [LSB] is drawn anew for each conversion. Both curves are zero at
the ends of the range, as in an end-point fit, so that offset and gain are what two known inputs show. The shapes (a cubic for
the differential ADC, a bow for the single-ended DAC) are the lowest orders that such circuits have; they are assumptions.

A calibration leaves a `Correction`: an ADC's codes are corrected digitally behind it, a DAC's before it.
Definitions: IEEE Std 1241-2010, 10.1109/IEEESTD.2011.5692956; W. Kester (ed.), Data Conversion Handbook, 2005, chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np

from hardware_models.check import UsageError, in_range
from hardware_models.converters.adc import NO_NOISE, Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.ranges import MOST_LSB, MOST_SPREAD
from hardware_models.kernels.characteristics import Characteristics, digitise_each
from hardware_models.keys import Key


class Errors(NamedTuple):
    """Errors of each converter of a bank; arrays of one shape, float32."""

    offset: np.ndarray  # [LSB]
    gain: np.ndarray  # 1 + gamma
    inl: np.ndarray  # peak [LSB]


class Correction(NamedTuple):
    """Errors of each converter of a bank that a calibration has found; arrays of one shape, float32."""

    offset: np.ndarray  # [LSB]
    gain: np.ndarray  # 1 + gamma


def unknown(shape: tuple[int, ...]) -> Correction:
    """Return the correction of a bank that was never calibrated, which corrects nothing."""
    return Correction(np.zeros(shape, np.float32), np.ones(shape, np.float32))


@dataclass(frozen=True, kw_only=True)
class Spreads:
    """Standard deviations of the errors of a kind of converter.

    Attributes
    ----------
    offset : [LSB]
    gain_spread : [1]
    inl : of the peak of the integral nonlinearity [LSB]
    """

    offset: float = 0.0
    gain_spread: float = 0.0
    inl: float = 0.0
    what: ClassVar[str] = "a converter"

    def __post_init__(self) -> None:
        """Raise UsageError for a number outside its range."""
        in_range(self.what, "offset", self.offset, 0.0, MOST_LSB, "LSB")
        in_range(self.what, "gain_spread", self.gain_spread, 0.0, MOST_SPREAD)
        in_range(self.what, "inl", self.inl, 0.0, MOST_LSB, "LSB")

    def draw(self, shape: tuple[int, ...], key: Key) -> Errors:
        """Return the errors of a bank of converters."""

        def normal(name: str, sigma: float) -> np.ndarray:
            return (sigma * key.child(name).generator().standard_normal(shape)).astype(np.float32)

        gain = np.float32(1.0) + normal("gain", self.gain_spread)
        return Errors(normal("offset", self.offset), np.maximum(gain, np.float32(0.05)), normal("inl", self.inl))


@dataclass(frozen=True, kw_only=True)
class AdcFaults(Spreads):
    """Faults of output converters; `noise` is the standard deviation of the comparator's noise [LSB]."""

    noise: float = 0.0
    what: ClassVar[str] = "the ADC"

    def __post_init__(self) -> None:
        """Raise UsageError for a number outside its range."""
        super().__post_init__()
        in_range(self.what, "noise", self.noise, 0.0, MOST_LSB, "LSB")

    def bank(self, adc: Adc, shape: tuple[int, int], key: Key) -> Adc:
        """Return the converters (tiles, columns) of a chip, `adc` itself if there are no faults."""
        if self == AdcFaults():
            return adc
        if not adc.levels:
            raise UsageError(
                "a perfect ADC has no LSB and no faults: give it a number of bits, or leave its faults out."
            )
        return FaultyAdc(
            adc.bits, adc.full_scale, errors=self.draw(shape, key), correction=unknown(shape), noise=self.noise
        )


@dataclass(frozen=True, kw_only=True)
class DacFaults(Spreads):
    """Faults of row drivers."""

    what: ClassVar[str] = "the DAC"

    def bank(self, dac: Dac, number: int, key: Key) -> Dac:
        """Return the drivers of `number` lines of a chip, `dac` itself if there are no faults."""
        if self == DacFaults():
            return dac
        if not dac.levels:
            raise UsageError(
                "a perfect DAC has no LSB and no faults: give it a number of bits, or leave its faults out."
            )
        return FaultyDac(dac.bits, errors=self.draw((number,), key), correction=unknown((number,)))


NO_ADC_FAULTS, NO_DAC_FAULTS = AdcFaults(), DacFaults()


@dataclass(frozen=True, eq=False)
class FaultyAdc(Adc):
    """A bank of converters (tiles, columns) with errors; see the module."""

    errors: Errors = field(kw_only=True)
    correction: Correction = field(kw_only=True)
    noise: float = 0.0  # [LSB]
    ideal: ClassVar[bool] = False

    def convert(self, partial: np.ndarray, scale: float, sigma: np.ndarray | None, key: Key) -> tuple[np.ndarray, int]:
        """Return z and the number of clipped values as `Adc.convert` does; each tile and column has a converter of its own."""
        _, batch, columns = partial.shape
        z, clipped = np.empty((batch, columns), np.float32), np.empty(batch, np.int64)
        noise = NO_NOISE if sigma is None else np.ascontiguousarray(sigma, np.float32)
        e, known = self.errors, self.correction
        own = Characteristics(e.offset, e.gain, e.inl, np.float32(self.noise), known.offset, known.gain)
        digitise_each(
            np.ascontiguousarray(partial, np.float32), np.float32(scale), noise, own, np.float32(self.full_scale), self.levels,
            z, clipped, key.words,
        )  # fmt: skip
        return z, int(clipped.sum())

    def of_tiles(self, tiles: np.ndarray) -> Adc:
        """Return the bank that converts partial sum k by the converters of tile tiles[k]."""
        if len(tiles) == len(self.errors.offset):
            return self  # one sum for each tile
        return self._each(lambda a: a[tiles])

    def of_tile(self, tile: int) -> Adc:
        """Return the converters of one tile."""
        return self._each(lambda a: a[tile : tile + 1])

    def chosen(self, places: np.ndarray) -> Adc:
        """Return those converters of the bank as one tile which have these flat places."""
        return self._each(lambda a: a.reshape(-1)[places][None])

    def _each(self, part: Callable[[np.ndarray], np.ndarray]) -> Adc:
        known = Correction(*map(part, self.correction))
        return replace(self, errors=Errors(*map(part, self.errors)), correction=known)


@dataclass(frozen=True, eq=False)
class FaultyDac(Dac):
    """A bank of drivers, one a line, with errors; see the module."""

    errors: Errors = field(kw_only=True)
    correction: Correction = field(kw_only=True)
    ideal: ClassVar[bool] = False

    def convert(self, x: np.ndarray, scale: float) -> tuple[np.ndarray, int]:
        """Return v/V_fs and the number of clipped values as `Dac.convert` does; each line has a DAC of its own."""
        x = np.ascontiguousarray(x, np.float32)
        lsb, known = np.float32(scale / self.levels), self.correction
        wanted = np.maximum((np.abs(x) - known.offset * lsb) / known.gain, np.float32(0.0))
        codes, clipped = super().convert(np.copysign(wanted, x) * (x != 0.0), scale)
        return np.copysign(self.driven(np.abs(codes)), codes), clipped

    def driven(self, s: np.ndarray) -> np.ndarray:
        """Return v/V_fs (..., lines) of the shares s = c/L of codes, 0 for the code 0."""
        e, lsb = self.errors, np.float32(1.0 / self.levels)
        v = e.gain * s + lsb * (e.offset + np.float32(4.0) * e.inl * s * (np.float32(1.0) - s))
        return np.where(s > 0.0, np.maximum(v, np.float32(0.0)), np.float32(0.0))
