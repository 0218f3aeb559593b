"""The shape of mortal.json."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from analog_ff.report.shapes import Made
from analog_ff.report.shapes.improvement import CaseConfig
from hardware_models.files import SOME


class RunConfig(CaseConfig):
    """Choices of the run by which every chip learns, as the answer names them."""

    nonlinearity: str
    box_strength: NotRequired[float]
    box_place: NotRequired[str]
    split: str
    readout: str


class Wishes(TypedDict):
    """Wishes of a study."""

    seeds: int
    queries: Annotated[list[int], SOME]
    sharpness: float


class Joule(TypedDict):
    """Energies of a path [J]."""

    learn: float
    all: float


class End(TypedDict):
    """The end of a path."""

    error_percent_by_readout: dict[str, float]
    joule: Joule
    queries: int
    labels: int


class Life(TypedDict):
    """Errors of a first chip that lives on, by way of care."""

    days: Annotated[list[int], SOME]
    images_a_day: int
    error_percent: dict[str, dict[str, list[float]]]
    joule_a_day: dict[str, float]
    pulses_an_image: float
    images_of_life: float | None


class Mortality(Made):
    """The document mortal.json."""

    config: RunConfig
    wishes: Wishes
    walked: dict[str, dict[str, End]]
    generations: dict[str, list[End]]
    lives: dict[str, Life]
