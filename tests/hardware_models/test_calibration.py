"""Calibration of converters: what is left of their errors follows from averaging; what it costs; where it is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip import Chip, calibration
from hardware_models.chip.calibration import REFERENCE, calibrated_adc, calibrated_dac
from hardware_models.chip.joined_port import a_chip_a_layer
from hardware_models.chip.process_port import ProcessPort
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.faults import AdcFaults, DacFaults
from hardware_models.events import Events
from hardware_models.kernels.characteristics import PEAK
from hardware_models.keys import Key
from hardware_models.port import MissingPinError

KEY = Key(6, "calibration")
SHAPES = ((33, 20), (21, 10))
FAULTS: dict[str, Any] = {
    "adc_faults": AdcFaults(offset=4.0, gain_spread=0.03, noise=0.7),
    "dac_faults": DacFaults(offset=2.0, gain_spread=0.02),
}
T = 1e-8


def spread(values: np.ndarray, expected: float) -> None:
    """Check the root mean square of normal numbers: within 5 standard errors."""
    rms = np.sqrt(np.mean(np.square(values.astype(np.float64))))
    assert rms == pytest.approx(expected, rel=5.0 / np.sqrt(2.0 * values.size))


@pytest.mark.parametrize("reads", [16, 400])
def test_what_is_left_of_an_adc_is_the_error_of_a_mean(reads: int) -> None:
    """Offset: sqrt((nu² + 1/12)/n) LSB; gain: the same over sqrt(2) r L; from 4 LSB and 3 % before."""
    adc: Any = AdcFaults(offset=4.0, gain_spread=0.02, noise=0.7).bank(Adc(8, 4.0), (3, 500), KEY)
    done, events = calibrated_adc(adc, "offset-gain", reads, T, KEY)
    of_mean = np.sqrt((0.7**2 + 1.0 / 12.0) / reads)
    spread(done.correction.offset - adc.errors.offset, of_mean)
    spread(done.correction.gain - adc.errors.gain, of_mean / (np.sqrt(2.0) * REFERENCE * 127))
    assert events == Events({"adc.8": 3 * reads * 1500, "integrator": 3 * reads * 1500}, {"time": 3 * reads * T})
    alone, fewer = calibrated_adc(adc, "offset", reads, T, KEY)
    spread(alone.correction.offset - adc.errors.offset, of_mean)
    assert (alone.correction.gain == 1.0).all() and 3 * fewer["adc.8"] == events["adc.8"]


def test_many_conversions_are_held_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part draws noise of its own: what is left is that of the whole mean."""
    monkeypatch.setattr(calibration, "AT_ONCE", 5000)
    adc: Any = AdcFaults(offset=4.0, noise=0.7).bank(Adc(8, 4.0), (1, 500), KEY)
    done, _ = calibrated_adc(adc, "offset", 201, T, KEY)
    spread(done.correction.offset - adc.errors.offset, np.sqrt((0.7**2 + 1.0 / 12.0) / 201))


def test_without_noise_the_steps_of_the_input_bound_what_is_left() -> None:
    """Of n inputs over one LSB, the mean code is within 1/(2n) LSB; in the gain, the nonlinearity at the reference is left."""
    adc: Any = AdcFaults(offset=4.0, gain_spread=0.02).bank(Adc(8, 4.0), (1, 500), KEY)
    done, _ = calibrated_adc(adc, "offset", 32, T, KEY)
    stretch = np.abs(adc.errors.gain - 1.0)
    assert (np.abs(done.correction.offset - adc.errors.offset) <= 0.5 / 32 + 0.5 * stretch + 1e-3).all()
    bent: Any = AdcFaults(inl=3.0).bank(Adc(8, 4.0), (1, 500), KEY)
    done, _ = calibrated_adc(bent, "offset-gain", 200, T, KEY)
    left = bent.errors.inl * PEAK * (1.0 - REFERENCE**2) / 127
    stretch = np.abs(bent.errors.inl * PEAK * (1.0 - 3.0 * REFERENCE**2) / 127)
    bound = (0.5 / 200 + 0.5 * stretch + 2e-3) / (REFERENCE * 127)
    assert (np.abs(done.correction.gain - 1.0 - left) <= bound).all() and bound.max() < 0.2 * np.abs(left).max()


