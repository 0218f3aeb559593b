"""The configuration of one run: every choice, checked before anything is written, and its file ``config.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import expanduser, isfile
from pathlib import Path
from typing import Any, ClassVar

from analog_ff.datasets import SPLITS
from analog_ff.objective.goodness import GOODNESS
from analog_ff.runs.choices import Choices
from analog_ff.runs.compatible import check_belongings, check_dimensionality, check_error_driven
from analog_ff.runs.options import option, parse_bits, parse_layers, parse_regions, parse_tile
from hardware_models.check import UsageError, positive_int, shown
from hardware_models.files import home
from hardware_models.places import placed

# Chosen in holdout runs on mnist-5k (benchmarks/experiments); a device without a line of its own uses "default".
RECIPES: dict[str, dict[str, Any]] = {
    "default": {"learning_rate": 0.01, "label_strength": 4.0, "input_scale": 12.0},
    "ideal": {"learning_rate": 0.02, "label_strength": 4.0, "input_scale": 12.0},
}
LEARNER_RECIPES: dict[str, dict[str, Any]] = {
    "backprop": {"learning_rate": 0.5},
    "backprop-nominal": {"learning_rate": 0.5},
    "backprop-programmed": {"learning_rate": 0.5},
    "backprop-sigmoid": {
        "learning_rate": 0.8, "nonlinearity": "sigmoid", "readout": "output", "momentum": 0.0, "rounding": "nearest",
        "layers": (100,), "batch": 1, "shift": 0, "input_scale": 1.0, "weight_range": 10.0, "adc_range": 16.0,
    },
    "dimensionality": {"learning_rate": 4e-4, "readout_rate": 0.03},
    "feedback-alignment": {"learning_rate": 0.5},
    "local-softmax": {"learning_rate": 0.3},
    "node-perturbation": {"learning_rate": 0.03},
    "pepita": {"learning_rate": 0.3},
    "weight-perturbation": {"learning_rate": 3e-4},
}  # fmt: skip
"""What a learner changes of the device's recipe; chosen in the same way."""
FAULTS = ("stuck_low", "stuck_high", "dead_rows", "dead_columns")


