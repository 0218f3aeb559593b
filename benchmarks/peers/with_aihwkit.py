"""Comparisons with aihwkit (github.com/IBM/aihwkit): pulsed updates of one device law, and noisy reads through converters.

Pulses. One call gives one pulse to every device where the chosen rows and columns of a 1024 x 1024 array cross, up and down in
turn: aihwkit by an update of one sample with trains of one slot, whose probability is 1 on the chosen lines; this project by
`pulse` of the device, on the full array or on a window of it. Both devices have the figures of the same preset, with spread
from device to device and noise from pulse to pulse. The agreement is that of the distributions after ten pulses without
the spread, which is normal there and log-normal here. aihwkit also draws the trains, which takes it a hundredth of the time.

Batches. A training step asks for x^T d of 100 samples. aihwkit applies trains sample by sample; update `accumulate` of this
project adds the products first and applies the pulses of the sum, which are fewer: the same mean change by another scheme. The
agreement is that of the mean change without spread, by its regression on the outer product.

Reads. 100 inputs through DAC, a 1024 x 1024 tile with one read noise for all cells, and ADC, 8 bits each. aihwkit draws the noise
of an output from the length of the input (`ADDITIVE_CONSTANT`), as this project does; both without management of ranges.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import torch
from aihwkit.simulator.configs import IdealDevice, SingleRPUConfig, UpdateParameters
from aihwkit.simulator.parameters.enums import BoundManagementType, NoiseManagementType, WeightNoiseType
from aihwkit.simulator.parameters.io import IOParameters
from aihwkit.simulator.presets import devices as presets
from aihwkit.simulator.tiles.analog import AnalogTile
from aihwkit_pulses import PAIRS
from comparison import Agreement, Comparison, spread_apart
from operations import inputs, memristor, one_tile
from scipy.stats import ks_2samp

from analog_ff.updates.accumulate import Accumulate
from hardware_models.chip import Chip
from hardware_models.devices.base import BaseDevice
from hardware_models.keys import Key
from hardware_models.load import load_device

PEER = "aihwkit"
KEY = Key(0, "peers")
N, BATCH = 1024, 100
DEVICES = ("gokmen2016_rpu", "gong2018_reram_sb", "gong2018_reram_es")
BATCHED, MEAN_APART = "gokmen2016_rpu", 0.02
"""Device of the updates by batches, and the largest relative difference of their mean changes."""
SHARES = {"all": 1.0, "20 %": 0.2, "5 %": 0.05, "2 %": 0.02}
CHECKED, PULSES, FURTHEST = 200, 10, 0.03
"""Rows and columns of the array whose distributions are compared, pulses before it, and largest distance D.

Chance alone gives 0.01 between independent numbers, and more between those of aihwkit, which repeat within an array.
"""
REPEATS, SHARE_APART = 200, 0.02
"""Reads of one input whose mean and noise are compared, and the largest difference as a share."""


def comparisons() -> Iterator[Comparison]:
    """Yield all comparisons."""
    for name in DEVICES:
        for what, share in SHARES.items():
            yield pulses(name, what, share)
    yield batches()
    yield reads()


# --- pulses ---


def preset(name: str, *, spread: bool = True) -> object:
    """Return aihwkit's preset of a device of this project; without spread every device is the nominal one."""
    device = getattr(presets, PAIRS[name])()
    if not spread:
        for field in vars(device):
            if field.endswith("_dtod"):
                setattr(device, field, 0.0)
    return device


def nominal(name: str, *, spread: bool = False) -> BaseDevice:
    """Return a device of this project; without spread every cell is the nominal one."""
    device = load_device(name)
    assert isinstance(device, BaseDevice)
    return device if spread else device.without(spread=True)


def tile(device: object, n: int, *, slots: int = 1, managed: bool = False) -> AnalogTile:
    """Return an array of n x n devices; where trains are not managed, all lines that are not at zero are on in every slot."""
    update = UpdateParameters(desired_bl=slots, fixed_bl=True, update_bl_management=managed, update_management=managed)
    made = AnalogTile(n, n, SingleRPUConfig(device=device, update=update))  # type: ignore[arg-type]  # a preset of theirs
    made.set_learning_rate(1.0)  # many steps, so that the probability of a pulse is above 1 and each line is on
    made.set_weights(torch.zeros(n, n))
    return made


