"""The page of a study of mortal computation: errors of all paths, generations, the life of a chip, energies."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from analog_ff.comparison.pricing import interval
from analog_ff.improvement.page import named, spread, table
from analog_ff.mortality.life import CARES
from analog_ff.mortality.study import ANEW, NOTHING, OLD, WRITTEN, asked_for, ends
from analog_ff.output.quantities import joules
from analog_ff.plain import Document, Facts
from analog_ff.runs.chip_parts import box_named
from hardware_models.check import counted

Ends = Sequence[tuple[Facts, Facts]]
MILLION = 1e6
"""Pulses of endurance by which the life of a cell is stated where the run has no endurance."""
ENERGY = "## Energy, and when it pays"
"""Heading of the last part of a page."""


def rows(found: Document) -> list[Document]:
    """Return a row for each path: errors by read-out with intervals, those behind the first chip of the seed, what it took."""
    return [_row(name, pairs) for name, pairs in ends(found)]


def _row(name: str, pairs: Ends) -> Document:
    readouts = pairs[0][0]["error_percent_by_readout"]
    errors = {r: [end["error_percent_by_readout"][r] for end, _ in pairs] for r in readouts}
    behind = {
        r: [end["error_percent_by_readout"][r] - old["error_percent_by_readout"][r] for end, old in pairs]
        for r in readouts
    }
    return {
        "path": name,
        "error": {r: interval(values) for r, values in errors.items()},
        "deviation": {r: statistics.stdev(v) if len(v) > 1 else None for r, v in errors.items()},
        "behind": {r: interval(values) for r, values in behind.items()},
        "queries": pairs[0][0]["queries"],
        "labels": pairs[0][0]["labels"],
        "chips": len(pairs),
    }


def _joule(pairs: Ends) -> float:
    return statistics.fmean(end["joule"]["all"] for end, _ in pairs)


def prices(found: Document) -> list[Document]:
    r"""Return for each way to equip chips the energy that is spent once and the one that each further chip takes [J].

    With O spent once, c for a chip on the path and a for a chip that learns anew, n chips are cheaper on the path where

    .. math:: O + n c < n a \quad\Longleftrightarrow\quad n > O / (a - c), \qquad c < a

    Once are spent the learning of the first chip, or that of a digital computer. `chips` is the smallest n, None where c >= a.
    """
    every = dict(ends(found))
    anew = _joule(every[ANEW])
    made = []
    for name, pairs in every.items():
        if name in (OLD, NOTHING, ANEW):
            continue
        if name == WRITTEN:
            once = statistics.fmean(end["joule"]["learn"] for end, _ in pairs)
            each = _joule(pairs) - once
        else:
            once, each = statistics.fmean(old["joule"]["all"] for _, old in pairs), _joule(pairs)
        chips = math.floor(once / (anew - each)) + 1 if each < anew else None
        made.append({"path": name, "once": once, "each": each, "share_of_anew": each / anew, "chips": chips})
    return made


def page(found: Document) -> str:
    """Return the page of a study, in Markdown."""
    made = rows(found)
    config, wishes = found["config"], found["wishes"]
    part = "test" if config["split"] == "final" else "validation"
    places = [place for place in asked_for(found) if not place.endswith(", chip 0")]
    seeds = len({place.partition(",")[0] for place in places})
    return "\n".join([
        f"# Mortal computation on {named(config)}",
        "",
        f"Errors on the {part} part of {config['data']}, with 95 % t intervals over {counted(len(places), 'further chip')} "
        f"of {counted(seeds, 'seed')}; neurons: {box_named(config)}. The first chip of a seed "
        "learns from one half of the training images. A further chip is a new one with first weights of its own; what it is "
        f"taught are images of the other half. Answers have the exponent {wishes['sharpness']:g}.",
        "",
        *_errors(made),
        "",
        *_generations(found),
        *_life(found),
        ENERGY,
        "",
        "*Once* is what the path takes before any chip of the series: the learning of the first chip, or that of a digital "
        "computer. *A chip* is what each further one takes: reading, writing and verifying weights, or asking and learning. The "
        "last column says from how many chips on the path is cheaper than learning anew on each of them.",
        "",
        *_prices(prices(found)),
        "",
    ])  # fmt: skip


def _errors(made: Sequence[Facts]) -> list[str]:
    readouts = list(made[0]["error"])
    titles = ["path", *(f"error %, {r}" for r in readouts), *(f"behind the first chip, points, {r}" for r in readouts),
              "queries", "labels", "chips"]  # fmt: skip
    lines = [
        [
            row["path"], *(_spread(row["error"].get(r)) for r in readouts),
            *("" if row["path"] == OLD else _spread(row["behind"].get(r)) for r in readouts),
            str(row["queries"] or ""), str(row["labels"] or ""), str(row["chips"]),
        ]
        for row in made
    ]  # fmt: skip
    return table(titles, lines)


def generations(found: Document) -> list[Document]:
    """Return for each generation of chips, the first one as generation 0, its errors by read-out over the seeds."""
    chains = [(f"{seed}, chip 0", ends_of) for seed, ends_of in found["generations"].items() if ends_of]
    rows_of = [[found["walked"][place][OLD], *ends_of] for place, ends_of in chains]
    made = []
    for number in range(max(map(len, rows_of), default=0)):
        reached = [chain for chain in rows_of if len(chain) > number]
        errors = [chain[number]["error_percent_by_readout"] for chain in reached]
        behind = [
            (chain[number]["error_percent_by_readout"], chain[0]["error_percent_by_readout"]) for chain in reached
        ]
        made.append({
            "generation": number,
            "error": {r: interval([error[r] for error in errors]) for r in errors[0]},
            "behind": {r: interval([error[r] - old[r] for error, old in behind]) for r in errors[0]},
        })  # fmt: skip
    return made


def _generations(found: Document) -> list[str]:
    made = generations(found)
    if not made:
        return []
    readouts = list(made[0]["error"])
    titles = [
        "generation",
        *(f"error %, {r}" for r in readouts),
        *(f"behind the first chip, points, {r}" for r in readouts),
    ]
    lines = [
        [
            str(row["generation"]), *(spread(row["error"][r]) for r in readouts),
            *("" if row["generation"] == 0 else spread(row["behind"][r]) for r in readouts),
        ]
        for row in made
    ]  # fmt: skip
    return [
        "## Generations",
        "",
        f"Each chip is taught by {max(found['wishes']['queries'])} answers of the one before, about the half of the images that "
        f"the one before was not taught with; {counted(made[-1]['error'][readouts[0]]['n'], 'seed')}.",
        "",
        *table(titles, lines),
        "",
    ]


def lives(found: Document) -> list[Document]:
    """Return for each way of care the errors by day and read-out, over the seeds with the same days, and joules a day.

    `change` is the error of the last day less that of the day 0, seed by seed.
    """
    every = list(found["lives"].values())
    every = [life for life in every if life["days"] == every[-1]["days"]]
    made = []
    for care, name in CARES.items() if every else ():
        by_seed = [life["error_percent"][care] for life in every]
        joule = [life["joule_a_day"][care] for life in every if care in life["joule_a_day"]]
        made.append({
            "care": name,
            "error": {
                r: [interval(errors) for errors in zip(*(life[r] for life in by_seed), strict=True)] for r in by_seed[0]
            },
            "change": {r: interval([life[r][-1] - life[r][0] for life in by_seed]) for r in by_seed[0]},
            "joule_a_day": statistics.fmean(joule) if joule else None,
        })  # fmt: skip
    return made


def _life(found: Document) -> list[str]:
    made = lives(found)
    if not made:
        return []
    *_, life = found["lives"].values()
    seeds = next(iter(made[0]["error"].values()))[0]["n"]
    lines = [
        "## A life",
        "",
        f"The first chip lives on; error % after so many days, over {counted(seeds, 'seed')}. "
        f"A chip that learns sees {life['images_a_day']} images a day.",
        "",
    ]
    for readout in made[0]["error"]:
        titles = [f"care, read-out {readout}", *(f"day {day}" for day in life["days"]), "the last day less day 0, points",
                  "a day of learning"]  # fmt: skip
        lines += table(titles, [
            [row["care"], *(spread(error) for error in row["error"][readout]), spread(row["change"][readout]),
             "" if row["joule_a_day"] is None else joules(row["joule_a_day"])]
            for row in made
        ])  # fmt: skip
        lines.append("")
    return [*lines, *_wear(life)]


def _wear(life: Facts) -> list[str]:
    """Return the sentence on how many images of training a cell stands: in all, or by the million pulses of endurance."""
    rate, images = life["pulses_an_image"], life["images_of_life"]
    if not rate:
        return []
    said = f"A cell gets {rate:.3g} pulses for an image on average, so one "
    if images is not None:
        return [f"{said}of median endurance lives for {images:.3g} images of training.", ""]
    return [
        f"{said}lives for {MILLION / rate:.3g} images of training with every million pulses of endurance; the run has no "
        "`--endurance`.",
        "",
    ]


def _spread(found: Facts | None) -> str:
    """Return a mean with half of its interval; nothing for a read-out that the learner of the path does not have."""
    return "" if found is None else spread(found)


def _prices(made: Sequence[Facts]) -> list[str]:
    titles = ["path", "once", "a chip", "by a chip that learns anew", "cheaper from"]
    lines = [
        [
            row["path"], joules(row["once"]), joules(row["each"]), f"{row['share_of_anew']:.3g}",
            "never" if row["chips"] is None else counted(row["chips"], "chip"),
        ]
        for row in made
    ]  # fmt: skip
    return table(titles, lines)
