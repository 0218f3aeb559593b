"""What a study of boxes chooses: by the validation part alone, the read-out first, and nothing is tested before all is tuned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.black_box_choices import (
    DROPPED,
    FROZEN,
    RULES,
    SEEDS,
    TESTED,
    TUNED,
    Point,
    answered,
    errors_of,
    missing,
    tuned,
)

BOX = "a box"
NEW = [21, 22]


def carried_out(found: dict[str, Any], rule: str, error: Callable[[Point], float]) -> set[str]:
    """Make what is missing until nothing is, as the script does; return the parts of the data in the order of use."""
    parts: list[str] = []
    while points := missing(found, BOX, rule, NEW):
        parts += [point.split for point in points]
        for point in points:
            found["runs"][point.name()] = {**point._asdict(), "errors": {"softmax": error(point)}}
    assert parts == sorted(parts, key=[TUNED, TESTED].index)
    return set(parts)


def by_values(point: Point) -> float:
    """Return an error that is least at a rate of 0.1 of learning and of the read-out, and that the seed shifts."""
    if point.split == TESTED:
        return 50.0 + point.seed
    return (
        20.0
        + 100 * sum(abs(value - 0.1) for value in point.values.values())
        + (5.0 if point.seed == SEEDS[0] else -5.0)
    )


@pytest.mark.parametrize("rule", RULES)
def test_the_validation_part_alone_chooses(rule: str) -> None:
    found: dict[str, Any] = {"runs": {}}
    assert carried_out(found, FROZEN, by_values) | carried_out(found, rule, by_values) == {TUNED, TESTED}
    best = tuned(found, BOX, rule)
    assert best is not None and best.error == pytest.approx(
        20.0 + 100 * sum(abs(v - 0.1) for v in best.values.values())
    )
    assert set(best.values.values()) == {0.1} or (rule.startswith("local softmax") and best.values["dither"] == 0.3)
    for run in found["runs"].values():
        if run["split"] == TESTED:
            run["errors"]["softmax"] = 0.0
    assert tuned(found, BOX, rule) == best and errors_of(found, BOX, rule) == dict.fromkeys(NEW, 0.0)


def test_frozen_layers_choose_the_read_out_of_all_rules() -> None:
    found: dict[str, Any] = {"runs": {}}
    assert {p.rule for p in missing(found, BOX, DROPPED, NEW)} == {FROZEN}
    carried_out(found, FROZEN, by_values)
    points = missing(found, BOX, DROPPED, NEW)
    assert len(points) == len(SEEDS) * len(RULES[DROPPED].candidates(BOX))
    assert {p.values["readout_rate"] for p in points} == {0.1}
    assert answered(found, BOX) is None
    carried_out(found, DROPPED, by_values)
    assert answered(found, BOX) == DROPPED
