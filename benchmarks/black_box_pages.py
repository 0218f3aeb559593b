"""The page of results on networks that learn through boxes outside of this project."""

from __future__ import annotations

import statistics
from typing import Any

from black_box_choices import (
    DITHERED,
    FROZEN,
    LEARNING,
    RULES,
    SEEDS,
    SOFTMAX,
    Choice,
    answered,
    error,
    errors_of,
    readout,
    tuned,
    tuning,
)
from other_pages import found_in, table
from pages import Page, folded

from analog_ff.improvement.intervals import gain

SHORT = {"learning_rate": "rate", "dither": "dither", "readout_rate": "read-out"}
"""Name of a tuned option in the tables."""


def black_box_pages() -> list[Page]:
    """Return the page, if its results exist."""
    found = found_in("black_boxes.json")
    return [] if found is None or not shown(found) else [_page(found)]


def shown(found: dict[str, Any]) -> list[str]:
    """Return the boxes in which frozen layers and a rule of Forward-Forward were tested."""
    boxes = dict.fromkeys(run["box"] for run in found["runs"].values())
    return [box for box in boxes if errors_of(found, box, FROZEN) and answered(found, box)]


def paired(found: dict[str, Any], box: str, rule: str) -> tuple[list[float], list[float]]:
    """Return the errors of a rule and those of frozen layers [%], for each seed that both have."""
    learned, frozen = errors_of(found, box, rule), errors_of(found, box, FROZEN)
    seeds = sorted(learned.keys() & frozen.keys())
    return [learned[seed] for seed in seeds], [frozen[seed] for seed in seeds]


def _spread(values: list[float]) -> str:
    more = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{more}"


def _values(choice: Choice) -> str:
    return ", ".join(f"{SHORT[name]} {value:g}" for name, value in choice.values.items())


def _row(found: dict[str, Any], box: str, rule: str, choice: Choice) -> list[str]:
    """Return the line of a rule in a box."""
    name = f"**{rule}**" if rule == answered(found, box) else rule
    tuned_to = [box, name, _values(choice), f"{choice.error:.1f}"]
    learned, frozen = paired(found, box, rule)
    if rule == FROZEN:
        return [*tuned_to, str(len(frozen)), _spread(frozen), "", ""]
    difference = gain(frozen, learned)
    ends = "" if difference["low"] is None else f" ({difference['low']:.1f} to {difference['high']:.1f})"
    won = f"{sum(a < b for a, b in zip(learned, frozen, strict=True))} of {len(learned)}"
    return [*tuned_to, str(len(learned)), _spread(learned), won, f"{difference['mean']:.1f}{ends}"]


def _verdict(found: dict[str, Any], box: str, rule: str) -> str:
    """Return the verdict of the interval of the paired differences, in a word."""
    learned, frozen = paired(found, box, rule)
    difference = gain(frozen, learned)
    if difference["low"] is None or difference["low"] <= 0.0 <= difference["high"]:
        return "not decided"
    return "better" if difference["low"] > 0.0 else "worse"


def _tuning(found: dict[str, Any], box: str, rule: str) -> list[list[str]]:
    """Return the lines of all candidates of a rule in a box."""
    lines = []
    for points in tuning(box, rule, readout(found, box, rule) or {}):
        errors = [error(found["runs"][point.name()]) for point in points]
        values = _values(Choice(points[0].values, statistics.fmean(errors)))
        lines.append(
            [box, rule, values, ", ".join(f"{value:.1f}" for value in errors), f"{statistics.fmean(errors):.1f}"]
        )
    return lines


def _answer(found: dict[str, Any]) -> str:
    said = []
    for box in shown(found):
        rule = answered(found, box) or ""
        learned, frozen = paired(found, box, rule)
        how = " with a dither" if rule == DITHERED else ""
        said.append(f"{box}{how} {_spread(learned)} % against {_spread(frozen)} %, {_verdict(found, box, rule)}")
    return f"Forward-Forward errs, against frozen layers: {'; '.join(said)}."


