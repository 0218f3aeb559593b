"""Comparisons with CrossSim (github.com/sandialabs/cross-sim): reads with 8-bit converters, without and with read noise.

A 512 x 512 matrix on pairs of cells of 1 to 100 uS, each cell with white read noise of 2 % of the range (`NormalIndependent`),
drawn anew in every read. CrossSim draws a number for every cell, this project one for the sum on every line, whose
distribution is the same. DAC and ADC have 8 bits with a fixed range (CrossSim's DAC has 9, the ninth is the sign). Both cells of
a pair move around the middle of their range (`TWO_SIDED`). The agreement is that of mean and noise of the reads of one input.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from comparison import Agreement, Comparison, spread_apart
from operations import inputs
from simulator import AnalogCore, CrossSimParameters
from simulator.backend import ComputeBackend
from simulator.parameters.core_parameters import BalancedCoreStyle
from simulator.parameters.xbar_parameters import ADCRangeLimits

from hardware_models.chip import Chip
from hardware_models.devices.constant_step import ConstantStep
from hardware_models.keys import Key

KEY = Key(0, "peers")
USED = 0.4
"""Share of the range of weights in use; the converters clip hardly any output then."""
N, BATCHES, LEAST, MOST, NOISE = 512, (1, 32), 1e-6, 1e-4, 0.02
REPEATS, SHARE_APART = 100, 0.02
"""Reads of one input whose mean and noise are compared, and the largest difference as a share."""


def comparisons() -> Iterator[Comparison]:
    """Yield all comparisons."""
    ComputeBackend(use_gpu=False)
    for noise in (0.0, NOISE):
        for batch in BATCHES:
            yield reads(noise, batch)


def reads(noise: float, batch: int) -> Comparison:
    """Return the comparison of reads of a batch."""
    chip, core = chips(noise)
    x = inputs(batch, N)
    shown = np.ascontiguousarray(x.T / np.float32(chip.datasheet[0].input_scale))
    operation = f"read of {batch} inputs, {N} x {N} cells, 8-bit converters, {'read noise' if noise else 'no noise'}"
    return Comparison(
        "CrossSim", operation, lambda: same_read(chip, core), lambda: chip.read(0, x, key=KEY), lambda: core @ shown,
        runs=1 if noise else 3,
    )  # fmt: skip


def chips(noise: float) -> tuple[Chip, AnalogCore]:
    """Return a chip of this project and a core of CrossSim with the same weights."""
    device = ConstantStep(name="even", g_min=LEAST, g_max=MOST, states=1e6, read_noise=noise)
    chip = Chip(device, ((N, N),), tile=(N, N))
    sheet = chip.datasheet[0]
    rng = np.random.default_rng(0)
    chip.program(0, sheet.weight_limit * rng.uniform(-USED, USED, (N, N)), key=KEY)
    weights = chip.oracle.weights(0)
    full = 8.0 / sheet.input_scale  # `adc_range` of a chip, in units of inputs between 0 and 1
    return chip, AnalogCore(weights.T.astype(np.float32), parameters(noise, sheet.weight_limit, full))


def parameters(noise: float, largest: float, full: float) -> CrossSimParameters:
    """Return the parameters of a core whose converters end at `full`, for weights up to `largest`."""
    made = CrossSimParameters()
    made.core.rows_max = made.core.cols_max = N
    made.core.balanced.style = BalancedCoreStyle.TWO_SIDED
    made.core.mapping.weights.percentile = None
    made.core.mapping.weights.min, made.core.mapping.weights.max = -largest, largest
    made.xbar.device.Rmin, made.xbar.device.Rmax = 1.0 / MOST, 1.0 / LEAST
    if noise:
        made.xbar.device.read_noise.enable = True
        made.xbar.device.read_noise.model = "NormalIndependentDevice"
        made.xbar.device.read_noise.magnitude = noise * (1.0 - LEAST / MOST)  # in units of the largest conductance
    made.xbar.dac.mvm.model, made.xbar.dac.mvm.bits, made.xbar.dac.mvm.signed = "SignMagnitudeDAC", 9, True
    made.xbar.adc.mvm.model, made.xbar.adc.mvm.bits = "SignMagnitudeADC", 8
    made.xbar.adc.mvm.adc_range_option = ADCRangeLimits.CALIBRATED
    reach = full / largest * (1.0 - LEAST / MOST)
    made.xbar.adc.mvm.calibrated_range = np.array([-reach, reach])
    return made


def same_read(chip: Chip, core: AnalogCore) -> Agreement:
    """Return the distance of mean and noise of the reads of one input."""
    x = np.repeat(inputs(1, N), REPEATS, axis=0)
    scale = np.float32(chip.datasheet[0].input_scale)
    ours, theirs = chip.read(0, x, key=KEY)[0] / scale, (core @ np.ascontiguousarray(x.T / scale)).T
    return Agreement("difference of mean and noise", spread_apart(ours, np.asarray(theirs)), SHARE_APART)
