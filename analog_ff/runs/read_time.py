"""The time of a read of a run: that of its device, a longer one for Johnson noise, or the one that the run chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analog_ff.config.config import Config
from analog_ff.plain import Document
from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice
from hardware_models.units import BOLTZMANN

LARGEST_NOISE = 0.1
"""Largest standard deviation of z by Johnson noise that a read time is chosen for [units of z].

What else blurs a read of the default chip is of that size: its read noise is 0.057 z, a step of its converter 0.063 z, and its
Johnson noise 0.046 z in 5 ns. Cells of 10 MOhm err more with 0.23 z than in longer reads, and not with 0.14 z or
less (the table in docs/explanation/read-noise.md).
"""
STEPS = (1, 2, 5, 10)
LONGEST = 1.0
"""Longest read of a device [s]."""


def noise_of_z(device: BaseDevice, config: Config, seconds: float) -> float:
    r"""Return the standard deviation of z by the Johnson noise of a line in a read of `seconds` [units of z].

    .. math:: \sigma_z = \frac{k s}{(G_{max} - G_{min}) V_{read}} \sqrt{\frac{4 k_B T\,G_{mid}}{N t}},
              \qquad G_{mid} = \frac{G_{min} + G_{max}}{2}

    k is the weight range, s the input scale, T the temperature of the chip. The 2n cells on the two lines of a column add
    4 k_B T G B each, with B = 1/(2t) and G = G_mid on average, so that the variance of the current is 4 k_B T n G_mid/t. With
    z = s i/(G_unit V_read) and G_unit = (G_max - G_min) sqrt(n)/k the fan-in n cancels. N pairs of cells a weight make G_unit and
    this variance N times as large, so that the variance of z is divided by N. Each further group of rows, and the
    second phase of signed inputs, add the same variance once more. An access transistor lowers the noise and the signal, both by
    little where the resistance of cells is high; it is left out. Source: H. Nyquist, Phys. Rev. 32, 110 (1928),
    10.1103/PhysRev.32.110.
    """
    middle = 0.5 * (device.g_min + device.g_max)
    to_z = config.weight_range * config.input_scale / (device.g_range * device.v_read)
    return to_z * math.sqrt(4.0 * BOLTZMANN * config.chip_temperature * middle / (config.pairs * seconds))


def least_read_time(device: BaseDevice, config: Config) -> float:
    """Return the shortest read [s] whose `noise_of_z` is at most `LARGEST_NOISE`: 1, 2 or 5 times a power of ten.

    The variance falls with 1/t. Raises UsageError if a read of `LONGEST` is too short.
    """
    asked = (noise_of_z(device, config, 1.0) / LARGEST_NOISE) ** 2
    if asked > LONGEST:
        raise UsageError(
            f"device '{device.name}' has so much Johnson noise that its reads would have to last {asked:.3g} s: give a shorter "
            "--read-time, or leave --johnson-noise out."
        )
    power = math.floor(math.log10(asked))
    # Powers of ten as decimal text, so that 500 ns are the float nearest to 5e-7.
    return next(t for t in (float(f"{step}e{power}") for step in STEPS) if t >= asked * (1.0 - 1e-9))


def adds_johnson_noise(device: BaseDevice, config: Config) -> bool:
    """Tell whether a run adds Johnson noise to the reads of its device, whose read noise may contain it already."""
    return config.johnson_noise and not device.read_noise_contains_thermal and device.v_read > 0.0


def read_time_of(device: BaseDevice, config: Config) -> float:
    """Return the duration of one phase of a read [s]: ``--read-time``, or that of the device and, for Johnson noise, longer.

    Raises UsageError for a ``--read-time`` below that of a device whose read noise contains its Johnson noise: shorter reads
    have more of it, and the file does not tell how much.
    """
    if config.read_time is not None:
        contained = config.johnson_noise and device.read_noise_contains_thermal
        if contained and config.read_time < device.t_read:
            raise UsageError(
                f"the read noise of device '{device.name}' contains the Johnson noise of reads of {device.t_read:g} s, and "
                f"--read-time {config.read_time:g} would have more: give at least {device.t_read:g}, or leave --read-time out."
            )
        return config.read_time
    if not adds_johnson_noise(device, config):
        return device.t_read
    return max(device.t_read, least_read_time(device, config))


def check_reads(
    device: BaseDevice, config: Config, shapes: Sequence[tuple[int, int]], *, written_once: bool = False
) -> None:
    """Raise UsageError for a read in which the converters' bits cannot be told from heat, and for a temperature without effect.

    The first holds for runs with Johnson noise or ``--read-time``. A chip that is `written_once` may leave the temperature to the
    chip that learns.

    shapes : (inputs, neurons) of the layers. The line with most cells counts, as for the price of a run.
    """
    contained = config.johnson_noise and device.read_noise_contains_thermal
    if contained and not written_once and config.chip_temperature != Config.chip_temperature:
        raise UsageError(
            f"the read noise of device '{device.name}' contains its Johnson noise, which --chip-temperature cannot change: leave "
            "--chip-temperature out."
        )
    physical = config.read_time is not None or (config.johnson_noise and device.v_read > 0.0)
    if config.adc is None or not physical:
        return
    from hardware_models.energy import load_technology
    from hardware_models.energy.facts.distances import full_scale

    rows = max(min(n, config.tile[0]) for n, _ in shapes)
    figures = {"g_min": device.g_min, "g_max": device.g_max, "v_read": device.v_read, "t_read": device.t_read}
    technology = load_technology(config.technology)
    try:
        full_scale(figures, rows, config.adc, technology)
    except UsageError as error:
        read = f"a read of {device.t_read:g} s" if config.read_time is None else f"--read-time {config.read_time:g}"
        raise UsageError(f"{read} is too short for --adc {config.adc}: {error}") from None


def noted(device: BaseDevice, config: Config, own: float) -> Document:
    """Return, for the result of a run with Johnson noise, the time of a read and where it comes from, and the noise of a line.

    own : the read time that the device itself declares [s]; `device` is read for that of the run.
    """
    added = adds_johnson_noise(device, config)
    origin = "johnson-noise" if device.t_read > own else "device"
    origin = origin if config.read_time is None else "option"
    return {
        "read_time": {"value": device.t_read, "unit": "s"},
        "read_time_from": origin,
        "deviation_z": noise_of_z(device, config, device.t_read) if added else None,
        "contained_in_read_noise": device.read_noise_contains_thermal,
    }
