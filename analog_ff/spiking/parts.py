"""The options of a spiking run, part by part; the help lists them under the titles of the parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from analog_ff.datasets import SPLITS
from analog_ff.registry.options import option, parse_layers
from analog_ff.registry.rows import Kind

ENCODERS = ("regular", "poisson", "latency")
RESETS = ("subtract", "hard")
ELIGIBILITY = ("rank-1", "synaptic")
CHIPS = ("auto", "exact", "table")
TARGETS = ("standalone", "cython", "numpy")
SIGNALS = ("layer", "own-rate")


def _kind(about: str, *reads: str) -> Kind:
    """Return the row of a kind that has no object of its own: the equations of `analog_ff.spiking.model` differ by its name."""
    return Kind("", about, reads)


GOODNESS: Mapping[str, Kind] = MappingProxyType(
    {
        "squared": _kind("r^2"),
        "saturating": _kind("r^2/(1 + r/r_s)", "saturation"),
        "linear": _kind("r"),
    }
)
POOLS: Mapping[str, Kind] = MappingProxyType(
    {
        "divisive": _kind("divides", "pool_tau", "pool_gain", "sigma"),
        "subtractive": _kind("is subtracted", "pool_gain"),
        "none": _kind(""),
    }
)
NEGATIVES: Mapping[str, Kind] = MappingProxyType(
    {
        "random": _kind("wrong"),
        "hard": _kind("wrong, the network chooses", "candidates", "choice_noise"),
        "self": _kind("any, the network chooses", "candidates", "choice_noise"),
    }
)


@dataclass(frozen=True, kw_only=True)
class InputChoices:
    """Images and their presentation."""

    encoder: str = option(
        "regular", "encoder of intensities as spikes: regular (random phase), poisson, latency", choices=ENCODERS
    )
    data: str = option("mnist-5k", "data set: mnist-5k, mnist, fashion-mnist, digits, toy, or a .npz file")
    data_dir: str | None = option(None, "folder of the data sets (also ANALOG_FF_DATA)")
    split: str = option(
        "final",
        "images for the test: final (the test set) or holdout (validation part of the training set)",
        choices=SPLITS,
    )
    shift: int = option(
        1, "largest random shift of training images [pixels]; 0 for no shift, as for vectors", low=0, high=8
    )
    epochs: int = option(10, "passes over the training images", low=0, high=10_000)
    images_per_epoch: int | None = option(None, "training images of one epoch; default: all of them", low=1, high=10**9)
    test_images: int | None = option(None, "images that are classified; default: all of the split", low=1, high=10**9)
    present: float = option(30.0, "duration of one presentation [ms]", low=1.0, high=10000.0, unit="ms")
    gap: float = option(0.0, "silence after each presentation [ms]", low=0.0, high=10000.0, unit="ms")
    peak_rate: float = option(200.0, "rate of an input cell at intensity 1 [Hz]", low=0.0, high=100000.0, unit="Hz")
    label_rate: float = option(
        400.0, "rate of the input cells of the shown label [Hz]", low=0.0, high=100000.0, unit="Hz"
    )
    label_cells: int = option(10, "number of input cells for the label of each class", low=1, high=10_000)


@dataclass(frozen=True, kw_only=True)
class CellChoices:
    """Cells and their clock."""

    layers: tuple[int, ...] = option(
        (500,), "number of cells of each layer, from the input upwards", parse_layers, low=1, high=100_000
    )
    step: float = option(1.0, "clock of the simulation [ms]", low=0.01, high=5.0, unit="ms")
    online: bool = option(False, "let membranes and traces decay between presentations instead of resetting them")
    tau: float = option(20.0, "membrane time constant [ms]", low=0.01, high=10000.0, unit="ms")
    refractory: float = option(0.0, "absolute refractory period [ms]", low=0.0, high=1000.0, unit="ms")
    reset: str = option(
        "subtract", "reset of the membrane at a spike: subtract (the threshold) or hard (to zero)", choices=RESETS
    )
    adaptation: float = option(
        0.0, "rise of the threshold at each spike [thresholds]", low=0.0, high=100.0, unit="thresholds"
    )
    adaptation_tau: float = option(
        100.0,
        "time constant with which a raised threshold decays [ms]",
        low=0.01,
        high=1000000.0,
        unit="ms",
        beside="adaptation",
    )
    noise: float = option(
        0.0, "standard deviation of the membrane noise at rest [thresholds]", low=0.0, high=100.0, unit="thresholds"
    )
    delay: float = option(
        0.0, "mean transmission delay between layers, and from the input [ms]", low=0.0, high=1000.0, unit="ms"
    )
    delay_spread: float = option(
        0.0,
        "half-width of the uniform distribution of delays over synapses [ms]",
        low=0.0,
        high=1000.0,
        unit="ms",
        beside="delay",
    )
    pool: str = option(
        "divisive",
        "pool that removes a layer's goodness from the input of the next",
        table=POOLS,
    )
    pool_tau: float = option(20.0, "time constant of the pool cell [ms]", low=0.01, high=10000.0, unit="ms")
    pool_gain: float = option(0.5, "strength of the pool [1]", low=0.0, high=1000000.0, unit="1")
    sigma: float = option(
        0.05,
        "semi-saturation of the divisive pool [mean spikes per cell in pool_tau]",
        low=1e-06,
        high=1000000.0,
        unit="1",
    )


@dataclass(frozen=True, kw_only=True)
class LearningChoices:
    """Learning."""

    goodness: str = option(
        "squared",
        "goodness of a layer as a function of its spike counts r",
        table=GOODNESS,
    )
    saturation: float = option(
        3.0, "r_s in the saturating goodness r^2/(1 + r/r_s) [spikes]", low=0.01, high=1000000.0, unit="spikes"
    )
    third_factor: str = option(
        "layer",
        "signal that gates plasticity: layer (the layer's goodness), own-rate (the rate of the cell)",
        choices=SIGNALS,
    )
    theta: float = option(
        4.0, "threshold of the goodness per cell [spikes^2]", low=0.0, high=1000000.0, unit="spikes^2"
    )
    temperature: float = option(
        1.0,
        "temperature of the logistic function of the goodness [spikes^2]",
        low=1e-06,
        high=1000000.0,
        unit="spikes^2",
    )
    learning_rate: float = option(
        3e-4, "eta, change of a weight per spike pair [thresholds]", low=0.0, high=100.0, unit="thresholds"
    )
    final_rate: float = option(
        0.1,
        "eta at the end of training as a share of the first eta; it falls linearly [1]",
        low=0.0,
        high=1.0,
        unit="1",
    )
    initial: float = option(
        1.0, "standard deviation of the first weights, times 1/sqrt(fan-in) [thresholds]", low=0.0, high=100.0, unit="1"
    )
    initial_mean: float = option(
        0.0, "mean of the first weights, times 1/sqrt(fan-in) [thresholds]", low=-100.0, high=100.0, unit="1"
    )
    dale: bool = option(False, "allow only excitatory synapses, with uniform feed-forward inhibition (Dale's law)")
    eligibility: str = option(
        "rank-1",
        "trace for plasticity: rank-1 (product of two traces) or synaptic (pre before post, per synapse)",
        choices=ELIGIBILITY,
    )
    trace_tau: float = option(
        30.0,
        "time constant of the traces with --online [ms]",
        low=0.01,
        high=1000000.0,
        unit="ms",
        beside="online",
    )
    negatives: str = option(
        "random",
        "labels shown in sleep",
        table=NEGATIVES,
    )
    candidates: int = option(
        3, "number of labels that the network compares for one hard or self negative", low=1, high=1000
    )
    choice_noise: float = option(
        0.5,
        "scale of the Gumbel noise when the network chooses a label by goodness per cell [spikes^2]",
        low=0.0,
        high=1000000.0,
        unit="spikes^2",
    )
    block: int = option(1, "number of successive presentations awake, and then asleep", low=1, high=10**9)
    sign_noise: float = option(
        0.0, "share of presentations whose learning signal has the wrong sign [1]", low=0.0, high=1.0, unit="1"
    )
    sign_delay: int = option(0, "delay of the learning signal [presentations]", low=0, high=1000)
    seed: int = option(0, "seed of the experiment", low=0, high=2**31 - 1)


@dataclass(frozen=True, kw_only=True)
class SynapseChoices:
    """Devices at the synapses."""

    device: str = option("none", "kind of synapses: none (plain numbers), or a device of the command simulate")
    chip: str = option(
        "auto",
        "way of pulsing devices: exact (cython, numpy), table (step tables, any target), auto (exact where possible)",
        choices=CHIPS,
        beside="device",
    )
    weight_range: float = option(
        8.0,
        "k, limit of weights on devices: |w| <= k/sqrt(fan-in) [thresholds]",
        low=1e-06,
        high=1000000.0,
        unit="thresholds",
        beside="device",
    )
    technology: str = option("cmos-32nm", "energy technology: a name or a .toml file", beside="device")
    chip_seed: int = option(0, "seed of the physical chip", low=0, high=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class RunChoices:
    """The run."""

    target: str = option(
        "standalone", "code of Brian2: standalone (C++, float32), cython (float64) or numpy (float64)", choices=TARGETS
    )
    out: str = option("", "run folder, which must not exist", shown="runs/spiking-DATA-DEVICE-sSEED-cCHIP")
