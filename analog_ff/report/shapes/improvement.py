"""The shapes of improve.json and specification.json."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from analog_ff.report.shapes import Made, Mean
from hardware_models.files import SOME


class CaseConfig(TypedDict):
    """Choices of the run that an answer of improve names."""

    device: str
    data: str
    learner: str
    layers: list[int]
    epochs: int
    batch: int
    preset: str


class Study(Made):
    """Entries that a study and a specification have in common."""

    config: CaseConfig
    seeds: Annotated[list[int], SOME]
    runs: int
    seconds_of_a_run: float


class Case(Mean):
    """An error [%] with what it gains [points]."""

    gain: Mean
    values: dict[str, str]


class Together(Case):
    """Figures that were tried together."""

    more_than_sum: Mean | None


class AllBest(Mean):
    """The error with all figures at their best."""

    gain: Mean


class OnCurve(Mean):
    """The error at one value of a figure."""

    value: float | None


class Needed(TypedDict):
    """The value that a figure must reach alone."""

    suffices: bool
    decided: bool
    share: float | None
    value: float | None
    surely: float | None
    perhaps: float | None
    from_curve: bool


class Figure(TypedDict):
    """A figure of a device or its chip, and what it gains."""

    name: str
    label: str
    unit: str
    rank: int
    as_given: str
    best: str
    gain: Mean
    gain_decided: bool
    curve: Annotated[list[OnCurve], SOME]
    needed: Needed


class Confirmation(TypedDict):
    """The order with other seeds."""

    seeds: list[int]
    gains: dict[str, Mean]
    decided_pairs: list[object]
    pairs_in_the_same_order: int
    pairs_decided_again: int


class Improvement(Study):
    """The document improve.json."""

    as_given: Mean
    all_best: AllBest
    target_error_percent: float
    target_from: str
    figures: Annotated[list[Figure], SOME]
    together: list[Together]
    path: Annotated[list[Case], SOME]
    confirmation: NotRequired[Confirmation | None]


class Tried(TypedDict):
    """A value that was tried, with what is limited there."""

    rung: int
    value: float | None
    limited: Mean


class Alone(TypedDict):
    """The worst value that a figure may have alone."""

    name: str
    unit: str
    allowed: bool
    rung: int | None
    text: str
    surely_text: str
    too_bad_text: str
    at_the_end: bool
    tried: list[Tried]


class AllTogether(TypedDict):
    """The worst values of several figures together."""

    texts: dict[str, str]
    limited: Mean
    trials: int


class Specification(Study):
    """The document specification.json."""

    limit: float
    limit_is_loss: bool
    limit_text: str
    alone: list[Alone]
    together: AllTogether | None
