"""The configuration of a spiking run: every choice with its unit, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from analog_ff.config.choices import Choices
from analog_ff.datasets import SPLITS
from analog_ff.registry.options import flag, option, parse_layers
from hardware_models.check import UsageError, positive_int
from hardware_models.files import home

ENCODERS = ("regular", "poisson", "latency")
GOODNESS = ("squared", "saturating", "linear")
POOLS = ("divisive", "subtractive", "none")
RESETS = ("subtract", "hard")
ELIGIBILITY = ("rank-1", "synaptic")
CHIPS = ("auto", "exact", "table")
TARGETS = ("standalone", "cython", "numpy")
NEGATIVES = ("random", "hard", "self")
SIGNALS = ("layer", "own-rate")
NOT_IN_HASH = ("data_dir", "out", "target")


@dataclass(frozen=True, kw_only=True)
class SpikingConfig(Choices):
    """All choices of a spiking run; raises UsageError in one sentence at construction."""

    not_in_hash: ClassVar[tuple[str, ...]] = NOT_IN_HASH
    what: ClassVar[str] = "a spiking run"
    telling: ClassVar[tuple[str, ...]] = ("layers", "encoder")

    layers: tuple[int, ...] = option((500,), "cells of each layer, bottom up", parse_layers)
    device: str = option("none", "synapses: none (numbers), or a device as for simulate")
    chip: str = option(
        "auto",
        "how cells are pulsed: exact (cython, numpy), table (step tables, any target), auto (exact where possible)",
        choices=CHIPS,
    )
    encoder: str = option(
        "regular", "how intensities become spikes: regular (random phase), poisson, latency", choices=ENCODERS
    )
    data: str = option("mnist-5k", "mnist-5k, mnist, fashion-mnist, digits, toy, or a .npz file")
    data_dir: str | None = option(None, "folder of the data sets (also ANALOG_FF_DATA)")
    split: str = option("final", "final: test once; holdout: validation part of the training set", choices=SPLITS)
    shift: int = option(1, "random shift of training images [pixels], 0: none; vectors stay", low=0, high=8)
    epochs: int = option(10, "passes over the training images", low=0, high=10_000)
    images_per_epoch: int | None = option(None, "training images of one epoch; default: all of them", low=1, high=10**9)
    test_images: int | None = option(None, "images that are classified; default: all of the split", low=1, high=10**9)
    target: str = option(
        "standalone", "code of Brian2: standalone (C++, float32), cython (float64) or numpy (float64)", choices=TARGETS
    )
    step: float = option(1.0, "clock of the simulation [ms]", low=0.01, high=5.0, unit="ms")
    present: float = option(30.0, "duration of one presentation [ms]", low=1.0, high=10000.0, unit="ms")
    gap: float = option(0.0, "silence after each presentation [ms]", low=0.0, high=10000.0, unit="ms")
    online: bool = option(False, "no reset between presentations: membranes and traces go on and decay")
    trace_tau: float = option(30.0, "time constant of the traces, online [ms]", low=0.01, high=1000000.0, unit="ms")
    peak_rate: float = option(200.0, "rate of an input cell at intensity 1 [Hz]", low=0.0, high=100000.0, unit="Hz")
    label_rate: float = option(
        400.0, "rate of the cells of the label that is shown [Hz]", low=0.0, high=100000.0, unit="Hz"
    )
    label_cells: int = option(10, "input cells of each class", low=1, high=10_000)
    tau: float = option(20.0, "membrane time constant [ms]", low=0.01, high=10000.0, unit="ms")
    refractory: float = option(0.0, "absolute refractory period [ms]", low=0.0, high=1000.0, unit="ms")
    reset: str = option(
        "subtract", "of the membrane at a spike: subtract (the threshold) or hard (to zero)", choices=RESETS
    )
    adaptation: float = option(
        0.0, "rise of the threshold at each spike [thresholds]", low=0.0, high=100.0, unit="thresholds"
    )
    adaptation_tau: float = option(100.0, "time constant of that rise [ms]", low=0.01, high=1000000.0, unit="ms")
    noise: float = option(
        0.0, "standard deviation of the membrane noise at rest [thresholds]", low=0.0, high=100.0, unit="thresholds"
    )
    delay: float = option(
        0.0, "mean transmission delay between layers, and from the input [ms]", low=0.0, high=1000.0, unit="ms"
    )
    delay_spread: float = option(
        0.0, "half-width of its uniform distribution over synapses [ms]", low=0.0, high=1000.0, unit="ms"
    )
    goodness: str = option(
        "squared", "of a layer, from the spike counts r: squared, saturating, linear", choices=GOODNESS
    )
    saturation: float = option(
        3.0, "r_s of r^2/(1 + r/r_s), saturating [spikes]", low=0.01, high=1000000.0, unit="spikes"
    )
    third_factor: str = option(
        "layer", "what gates plasticity: layer (its goodness), own-rate (of the cell alone)", choices=SIGNALS
    )
    theta: float = option(
        4.0, "threshold of the goodness per cell [spikes^2]", low=0.0, high=1000000.0, unit="spikes^2"
    )
    temperature: float = option(1.0, "of the logistic [spikes^2]", low=1e-06, high=1000000.0, unit="spikes^2")
    learning_rate: float = option(
        3e-4, "eta, change of a weight per spike pair [thresholds]", low=0.0, high=100.0, unit="thresholds"
    )
    final_rate: float = option(0.1, "eta at the end, as a share; it falls linearly", low=0.0, high=1.0, unit="1")
    initial: float = option(
        1.0, "standard deviation of the first weights, times 1/sqrt(fan-in) [thresholds]", low=0.0, high=100.0, unit="1"
    )
    initial_mean: float = option(0.0, "mean of the first weights, in the same unit", low=-100.0, high=100.0, unit="1")
    dale: bool = option(False, "excitatory synapses only, with uniform feed-forward inhibition")
    eligibility: str = option(
        "rank-1", "rank-1 (product of two traces) or synaptic (pre before post, per synapse)", choices=ELIGIBILITY
    )
    pool: str = option(
        "divisive", "what takes a layer's goodness from the next: divisive, subtractive, none", choices=POOLS
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
    negatives: str = option(
        "random",
        "labels shown in sleep: random (wrong), hard (wrong, the network chooses), self (any, the network chooses)",
        choices=NEGATIVES,
    )
    candidates: int = option(3, "labels that the network compares for one negative, hard and self", low=1, high=1000)
    choice_noise: float = option(
        0.5, "of the Gumbel noise on their goodness per cell [spikes^2]", low=0.0, high=1000000.0, unit="spikes^2"
    )
    block: int = option(1, "presentations of one sign before the other, wake and sleep", low=1, high=10**9)
    sign_noise: float = option(
        0.0, "share of presentations whose learning signal has the wrong sign [1]", low=0.0, high=1.0, unit="1"
    )
    sign_delay: int = option(0, "presentations by which the learning signal comes late", low=0, high=1000)
    weight_range: float = option(
        8.0,
        "k: cells of a device hold |w| <= k/sqrt(fan-in) [thresholds]",
        low=1e-06,
        high=1000000.0,
        unit="thresholds",
    )
    technology: str = option("cmos-32nm", "energy technology: a name or a .toml file")
    seed: int = option(0, "seed of the experiment", low=0, high=2**31 - 1)
    chip_seed: int = option(0, "seed of the physical chip", low=0, high=2**63 - 1)
    out: str = option("", "run folder; must not exist", shown="runs/spiking-DATA-DEVICE-sSEED-cCHIP")

    def __post_init__(self) -> None:
        """Check every choice that can be checked without the data and the chip."""
        super().__post_init__()
        if not self.layers:
            raise UsageError("--layers needs at least one layer, such as 500 or 300,200.")
        for width in self.layers:
            positive_int("--layers", "every layer", width, 1, 100_000)
        for name, duration in (
            ("present", self.present), ("gap", self.gap), ("refractory", self.refractory), ("delay", self.delay),
            ("delay_spread", self.delay_spread),
        ):  # fmt: skip
            if abs(duration / self.step - round(duration / self.step)) > 1e-6:
                raise UsageError(f"{flag(name)} is a whole number of steps of {self.step:g} ms, got {duration:g} ms.")
        if self.delay_spread > self.delay:
            raise UsageError(
                f"--delay-spread is at most the mean delay of {self.delay:g} ms, got {self.delay_spread:g} ms."
            )
        if self.online and self.goodness == "saturating":
            raise UsageError(
                "--online needs --goodness squared or linear: a decaying saturating sum is not event-driven."
            )
        if self.eligibility == "synaptic" and (self.online or self.device != "none"):
            raise UsageError(
                "--eligibility synaptic belongs to synapses that are numbers, with a reset between presentations."
            )
        if self.chip == "auto":
            tables = self.device != "none" and self.target == "standalone"
            object.__setattr__(self, "chip", "table" if tables else "exact")
        if self.device != "none" and self.chip == "exact" and self.target == "standalone":
            raise UsageError("a device pulsed exactly needs --target cython; for standalone give --chip table.")

    @property
    def present_steps(self) -> int:
        """Clock steps of one presentation."""
        return round(self.present / self.step)

    @property
    def period_steps(self) -> int:
        """Clock steps from one presentation to the next."""
        return self.present_steps + round(self.gap / self.step)

    def folder(self) -> Path:
        """Return the run folder, named after the choices if none was given."""
        name = f"spiking-{Path(self.data).stem}-{Path(self.device.split(':')[0]).stem}"
        return home(self.out) if self.out else Path("runs") / f"{name}-s{self.seed}-c{self.chip_seed}"
