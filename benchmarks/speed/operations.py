"""The operations of a chip whose speed is followed, each with the least work that it needs.

Layers are n x n weights, that is n rows of 2 n cells, on one tile of the device memristor; a batch has B inputs. The work counts
what the operation cannot do without, in units of float32 multiplications and additions (FLOP), bytes that move between memory
and processor, and random numbers. What a program reads twice although once would do is not counted. Bytes of an array are those
of one pass: 4 for a read or a write of a float32, 8 for both.

| operation | FLOP | bytes | random numbers |
|---|---|---|---|
| read, one noise for all cells | 2 B n² | 4 n² + 16 B n (x, voltages written and read, z) | B n normal |
| read, noise of each cell | 4 B n² | 8 n² + 16 B n | B n normal |
| read with Johnson noise | as the first | as the first | as the first |
| read behind access transistors, whose noise is that of each cell | as the second | as the second | as the second |
| update without pulses: outer product of 2 B inputs, average, rounding | 4 B n² | 20 n², see below | n² uniform |
| pulses on a share s of the weights | 0 | 4 n² + 64 n² L(s/2) + 8 n² L(s), see below | s n² coarse |
| update with pulses on a share s | 4 B n² | both together | both together |
| dense pulses, one for every cell | 0 | 4 n² + 64 n² + 4 n² | 2 n² coarse |
| dense pulses, the device alone | 0 | 56 n² (pulses, conductance both, four constants) | 2 n² coarse |
| coinciding trains of t slots on r rows and c columns | 2 t r c | 72 r c | r c coarse |
| exact wires, a step of conjugate gradients | 26 n² | 144 n² (18 times a float64) | 0 |

A pulse needs of its cell the conductance (both), four constants and the count of its pulses (both), 32 bytes, and the pair's
difference (both), 8 bytes a weight. An update writes and reads the product, does both with the average, and reads the numbers
of pulses, 20 bytes a weight. Memory moves lines of 16 float32, so that pulses on a share q of an array touch the share
L(q) = 1 - (1 - q)^16 of its lines. In the products a cell is a weight of the difference G+ - G-.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from analog_ff.updates.accumulate import Accumulate
from hardware_models.chip import Chip
from hardware_models.crossbar.line_noise import NO_LINE_NOISE, LineNoise
from hardware_models.devices.base import BaseDevice
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.wires import Wires

KEY = Key(0, "speed")
SHARES = (0.02, 0.05, 0.2)
"""Shares of the weights that get a pulse."""
SLOTS, TRAINS = 10, {"an eighth of the lines": 0.125, "all lines": 1.0}
"""Slots of coinciding trains, and shares of the lines that are on in all of them."""
TURNS = 4
"""Trains of a call."""
OHM = 1.0
"""Resistance of a segment of the wires [Ohm]."""
LINE = 16
"""Number of float32 in a line of the cache."""
CIRCUIT = 4
"""The circuit with wires has so many times fewer rows than the layers."""


class Work(NamedTuple):
    """The least work of a call; see the module."""

    flop: float = 0.0
    bytes: float = 0.0
    normal: float = 0.0
    coarse: float = 0.0
    uniform: float = 0.0

    def and_(self, other: Work) -> Work:
        """Return the work of both."""
        return Work(*(a + b for a, b in zip(self, other, strict=True)))


class Operation(NamedTuple):
    """An operation to time; one call does it `passes` times, pulses up and down for instance."""

    name: str
    call: Callable[[], object]
    work: Work
    """Work of one pass."""
    product: tuple[int, int, int]
    """Rows, inner size and columns of the matrix product that the time of a pass is divided by."""
    passes: int = 1


def memristor(**figures: float | bool) -> BaseDevice:
    """Return the device of all operations, with some of its figures changed."""
    device = load_device("memristor")
    assert isinstance(device, BaseDevice)
    return replace(device, **figures)  # type: ignore[arg-type]  # mypy knows no field by name


def one_tile(device: BaseDevice, n: int, *, noise: LineNoise = NO_LINE_NOISE, access_transistor: bool = False) -> Chip:
    """Return a chip of n x n weights on one tile."""
    return Chip(device, ((n, n),), tile=(n, n), noise=noise, access_transistor=access_transistor)


def lines(share: float) -> float:
    """Return the share of the lines of memory that pulses on a share of an array touch."""
    return 1.0 - (1.0 - share) ** LINE


def operations(n: int, batch: int) -> Iterator[Operation]:
    """Yield the operations for layers of n x n weights; each is made when it is asked for."""
    yield from reads(n, batch)
    yield from updates(n, batch)
    yield from pulses(n, batch)
    yield from coincidences(n, batch)
    yield wires(n // CIRCUIT, batch)


def inputs(batch: int, n: int) -> np.ndarray:
    """Return inputs of a read, (batch, n) float32."""
    return np.random.default_rng(0).uniform(0, 4, (batch, n)).astype(np.float32)


def reads(n: int, batch: int) -> Iterator[Operation]:
    """Yield the reads through 8-bit converters."""
    per_cell = memristor(read_noise=0.0, read_noise_relative=0.01)
    common, johnson = one_tile(memristor(), n), one_tile(memristor(), n, noise=LineNoise(johnson=True))
    kinds = (
        ("read, one noise for all cells", common, batch, 1),
        ("read, noise of each cell", one_tile(per_cell, n), batch, 2),
        ("read, batch 1", common, 1, 1),
        ("read with Johnson noise", johnson, batch, 1),
        ("read behind access transistors", one_tile(memristor(), n, access_transistor=True), batch, 2),
    )
    for name, chip, size, matrices in kinds:
        x, cells = inputs(size, n), matrices * n * n
        work = Work(flop=2.0 * size * cells, bytes=4.0 * cells + 16.0 * size * n, normal=size * n)
        yield Operation(name, lambda chip=chip, x=x: chip.observe(0, x, key=KEY), work, (size, n, n))  # type: ignore[misc]


def updates(n: int, batch: int) -> Iterator[Operation]:
    """Yield the update `accumulate` without and with pulses."""
    form = Work(flop=4.0 * batch * n * n, bytes=20.0 * n * n, uniform=n * n)
    for share in (0.0, 0.05):
        name = f"update with pulses on {100 * share:g} % of the weights" if share else "update without pulses"
        call = applied(one_tile(memristor(), n), n, batch, share)
        work = form.and_(pulsed(n, share)) if share else form
        yield Operation(name, call, work, (n, 2 * batch, n), passes=2)


def applied(chip: Chip, n: int, batch: int, share: float) -> Callable[[], object]:
    """Return a call that applies an outer product and its opposite, each with pulses on a share of the weights.

    There is no momentum, so that all calls ask for the same change; the arithmetic is the same with it.
    """
    update = Accumulate(chip, 0, momentum=0.0)
    rng = np.random.default_rng(0)
    x = inputs(2 * batch, n)
    d = rng.standard_normal((2 * batch, n)).astype(np.float32)
    wanted = float(np.abs(x.T @ d).mean()) / batch
    rate = max(share, 1e-12) * chip.datasheet[0].weight_step / wanted

    def call() -> None:
        for sign in (1, -1):
            update.apply(x, np.float32(sign) * d, batch, rate, 1.0, KEY)

    return call


def pulsed(n: int, share: float) -> Work:
    """Return the work of single pulses on a share of the weights; with a share of 2 every cell has one."""
    cells, pairs = min(1.0, share / 2.0), min(1.0, share)
    moved = 4.0 + 64.0 * lines(cells) + 8.0 * lines(pairs)
    return Work(bytes=moved * n * n, coarse=share * n * n)


def pulses(n: int, batch: int) -> Iterator[Operation]:
    """Yield pulses on few and on all weights, and on the cells of the device without an array around them."""
    rng = np.random.default_rng(0)
    for share in SHARES:
        counts = np.where(rng.random((n, n)) < share, rng.choice([-1, 1], (n, n)), 0).astype(np.int32)
        name = f"pulses on {100 * share:g} % of the weights"
        yield Operation(name, fired(n, counts), pulsed(n, share), (batch, n, n), passes=2)
    both = np.full((n, n), 2, np.int32)
    yield Operation("dense pulses", fired(n, both), pulsed(n, 2.0), (batch, n, n), passes=2)
    alone = Work(bytes=56.0 * n * n, coarse=2.0 * n * n)
    yield Operation("dense pulses, the device alone", moved(n), alone, (batch, n, n), passes=2)


def fired(n: int, counts: np.ndarray) -> Callable[[], object]:
    """Return a call that gives a chip's weights pulses, and takes them back."""
    chip = one_tile(memristor(), n)
    opposite = -counts

    def call() -> None:
        chip.fire_cells(0, counts, key=KEY)
        chip.fire_cells(0, opposite, key=KEY)

    return call


