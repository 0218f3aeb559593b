"""The page of results on networks that learn through boxes outside of this project."""

from __future__ import annotations

import statistics
from typing import Any

from other_pages import found_in, table
from pages import Page, folded

from analog_ff.comparison.pricing import interval

LEARNING, FROZEN = "forward-forward", "random-features"


def black_box_pages() -> list[Page]:
    """Return the page, if its results exist."""
    found = found_in("black_boxes.json")
    return [] if found is None or not pairs(found) else [_page(found)]


def pairs(found: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    """Return the errors of Forward-Forward and of frozen layers [%] by box, for each seed with both, by the softmax read-out."""
    seen = {(r["box"], r["seed"], r["learner"]): r["errors"]["softmax"] for r in found["runs"].values()}
    kept: dict[str, list[tuple[float, float]]] = {}
    for box, seed, learner in seen:
        if learner == LEARNING and (box, seed, FROZEN) in seen:
            kept.setdefault(box, []).append((seen[box, seed, LEARNING], seen[box, seed, FROZEN]))
    return kept


def _spread(values: list[float]) -> str:
    more = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{more}"


def _row(box: str, both: list[tuple[float, float]]) -> list[str]:
    """Return the line of a box in the table."""
    gains = [frozen - learned for learned, frozen in both]
    found = interval(gains)
    said = f"{found['mean']:.1f}" + ("" if found["low"] is None else f" ({found['low']:.1f} to {found['high']:.1f})")
    won = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
    return [box, str(len(both)), _spread([a for a, _ in both]), _spread([b for _, b in both]), won, said]


def _verdict(both: list[tuple[float, float]]) -> str:
    """Return the verdict of the interval of the paired differences, in a word."""
    found = interval([frozen - learned for learned, frozen in both])
    if found["low"] is None or found["low"] <= 0.0 <= found["high"]:
        return "not decided"
    return "better" if found["low"] > 0.0 else "worse"


def _tried(found: dict[str, Any]) -> list[str]:
    """Return the sentence on runs of the chip in C at another learning rate, which were made before."""
    errors = [run["errors"]["softmax"] for run in found.get("tried", {}).values()]
    if not errors:
        return []
    shown = ", ".join(f"{error:.1f}" for error in errors)
    return [
        f"That of the chip in C was lowered from 0.2 to 0.03 after the seeds of the table had erred {shown} % at 0.2."
    ]


def _page(found: dict[str, Any]) -> Page:
    rows = [_row(box, both) for box, both in pairs(found).items()]
    config = found["config"]
    layers = " and ".join(map(str, config["layers"]))
    body = [
        f"The digits of scikit-learn, layers of {layers} neurons, {config['epochs']} epochs, batches of",
        f"{config['batch']} images; cells of device {config['device']}, but for the chip in C, whose cells are its own. Frozen",
        "layers have the same box, cells, seed and read-out, and only the read-out learns. Test error by the softmax read-out",
        "in %; mean and standard deviation over seeds, each with a chip of its own; the last column is the mean of the paired",
        "differences, with its 95 % interval by Student's t. The learner has no model of any box: it leaves out the slope of",
        "the neurons.", "",
        "How the choices were made: the size of the layers and the data were chosen by trial runs, in which small layers and ten",
        "classes showed a larger difference than larger layers and four classes; so the size of the difference holds here alone.",
        "The learning rate of Forward-Forward for ngspice and Perl is from trial runs with seeds 0 and 1 on recorded curves.",
        *_tried(found),
        "All these trials looked at the test images, and frozen layers were not tuned; there was no validation part.", "",
        *table("box | seeds | Forward-Forward | frozen layers | pairs won | difference", rows), "",
    ]  # fmt: skip
    kills = found["kills"]
    if kills:
        lines = [
            [f"{k['after_seconds']:.2f}", str(k["status"]), " ".join(k["sentences"]).removeprefix("error: ").replace("|", ""),
             "yes" if k["same_bits"] else "no"]
            for k in kills
        ]  # fmt: skip
        clean = sum(k["status"] == 1 and len(k["sentences"]) == 1 and not k["traceback"] for k in kills)
        same = sum(k["same_bits"] for k in kills)
        body += [
            "## A box that dies", "",
            f"The process of the chip in C was killed (SIGKILL) at {len(kills)} moments drawn over the whole training.",
            f"{clean} of {len(kills)} runs stopped with status 1 and one sentence, and {same} of {len(kills)} resumed runs",
            "ended with the bits of a run that nobody killed: result, metrics, events and every array of the checkpoint.", "",
            *folded("kills", table("after s of training | status | sentence | same bits", lines)),
        ]  # fmt: skip
    won = [
        f"{row[0]} {row[2]} % against {row[3]} %, {_verdict(both)}"
        for row, both in zip(rows, pairs(found).values(), strict=True)
    ]
    answer = f"Forward-Forward errs, against frozen layers: {'; '.join(won)}."
    return Page("black_boxes", "Does it learn through boxes that are real?", answer,
                "`python benchmarks/black_boxes.py --write`", body)  # fmt: skip
