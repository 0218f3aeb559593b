"""Converters as they are made: the equations against a slow float64 twin, their statistics, what they do to a chip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.process_port import ProcessPort
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.faults import AdcFaults, Correction, DacFaults, unknown
from hardware_models.keys import Key

KEY = Key(2, "converter faults")
ADC = AdcFaults(offset=2.0, gain_spread=0.03, inl=1.5, noise=0.4)
DAC = DacFaults(offset=1.5, gain_spread=0.02, inl=2.0)
SHAPES = ((33, 20), (21, 10))


def chip(**more: Any) -> Chip:
    """Return a chip of noiseless cells with programmed weights."""
    made = Chip("ideal", SHAPES, **more)
    for layer, shape in enumerate(SHAPES):
        weights = np.random.default_rng(layer).standard_normal(shape) / np.sqrt(shape[0])
        made.program(layer, weights, key=KEY.child("program", layer))
    return made


def inputs(signed: bool = False) -> np.ndarray:
    """Return inputs, some 0 and some beyond full scale."""
    x = np.random.default_rng(4).uniform(-7.0 if signed else 0.0, 7.0, (40, 33)).astype(np.float32)
    x[:, ::5] = 0.0
    return x


# --- the equations ---


def test_an_adc_does_what_its_equation_says() -> None:
    """Code by code in float64, tiles added, offsets and gains corrected as far as they are known, saturation counted."""
    adc: Any = AdcFaults(offset=2.0, gain_spread=0.03, inl=1.5).bank(Adc(8, 4.0), (3, 20), KEY)
    z = np.random.default_rng(0).uniform(-4.3, 4.3, (3, 50, 20)).astype(np.float32)
    e, lsb = adc.errors, 4.0 / 127
    assert e.offset.shape == e.gain.shape == e.inl.shape == (3, 20)
    known = Correction(e.offset + np.float32(0.25), e.gain * np.float32(1.001))
    for correction in (unknown((3, 20)), known):
        total, beyond, near = np.zeros((50, 20)), 0, np.zeros((50, 20), bool)
        for t in range(3):
            u = z[t].astype(np.float64) / lsb
            s = np.clip(u / 127.0, -1.0, 1.0)
            seen = e.gain[t] * u + e.offset[t] + e.inl[t] * 1.5 * np.sqrt(3.0) * s * (1.0 - s**2)
            near |= np.abs(seen - np.floor(seen) - 0.5) < 1e-3
            code = np.rint(seen)
            beyond += int((np.abs(code) > 127).sum())
            code = np.clip(code, -127, 127)
            total += (code - correction.offset[t]) / correction.gain[t] * lsb
        from dataclasses import replace

        got, clipped = replace(adc, correction=correction).convert(z, 1.0, None, KEY)
        assert np.allclose(got[~near], total[~near], atol=1e-4) and near.mean() < 0.02
        assert abs(clipped - beyond) <= 3 and beyond > 50


def test_a_dac_does_what_its_equation_says() -> None:
    """Code by code in float64; code 0 is ground, nothing is driven below it, signs are those of the inputs."""
    dac: Any = DAC.bank(Dac(6), 33, KEY)
    x = inputs(signed=True)
    e = dac.errors
    code = np.rint(np.clip(np.abs(x.astype(np.float64)) / 6.0, 0.0, 1.0) * 63)
    s = code / 63
    v = (e.gain * code + e.offset + 4.0 * e.inl * s * (1.0 - s)) / 63
    expected = np.sign(x) * np.where(code > 0, np.maximum(v, 0.0), 0.0)
    got, clipped = dac.convert(x, 6.0)
    assert np.allclose(got, expected, atol=1e-6) and clipped == Dac(6).convert(x, 6.0)[1] > 0
    assert (expected == 0.0).sum() > (x == 0.0).sum()  # small codes of drivers with a negative offset


def test_both_curves_are_zero_at_the_ends_and_peak_at_their_figure() -> None:
    """Integral nonlinearity alone: the largest deviation of an ADC and of a DAC is a [LSB], and none at zero and full scale."""
    from dataclasses import replace

    u = np.linspace(-1.0, 1.0, 2001, dtype=np.float32)[:, None] * np.ones((1, 8), np.float32)
    adc: Any = AdcFaults(inl=1.0).bank(Adc(16, 1.0), (1, 8), KEY)
    peak = np.array([[5.0, -5.0, 0.0, 2.0, 0.0, 9.0, -9.0, 1.0]], np.float32)
    adc = replace(adc, errors=adc.errors._replace(inl=peak))
    off = (adc.convert(u[None], 1.0, None, KEY)[0] - u) * adc.levels
    assert np.allclose(np.abs(off).max(axis=0), np.abs(peak[0]), atol=0.55)
    assert np.abs(off[[0, 1000, 2000]]).max() <= 0.51
    dac: Any = replace(
        DacFaults(inl=1.0).bank(Dac(16), 8, KEY), errors=adc.errors._replace(offset=0 * peak[0], inl=peak[0])
    )
    off = (dac.driven(np.abs(u)) - np.abs(u)) * dac.levels
    assert (
        np.allclose(np.abs(off).max(axis=0), np.abs(peak[0]), atol=0.02) and np.abs(off[[0, 1000, 2000]]).max() < 0.01
    )


def test_errors_have_the_stated_spreads() -> None:
    """Normal numbers of zero mean: mean and deviation of 20 000 converters within 5 standard errors; streams are unrelated."""
    errors = ADC.draw((100, 200), KEY)
    n = errors.offset.size
    for values, sigma, mean in ((errors.offset, 2.0, 0.0), (errors.gain, 0.03, 1.0), (errors.inl, 1.5, 0.0)):
        assert abs(values.mean(dtype=np.float64) - mean) < 5.0 * sigma / np.sqrt(n)
        assert values.std(dtype=np.float64) == pytest.approx(sigma, rel=5.0 / np.sqrt(2.0 * n))
    assert abs(np.corrcoef(errors.offset.ravel(), errors.gain.ravel())[0, 1]) < 5.0 / np.sqrt(n)


def test_comparator_noise_is_that_of_each_conversion() -> None:
    """At 16 bits the steps are negligible: the deviation of repeated conversions, read noise and tiles added."""
    adc = AdcFaults(noise=50.0).bank(Adc(16, 4.0), (2, 5), KEY)
    lsb, draws = 4.0 / adc.levels, 20_000
    sigma = np.full((2, draws, 5), 0.01, np.float32)
    for read, expected in ((None, 2 * (50.0 * lsb) ** 2), (sigma, 2 * ((50.0 * lsb) ** 2 + 1e-4))):
        z, _ = adc.convert(np.full((2, draws, 5), 0.3, np.float32), 1.0, read, KEY)
        assert np.abs(z.var(axis=0, dtype=np.float64) / expected - 1.0).max() < 5.0 * np.sqrt(2.0 / draws)
        assert np.abs(z.mean(axis=0, dtype=np.float64) - 0.6).max() < 5.0 * np.sqrt(expected / draws) + lsb


# --- on a chip ---


@pytest.mark.parametrize(
    "more", [{}, {"tile": (10, 8)}, {"partial_sums": "analog", "tile": (10, 8)}], ids=["one", "tiles", "analog"]
)
def test_faults_of_size_zero_are_todays_chip(more: dict[str, Any]) -> None:
    """No fault, no other bit; errors of almost nothing give the same codes through the other path."""
    plain, none = chip(**more), chip(adc_faults=AdcFaults(), dac_faults=DacFaults(), **more)
    tiny = chip(adc_faults=AdcFaults(offset=1e-6), dac_faults=DacFaults(gain_spread=1e-9), **more)
    for signed in (False, True):
        x = inputs(signed)
        y, events = plain.observe(0, x, key=KEY)
        assert np.array_equal(none.observe(0, x, key=KEY)[0], y)
        near, same = tiny.observe(0, x, key=KEY)
        assert (np.abs(near - y) < 1e-5).mean() > 0.998 and same.counts == events.counts


def test_each_column_has_an_error_of_its_own() -> None:
    """With nothing driven, a read shows the offsets of its converters, each tile's added, the same at every read."""
    made = chip(adc_faults=AdcFaults(offset=5.0), tile=(10, 8))
    zero = np.zeros((3, 33), np.float32)
    z, _ = made.read(0, zero, key=KEY)
    again, _ = made.read(0, zero, key=KEY.child("again"))
    offsets = np.rint(made._peripheries[0, "main"]._adcs["column converters"].errors.offset).sum(axis=0) * 8.0 / 127
    assert np.array_equal(z, again) and np.allclose(z[0], offsets, atol=1e-5) and len(np.unique(z[0])) > 10