def test_a_corrected_converter_reads_what_comes_in() -> None:
    """The mean of many conversions of one input: wrong by offset and gain before, by the error of the mean after."""
    adc: Any = AdcFaults(offset=4.0, gain_spread=0.02, noise=0.7).bank(Adc(8, 4.0), (1, 300), KEY)
    done, _ = calibrated_adc(adc, "offset-gain", 400, T, KEY)
    z = np.full((1, 2000, 300), 1.7, np.float32)
    before, after = (
        (a.convert(z, 1.0, None, KEY.child("read"))[0].mean(axis=0) - 1.7) * 127 / 4.0 for a in (adc, done)
    )
    of_mean = np.sqrt((0.7**2 + 1.0 / 12.0) * (1.0 / 400 + 1.0 / 2000 + (1.7 / 4.0 / REFERENCE) ** 2 / 800))
    assert np.std(before) > 3.0
    spread(after, of_mean)


def test_what_is_left_of_a_driver() -> None:
    """Measured through a calibrated converter, whose own mean is wrong as much: sqrt(2 (nu² + 1/12)/n) L_DAC/(r L_ADC) LSB."""
    adc, _ = calibrated_adc(AdcFaults(offset=4.0, noise=0.7).bank(Adc(8, 4.0), (2, 1000), KEY), "offset", 64, T, KEY)
    dac: Any = DacFaults(offset=2.0).bank(Dac(8), 1000, KEY)
    done, events = calibrated_dac(dac, adc, "offset", 64, T, KEY.child("driver"))
    spread(
        done.correction.offset - dac.errors.offset, np.sqrt(2.0 * (0.7**2 + 1.0 / 12.0) / 64) * 255 / (REFERENCE * 127)
    )
    assert events == Events({"adc.8": 64_000, "dac.8": 64_000, "integrator": 64_000}, {"time": 64 * T})
    perfect, _ = calibrated_dac(
        DacFaults(offset=2.0, gain_spread=0.02).bank(Dac(8), 50, KEY), Adc(None), "offset-gain", 4, T, KEY
    )
    v = perfect.convert(np.linspace(0.2, 0.9, 50, dtype=np.float32)[:, None] * np.ones((1, 50), np.float32), 1.0)[0]
    # Nothing is left but the rounding of the code, half an LSB times the gain.
    assert np.abs(v - np.linspace(0.2, 0.9, 50)[:, None]).max() * 255 < 0.54


def test_a_saturated_converter_keeps_its_gain() -> None:
    """Offsets far out of the range clip the codes of a reference: these say nothing of the gain, which stays 1 and finite."""
    for bits, offset in ((2, 1.0), (8, 100.0)):
        adc: Any = AdcFaults(offset=offset).bank(Adc(bits, 4.0), (1, 200), KEY)
        done, _ = calibrated_adc(adc, "offset-gain", 8, T, KEY)
        room = np.abs(adc.errors.offset) + REFERENCE * adc.levels < adc.levels - 1.0
        assert (np.abs(done.correction.gain - 1.0) < 0.01).all() and room.any() == (bits == 8)
    dac: Any = DacFaults(offset=2.0).bank(Dac(2), 200, KEY)
    driven, _ = calibrated_dac(dac, Adc(8, 4.0), "offset-gain", 8, T, KEY)
    assert np.isfinite(driven.correction.offset).all() and (driven.correction.gain > 0.0).all()
    assert (driven.correction.gain[dac.errors.offset > 2.0] == 1.0).all()


def test_measuring_lines_takes_turns_of_the_columns() -> None:
    """Five columns measure twelve lines in three turns."""
    adc = AdcFaults(offset=1.0).bank(Adc(8), (1, 5), KEY)
    _, events = calibrated_dac(DacFaults(offset=1.0).bank(Dac(8), 12, KEY), adc, "offset", 10, T, KEY)
    assert events.integrals["time"] == pytest.approx(3 * 10 * T) and events["dac.8"] == 120


# --- on a chip ---


def reading(made: Any) -> np.ndarray:
    """Return noiseless reads of one layer."""
    x = np.random.default_rng(3).uniform(0.3, 2.0, (60, 33)).astype(np.float32)
    z: np.ndarray = made.read(0, x, key=KEY)[0]
    return z


