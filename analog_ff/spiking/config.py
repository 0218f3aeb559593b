"""The configuration of a spiking run: every choice with its unit, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from analog_ff.runs.choices import Choices
from analog_ff.runs.options import flag, option, parse_layers
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.files import home
from hardware_models.tables import closest

ENCODERS = ("regular", "poisson", "latency")
GOODNESS = ("squared", "saturating", "linear")
POOLS = ("divisive", "subtractive", "none")
RESETS = ("subtract", "hard")
ELIGIBILITY = ("rank-1", "synaptic")
CHIPS = ("auto", "exact", "table")
TARGETS = ("standalone", "cython", "numpy")
NEGATIVES = ("random", "hard", "self")
SIGNALS = ("layer", "own-rate")
SPLITS = ("final", "holdout")
NOT_IN_HASH = ("data_dir", "out", "target")
_CHOICES = {
    "encoder": ENCODERS, "goodness": GOODNESS, "pool": POOLS, "reset": RESETS, "eligibility": ELIGIBILITY,
    "target": TARGETS, "chip": CHIPS, "negatives": NEGATIVES, "third_factor": SIGNALS, "split": SPLITS,
}  # fmt: skip
WHOLE = (("epochs", 0, 10_000), ("shift", 0, 8), ("label_cells", 1, 10_000), ("block", 1, 10**9), ("candidates", 1, 1000),
         ("seed", 0, 2**31 - 1), ("chip_seed", 0, 2**63 - 1), ("sign_delay", 0, 1000),
         ("images_per_epoch", 1, 10**9), ("test_images", 1, 10**9))  # fmt: skip
"""Choices that are whole numbers: name, least, most."""
REAL = (("step", 0.01, 5.0, "ms"), ("present", 1.0, 10_000.0, "ms"), ("gap", 0.0, 10_000.0, "ms"),
        ("peak_rate", 0.0, 1e5, "Hz"), ("label_rate", 0.0, 1e5, "Hz"), ("tau", 0.01, 10_000.0, "ms"),
        ("refractory", 0.0, 1000.0, "ms"), ("adaptation", 0.0, 100.0, "thresholds"),
        ("adaptation_tau", 0.01, 1e6, "ms"), ("noise", 0.0, 100.0, "thresholds"), ("delay", 0.0, 1000.0, "ms"),
        ("delay_spread", 0.0, 1000.0, "ms"), ("saturation", 0.01, 1e6, "spikes"), ("theta", 0.0, 1e6, "spikes^2"),
        ("temperature", 1e-6, 1e6, "spikes^2"), ("learning_rate", 0.0, 100.0, "thresholds"),
        ("final_rate", 0.0, 1.0, "1"), ("initial", 0.0, 100.0, "1"), ("initial_mean", -100.0, 100.0, "1"),
        ("sigma", 1e-6, 1e6, "1"), ("pool_tau", 0.01, 10_000.0, "ms"), ("pool_gain", 0.0, 1e6, "1"),
        ("choice_noise", 0.0, 1e6, "spikes^2"), ("trace_tau", 0.01, 1e6, "ms"), ("sign_noise", 0.0, 1.0, "1"),
        ("weight_range", 1e-6, 1e6, "thresholds"))  # fmt: skip
"""Choices that are numbers: name, least, most, unit. Tables with a row a millisecond are looked up wrongly from 8 ms on."""


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
    )
    encoder: str = option("regular", "how intensities become spikes: regular (random phase), poisson, latency")
    data: str = option("mnist-5k", "mnist-5k, mnist, fashion-mnist, digits, toy, or a .npz file")
    data_dir: str | None = option(None, "folder of the data sets (also ANALOG_FF_DATA)")
    split: str = option("final", "final: test once; holdout: validation part of the training set")
    shift: int = option(1, "random shift of training images [pixels], 0: none; vectors stay")
    epochs: int = option(10, "passes over the training images")
    images_per_epoch: int | None = option(None, "training images of one epoch; default: all of them")
    test_images: int | None = option(None, "images that are classified; default: all of the split")
    target: str = option("standalone", "code of Brian2: standalone (C++, float32), cython (float64) or numpy (float64)")
    step: float = option(1.0, "clock of the simulation [ms]")
    present: float = option(30.0, "duration of one presentation [ms]")
    gap: float = option(0.0, "silence after each presentation [ms]")
    online: bool = option(False, "no reset between presentations: membranes and traces go on and decay")
    trace_tau: float = option(30.0, "time constant of the traces, online [ms]")
    peak_rate: float = option(200.0, "rate of an input cell at intensity 1 [Hz]")
    label_rate: float = option(400.0, "rate of the cells of the label that is shown [Hz]")
    label_cells: int = option(10, "input cells of each class")
    tau: float = option(20.0, "membrane time constant [ms]")
    refractory: float = option(0.0, "absolute refractory period [ms]")
    reset: str = option("subtract", "of the membrane at a spike: subtract (the threshold) or hard (to zero)")
    adaptation: float = option(0.0, "rise of the threshold at each spike [thresholds]")
    adaptation_tau: float = option(100.0, "time constant of that rise [ms]")
    noise: float = option(0.0, "standard deviation of the membrane noise at rest [thresholds]")
    delay: float = option(0.0, "mean transmission delay between layers, and from the input [ms]")
    delay_spread: float = option(0.0, "half-width of its uniform distribution over synapses [ms]")
    goodness: str = option("squared", "of a layer, from the spike counts r: squared, saturating, linear")
    saturation: float = option(3.0, "r_s of r^2/(1 + r/r_s), saturating [spikes]")
    third_factor: str = option("layer", "what gates plasticity: layer (its goodness), own-rate (of the cell alone)")
    theta: float = option(4.0, "threshold of the goodness per cell [spikes^2]")
    temperature: float = option(1.0, "of the logistic [spikes^2]")
    learning_rate: float = option(3e-4, "eta, change of a weight per spike pair [thresholds]")
    final_rate: float = option(0.1, "eta at the end, as a share; it falls linearly")
    initial: float = option(1.0, "standard deviation of the first weights, times 1/sqrt(fan-in) [thresholds]")
    initial_mean: float = option(0.0, "mean of the first weights, in the same unit")
    dale: bool = option(False, "excitatory synapses only, with uniform feed-forward inhibition")
    eligibility: str = option("rank-1", "rank-1 (product of two traces) or synaptic (pre before post, per synapse)")
    pool: str = option("divisive", "what takes a layer's goodness from the next: divisive, subtractive, none")
    pool_tau: float = option(20.0, "time constant of the pool cell [ms]")
    pool_gain: float = option(0.5, "strength of the pool [1]")
    sigma: float = option(0.05, "semi-saturation of the divisive pool [mean spikes per cell in pool_tau]")
    negatives: str = option(
        "random",
        "labels shown in sleep: random (wrong), hard (wrong, the network chooses), self (any, the network chooses)",
    )
    candidates: int = option(3, "labels that the network compares for one negative, hard and self")
    choice_noise: float = option(0.5, "of the Gumbel noise on their goodness per cell [spikes^2]")
    block: int = option(1, "presentations of one sign before the other, wake and sleep")
    sign_noise: float = option(0.0, "share of presentations whose learning signal has the wrong sign [1]")
    sign_delay: int = option(0, "presentations by which the learning signal comes late")
    weight_range: float = option(8.0, "k: cells of a device hold |w| <= k/sqrt(fan-in) [thresholds]")
    technology: str = option("cmos-32nm", "energy technology: a name or a .toml file")
    seed: int = option(0, "seed of the experiment")
    chip_seed: int = option(0, "seed of the physical chip")
    out: str = option("", "run folder; must not exist", shown="runs/spiking-DATA-DEVICE-sSEED-cCHIP")

    def __post_init__(self) -> None:
        """Check every choice that can be checked without the data and the chip."""
        super().__post_init__()
        if not self.layers:
            raise UsageError("--layers needs at least one layer, such as 500 or 300,200.")
        for width in self.layers:
            positive_int("--layers", "every layer", width, 1, 100_000)
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise UsageError(
                    f"{flag(name)} is one of {', '.join(known)}, got {shown(value)}{closest(value, known)}."
                )
        for name, least, most in WHOLE:
            if getattr(self, name) is not None:
                positive_int("a spiking run", flag(name), getattr(self, name), least, most)
        for name, low, high, unit in REAL:
            in_range("a spiking run", flag(name), getattr(self, name), low, high, unit)
        for name in ("present", "gap", "refractory", "delay", "delay_spread"):
            if abs(getattr(self, name) / self.step - round(getattr(self, name) / self.step)) > 1e-6:
                raise UsageError(
                    f"{flag(name)} is a whole number of steps of {self.step:g} ms, got {getattr(self, name):g} ms."
                )
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
