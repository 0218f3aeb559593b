"""The shape of compare.json."""

from __future__ import annotations

from typing import Annotated, TypedDict

from analog_ff.report.shapes import Made, Mean
from hardware_models.files import SOME


class Amount(TypedDict):
    """An energy with its range [J], or a ratio of two."""

    nominal: float
    low: float
    median: float
    high: float


class Swing(TypedDict):
    """Ends of a ratio when one price goes from its low to its high end."""

    quantity: str
    ratio_low: float
    ratio_high: float


class Ratio(Amount):
    """A ratio of energies."""

    probability_reference_cheaper: float
    tornado: list[Swing]


class JouleCurve(TypedDict):
    """Joules of learning after each epoch."""

    median: Annotated[list[float], SOME]


class Curve(TypedDict):
    """Errors against joules."""

    joule: JouleCurve
    error_percent: list[float]


class Grounds(TypedDict):
    """Shares of an energy by the kind of its price, and of prices that were recalled."""

    kinds: dict[str, float]
    recalled: dict[str, float]


class Row(TypedDict):
    """A learner on a device."""

    device: str
    learner: str
    error_kind: str
    error_percent: float
    error_deviation: float | None
    per_update_joule: Amount
    per_image_joule: Amount | None
    to_accuracy_joule: Amount | None
    to_accuracy_status: str
    to_accuracy_reached: int
    pulses_per_weight: float
    parts: dict[str, float]
    grounds: Grounds
    curve: Curve


class Difference(TypedDict):
    """A learner on a device against the reference there."""

    device: str
    learner: str
    error_percent: Mean
    per_update: Ratio | None
    per_image: Ratio | None
    to_accuracy: Ratio | None


class ComparedDevice(TypedDict):
    """A device of a comparison."""

    name: str
    spec: str
    figures: dict[str, float]
    kinds: dict[str, str]
    ranges: list[str]
    line_current_ratio: dict[str, float] | None


class Scenarios(TypedDict):
    """An energy at the ends of all prices [J]."""

    low: float
    nominal: float
    high: float


class Digital(TypedDict):
    """A digital computer beside the chips."""

    name: str
    per_update_joule: Scenarios
    per_image_joule: Scenarios
    ratio_per_update: dict[str, float]


class Labels(TypedDict):
    """Choices that every table names, each with all of its values."""

    data: list[object]
    layers: list[object]
    epochs: list[object]
    batch: list[object]
    dac: list[object]
    adc: list[object]
    update: list[object]
    gate: list[object]
    nonlinearity: list[object]
    sealed: list[object]


class Comparison(Made):
    """The document compare.json."""

    technology: str
    node_nm: float
    static: str
    omitted: list[str]
    accuracy_percent: float
    draws: int
    seeds: Annotated[list[int], SOME]
    reference: str
    labels: Labels
    common: dict[str, object]
    settings: list[str]
    devices: Annotated[list[ComparedDevice], SOME]
    rows: Annotated[list[Row], SOME]
    differences: list[Difference]
    digital: list[Digital]
