"""What happens when: the learning rate's course over a run, and which pass, batch and layer has its turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

from analog_ff.registry.options import option
from analog_ff.registry.rows import Kind
from hardware_models.check import UsageError, in_range, positive_int


def gain(epoch: int, epochs: int) -> float:
    r"""Return the factor on all learning rates in an epoch counted from 0: 1 at first, falling to 3/E.

    .. math:: \mathrm{gain}(e) = \min\!\left(1, \frac{1 + 2(E - e)}{E}\right)

    This is Hinton's formula with e counted from 0. It exceeds 1 in the first half, and also just after it
    ((E+1)/E at e = E/2), hence the clip. Errors: UsageError if the epoch is not one of the run.
    """
    if not 0 <= epoch < epochs:
        raise UsageError(f"the gain needs an epoch in 0..{epochs - 1} of a run of {epochs} epochs, got {epoch}.")
    return min(1.0, (1.0 + 2.0 * (epochs - epoch)) / epochs)


class Moment(NamedTuple):
    """One step of a run: a batch, the passes it is shown in, and the layers that learn from it."""

    epoch: int  # whose order of the images the batch belongs to
    batch: int  # number of the batch in that order
    positive: bool = True
    negative: bool = True
    layers: range | None = None  # None: all
    full: int | None = None  # images of a full batch; None: as many as are shown


def averaged_over(moment: Moment | None, images: int) -> int:
    r"""Return the number of images that the sum over a batch of so many `images` is divided by.

    .. math:: g = \frac1B \sum_{i=1}^b g_i = \frac bB\,\langle g \rangle

    with B the images of a full batch: what an image brings does not depend on how many others the last batch has left. A batch
    of which nothing else is known (b = B) is its own mean.
    """
    return images if moment is None or moment.full is None else moment.full


class Schedule(Protocol):
    """The moments of a run, epoch by epoch; an epoch shows every image once as a positive."""

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield the moments of an epoch, counted from 0."""
        ...

    @property
    def per_epoch(self) -> int:
        """Number of moments of an epoch."""
        ...


class Interleaved:
    """Positives and negatives of every batch side by side; all layers at once (Hinton's recipe)."""

    def __init__(self, epochs: int, batches: int, layers: int) -> None:
        del epochs, layers
        self._batches = batches

    @property
    def per_epoch(self) -> int:
        """Return one moment a batch."""
        return self._batches

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield every batch once."""
        for batch in range(self._batches):
            yield Moment(epoch, batch)


class Greedy(Interleaved):
    """Layer by layer: each learns for an equal share of the epochs, while those below rest and those above wait."""

    def __init__(self, epochs: int, batches: int, layers: int) -> None:
        super().__init__(epochs, batches, layers)
        if epochs < layers:
            raise UsageError(
                f"schedule greedy needs at least one epoch a layer: --epochs {layers} or more, got {epochs}."
            )
        self._epochs, self._layers = epochs, layers

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield every batch once, for the layer whose turn it is."""
        layer = epoch * self._layers // self._epochs
        for batch in range(self._batches):
            yield Moment(epoch, batch, layers=range(layer, layer + 1))


class Pipelined(Interleaved):
    """Every batch once, as frames of a stream; layers work on successive frames (`analog_ff.learners.pipelined`)."""


class WakeSleep:
    r"""Blocks of positives only (wake) and blocks of negatives only (sleep), on the same images.

    A cycle is L batches awake and then the first round(f L) of them asleep; f < 1 is sleep deprivation, f = 0 no sleep at
    all. Blocks may be longer than an epoch. Hinton withdrew his claim that long separate phases work, and calls the
    question the most important one about Forward-Forward as a model of the cortex (arXiv:2212.13345v3, 5).
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
        """Return the batches awake and asleep that an epoch has room for."""
        return -(-self._batches * (self._block + self._asleep) // self._block)

    def moments(self, epoch: int) -> Iterator[Moment]:
        """Yield an epoch's share of the run's moments."""
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
"""Schedules by name; each is made from (epochs, batches, layers, **options)."""
