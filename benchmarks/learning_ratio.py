"""Columns of the experiments that show `learning_ratio`: what learning from an image takes against looking at it."""

from __future__ import annotations

import statistics
from typing import Any

COLUMNS = ("arrays alone: learning / one pass", "everything counted: learning / decision")
"""Titles of the columns."""
OF_ARRAYS = ("read.v2g", "write.v2gt", "half.v2gt", "write.gate", "further.write")
"""Components of an energy that are spent in the cells."""


def cells(results: list[dict[str, Any]]) -> list[str]:
    """Return the entries of a row in these columns, means over its seeds; a dash where no array was written."""
    return [_mean([arrays(result) for result in results]), _mean([everything(result) for result in results])]


def _mean(ratios: list[float | None]) -> str:
    known = [ratio for ratio in ratios if ratio is not None]
    return f"{statistics.mean(known):.3g}" if known else "-"


def arrays(result: dict[str, Any]) -> float | None:
    """Return the energy in the cells of learning from an image, in units of that of one forward pass of an image.

    None where no array was written.
    """
    learn, infer = (result["energy"]["by_component_joule"][phase] for phase in ("learn", "infer"))
    if not result["cells"].get("pulses_per_weight"):
        return None
    weights = result["events"]["learn"]["write.selected"] / result["cells"]["pulses_per_weight"]
    passes = result["events"]["infer"]["reads.cells"] / (2.0 * weights)  # of single images, by all read-outs
    spent: float = sum(learn[name] for name in OF_ARRAYS)
    return spent / int(result["images"]["learn"]) / (infer["read.v2g"] / passes)


def everything(result: dict[str, Any]) -> float:
    """Return the energy of learning from an image in units of that of a decision by the headline's read-out."""
    energy = result["energy"]
    decision: float = energy["per_image_joule"][result["config"]["readout"]]
    return float(energy["total_joule"]["learn"]) / int(result["images"]["learn"]) / decision
