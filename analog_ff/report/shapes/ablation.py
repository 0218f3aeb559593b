"""The shape of ablation.json."""

from __future__ import annotations

from typing import Annotated, TypedDict

from analog_ff.report.shapes import Made, Mean
from analog_ff.report.shapes.improvement import CaseConfig
from hardware_models.files import SOME


class RunConfig(CaseConfig):
    """Choices of the runs that the page names."""

    split: str


class Row(TypedDict):
    """A case: as given, without one effect, or without all of them; means over the seeds."""

    case: str
    error: Mean
    costs: Mean
    share_at_bound: float | None
    share_worn: float | None
    energy_per_update_joule: float | None


class Ablation(Made):
    """The document ablation.json."""

    config: RunConfig
    seeds: int
    rows: Annotated[list[Row], SOME]