def moved(n: int) -> Callable[[], object]:
    """Return a call that gives every cell of a device one pulse up and one down."""
    device = memristor()
    state = device.fabricate((n, 2 * n), KEY)
    up = np.ones((n, 2 * n), np.int32)
    down = -up

    def call() -> None:
        device.pulse(state, up, KEY)
        device.pulse(state, down, KEY)

    return call


def coincidences(n: int, batch: int) -> Iterator[Operation]:
    """Yield coinciding trains with an eighth of the lines, and all lines, on in every slot."""
    for what, share in TRAINS.items():
        on = int(share * n)
        chip = one_tile(memristor(), n)
        train = np.zeros((SLOTS, n))
        train[:, :on] = 1

        work = Work(flop=2.0 * SLOTS * on * on, bytes=72.0 * on * on, coarse=on * on)
        call = trained(partial(chip.fire, 0, key=KEY), train)
        yield Operation(f"trains of {SLOTS} slots on {what}", call, work, (batch, n, n), passes=TURNS)


def trained(fire: Callable[[np.ndarray, np.ndarray, int], object], train: np.ndarray) -> Callable[[], object]:
    """Return a call that fires a train `TURNS` times on rows and columns.

    Twice up and twice down: the devices of the pairs take turns, so that every cell stays near its state.
    """

    def call() -> None:
        for sign in (1, 1, -1, -1):
            fire(train, train, sign)

    return call


def wires(n: int, batch: int) -> Operation:
    """Return the solution of a circuit of n x n cells with wires, for one input; a pass is a step of it."""
    rng = np.random.default_rng(n)
    array, v = Wires(rng.uniform(1e-5, 1e-4, (n, n)), OHM, OHM), rng.uniform(0.0, 0.3, (1, n))
    steps = int(array.solve(v, full=True).steps.max())
    work = Work(flop=26.0 * n * n, bytes=144.0 * n * n)
    return Operation("exact wires, a step", lambda: array.solve(v), work, (batch, n, n), steps)
