"""The page of results on networks that learn through boxes outside of this project."""

from __future__ import annotations

import statistics
from typing import Any

from other_pages import found_in, table
from pages import Page, folded

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


def _page(found: dict[str, Any]) -> Page:
    rows = [
        [
            box,
            str(len(both)),
            _spread([a for a, _ in both]),
            _spread([b for _, b in both]),
            _spread([b - a for a, b in both]),
        ]
        for box, both in pairs(found).items()
    ]
    config = found["config"]
    layers = " and ".join(map(str, config["layers"]))
    body = [
        f"The digits of scikit-learn, layers of {layers} neurons, {config['epochs']} epochs, batches of",
        f"{config['batch']} images; cells of device {config['device']}, but for the chip in C, whose cells are its own. Frozen",
        "layers have the same box, cells, seed and read-out, and only the read-out learns. Test error by the softmax read-out",
        "in %; mean and standard deviation over seeds, each with a chip of its own; the last column is the mean of the paired",
        "differences. The learner has no model of any box: it leaves out the slope of the neurons. Its learning rate was",
        "chosen on a few trial runs with seeds 0 and 1, of which the second is in the table. The layers are small on",
        "purpose, so that what they have learned matters.",
        "",
        *table("box | seeds | Forward-Forward | frozen layers | difference", rows), "",
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
    won = [f"{box} {row[2]} % against {row[3]} %" for box, row in zip(pairs(found), rows, strict=True)]
    answer = f"Forward-Forward errs, against frozen layers: {'; '.join(won)}."
    return Page("black_boxes", "Does it learn through boxes that are real?", answer,
                "`python benchmarks/black_boxes.py --write`", body)  # fmt: skip
