"""The parts of a run's configuration that hold for every learner; each builder takes the part that it needs.

The options of single learners, updates, slopes, networks, schedules and negatives stand beside their rows, such as
`analog_ff.learners.LEARNERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analog_ff.config.ages import parse_ages
from analog_ff.config.presets import PLAIN, PRESETS
from analog_ff.datasets import DATASETS, SPLITS
from analog_ff.learners import LEARNERS
from analog_ff.learners.options import READOUTS
from analog_ff.network import NETWORKS
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.registry.options import flag, option, parse_bits, parse_figures, parse_labels, parse_layers, parse_tile
from hardware_models.check import UsageError
from hardware_models.chip.ports import PORTS
from hardware_models.converters.ranges import CALIBRATIONS, MOST_LSB, MOST_READS, MOST_SPREAD
from hardware_models.energy.circuit import COLUMNS_PER_ADC
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.protocol.links import FORMS
from hardware_models.wires.interconnect import MODES

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
class LearningChoices:
    """Learning."""

    learner: str = option("forward-forward", "the rule that changes the network", table=LEARNERS)
    network: str = option("stack", "how layers are wired", table=NETWORKS)
    layers: tuple[int, ...] = option(
        (500, 500), "neurons of the hidden layers; channels (local, convolution)", parse_layers, low=1, high=100_000
    )
    schedule: str = option("interleaved", "which pass and which layer have their turn", table=SCHEDULES)
    epochs: int = option(40, "passes over the training set", low=1, high=100_000)
    batch: int = option(
        100, "images per update; the last of an epoch may have fewer, and counts by its share", low=1, high=1_000_000
    )
    readout: str = option("softmax", "read-out whose error is the headline", table=READOUTS)
    label_strength: float = option(
        4.0, "intensity of the label's inputs; a white pixel has 1", low=1e-06, high=100.0, unit="white pixels"
    )
    skip_silent: bool = option(False, "let silent rows and columns cost no product, no stored word and no pulse train")
    seed: int = option(0, "seed of the experiment", low=0, high=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class DataChoices:
    """Data."""

    data: str = option("mnist-5k", "data set", table=DATASETS, or_own="a .npz, .csv or .parquet file")
    label_column: str | None = option(
        None,
        "column of the labels in a table of --data (.csv, .parquet); default: label, class, target or y",
        later=True,
    )
    data_dir: str | None = option(None, "folder of the data sets (also ANALOG_FF_DATA)")
    split: str = option("final", "final: test once; holdout: validation part of the training set", choices=SPLITS)
    shift: int = option(
        1, "largest random shift of training images [pixels], 0: none; vectors are not shifted", low=0, high=8
    )
    crop: int | None = option(
        None, "side of the square cut from the middle of each image [pixels]; default: all of it", low=1, high=10_000
    )
    pool: int | None = option(
        None,
        "side of the squares of pixels that are averaged, after --crop [pixels]; default: none",
        low=1,
        high=10_000,
        later=True,
    )
    only_classes: tuple[str, ...] | None = option(
        None, "labels whose images are kept, such as 0,2,4,6; default: all", parse_labels, later=True
    )
    binarise: float | None = option(
        None, "pixels of at least this value become 1, others 0; default: as they are [1]", low=0.0, high=1.0
    )
    images_per_epoch: int | None = option(
        None, "training images of one epoch, drawn anew for each; default: all of them", low=1, high=10**9
    )


@dataclass(frozen=True, kw_only=True)
class ChipChoices:
    """Chip."""

    device: str = option(
        "memristor",
        "device of the cells: a name of `devices list`, a .toml file, file.py:Class or package.module:Class",
    )
    nonlinearity: str = option(
        "relu",
        "curve of the neurons",
        table=NONLINEARITIES,
        or_own=f"file.py:function, measured:FILE.csv, {FORMS} or lookup:FILE",
    )
    box_strength: float = option(
        1.0,
        "s: share of --nonlinearity beside what is known: a rectifier, or between layers a wire [1]",
        low=0.0,
        high=1.0,
        beside="nonlinearity",
        later=True,
    )
    sealed: bool = option(False, "refuse any look inside the chip")
    chips: str = option(
        "one", "one: all layers on one chip; per-layer: each on a chip of its own", choices=("one", "per-layer")
    )
    port: str = option("local", "place of the chip", table=PORTS, or_own=f"{FORMS}, a chip from outside")
    answer_within: float | None = option(
        None,
        "time for every answer of neurons or a chip from outside [s]; default: 60",
        low=0.001,
        high=86400.0,
        unit="s",
        later=True,
    )
    weight_range: float = option(4.0, "k, limit of the weights: |W| <= k/sqrt(fan-in)", low=1e-06, high=1000000.0)
    input_scale: float = option(
        12.0, "input at full-scale voltage [units of x]", low=1e-06, high=1000000.0, unit="units of x"
    )
    adc_range: float = option(
        8.0, "full scale of one conversion [units of z]", low=1e-06, high=1000000.0, unit="units of z"
    )
    dac: int | None = option(8, "bits of the row drivers, or none", parse_bits, low=1, high=16, unit="bits")
    adc: int | None = option(8, "bits of the column converters, or none", parse_bits, low=2, high=16, unit="bits")
    tile: tuple[int, int] = option((256, 256), "largest tile, rows x columns [cells]", parse_tile)
    partial_sums: str = option("digital", "sums over tiles", choices=("digital", "analog"))
    pairs: int = option(
        1,
        "pairs of cells of a weight: read in parallel, their currents add; written in turn",
        low=1,
        high=64,
        later=True,
    )
    wires: str = option(
        "off",
        "resistance of the wires: off; refreshed: followed between exact solutions; exact: solved after every change of cells; "
        "test: off in training, exact in the test",
        choices=("off", *MODES, "test"),
    )
    wire_resistance: float | None = option(
        None,
        "resistance of a wire from cell to cell [Ohm]; default: that of --technology",
        low=0.0,
        high=1e6,
        unit="Ohm",
        beside="wires",
    )
    wire_tolerance: float = option(
        0.005,
        "error of a current, as a share of the largest of its tile, from which the wires are solved anew [1]",
        low=1e-6,
        high=0.5,
        beside="wires",
    )
    columns_per_adc: int = option(
        COLUMNS_PER_ADC, "columns that share one converter: area against time", low=1, high=4096
    )
    chip_seed: int = option(0, "seed of the physical chip", low=0, high=2**63 - 1)
    technology: str = option("cmos-32nm", "energy technology: a name or a .toml file")


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


@dataclass(frozen=True, kw_only=True)
class RunChoices:
    """The run."""

    preset: str = option(
        PLAIN,
        "values of the options that are not given; buildable: a chip within its limits and the cheap update; plain: an "
        "abstract chip and an average in fp32",
        choices=PRESETS,
    )
    program_to: str | None = option(
        None, "a device: write the trained weights once to a chip of it, and test that chip as it ages"
    )
    ages: str | None = option(
        None,
        "ages at which the chip is tested again, such as 1h,1d,30d (s, min, h, d or y after the test, or after the writing "
        "with --program-to); default: none, with --program-to an hour and a day",
        parse_ages,
        later=True,
    )
    conductances: str | None = option(
        None,
        "a file of conductances (.npz, .h5) that the cells take before training, in place of the initial weights",
        later=True,
    )
    out: str = option("", "run folder; must not exist", shown="runs/DATA-DEVICE-LEARNER-sSEED-cCHIP")
