"""The types of cortex.json: results of every point, every criterion and every test."""

from __future__ import annotations

from typing import Literal, TypedDict

from analog_ff.plain import Document


class Measured(TypedDict):
    """A mean and half the width of its interval, which is None for a single seed."""

    mean: float
    half_interval: float | None


class PointFound(TypedDict):
    """Results of one point."""

    label: str
    change: Document  # choices that differ from the base configuration
    tried: int  # choices of its grid
    seeds: list[int]
    accuracy_percent: dict[str, Measured | None]  # by read-out
    spikes_per_presentation: list[float]  # of the input and each layer
    active_rate_hz: Measured | None


class CriterionFound(TypedDict):
    """Result of a criterion; its two kinds add their own entries."""

    demand: str
    point: str
    verdict: str
    firm: bool
    decides: bool
    measured: Measured | None
    sentence: str


class LossFound(CriterionFound):
    """Result of a criterion on a loss of accuracy."""

    kind: Literal["loss"]
    null: str
    readout: str
    unit: str


class RangeFound(CriterionFound):
    """Result of a criterion on a quantity with a published range."""

    kind: Literal["range"]
    quantity: str
    unit: str
    published: list[float]  # lowest and highest
    source: str
    read: str


class TestFound(TypedDict):
    """Results of one test."""

    title: str
    question: str
    verdict: str
    points: list[PointFound]
    criteria: list[LossFound | RangeFound]
    comment: str


class ScoreCard(TypedDict):
    """The contents of cortex.json."""

    schema: int
    model: int
    seeds: list[int]
    base: Document  # the base configuration
    tests: dict[str, TestFound]
