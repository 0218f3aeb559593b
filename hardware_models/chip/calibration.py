r"""Calibration of converters with known inputs: what is measured, what is corrected, what it costs.

An ADC is switched from its column to a reference that gives 0 and, for gains, plus and minus r of full scale, r = `REFERENCE`;
the array is not read. Of n conversions each, the k-th input is raised by (k + 1/2)/n - 1/2 LSB, as on the ramp of IEEE Std 1241,
so that rounding averages out even without noise. With the means m of the codes,

.. math:: \hat o = m_0, \qquad 1 + \hat\gamma = (m_{+r} - m_{-r})/(2 r L)

The error left in o is that of the mean: a variance of (nu² + 1/12)/n LSB² where the comparator's noise nu is at least about half
an LSB; without noise at most 1/(2n) LSB in size, and half of what the local gain differs from 1, which stretches the ramp. In the
gain the nonlinearity at r is left as well, a 1.5 sqrt(3) (1 - r²)/L. A mean closer than half an LSB to the end of the range says
nothing of the gain, because codes are clipped there. Such a converter keeps the gain 1, and so does a driver measured there.

A driver is measured at the code L/16 (at least 1, high enough that a negative offset does not reach the ground) and, for gains,
at L, by a converter of the columns that is calibrated already: that of line i is the one of column i modulo the number of
columns, in the first row tile, and V_fs is r of its full scale. In LSB of the DAC an error of it weighs L_DAC/(r L_ADC).

Counted are the conversions of both kinds, one integrator for each of the ADC's, and the time: all converters of a bank work at
once, and those that measure drivers take them in turn.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hardware_models.check import UsageError, positive_int, shown
from hardware_models.chip.conversions import priced
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.faults import Correction, FaultyAdc, FaultyDac, unknown
from hardware_models.converters.ranges import CALIBRATIONS, MOST_READS
from hardware_models.events import Events
from hardware_models.keys import Key

REFERENCE = 0.75
"""Share of full scale at which gains are measured: far out, but with room for offsets and gains, which must not saturate it."""

AT_ONCE = 2**22
"""Conversions that are held in memory at once."""


def check(kind: str, reads: int) -> None:
    """Raise UsageError for an unknown kind of calibration, or for less than one conversion."""
    if kind not in CALIBRATIONS:
        raise UsageError(f"a calibration is one of {', '.join(CALIBRATIONS)}, got {shown(kind)}.")
    positive_int("a calibration", "reads", reads, 1, MOST_READS)


def calibrated_adc(adc: Adc, kind: str, reads: int, seconds: float, key: Key) -> tuple[Adc, Events]:
    """Return a bank of converters with its correction, and the events; a bank without faults as it is, at no cost.

    seconds : duration of a conversion [s].
    """
    if not isinstance(adc, FaultyAdc):
        return adc, Events()
    number = adc.errors.offset.size
    bare = replace(adc, correction=unknown(adc.errors.offset.shape)).chosen(np.arange(number))
    offset = _mean_codes(bare, np.zeros(number), reads, key.child("zero"))
    gain = np.ones(number)
    if kind == "offset-gain":
        far = REFERENCE * adc.levels
        plus, minus = (
            _mean_codes(bare, np.full(number, sign * far), reads, key.child(f"{sign:+d}")) for sign in (1, -1)
        )
        gain = np.where(_saturated(adc, plus) | _saturated(adc, minus), 1.0, (plus - minus) / (2.0 * far))
    inputs = reads * (3 if kind == "offset-gain" else 1)
    known = Correction(*(a.astype(np.float32).reshape(adc.errors.offset.shape) for a in (offset, gain)))
    count = {"integrator": inputs * number} | priced("adc", adc.bits, inputs * number)
    return replace(adc, correction=known), Events(count, {"time": inputs * seconds})


def calibrated_dac(dac: Dac, adc: Adc, kind: str, reads: int, seconds: float, key: Key) -> tuple[Dac, Events]:
    """Return a bank of drivers with its correction, measured by a bank of converters, and the events."""
    if not isinstance(dac, FaultyDac):
        return dac, Events()
    lines = dac.errors.offset.size
    columns = adc.errors.offset.shape[1] if isinstance(adc, FaultyAdc) else lines
    meters = adc.chosen(np.arange(lines) % columns)
    levels = dac.levels

    def measured(code: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the converters' answers to a code [LSB of the DAC], and whether they are at the end of their range."""
        v = dac.driven(np.full(lines, code / levels, np.float32)).astype(np.float64)
        if not meters.levels:
            return v * levels, np.zeros(lines, bool)
        seen = _mean_codes(meters, v * REFERENCE * meters.levels, reads, key.child("code", code))
        return seen / (REFERENCE * meters.levels) * levels, _saturated(meters, seen)

    code = max(1, levels // 16)
    (low, _), gain = measured(code), np.ones(lines)
    both = kind == "offset-gain" and levels > code
    if both:
        high, saturated = measured(levels)
        gain = np.where(saturated | (high <= low), 1.0, (high - low) / (levels - code))
    inputs = reads * (2 if both else 1)
    known = Correction((low - gain * code).astype(np.float32), gain.astype(np.float32))
    count = (
        {"integrator": inputs * lines}
        | priced("adc", adc.bits, inputs * lines)
        | priced("dac", dac.bits, inputs * lines)
    )
    turns = -(-lines // columns)
    return replace(dac, correction=known), Events(count, {"time": turns * inputs * seconds})


def _saturated(adc: Adc, means: np.ndarray) -> np.ndarray:
    """Tell which mean codes [LSB] are closer than half an LSB to an end of the range."""
    near: np.ndarray = np.abs(means) > adc.levels - 0.5
    return near


def _mean_codes(adc: Adc, inputs: np.ndarray, reads: int, key: Key) -> np.ndarray:
    """Return the mean results [LSB] of n conversions of each input (n,) [LSB] by one tile of converters, stepped over one LSB."""
    lsb = adc.full_scale / adc.levels
    steps = (np.arange(reads) + 0.5) / reads - 0.5
    total, at_once = np.zeros(inputs.size), max(1, AT_ONCE // inputs.size)
    for part, first in enumerate(range(0, reads, at_once)):
        values = ((inputs + steps[first : first + at_once, None]) * lsb).astype(np.float32)
        z, _ = adc.convert(values[None], 1.0, None, key.at(part))
        total += z.sum(axis=0, dtype=np.float64)
    return total / reads / lsb