def programmed(made: Any) -> Any:
    """Return a chip with weights."""
    for layer, shape in enumerate(SHAPES):
        weights = np.random.default_rng(layer).standard_normal(shape) / np.sqrt(shape[0])
        made.program(layer, weights, key=KEY.child("program", layer))
    return made


@pytest.mark.parametrize("tile", [(256, 256), (16, 16)])
def test_a_calibrated_chip_reads_nearly_as_an_ideal_one(tile: tuple[int, int]) -> None:
    """Errors of its reads against those of ideal converters fall several times; another layer stays as it was."""
    ideal, made = (programmed(Chip("ideal", SHAPES, tile=tile, **more)) for more in ({}, FAULTS))
    wrong = reading(made) - reading(ideal)
    other = made.read(1, np.ones((5, 21), np.float32), key=KEY)[0]
    events = made.calibrate(0, kind="offset-gain", reads=400, key=KEY)
    assert np.std(reading(made) - reading(ideal)) < 0.35 * np.std(wrong)
    assert np.array_equal(made.read(1, np.ones((5, 21), np.float32), key=KEY)[0], other)
    tiles = -(-33 // tile[0])
    assert events["adc.8"] == 400 * (3 * 20 * tiles + 2 * 33) and events["dac.8"] == 400 * 2 * 33
    assert events["reads.cells"] == 0 and events.integrals["time"] == pytest.approx(400 * 1e-8 * (3 + 2 * 2))


def test_what_was_found_is_kept() -> None:
    """Saved and restored to the bit; a state of before has no corrections; sealed, joined and far chips do the same."""
    made, fresh, later = (programmed(Chip("ideal", SHAPES, sealed=True, **FAULTS)) for _ in range(3))
    before = fresh.save()
    for layer in (0, 1):
        made.calibrate(layer, kind="offset-gain", reads=8, key=KEY.child("layer", layer), transposed=True)
    fresh.restore(made.save())
    assert np.array_equal(reading(fresh), reading(made)) and not np.array_equal(reading(later), reading(made))
    fresh.restore(before)
    assert np.array_equal(reading(fresh), reading(later))
    with ProcessPort("ideal", SHAPES, **FAULTS) as far:
        programmed(far)
        for layer in (0, 1):
            far.calibrate(layer, kind="offset-gain", reads=8, key=KEY.child("layer", layer), transposed=True)
        assert np.array_equal(reading(far), reading(made))
    joined = programmed(a_chip_a_layer(Chip, "ideal", SHAPES, **FAULTS))
    wrong = reading(joined)
    joined.calibrate(0, kind="offset", reads=8, key=KEY)
    assert not np.array_equal(reading(joined), wrong)


def test_converters_of_transposed_reads_are_calibrated_if_asked_for() -> None:
    """Otherwise nothing of them is measured, paid or corrected."""
    d = np.random.default_rng(0).standard_normal((30, 20)).astype(np.float32)
    ideal = programmed(Chip("ideal", SHAPES)).observe_transposed(0, d, key=KEY)[0]
    wrong, cost = [], []
    for transposed in (False, True):
        made = programmed(Chip("ideal", SHAPES, **FAULTS))
        cost.append(made.calibrate(0, kind="offset-gain", reads=400, key=KEY, transposed=transposed)["adc.8"])
        wrong.append(np.std(made.observe_transposed(0, d, key=KEY)[0] - ideal))
    assert wrong[1] < 0.4 * wrong[0] and cost[1] == cost[0] + 400 * (3 * 33 + 2 * 20)


def test_an_ideal_chip_pays_nothing_and_a_wrong_wish_is_refused() -> None:
    """No fault, no event; an unknown kind and no conversion at all in one sentence."""
    made = Chip("ideal", SHAPES)
    assert made.calibrate(0, kind="offset", reads=8, key=KEY) == Events()
    with pytest.raises(UsageError, match="offset, offset-gain"):
        made.calibrate(0, kind="gain", reads=8, key=KEY)
    with pytest.raises(UsageError, match="reads"):
        made.calibrate(0, kind="offset", reads=0, key=KEY)
    with pytest.raises(MissingPinError, match="layer 7"):
        made.calibrate(7, kind="offset", reads=8, key=KEY)
