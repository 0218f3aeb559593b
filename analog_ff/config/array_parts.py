"""Parts of a run's configuration for the cells of its arrays: their faults and noise, the circuit around them, their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analog_ff.registry.options import flag, option, parse_figures
from hardware_models.check import UsageError
from hardware_models.converters.ranges import CALIBRATIONS, MOST_LSB, MOST_READS, MOST_SPREAD

ADC_FAULTS: Mapping[str, str] = MappingProxyType(
    {"adc_offset": "offset", "adc_gain_spread": "gain_spread", "adc_inl": "inl", "comparator_noise": "noise"}
)
"""Options that are errors of the column converters -> their names in `hardware_models.converters.faults.AdcFaults`."""
DAC_FAULTS: Mapping[str, str] = MappingProxyType(
    {"dac_offset": "offset", "dac_gain_spread": "gain_spread", "dac_inl": "inl"}
)
"""Options that are errors of the row drivers -> their names in `hardware_models.converters.faults.DacFaults`."""
FAULTS = ("stuck_low", "stuck_high", "dead_rows", "dead_columns")


@dataclass(frozen=True, kw_only=True)
class CellChoices:
    """Faults and noise of the cells."""

    figures: tuple[str, ...] = option(
        (), "NAME=VALUE, a figure of --device replaced [SI units, or with the unit: 'g_max=20 uS']; may be repeated",
        parse_figures, repeated="--figure", later=True,
    )  # fmt: skip
    read_noise: bool = option(True, "switch the read noise off")
    write_noise: bool = option(True, "switch the cycle-to-cycle noise off")
    device_spread: bool = option(True, "switch the device-to-device spread off")
    step_nonlinearity: bool = option(True, "let steps not depend on the state, where the model has that limit")
    stuck_low: float = option(0.0, "share of cells stuck at low conductance [1]", low=0.0, high=1.0)
    stuck_high: float = option(0.0, "share of cells stuck at high conductance [1]", low=0.0, high=1.0)
    dead_rows: float = option(0.0, "share of word lines that carry nothing [1]", low=0.0, high=1.0)
    dead_columns: float = option(0.0, "share of bit lines that carry nothing [1]", low=0.0, high=1.0)
    endurance: float | None = option(
        None,
        "pulses that a cell of --device stands, median [pulses]; default: any number",
        low=1.0,
        high=1e15,
        unit="pulses",
    )
    endurance_spread: float = option(
        0.0, "log-normal spread of the endurance from cell to cell [1]", low=0.0, high=5.0, beside="endurance"
    )
    retention: float | None = option(
        None,
        "time constant with which cells of --device relax to g_min, at 300 K [s]; default: none",
        low=0.0,
        high=1e15,
        unit="s",
        low_open=True,
    )
    failure_time: float | None = option(
        None,
        "mean time after which a cell of --device is stuck [s]; default: never",
        low=0.0,
        high=1e15,
        unit="s",
        low_open=True,
        later=True,
    )
    failure_high: float = option(
        0.5,
        "share of the failed cells stuck at high conductance [1]",
        low=0.0,
        high=1.0,
        beside="failure_time",
        later=True,
    )
    fault_map: str | None = option(None, "explicit faults: .npz file with entries such as 0.stuck_low")


@dataclass(frozen=True, kw_only=True)
class CircuitChoices:
    """Circuit around the cells."""

    read_time: float | None = option(
        None,
        "duration of one phase of a read [s]; default: that of the device, with --johnson-noise longer if it asks for that",
        low=1e-15,
        high=1.0,
        unit="s",
    )
    access_transistor: bool = option(False, "cells in series with the access transistor of their device (r_access)")
    johnson_noise: bool = option(False, "Johnson noise of every cell on a line that is read, 4kTG/(2 read time)")
    chip_temperature: float = option(
        300.0, "temperature of the cells, for their Johnson noise [K]", low=0.0, high=1000.0, unit="K", low_open=True,
        beside="johnson_noise",
    )  # fmt: skip
    shot_noise: float = option(
        0.0, "shot noise of the cells' currents: Fano factor [1]; 1 is Schottky's, an upper bound", low=0.0, high=1.0
    )
    adc_offset: float = option(
        0.0, "offsets of the column converters: standard deviation [LSB]", low=0.0, high=MOST_LSB, unit="LSB"
    )
    adc_gain_spread: float = option(
        0.0, "gains of the column converters: standard deviation [1]", low=0.0, high=MOST_SPREAD
    )
    adc_inl: float = option(
        0.0, "peak nonlinearity of the column converters: standard deviation [LSB]", low=0.0, high=MOST_LSB, unit="LSB"
    )
    comparator_noise: float = option(
        0.0,
        "noise of one conversion by a column converter: standard deviation [LSB]",
        low=0.0,
        high=MOST_LSB,
        unit="LSB",
    )
    dac_offset: float = option(
        0.0, "offsets of the row drivers: standard deviation [LSB]", low=0.0, high=MOST_LSB, unit="LSB"
    )
    dac_gain_spread: float = option(0.0, "gains of the row drivers: standard deviation [1]", low=0.0, high=MOST_SPREAD)
    dac_inl: float = option(
        0.0, "peak nonlinearity of the row drivers: standard deviation [LSB]", low=0.0, high=MOST_LSB, unit="LSB"
    )
    calibrate: str = option(
        "none",
        "errors of the converters that are measured and corrected before the run",
        choices=("none", *CALIBRATIONS),
    )
    calibration_reads: int = option(
        64, "conversions that a calibration averages for each known input", low=1, high=MOST_READS, beside="calibrate"
    )

    def check_circuit(self, adc: int | None, dac: int | None) -> None:
        """Raise UsageError for faults of a converter without steps, and for a calibration with nothing to correct."""
        for names, bits, option_name in ((ADC_FAULTS, adc, "--adc"), (DAC_FAULTS, dac, "--dac")):
            given = [name for name in names if getattr(self, name)]
            if given and bits is None:
                raise UsageError(
                    f"{flag(given[0])} is an error of a converter with steps: leave it out, or give {option_name} bits."
                )
        offsets, gains = ("adc_offset", "dac_offset"), ("adc_gain_spread", "dac_gain_spread")
        corrected = {"none": (), "offset": offsets, "offset-gain": (*offsets, *gains)}[self.calibrate]
        if corrected and not any(getattr(self, name) for name in corrected):
            raise UsageError(
                f"--calibrate {self.calibrate} has nothing to correct: leave it out, or give one of "
                f"{', '.join(map(flag, corrected))}."
            )


@dataclass(frozen=True, kw_only=True)
class LineChoices:
    """Lines of the array."""

    line_groups: str = option(
        "off",
        "auto: lines are driven in groups that keep the technology's current limit; off: all at once, whatever flows",
        choices=("off", "auto"),
    )
    current_margin: float = option(
        1.2, "factor by which the groups keep currents of training data below the limit [1]", low=1.0, high=100.0,
        beside="line_groups",
    )  # fmt: skip