def block(n: int, share: float) -> int:
    """Return the number of rows and columns whose crossings are a share of n x n devices."""
    return round(n * share**0.5)


def crossing(n: int, on: int) -> torch.Tensor:
    """Return an input (1, n) whose first lines are on."""
    return (torch.arange(n) < on).float()[None]


def pulses(name: str, what: str, share: float) -> Comparison:
    """Return the comparison of single pulses on a share of the devices."""
    on = block(N, share)
    theirs, device = tile(preset(name), N), load_device(name)
    state = device.fabricate((N, N), KEY)
    window = None if on == N else (np.arange(on), np.arange(on))
    up = np.ones((on, on), np.int32)
    down = -up
    lines = crossing(N, on)

    def ours_call() -> None:
        for signed in (up, down):
            device.pulse(state, signed, KEY, window) if window else device.pulse(state, signed, KEY)

    def theirs_call() -> None:
        for sign in (-1.0, 1.0):
            theirs.update(lines, sign * lines)

    operation = f"one pulse up and one down, {what} of the devices of {name}"
    return Comparison(PEER, operation, lambda: same_law(name), ours_call, theirs_call)


def same_law(name: str) -> Agreement:
    """Return the distance of the weights after `PULSES` pulses from weight zero, up and down, without spread."""
    device = nominal(name)
    zero = device.g_min + getattr(device, "center", getattr(device, "zero", 0.5)) * device.g_range
    furthest = 0.0
    for sign in (1, -1):
        state = device.fabricate((CHECKED, CHECKED), KEY)
        for field in {"g", "hidden"} & set(state._fields):
            getattr(state, field)[:] = zero
        other = preset(name, spread=False)
        there = tile(other, CHECKED)
        lines = crossing(CHECKED, CHECKED)
        for k in range(PULSES):
            device.pulse(state, np.full((CHECKED, CHECKED), sign, np.int32), KEY.child("agree").at(k))
            there.update(lines, -sign * lines)
        width = other.w_max - other.w_min  # type: ignore[attr-defined]
        here = (state.g.astype(np.float64) - zero) / device.g_range * width
        furthest = max(
            furthest, ks_2samp(here.ravel(), there.get_weights()[0].numpy().ravel(), method="asymp").statistic
        )
    return Agreement(f"distance D of the distributions after {PULSES} pulses", float(furthest), FURTHEST)


# --- batches ---

WANTED = 2.0
"""Wanted change at x d = 1, in device pulses; a step then changes 5 % of the weights of this project."""
STEPS = 100
"""Steps whose sum is compared: aihwkit's trains are shared by whole lines, so that one step is far from its mean."""


def changes() -> tuple[np.ndarray, np.ndarray]:
    """Return the activities x and d of a step, (BATCH, N) float32."""
    rng = np.random.default_rng(0)
    x = rng.uniform(0.0, 1.0, (BATCH, N)).astype(np.float32)
    return x, rng.uniform(-1.0, 1.0, (BATCH, N)).astype(np.float32)


def ours_batch(*, spread: bool = True) -> tuple[Chip, Callable[[float], object]]:
    """Return a chip and a call that changes its weights by `sign` times `WANTED` pulses times x^T d / BATCH."""
    chip = Chip(nominal(BATCHED, spread=spread), ((N, N),), tile=(N, N))
    update = Accumulate(chip, 0, momentum=0.0)
    x, d = changes()
    step, number = WANTED * chip.datasheet[0].weight_step, itertools.count()
    return chip, lambda sign: update.apply(x, np.float32(sign) * d, BATCH, step, 1.0, KEY.at(next(number)))


def theirs_batch(*, spread: bool = True) -> tuple[AnalogTile, Callable[[float], object]]:
    """Return a tile and a call that does the same by trains of 31 slots at most."""
    device = preset(BATCHED, spread=spread)
    made = tile(device, N, slots=31, managed=True)
    made.set_learning_rate(WANTED * device.dw_min / BATCH)  # type: ignore[attr-defined]  # a preset of theirs
    x, d = (torch.from_numpy(a) for a in changes())
    return made, lambda sign: made.update(x, -sign * d)