@pytest.mark.parametrize("neurons", ["relu", "random"])
def test_the_chip_seed_is_the_physical_chip(neurons: str) -> None:
    """The same bits from the same seed, behind a process port and after a restore; others from another seed."""
    more: dict[str, Any] = {"adc_faults": ADC, "dac_faults": DAC, "nonlinearity": neurons, "tile": (16, 16)}
    back = np.random.default_rng(1).standard_normal((5, 20)).astype(np.float32)

    def seen(made: Any) -> list[np.ndarray]:
        return [made.observe(0, inputs(), key=KEY)[0], made.observe_transposed(0, back, key=KEY)[0]]

    one, two, other = (chip(chip_seed=seed, **more) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(seen(one), seen(two), strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(seen(one), seen(other), strict=True))
    if neurons == "relu":
        with ProcessPort("ideal", SHAPES, **more) as far:
            far.restore(one.save())
            assert all(np.array_equal(a, b) for a, b in zip(seen(one), seen(far), strict=True))


def test_saturated_conversions_are_reported() -> None:
    """A high offset pushes conversions beyond full scale: they are clipped, and their share is told."""
    low, high = (chip(adc_faults=AdcFaults(offset=offset), adc_range=8.0) for offset in (0.0, 60.0))
    for made in (low, high):
        made.read(0, inputs(), key=KEY)
    assert high.clipped_share()[0]["adc"] > low.clipped_share()[0]["adc"] + 0.05


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"adc": None, "adc_faults": ADC}, "perfect ADC has no LSB"),
        ({"dac": None, "dac_faults": DAC}, "perfect DAC has no LSB"),
    ],
)
def test_a_perfect_converter_has_no_faults(more: dict[str, Any], said: str) -> None:
    """Refused at construction."""
    with pytest.raises(UsageError, match=said):
        chip(**more)
    with pytest.raises(UsageError, match="inl"):
        AdcFaults(inl=-1.0)
