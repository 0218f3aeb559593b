"""What a cortex test is made of: points that are run, and criteria that are judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.documents import Document
from hardware_models.check import UsageError

FITS, COST, FAILS, OPEN = "fits", "fits with a cost", "does not fit", "not measured"
VERDICTS = (FITS, COST, FAILS)
"""From best to worst."""
SMALL_LOSS, LARGE_LOSS = 1.5, 5.0
"""Points of accuracy: a mean loss up to the first fits, up to the second fits with a cost, beyond it does not fit."""
SLACK = 2.0
"""Factor by which a quantity may lie outside its published range and still fit with a cost."""
BASE = "as it is"
"""Label of the point that changes nothing."""


@dataclass(frozen=True)
class Times:
    """A change of a number to a multiple of what it is in the base configuration."""

    factor: float

    def of(self, base: SpikingConfig, name: str) -> float:
        """Return the changed value."""
        return self.factor * float(base.as_dict()[name])


@dataclass(frozen=True)
class Above:
    """A change of the layers: on the first one a second, with a share of its cells."""

    share: float

    def of(self, base: SpikingConfig, name: str) -> tuple[int, int]:
        """Return the changed value."""
        return base.layers[0], max(1, round(self.share * base.layers[0]))


Change: TypeAlias = Times | Above | bool | int | float | str | tuple[int, ...]
"""What a point makes of a choice of the base configuration: another value, or one that hangs on the base's own."""


@dataclass(frozen=True)
class Point:
    """One setting: what differs from the base configuration.

    `grid` holds alternative changes; the one with the least error on a seed of its own is taken (validation part).
    """

    label: str
    change: Mapping[str, Change] = field(default_factory=dict)
    grid: tuple[Mapping[str, Change], ...] = ()
    place: float | None = None  # on the axis of a line picture

    def configuration(
        self, base: SpikingConfig, seed: int, choice: Mapping[str, Change] = MappingProxyType({})
    ) -> SpikingConfig:
        """Return the configuration of a run, with one choice of the grid."""
        changed = {**self.change, **choice}
        values: Document = {k: v.of(base, k) if isinstance(v, Times | Above) else v for k, v in changed.items()}
        return replace(base, **{**values, "seed": seed})


@dataclass(frozen=True)
class Loss:
    """A criterion: how many points of accuracy a condition costs against the null, seed by seed."""

    demand: str  # the condition, as the subject of a sentence
    point: str
    null: str = BASE
    readout: str = "energy"

    @property
    def points(self) -> tuple[str, ...]:
        """Labels of the points that it needs."""
        return self.point, self.null


@dataclass(frozen=True)
class Range:
    """A criterion: whether a quantity of the firing of layer 1 lies where recordings put it.

    `read` says where the range was read: abstract, figure or recalled; a recalled one is shown but does not decide.
    """

    demand: str
    quantity: str
    low: float
    high: float
    unit: str
    source: str
    read: str = "abstract"
    point: str = BASE
    digits: int = 2
    share: bool = False  # between 0 and 1: the slack is a factor of x and of 1 - x, whichever allows less

    @property
    def points(self) -> tuple[str, ...]:
        """Labels of the points that it needs."""
        return (self.point,)


@dataclass(frozen=True)
class Test:
    """A question to the cortex, and what answers it. The worst verdict of its criteria is its own."""

    key: str
    title: str
    question: str
    points: tuple[Point, ...]
    criteria: tuple[Loss | Range, ...]
    picture: str  # line, bars or ranges
    axis: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        """Check that criteria name points of the test: a typing error would be found only after hours."""
        labels = [p.label for p in self.points]
        if len(set(labels)) < len(labels):
            raise UsageError(f"cortex test {self.key} has two points of the same label.")
        for criterion in self.criteria:
            for name in criterion.points:
                if name not in labels:
                    raise UsageError(f"cortex test {self.key} has no point '{name}'.")

    def point(self, label: str) -> Point:
        """Return the point of that label."""
        return next(p for p in self.points if p.label == label)

    def configurations(self, base: SpikingConfig, seeds: range) -> Iterator[SpikingConfig]:
        """Yield every configuration that could be run; invalid ones raise UsageError."""
        for point in self.points:
            for choice in point.grid or ({},):
                for seed in seeds:
                    yield point.configuration(base, seed, choice)
