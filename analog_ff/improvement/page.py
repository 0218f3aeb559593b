"""The page of an answer: what limits a device, what to improve first, what value each figure must reach, what helps together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analog_ff.improvement.intervals import HALF_OF_THE_LOSS
from analog_ff.plain import Document, Facts
from hardware_models.check import counted


def spread(found: Facts, digits: int = 2) -> str:
    """Return a mean with half of its interval, such as "3.20 ± 0.41"; one seed has no interval."""
    if found["low"] is None:
        return f"{found['mean']:z.{digits}f}"
    return f"{found['mean']:z.{digits}f} ± {found['high'] - found['mean']:.{digits}f}"


def named(config: Facts) -> str:
    """Return the name of a run's device: of a file or a class the last part."""
    place, _, attribute = str(config["device"]).partition(":")
    return attribute or Path(place).stem


def page(document: Facts) -> list[str]:
    """Return the lines of the page, in Markdown."""
    return [
        *_head(document), "", *_order(document), "", *_needed(document), *_together(document), *_path(document),
        *_confirmed(document), "", *_foot(document),
    ]  # fmt: skip


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown; all columns but the first are aligned to the right."""
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _head(document: Facts) -> list[str]:
    config, seeds = document["config"], document["seeds"]
    many = f"{len(seeds)} paired seeds" if len(seeds) > 1 else "one seed, which has no interval"
    lines = [
        f"# {named(config)}: what to improve first",
        "",
        f"Validation error as given: {spread(document['as_given'])} %. With every figure below at its best: "
        f"{spread(document['all_best'])} %, {spread(document['all_best']['gain'])} points less. Mean of {many} and 95 % t "
        "interval.",
    ]
    if not _loses(document):
        lines += ["", "No figure limits this run, as far as these seeds tell: with all of them at their best the mean error is "
                  "no lower. Train longer (--epochs), or with a larger network (--layers), until the device is what limits. "
                  "More --seeds make the intervals narrower."]  # fmt: skip
    elif not document["figures"][0]["gain_decided"]:
        lines += [
            "",
            "No figure alone gains more than the seeds scatter: take more --seeds, or train longer (--epochs).",
        ]
    return lines


def _loses(document: Facts) -> bool:
    """Tell whether the figures together cost anything: whether the mean error is lower with all of them at their best."""
    return bool(document["all_best"]["gain"]["mean"] > 0.0)


def _order(document: Facts) -> list[str]:
    """Return the table of the figures in the order in which to improve them."""
    ranks = [figure["rank"] for figure in document["figures"]]
    rows = []
    for figure in document["figures"]:
        ties = ranks.count(figure["rank"]) > 1
        decided = "" if figure["gain_decided"] else ", not decided"
        rows.append(
            [
                figure["label"], f"{figure['rank']}{' (tie)' if ties else ''}", figure["as_given"], figure["best"],
                f"{spread(figure['curve'][-1])}", f"{spread(figure['gain'])}{decided}",
            ]
        )  # fmt: skip
    return [
        "## Order",
        "",
        *table(
            ["figure, alone at its best", "rank", "as given", "best", "error then [%]", "gain [points]"],
            rows,
        ),
        "",
        "Figures of one rank tie: the seeds do not decide which of them gains more than the first of that rank. *Not decided*: "
        "the interval of the gain contains zero.",
    ]


def _needed(document: Facts) -> list[str]:
    wanted = document["target_error_percent"]
    if document["target_from"] == HALF_OF_THE_LOSS and not _loses(document):
        return ["No value is asked of a figure: there is no loss of which half could be made good. --target-error gives a wanted "
                "error."]  # fmt: skip
    rows = [[figure["label"], figure["as_given"], told(figure)] for figure in document["figures"]]
    return [
        f"## What each figure must reach alone for {wanted:.2f} % ({document['target_from']})",
        "",
        *table(["figure", "as given", "value needed (interval)"], rows),
    ]


def told(figure: Facts) -> str:
    """Return in words the value that a figure must reach alone."""
    needed = figure["needed"]
    if not needed["suffices"]:
        sure = "" if needed["decided"] else " as far as these seeds tell"
        return f"alone it does not suffice{sure}"
    if needed["share"] == 1.0:
        return "as given is enough"
    if needed["value"] is None:
        return f"{figure['best']}, its best" if figure["curve"][2:] else f"{figure['best']}: nothing between was tried"
    unit = "" if figure["unit"] in ("1", "") else f" {figure['unit']}"
    ends = [None if needed[name] is None else f"{needed[name]:.4g}" for name in ("surely", "perhaps")]
    rough = "" if needed["from_curve"] else ", between two points alone"
    return (
        f"{needed['value']:.4g}{unit} ({ends[0] or 'its best is not surely enough'} to {ends[1] or 'as given'}{rough})"
    )


def _together(document: Facts) -> list[str]:
    if not document["together"]:
        return []
    rows = [
        [
            _values(case),
            spread(case),
            spread(case["gain"]),
            spread(case["more_than_sum"]) if case["more_than_sum"] else "",
        ]
        for case in document["together"]
    ]
    return [
        "",
        "## Together",
        "",
        *table(["figures", "error [%]", "gain [points]", "more than the sum [points]"], rows),
        "",
        "*More than the sum* is what the figures gain together beyond the sum of what each gains alone at the same value: below "
        "zero one stands in for the other, so that either can be traded for it.",
    ]


def _path(document: Facts) -> list[str]:
    rows = [[_values(case) or "as given", spread(case), spread(case["gain"])] for case in document["path"][:-1]]
    rows.append(["all at their best", spread(document["path"][-1]), spread(document["path"][-1]["gain"])])
    return ["", "## The way", "", *table(["at their best", "error [%]", "gain [points]"], rows)]


def _confirmed(document: Facts) -> list[str]:
    found = document.get("confirmation")
    if not found:
        return []
    rows = [
        [figure["label"], spread(figure["gain"]), spread(found["gains"][figure["name"]])]
        for figure in document["figures"]
    ]
    pairs = len(found["decided_pairs"])
    return [
        "",
        f"## With {len(found['seeds'])} {'seed that was' if len(found['seeds']) == 1 else 'seeds that were'} not used before",
        "",
        *table(["figure, alone at its best", "gain [points]", "gain, other seeds [points]"], rows),
        "",
        f"The study decides the order of {counted(pairs, 'pair')} of figures. {found['pairs_in_the_same_order']} of them have "
        f"the same order with the other seeds, and these decide {found['pairs_decided_again']} of them again.",
    ]


def _values(case: Facts) -> str:
    return ", ".join(f"{name} {value}" for name, value in case["values"].items())


def _foot(document: Facts) -> list[str]:
    config = document["config"]
    layers = ", ".join(map(str, config["layers"]))
    seeds = ", ".join(map(str, document["seeds"]))
    return [
        f"{config['data']}, validation part of the training set; {config['learner']}, layers {layers}, "
        f"{counted(config['epochs'], 'epoch')} of batches of {config['batch']}, preset {config['preset']}; "
        f"seeds {seeds}, the chip with the seed. {counted(document['runs'], 'run')} of {document['seconds_of_a_run']:.1f} s."
    ]


def summary(document: Document) -> str:
    """Return the page of a study as one text."""
    return "\n".join(page(document)) + "\n"


def specified(document: Facts) -> str:
    """Return the page of a specification as one text."""
    allowed = "loss" if document["limit_is_loss"] else "error"
    rows = [_allowed(found) for found in document["alone"]]
    lines = [
        f"# {named(document['config'])}: how bad a figure may be for {document['limit_text']}",
        "",
        *table(
            ["figure alone", "worst value allowed", "surely good enough", "surely too bad", f"{allowed} there"], rows
        ),
        "",
        f"All other figures are those of the device and the chip. The mean {allowed} of {len(document['seeds'])} paired seeds "
        "meets the limit at the worst value; *surely* says that an end of its 95 % t interval does.",
    ]
    together = document["together"]
    if together is not None:
        values = ", ".join(f"{name} {text}" for name, text in together["texts"].items())
        lines += [
            "",
            f"Together: {values}, with a {allowed} of {spread(together['limited'])}. This is the best of {together['trials']} "
            "trials, and one of many answers: each figure can be traded for another.",
        ]
    return "\n".join([*lines, "", *_foot(document)]) + "\n"


def _allowed(found: Facts) -> list[str]:
    """Return the row of one figure."""
    if not found["allowed"]:
        return [found["name"], "none: at its best it misses the limit", "", "", ""]
    tried = next(point for point in found["tried"] if point["rung"] == found["rung"])
    worst = f"{found['text']}{' (the worst that was tried)' if found['at_the_end'] else ''}"
    none = "none that was tried"
    return [found["name"], worst, found["surely_text"] or none, found["too_bad_text"] or none, spread(tried["limited"])]
