"""Parts of a cortex test: points that are run, and criteria that are judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from analog_ff.config.together import unread
from analog_ff.plain import Document
from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError

FITS, COST, FAILS, OPEN = "fits", "fits with a cost", "does not fit", "not measured"
VERDICTS = (FITS, COST, FAILS)
"""Verdicts from best to worst."""
SMALL_LOSS, LARGE_LOSS = 1.5, 5.0
"""Limits of a mean loss in points of accuracy: up to the first it fits, up to the second it fits with a cost."""
SLACK = 2.0
"""Largest factor outside its published range at which a quantity still fits with a cost."""
BASE = "as it is"
"""Label of the point that does not change the base configuration."""


@dataclass(frozen=True)
class Times:
    """Multiplies a number of the base configuration by a factor."""

    factor: float

    def of(self, base: SpikingConfig, name: str) -> float:
        """Return the changed value."""
        return self.factor * float(base.as_dict()[name])


@dataclass(frozen=True)
class Above:
    """Adds a second layer with `share` times as many cells as the first."""

    share: float

    def of(self, base: SpikingConfig, name: str) -> tuple[int, int]:
        """Return the changed value."""
        return base.layers[0], max(1, round(self.share * base.layers[0]))


Change: TypeAlias = Times | Above | bool | int | float | str | tuple[int, ...]
"""The value of a changed option: a plain value, or a value computed from the base configuration."""


@dataclass(frozen=True)
class Point:
    """One setting of a test: its changes to the base configuration.

    `grid` holds alternative changes; the one with the least validation error, on a separate seed, is used.
    """

    label: str
    change: Mapping[str, Change] = field(default_factory=dict)
    grid: tuple[Mapping[str, Change], ...] = ()
    place: float | None = None  # position on the axis of a line picture

    def configuration(
        self, base: SpikingConfig, seed: int, choice: Mapping[str, Change] = MappingProxyType({})
    ) -> SpikingConfig:
        """Return the configuration of a run with one alternative of the grid."""
        changed = {**self.change, **choice}
        values: Document = {k: v.of(base, k) if isinstance(v, Times | Above) else v for k, v in changed.items()}
        # An option of the base that the changed kinds do not read, such as the r_s of another goodness, is left out.
        wanted = {name: value for name, value in base.as_dict().items() if not base.at_rest(name)} | values
        idle = {name: getattr(SpikingConfig, name) for name in unread(SpikingConfig, wanted) if name not in values}
        return replace(base, **{**idle, **values, "seed": seed})


@dataclass(frozen=True)
class Loss:
    """A criterion: the loss of a condition against the null point, in points of accuracy, seed by seed."""

    demand: str  # the condition, as the subject of a sentence
    point: str
    null: str = BASE
    readout: str = "energy"

    @property
    def points(self) -> tuple[str, ...]:
        """Labels of the points that the criterion compares."""
        return self.point, self.null


@dataclass(frozen=True)
class Range:
    """A criterion: a quantity of the firing of layer 1 compared with the range of recordings.

    `read` tells where the range was read: abstract, figure or recalled; a recalled range is shown but does not decide.
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
    share: bool = False  # True for x between 0 and 1: the factor applies to x and to 1 - x, whichever allows less

    @property
    def points(self) -> tuple[str, ...]:
        """Labels of the points that the criterion compares."""
        return (self.point,)


@dataclass(frozen=True)
class Test:
    """A question about the cortex, with points and criteria. The verdict of a test is the worst verdict of its criteria."""

    key: str
    title: str
    question: str
    points: tuple[Point, ...]
    criteria: tuple[Loss | Range, ...]
    picture: str  # line, bars or ranges
    axis: str = ""
    comment: str = ""

    def __post_init__(self) -> None:
        """Raise UsageError if a criterion names an unknown point, which would otherwise be found only after hours."""
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
        """Yield every configuration that the test may run; raise UsageError for an invalid one."""
        for point in self.points:
            for choice in point.grid or ({},):
                for seed in seeds:
                    yield point.configuration(base, seed, choice)