def _page(found: dict[str, Any]) -> Page:
    chosen = [
        (box, rule, best)
        for box in shown(found)
        for rule in RULES
        if (best := tuned(found, box, rule)) and errors_of(found, box, rule)
    ]
    config = found["config"]
    layers = " and ".join(map(str, config["layers"]))
    seeds = sorted({run["seed"] for run in found["runs"].values() if run["split"] == "final"})
    body = [
        f"The digits of scikit-learn, layers of {layers} neurons, {config['epochs']} epochs, batches of",
        f"{config['batch']} images; cells of device {config['device']}, but for the chip in C, whose cells are its own. Frozen",
        "layers have the same box, cells, seed and read-out, and only the read-out learns. Errors by the softmax read-out in %;",
        "mean and standard deviation over seeds, each with cells of its own; the last column is the mean of the paired",
        "differences, with its 95 % interval by Student's t. No rule has a model of any box: Forward-Forward leaves out the",
        "slope of the neurons, or measures it by a [dither](../reference/learning.md#what-stands-for-the-neurons-slope-slope).",
        "",
        f"The column of values was chosen on the validation part of the training images, with seeds {_list(SEEDS)}",
        f"(the circuits, which are slow, with seed {SEEDS[0]}, fewer values and without a dither): first the rate of the",
        "read-out, with which frozen layers err least and which all rules of the box then have; then the rates and the dither",
        "of each rule. The row in bold is that rule of Forward-Forward which errs less on the validation part, of those whose",
        "tuning is complete; it gives the answer above. Then the chosen",
        f"values were tested with seeds {_list(seeds)}, in this order, once each. Forward-Forward has more candidates",
        "than frozen layers, as the table of the tuning shows. The circuits and the neurons in Perl are the same for every seed,",
        "so that tuning and test share them; a seed draws the cells, the first weights and the order of the images. The chip in",
        "C draws its cells and its neurons by the seed.", "",
        "Size of the layers, epochs, batch and data come from earlier trial runs with seeds 0 to 3, which looked at test images;",
        "so the size of a difference holds here alone. Before the second seed of the tuning was added, frozen layers and",
        "Forward-Forward without a dither had been tested in Perl with seeds 11 to 15; those runs are in no table.", "",
        *table("box | rule | values | validation error | seeds | test error | pairs won | difference",
               [_row(found, *line) for line in chosen]), "",
        *_others(found),
        *_unfinished(found),
        *folded("tuning: every candidate", table("box | rule | values | validation errors by seed | mean",
                [line for box, rule, _ in chosen for line in _tuning(found, box, rule)])),
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
    return Page("black_boxes", "Does it learn through boxes that are real?", _answer(found),
                "`python benchmarks/black_boxes.py`, then `--write`", body)  # fmt: skip


def _list(seeds: Any) -> str:
    *first, last = map(str, seeds)
    return f"{', '.join(first)} and {last}" if first else last


def _others(found: dict[str, Any]) -> list[str]:
    """Return the verdicts of the rows that are not the answer's."""
    said = [
        f"{rule} in {box} is {_verdict(found, box, rule)}"
        for box in shown(found)
        for rule in (*LEARNING, SOFTMAX)
        if rule != answered(found, box) and errors_of(found, box, rule)
    ]
    return [f"Of the other rows, against frozen layers: {'; '.join(said)}.", ""] if said else []


def _unfinished(found: dict[str, Any]) -> list[str]:
    """Return the rules that have runs of a tuning that is not complete."""
    begun = dict.fromkeys((run["box"], run["rule"]) for run in found["runs"].values())
    left = [f"{rule} in {box}" for box, rule in begun if tuned(found, box, rule) is None]
    return [f"Not tuned to the end, and so not tested: {'; '.join(left)}.", ""] if left else []
