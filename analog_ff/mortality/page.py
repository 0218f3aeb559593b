"""What is told of a study of mortal computation: errors and energies of all paths, and what a further chip costs by each."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from analog_ff.comparison.pricing import interval
from analog_ff.improvement.page import named, spread, table
from analog_ff.mortality.study import ANEW, OLD, ends
from analog_ff.output.quantities import joules
from analog_ff.plain import Document, Facts

Ends = Sequence[tuple[Facts, Facts]]


def rows(found: Document) -> list[Document]:
    """Return a row for each path: errors by read-out with intervals, the difference to the first chip, energies, what it took."""
    every = dict(ends(found))
    anew = _joule(every[ANEW]) if ANEW in every else None
    return [_row(name, pairs, anew) for name, pairs in every.items()]


def _row(name: str, pairs: Ends, anew: float | None) -> Document:
    readouts = pairs[0][0]["error_percent_by_readout"]
    errors = {r: [end["error_percent_by_readout"][r] for end, _ in pairs] for r in readouts}
    behind = {
        r: [end["error_percent_by_readout"][r] - old["error_percent_by_readout"][r] for end, old in pairs]
        for r in readouts
    }
    joule = _joule(pairs)
    return {
        "path": name,
        "error": {r: interval(values) for r, values in errors.items()},
        "deviation": {r: statistics.stdev(v) if len(v) > 1 else None for r, v in errors.items()},
        "behind": {r: interval(values) for r, values in behind.items()},
        "joule": joule,
        "share_of_anew": None if anew is None or name == OLD else joule / anew,
        "queries": pairs[0][0]["queries"],
        "labels": pairs[0][0]["labels"],
        "chips": len(pairs),
    }


def _joule(pairs: Ends) -> float:
    return statistics.fmean(end["joule"]["all"] for end, _ in pairs)


def page(found: Document) -> str:
    """Return the page of a study, in Markdown."""
    made = rows(found)
    readouts = list(made[0]["error"])
    titles = ["path", *(f"error %, {r}" for r in readouts), *(f"behind the first chip, points, {r}" for r in readouts),
              "queries", "labels", "energy", "by that of learning anew", "chips"]  # fmt: skip
    lines = [
        [
            row["path"], *(spread(row["error"][r]) for r in readouts), *(spread(row["behind"][r]) for r in readouts),
            str(row["queries"] or ""), str(row["labels"] or ""), joules(row["joule"]),
            "" if row["share_of_anew"] is None else f"{row['share_of_anew']:.3g}", str(row["chips"]),
        ]
        for row in made
    ]  # fmt: skip
    config, wishes = found["config"], found["wishes"]
    part = "test" if config["split"] == "final" else "validation"
    return "\n".join([
        f"# Mortal computation on {named(config)}",
        "",
        f"Errors on the {part} part of {config['data']}, with 95 % t intervals over chips; neurons: "
        f"{config['nonlinearity']}. The first chip of a seed learns from one half of the training images; "
        "a further chip is a new one with first weights of its own. "
        f"Answers have the exponent {wishes['sharpness']:g}. The energy is what the path takes on both chips.",
        "",
        *table(titles, lines),
        "",
    ])  # fmt: skip
