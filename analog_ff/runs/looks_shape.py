"""The shape of looks.json."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from hardware_models.files import SOME


class WorstImage(TypedDict):
    """A wrong answer."""

    index: int
    label: int
    answer: int
    lead: float
    pixels: str | None


class Worst(TypedDict):
    """The wrong answers with the largest leads."""

    readout: str
    wrong: int
    tested: int
    images: list[WorstImage]


class CellsOfALayer(TypedDict):
    """The histograms of a layer's cells."""

    edges_microsiemens: Annotated[list[float], SOME]
    plus: list[float]
    minus: list[float]
    bounds_microsiemens: list[float]
    pulses_a_bin: int
    pulses: list[int]
    cells: int


class Fields(TypedDict):
    """The weights of first neurons."""

    neurons: int
    largest: float
    weights: list[str]


class LooksFile(TypedDict):
    """The document looks.json."""

    classes: list[str]
    image: list[int]
    confusion_by_readout: dict[str, list[list[int]]]
    worst: Worst
    cells: dict[str, CellsOfALayer]
    fields: Fields | None
    sealed: NotRequired[bool]
