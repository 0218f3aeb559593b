"""The shape of the results of runs in the store of a sweep."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Swept(TypedDict):
    """The result of a run of a sweep, as far as its report takes it."""

    test_error_percent: NotRequired[float | None]
    validation_error_percent: NotRequired[float | None]
    test_error_percent_by_readout: NotRequired[dict[str, float] | None]
    validation_error_percent_by_readout: NotRequired[dict[str, float] | None]
    energy: NotRequired[dict[str, object] | None]
    cells: NotRequired[dict[str, object] | None]
    wall_seconds: float
    versions: NotRequired[dict[str, str | int]]
    inputs_sha256: NotRequired[dict[str, str]]