def recommended(options: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe of the device and the learner that the options name, and over it the options themselves."""
    recipe = RECIPES.get(options.get("device", Config.device), RECIPES["default"])
    return {**recipe, **LEARNER_RECIPES.get(options.get("learner", Config.learner), {}), **options}


def run_folder(options: Mapping[str, Any]) -> Path:
    """Return the folder of the run that these options begin; what is not among them is as by default."""
    out, data, device, learner, seed, chip_seed = (
        options.get(name, getattr(Config, name)) for name in ("out", "data", "device", "learner", "seed", "chip_seed")
    )
    name = f"{Path(data).stem}-{Path(device.split(':')[0]).stem}-{learner}-s{seed}-c{chip_seed}"
    return home(out) if out else Path("runs") / name


@dataclass(frozen=True, kw_only=True)
class Config(Choices):
    """All choices of a run; raises UsageError in one sentence at construction."""

    not_in_hash: ClassVar[tuple[str, ...]] = ("data_dir", "out")
    telling: ClassVar[tuple[str, ...]] = ("layers", "learner")
    objects: ClassVar[tuple[str, ...]] = ("device",)
    recipes: ClassVar[Mapping[str, Mapping[str, Any]]] = {**RECIPES, **LEARNER_RECIPES}

    device: str = option("memristor", "name, .toml parameter file, file.py:Class or package.module:Class")
    learner: str = option(
        "forward-forward",
        "forward-forward, dimensionality (noisy copies, no negatives), backprop (a perfect model), backprop-nominal, "
        "backprop-programmed (off the chip, written once), backprop-sigmoid (squared error, output layer on the chip), "
        "feedback-alignment, pepita (modulated input), local-softmax (a read-out a layer), node-perturbation, "
        "weight-perturbation, or random-features",
    )
    update: str = option("accumulate", "how updates reach the array: accumulate, accumulate-int8, coincidence")
    goodness: str = option(
        "sum-of-squares",
        f"{', '.join(GOODNESS)}; min-...: positives are to have a low one, mixed-...: those of the second half of the regions",
    )
    regions: int | str = option(
        1,
        "regions of a layer with a goodness of their own, or 'positions' (local, convolution)",
        parse_regions,
        low=1,
        high=100_000,
    )
    negatives: str = option(
        "hard",
        "wrong labels: hard or random; hybrid (no labels), self-generated (data of strings), "
        "or file.py:function(images, labels, generator)",
    )
    blurs: int = option(6, "blurs of the mask, hybrid", low=0, high=100)
    rollout_every: int = option(200, "batches between two roll-outs, self-generated", low=1, high=10**9)
    network: str = option("stack", "how layers are wired: stack, recurrent, local (fields of their own), convolution")
    iterations: int = option(8, "iterations after the bottom-up pass, recurrent", low=1, high=1000)
    damping: float = option(0.3, "share of the old state that an iteration keeps, recurrent [1]", low=0.0, high=1.0)
    patch: tuple[int, ...] | None = option(
        None, "side of a patch, layer by layer; the last serves the others", parse_layers,
        "local: 10,2; convolution: 5,3",
    )  # fmt: skip
    stride: tuple[int, ...] | None = option(
        None, "distance of patches, layer by layer", parse_layers, "local: 6,1; convolution: 2"
    )
    schedule: str = option("interleaved", "interleaved, greedy (layer by layer), wake-sleep, pipelined (a stream)")
    block: int = option(1, "batches of one wake block, wake-sleep", low=1, high=10**9)
    sleep: float = option(1.0, "share of the sleep block that is slept, wake-sleep [1]", low=0.0, high=1.0)
    slope: str = option("dropped", "slope of the neurons inside a layer: dropped, oracle, dither, node-perturbation")
    dither: float = option(0.25, "delta, bias on all neurons, slope dither [units of z]", low=0.0, high=100.0)
    perturbation: float = option(
        0.25, "sigma, random bias, slope or learner node-perturbation [units of z]", low=0.0, high=100.0
    )
    perturbations: int = option(1, "draws averaged, slope or learner node-perturbation", low=1, high=1_000_000)
    weight_perturbation: float = option(
        0.005, "sigma, random change of weights, weight-perturbation [of W_max]", low=0.0, high=1.0
    )
    modulation: float = option(
        0.05, "kappa, feedback of the error to the input, pepita [units of x]", low=0.0, high=100.0
    )
    local_readout: str = option("trained", "read-outs of the layers: trained or fixed, local-softmax")
    verify_rounds: int | None = option(
        None,
        "most corrections of the write, backprop-programmed",
        shown="20; 0 for devices verified by their model",
        low=0,
        high=1000,
    )
    verify_reads: int = option(1, "reads averaged before a correction, backprop-programmed", low=1, high=1000)
    verify_tolerance: float = option(
        0.1, "error that is left as it is, backprop-programmed [of W_max]", low=0.0, high=1.0
    )
    copies: int = option(4, "noisy copies of each image, dimensionality", low=2, high=1000)
    copies_from: str = option("dropout", "what makes copies differ: dropout or read-noise, dimensionality")
    copy_dropout: float = option(
        0.2, "share of pixels that a copy loses, dimensionality [1]", low=0.0, high=0.9, low_open=True
    )
    projection: int | None = option(
        None, "random directions that are measured, 0: the units; dimensionality", shown="units/5", low=0, high=100_000
    )
    dropout: float = option(0.0, "share of hidden outputs dropped in training [1]", low=0.0, high=0.9)
    readout: str = option(
        "softmax",
        "headline read-out: softmax, energy, or output (backprop-sigmoid)",
        choices=("energy", "softmax", "output"),
    )
    readout_layers: str = option("all", "all, all-but-first or last")
    nonlinearity: str = option(
        "relu",
        "relu, linear, saturating, tanh, sigmoid, student-t, random, random-nonmonotone, random-spread, random-waves, "
        "mixing, hysteretic, drifting, drifting-hard, file.py:function",
    )
    sealed: bool = option(False, "refuse any look inside the chip")
    chips: str = option(
        "one", "one: all layers on one chip; per-layer: each on a chip of its own", choices=("one", "per-layer")
    )
    port: str = option(
        "local", "where the chip lives: local, or process (a process of its own)", choices=("local", "process")
    )
    data: str = option("mnist-5k", "mnist-5k, mnist, fashion-mnist, cifar-10, digits, toy, characters, or a .npz file")
    data_dir: str | None = option(None, "folder of the data sets (also ANALOG_FF_DATA)")
    split: str = option("final", "final: test once; holdout: validation part of the training set", choices=SPLITS)
    shift: int = option(1, "random shift of training images [pixels], 0: none; vectors stay", low=0, high=8)
    crop: int | None = option(
        None, "side of the square cut from the middle of each image [pixels]; default: all of it", low=1, high=10_000
    )
    binarise: float | None = option(
        None, "pixels of at least this value become 1, others 0; default: as they are [1]", low=0.0, high=1.0
    )
    images_per_epoch: int | None = option(
        None, "training images of one epoch, drawn anew for each; default: all of them", low=1, high=10**9
    )
    layers: tuple[int, ...] = option(
        (500, 500), "neurons of the hidden layers; channels (local, convolution)", parse_layers
    )
    epochs: int = option(40, "passes over the training set", low=1, high=100_000)
    batch: int = option(
        100, "images per update; the last of an epoch may have fewer, and counts by its share", low=1, high=1_000_000
    )
    learning_rate: float = option(0.01, "eta [1]", low=0.0, high=100.0)
    momentum: float = option(0.98, "of the leaky average, accumulate [1]", low=0.0, high=0.9999)
    rounding: str = option("stochastic", "to whole pulses: stochastic, nearest or truncate")
    slots: int = option(10, "pulse slots per sample, coincidence", low=1, high=1000)
    write_every: int = option(
        1, "updates gathered before the average is visited and pulses are fired, accumulate", low=1, high=1_000_000
    )
    gate: float = option(
        0.0, "c0: images whose factor 1-p or p is below it teach a layer nothing, 0: none gated [1]", low=0.0, high=1.0
    )
    drive_bits: int | None = option(None, "bits of that factor; default: not rounded", low=1, high=8)
    drive_rounding: str = option("stochastic", "of that factor: stochastic (unbiased) or nearest")
    skip_silent: bool = option(False, "silent rows and columns cost no product, no stored word and no pulse train")
    theta: float | None = option(
        None,
        "goodness threshold per neuron [units of the goodness]",
        shown="1; .5 if unsquared",
        low=0.0,
        high=1000000.0,
        unit="units of the goodness",
    )
    temperature: float = option(1.0, "of the logistic [units of z^2]", low=1e-06, high=1000000.0, unit="units of z^2")
    peer: float = option(0.03, "strength of peer normalisation [1]", low=0.0, high=10.0)
    weight_decay: float = option(
        0.0, "delta of W <- W - eta delta W, by counted reads and pulses [1]", low=0.0, high=1.0
    )
    decay_every: int = option(100, "batches between two pulls of the weight decay", low=1, high=1_000_000)
    label_strength: float = option(4.0, "label input, white pixel = 1", low=1e-06, high=100.0, unit="white pixels")
    readout_rate: float = option(0.1, "learning rate of the softmax read-out", low=0.0, high=100.0)
    readout_decay: float = option(0.003, "weight decay of the softmax read-out [1]", low=0.0, high=1.0)
    weight_range: float = option(4.0, "k: |W| <= k/sqrt(fan-in)", low=1e-06, high=1000000.0)
    input_scale: float = option(
        12.0, "input at full-scale voltage [units of x]", low=1e-06, high=1000000.0, unit="units of x"
    )
    adc_range: float = option(
        8.0, "full scale of one conversion [units of z]", low=1e-06, high=1000000.0, unit="units of z"
    )
    dac: int | None = option(8, "bits of the row drivers, or none", parse_bits, low=1, high=16, unit="bits")
    adc: int | None = option(8, "bits of the column converters, or none", parse_bits, low=2, high=16, unit="bits")
    tile: tuple[int, int] = option((256, 256), "largest tile, rows x columns [cells]", parse_tile)
    partial_sums: str = option("digital", "sums over tiles: digital or analog")
    read_noise: bool = option(True, "switch the read noise off")
    write_noise: bool = option(True, "switch the cycle-to-cycle noise off")
    device_spread: bool = option(True, "switch the device-to-device spread off")
    step_nonlinearity: bool = option(True, "steps that do not depend on the state, where the model has that limit")
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
    endurance_spread: float = option(0.0, "log-normal spread of the endurance from cell to cell [1]", low=0.0, high=5.0)
    retention: float | None = option(
        None,
        "time constant with which cells of --device relax to g_min, at 300 K [s]; default: none",
        low=0.0,
        high=1e15,
        unit="s",
        low_open=True,
    )
    fault_map: str | None = option(None, "explicit faults: .npz file with entries such as 0.stuck_low")
    program_to: str | None = option(
        None, "device: write the trained weights once to a chip of it, and test that chip as it ages"
    )
    technology: str = option("cmos-32nm", "energy technology: a name or a .toml file")
    seed: int = option(0, "seed of the experiment", low=0, high=2**63 - 1)
    chip_seed: int = option(0, "seed of the physical chip", low=0, high=2**63 - 1)
    out: str = option("", "run folder; must not exist", shown="runs/DATA-DEVICE-LEARNER-sSEED-cCHIP")

    def __post_init__(self) -> None:
        """Check every choice that can be checked without the data and the chip."""
        super().__post_init__()
        for width in self.layers:
            positive_int("--layers", "every layer", width, 1, 100_000)
        if not self.layers:
            raise UsageError("--layers needs at least one layer, such as 500,500.")
        for size, least in zip(self.tile, (1, 2), strict=True):
            positive_int("a run", "--tile [cells]", size, least, 1_000_000)
        if self.endurance is None and self.endurance_spread:
            raise UsageError(
                "--endurance-spread needs --endurance beside it: the median that the cells scatter around."
            )
        for name in ("patch", "stride"):
            if getattr(self, name) == ():
                raise UsageError(f"--{name} needs at least one number, such as --{name} 5,3.")
        if self.fault_map is not None and not isfile(expanduser(self.fault_map)):
            raise UsageError(f"--fault-map {shown(self.fault_map, 200, quoted=False)} does not exist.")
        if self.learner == "random-features" and self.readout == "energy":
            raise UsageError("frozen random layers have no goodness to read: choose --readout softmax.")

        if self.program_to == "":
            raise UsageError("--program-to needs a device, such as --program-to nandakumar2019_pcm.")
        if self.program_to is not None and (self.sealed or self.port != "local"):
            raise UsageError("--program-to reads the trained weights off the chip, which a sealed chip does not allow.")
        check_belongings(self)
        check_dimensionality(self)
        check_error_driven(self)

    def faults(self) -> dict[str, Any]:
        """Return the faults of the chip as `Chip` takes them; empty if there are none."""
        rates: dict[str, Any] = {name: getattr(self, name) for name in FAULTS if getattr(self, name)}
        return rates | ({"map": str(placed(Path(expanduser(self.fault_map))))} if self.fault_map else {})

    def ageing(self) -> dict[str, float]:
        """Return wear and retention as `hardware_models.devices.ageing` takes them; empty if there are none."""
        given = {"endurance": self.endurance, "endurance_spread": self.endurance_spread, "retention": self.retention}
        return {name: value for name, value in given.items() if value}

    def folder(self) -> Path:
        """Return the run folder, named after the choices if none was given."""
        return run_folder(self.as_dict())