def forth_and_back(apply: Callable[[float], object]) -> Callable[[], object]:
    """Return a call that applies a step and its opposite."""

    def call() -> None:
        apply(1.0)
        apply(-1.0)

    return call


def batches() -> Comparison:
    """Return the comparison of the update of a batch."""
    (_, ours), (_, theirs) = ours_batch(), theirs_batch()
    operation = f"update of a batch of {BATCH} and of its opposite, {BATCHED}, other schemes"
    return Comparison(PEER, operation, same_mean, forth_and_back(ours), forth_and_back(theirs), runs=1)


def same_mean() -> Agreement:
    """Return the difference of the mean changes, in device pulses, by regression on the outer product."""
    x, d = changes()
    wanted = (x.T @ d / BATCH).astype(np.float64)
    (chip, ours), (there, theirs) = (make(spread=False) for make in (ours_batch, theirs_batch))
    step, width = chip.datasheet[0].weight_step, preset(BATCHED).dw_min  # type: ignore[attr-defined]  # as above

    def slope(apply: Callable[[float], object], look: Callable[[], np.ndarray]) -> float:
        before = look().astype(np.float64)
        for _ in range(STEPS):
            apply(1.0)
        return float(((look() - before) * wanted).sum() / (wanted**2).sum())

    here = slope(ours, lambda: chip.oracle.weights(0) / step)
    beyond = slope(theirs, lambda: there.get_weights()[0].numpy().T / width)
    return Agreement("relative difference of the mean change", abs(here / beyond - 1.0), MEAN_APART)


# --- reads ---


def reads() -> Comparison:
    """Return the comparison of reads through converters."""
    chip, theirs, x = *tiles(), inputs(BATCH, N)
    shown = torch.from_numpy(x / np.float32(chip.datasheet[0].input_scale))

    def theirs_call() -> torch.Tensor:
        with torch.no_grad():
            return theirs.forward(shown)

    operation = f"read of {BATCH} inputs, {N} x {N} cells, read noise, 8-bit converters"
    return Comparison(PEER, operation, lambda: same_read(chip, theirs), lambda: chip.read(0, x, key=KEY), theirs_call)


def tiles() -> tuple[Chip, AnalogTile]:
    """Return a chip of this project and a tile of aihwkit with its weights, its noise and its converters."""
    device = memristor()
    chip = one_tile(device, N)
    sheet = chip.datasheet[0]
    rng = np.random.default_rng(0)
    chip.program(0, sheet.weight_limit * rng.uniform(-1.0, 1.0, (N, N)), key=KEY)
    weights = chip.oracle.weights(0)
    full = 8.0 / sheet.input_scale  # `adc_range` of a chip, in units of inputs between 0 and 1
    sigma = 2**0.5 * device.read_noise * sheet.weight_limit  # of a pair; the limit stands for the range of one device
    forward = IOParameters(
        inp_bound=1.0, inp_res=1.0 / (2 * 255), out_bound=full, out_res=1.0 / (2 * 127), out_noise=0.0,
        w_noise=sigma, w_noise_type=WeightNoiseType.ADDITIVE_CONSTANT,
        bound_management=BoundManagementType.NONE, noise_management=NoiseManagementType.NONE,
    )  # fmt: skip
    there = AnalogTile(N, N, SingleRPUConfig(device=IdealDevice(), forward=forward))
    there.set_weights(torch.from_numpy(weights.T.copy()))
    return chip, there


def same_read(chip: Chip, there: AnalogTile) -> Agreement:
    """Return the distance of mean and noise of the reads of one input."""
    x = np.repeat(inputs(1, N), REPEATS, axis=0)
    scale = np.float32(chip.datasheet[0].input_scale)
    ours = chip.read(0, x, key=KEY)[0] / scale
    with torch.no_grad():
        theirs = there.forward(torch.from_numpy(x / scale)).numpy()
    return Agreement("difference of mean and noise", spread_apart(ours, theirs), SHARE_APART)
