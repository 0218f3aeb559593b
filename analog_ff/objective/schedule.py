"""Schedules: the learning rate during a run, and the order of passes, batches and layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

from analog_ff.registry.options import option
from analog_ff.registry.rows import Kind
from hardware_models.check import UsageError, in_range, positive_int


def gain(epoch: int, epochs: int) -> float:
    r"""Return the factor on all learning rates in an epoch (counted from 0 of E): 1 at first, later falling to 3/E.

    .. math:: \mathrm{gain}(e) = \min\!\left(1, \frac{1 + 2(E - e)}{E}\right)

    This is Hinton's formula with e counted from 0. It exceeds 1 in the first half, and also just after it
    ((E+1)/E at e = E/2), hence the clip. Errors: UsageError if the epoch is not one of the run.
    """
    if not 0 <= epoch < epochs:
        raise UsageError(f"the gain needs an epoch in 0..{epochs - 1} of a run of {epochs} epochs, got {epoch}.")
    return min(1.0, (1.0 + 2.0 * (epochs - epoch)) / epochs)


class Moment(NamedTuple):
    """One step of a run: a batch, the passes in which it is shown, and the layers that learn from it."""

    epoch: int  # epoch whose order of the images is used
    batch: int  # number of the batch in the epoch's order
    positive: bool = True
    negative: bool = True
    layers: range | None = None  # layers that learn; None: all
    full: int | None = None  # number of images of a full batch; None: that of this batch


def averaged_over(moment: Moment | None, images: int) -> int:
    r"""Return the divisor of a sum over a batch of `images` images.

    .. math:: g = \frac1B \sum_{i=1}^b g_i = \frac bB\,\langle g \rangle

    with B the number of images of a full batch and b that of this one: the weight of an image does not depend on the number of
    images in the last batch. Without a known B, b = B and the result is the mean.
    """
    return images if moment is None or moment.full is None else moment.full


class Schedule(Protocol):
    """The moments of a run, epoch by epoch; an epoch shows every image once as a positive."""

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield the moments of an epoch; epochs are counted from 0."""
        ...

    @property
    def per_epoch(self) -> int:
        """Number of moments of an epoch."""
        ...


class Interleaved:
    """Schedule that shows positives and negatives of every batch together, to all layers at once (Hinton's recipe)."""

    def __init__(self, epochs: int, batches: int, layers: int) -> None:
        del epochs, layers
        self._batches = batches

    @property
    def per_epoch(self) -> int:
        """Return the number of moments of an epoch: one for each batch."""
        return self._batches

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield one moment for each batch."""
        for batch in range(self._batches):
            yield Moment(epoch, batch)


class Greedy(Interleaved):
    """Schedule layer by layer: each layer learns for an equal share of the epochs, after all layers below it."""

    def __init__(self, epochs: int, batches: int, layers: int) -> None:
        super().__init__(epochs, batches, layers)
        if epochs < layers:
            raise UsageError(
                f"schedule greedy needs at least one epoch a layer: --epochs {layers} or more, got {epochs}."
            )
        self._epochs, self._layers = epochs, layers

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield one moment for each batch, for the one layer that learns in this epoch."""
        layer = epoch * self._layers // self._epochs
        for batch in range(self._batches):
            yield Moment(epoch, batch, layers=range(layer, layer + 1))


class Pipelined(Interleaved):
    """Schedule that shows the batches as frames of a stream; layers work on successive frames (learner `pipelined`)."""


class WakeSleep:
    r"""Schedule with blocks of only positives (wake) and blocks of only negatives (sleep), on the same images.

    A cycle is L = `block` batches awake and then the first round(f L) of them asleep, f = `sleep`; f < 1 is sleep deprivation,
    f = 0 no sleep at all. Blocks may be longer than an epoch. Hinton withdrew his claim that long separate phases work, and
    calls the question the most important one about Forward-Forward as a model of the cortex (arXiv:2212.13345v3, 5).
    """

    def __init__(self, epochs: int, batches: int, layers: int, *, block: int = 1, sleep: float = 1.0) -> None:
        del layers
        self._block = positive_int("schedule wake-sleep", "block", block, 1, 1_000_000_000)
        self._asleep = round(in_range("schedule wake-sleep", "sleep", sleep, 0.0, 1.0) * block)
        if sleep and not self._asleep:
            raise UsageError(
                f"schedule wake-sleep with blocks of {block} has no room for {sleep} of a sleep: give a longer --block, "
                "or --sleep 0."
            )
        self._batches, self._total = batches, epochs * batches

    @property
    def per_epoch(self) -> int:
        """Return the number of moments of an epoch, batches awake and asleep together."""
        return -(-self._batches * (self._block + self._asleep) // self._block)

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield the moments of the run that belong to an epoch."""
        cycle = self._block + self._asleep
        for number in range(epoch * self.per_epoch, (epoch + 1) * self.per_epoch):
            turn, inside = divmod(number, cycle)
            awake = inside < self._block
            image = turn * self._block + (inside if awake else inside - self._block)
            if image < self._total:
                yield Moment(*divmod(image, self._batches), positive=awake, negative=not awake)


@dataclass(frozen=True, kw_only=True)
class WakeSleepOptions:
    """Options of separate wake and sleep phases."""

    block: int = option(1, "batches of one wake block", low=1, high=10**9)
    sleep: float = option(1.0, "share of a sleep block that is slept [1]", low=0.0, high=1.0)


SCHEDULES = MappingProxyType(
    {
        "interleaved": Kind("analog_ff.objective.schedule:Interleaved", "positives and negatives side by side"),
        "greedy": Kind("analog_ff.objective.schedule:Greedy", "layer by layer"),
        "wake-sleep": Kind(
            "analog_ff.objective.schedule:WakeSleep",
            "phases of positives and of negatives",
            options=(WakeSleepOptions,),
        ),
        "pipelined": Kind("analog_ff.objective.schedule:Pipelined", "a stream, no activity is stored"),
    }
)
"""Schedules by name; each class is called with (epochs, batches, layers, **options)."""
