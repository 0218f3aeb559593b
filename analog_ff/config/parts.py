"""The parts of a run's configuration that hold for every learner; each builder takes the part that it needs.

The options of single learners, updates, slopes, networks, schedules and negatives stand beside their rows, such as
`analog_ff.learners.LEARNERS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from analog_ff.config.ages import parse_ages
from analog_ff.config.presets import PLAIN, PRESETS
from analog_ff.datasets import DATASETS, SPLITS
from analog_ff.learners import LEARNERS
from analog_ff.learners.options import READOUTS
from analog_ff.network import NETWORKS
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.registry.options import option, parse_bits, parse_labels, parse_layers, parse_tile
from hardware_models.chip.ports import PORTS
from hardware_models.energy.circuit import COLUMNS_PER_ADC
from hardware_models.nonlinearities import NONLINEARITIES
from hardware_models.protocol.links import FORMS
from hardware_models.wires.interconnect import MODES


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
