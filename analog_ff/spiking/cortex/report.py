"""Report of the cortex tests, made from the numbers: cortex.json, one sentence per criterion, the score card as Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from analog_ff.output import whole_files
from analog_ff.runs.model import MODEL
from analog_ff.spiking.cortex import judge
from analog_ff.spiking.cortex.base import COST, FAILS, FITS, LARGE_LOSS, OPEN, SLACK, SMALL_LOSS, Loss, Range, Test
from analog_ff.spiking.cortex.document import (
    CriterionFound,
    LossFound,
    Measured,
    PointFound,
    RangeFound,
    ScoreCard,
    TestFound,
)
from analog_ff.spiking.cortex.judge import Estimate, Judgement, Runs
from analog_ff.spiking.cortex.pictures import draw
from analog_ff.spiking.cortex.sweep import Sweep
from hardware_models.check import counted


def collect(sweep: Sweep, tests: Sequence[Test]) -> ScoreCard:
    """Return the contents of cortex.json: every point, criterion and verdict of the tests, from the stored results."""
    found: dict[str, TestFound] = {}
    for test in tests:
        runs = {p.label: sweep.runs(p) for p in test.points}
        outcomes = [(c, judge.judge(c, runs)) for c in test.criteria]
        verdict = judge.worst([j.verdict for c, j in outcomes if judge.decides(c)])
        found[test.key] = {
            "title": test.title,
            "question": test.question,
            "verdict": verdict,
            "points": [_point(sweep, test, label, r) for label, r in runs.items()],
            "criteria": [_criterion(c, j, runs) for c, j in outcomes],
            "comment": test.comment,
        }
    base = {k: v for k, v in sweep.base.as_dict().items() if k not in ("data_dir", "out", "seed")}
    return {"schema": 1, "model": MODEL, "seeds": list(sweep.seeds), "base": base, "tests": found}


def _point(sweep: Sweep, test: Test, label: str, runs: Runs) -> PointFound:
    point = test.point(label)
    choice = sweep.chosen(point) or {}
    first = point.configuration(sweep.base, 0, choice).as_dict()
    changed = {k: first[k] for k in (*point.change, *choice)}
    readouts = sorted(next(iter(runs.values()))["correct"]) if runs else []
    spikes = [r["spikes_per_presentation"]["training"] for r in runs.values()]
    return {
        "label": label,
        "change": changed,
        "tried": len(point.grid),
        "seeds": sorted(runs),
        "accuracy_percent": {name: _estimate(judge.accuracy(runs, name)) for name in readouts},
        "spikes_per_presentation": [sum(s) / len(s) for s in zip(*spikes, strict=True)],
        "active_rate_hz": _estimate(judge.spread([judge.quantity(r, "active_rate_hz") for r in runs.values()])),
    }


def _estimate(value: Estimate | None) -> Measured | None:
    return None if value is None else {"mean": value.mean, "half_interval": value.half}


def _criterion(criterion: Loss | Range, outcome: Judgement, runs: Mapping[str, Runs]) -> LossFound | RangeFound:
    common: CriterionFound = {
        "demand": criterion.demand.rstrip(","),
        "point": criterion.point,
        "verdict": outcome.verdict,
        "firm": outcome.firm,
        "decides": judge.decides(criterion),
        "measured": _estimate(outcome.value),
        "sentence": sentence(criterion, outcome, runs),
    }
    if isinstance(criterion, Loss):
        lost: LossFound = {
            **common, "kind": "loss", "null": criterion.null, "readout": criterion.readout, "unit": "points"
        }  # fmt: skip
        return lost
    held: RangeFound = {
        **common, "kind": "range", "quantity": criterion.quantity, "unit": criterion.unit,
        "published": [criterion.low, criterion.high], "source": criterion.source, "read": criterion.read,
    }  # fmt: skip
    return held


def number(value: Estimate, digits: int) -> str:
    """Return the text "mean ± half the interval"."""
    text = f"{value.mean:z.{digits}f}"
    return text if value.half is None else f"{text} ± {value.half:.{digits}f}"


def sentence(criterion: Loss | Range, outcome: Judgement, runs: Mapping[str, Runs]) -> str:
    """Return a sentence with the demand and the numbers of a criterion."""
    if outcome.value is None:
        return f"{criterion.demand.rstrip(',')}: {OPEN}."
    unsure = "" if outcome.firm else ", though the interval reaches another verdict"
    unsure = ", with one seed" if outcome.value.half is None else unsure
    if isinstance(criterion, Loss):
        there, null = (judge.accuracy(runs[name], criterion.readout) for name in (criterion.point, criterion.null))
        assert there is not None and null is not None
        size = abs(outcome.value.mean)
        change = "costs" if outcome.value.mean >= 0 else "gains"
        amount = number(Estimate(size, outcome.value.half, outcome.value.seeds), 1)
        against = f"({there.mean:.1f} % against {null.mean:.1f} %)"
        return f"{criterion.demand} {change} {amount} points of accuracy {against}: {outcome.verdict}{unsure}."
    unit = f" {criterion.unit}" if criterion.unit else ""
    tail = " (recalled: does not decide)" if not judge.decides(criterion) else ""
    return (
        f"{criterion.demand} is {number(outcome.value, criterion.digits)}{unit}, published "
        f"{criterion.low:g} to {criterion.high:g}{unit}{tail}: {outcome.verdict}{unsure}."
    )


def markdown(document: ScoreCard, pictures: str) -> str:
    """Return the score card and the tables of all points as Markdown; `pictures` is the path before a picture's name."""
    base = document["base"]
    seeds = sorted({s for t in document["tests"].values() for p in t["points"] for s in p["seeds"]})
    lines = [
        f"{base['data']}, validation part, {'-'.join(str(n) for n in base['layers'])} cells, {counted(base['epochs'], 'epoch')}, "
        f"seeds {', '.join(map(str, seeds)) or 'none yet'}. Intervals are two standard errors (seeds and images; with one seed "
        f"images alone, and none for firing). A mean loss of up to {SMALL_LOSS:g} points {FITS}, of up to {LARGE_LOSS:g} {FITS} "
        f"with a cost, more {FAILS}; a quantity {FITS} inside its published range, with a cost within a factor of {SLACK:g} of "
        "it. The verdict of a test is the worst of its conditions; "
        "(?) marks an interval that is missing or reaches another verdict.",
        "",
        "| test | condition | measured | null or published | verdict |",
        "|---|---|---|---|---|",
    ]
    for key, test in document["tests"].items():
        lines.append(f"| **{key}** | **{test['title']}** | | | **{test['verdict']}** |")
        accuracies = {p["label"]: p["accuracy_percent"] for p in test["points"]}
        lines += [f"| | {' | '.join(_cells(c, accuracies))} |" for c in test["criteria"]]
    for key, test in document["tests"].items():
        lines += ["", f"### {key}: {test['title']}", "", f"{test['question']} **{test['verdict'].capitalize()}.**", ""]
        lines += [f"- {c['sentence']}" for c in test["criteria"]]
        lines += [
            "",
            *([test["comment"], ""] if test["comment"] else []),
            f"![{key}: {test['title']}]({pictures}{key}.png)",
        ]
        if len(test["points"]) > 1:
            lines += ["", *_table(test["points"])]
    return "\n".join(lines) + "\n"


def _cells(criterion: LossFound | RangeFound, accuracies: Mapping[str, Mapping[str, Measured | None]]) -> list[str]:
    measured = criterion["measured"]
    if measured is None:
        return [criterion["demand"], "-", "-", criterion["verdict"]]
    verdict = criterion["verdict"] + ("" if criterion["firm"] else " (?)")
    value = Estimate(measured["mean"], measured["half_interval"], 0)
    if criterion["kind"] == "loss":
        null = accuracies[criterion["null"]][criterion["readout"]]
        assert null is not None  # a loss is measured against it
        return [
            criterion["demand"],
            f"{number(Estimate(-value.mean, value.half, 0), 1)} points",
            f"{null['mean']:.1f} %",
            verdict,
        ]
    low, high = criterion["published"]
    digits = 1 if max(high, value.mean) >= 5 else 3
    range_ = f"{low:g} to {high:g} {criterion['unit']}".strip() + ("" if criterion["decides"] else ", recalled")
    return [criterion["demand"], f"{number(value, digits)} {criterion['unit']}".strip(), range_,
            verdict if criterion["decides"] else f"({verdict})"]  # fmt: skip


def _table(points: Sequence[PointFound]) -> list[str]:
    lines = ["| point | seeds | accuracy % | spikes, input and layers | chosen |", "|---|---|---|---|---|"]
    for p in points:
        by = {
            name: number(Estimate(a["mean"], a["half_interval"], 0), 1)
            for name, a in p["accuracy_percent"].items()
            if a
        }
        accuracy = by.get("energy", "-")
        if len(by) > 2:
            accuracy += f" (layers {', '.join(by[k] for k in sorted(by) if k != 'energy')})"
        spikes = ", ".join(f"{s:.0f}" for s in p["spikes_per_presentation"])
        chosen = ", ".join(f"{k} {v:g}" for k, v in p["change"].items() if k in ("learning_rate", "theta"))
        tried = f" (of {p['tried']})" if p["tried"] else ""
        lines.append(f"| {p['label']} | {len(p['seeds'])} | {accuracy} | {spikes} | {chosen}{tried} |")
    return lines


def write(sweep: Sweep, tests: Sequence[Test]) -> ScoreCard:
    """Write cortex.json, card.md and one picture per test into the folder of the sweep; return the document."""
    document = collect(sweep, tests)
    sweep.folder.mkdir(parents=True, exist_ok=True)
    whole_files.write(sweep.folder / "cortex.json", json.dumps(document, indent=1) + "\n")
    whole_files.write(sweep.folder / "card.md", markdown(document, ""))
    for test in tests:
        draw(
            sweep.folder / f"{test.key}.png",
            test,
            document["tests"][test.key],
            {p.label: sweep.runs(p) for p in test.points},
        )
    return document


def show(document: ScoreCard, folder: Path) -> None:
    """Print the score card of the tests."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="how well it fits the cortex")
    for name in ("test", "verdict", "what was found"):
        table.add_column(name)
    colours = {FITS: "green", COST: "yellow", FAILS: "red"}
    for key, test in document["tests"].items():
        colour = colours.get(test["verdict"], "dim")
        said = "\n".join(c["sentence"] for c in test["criteria"])
        table.add_row(f"{key} {test['title']}", Text(test["verdict"], style=colour), said)
    console = Console(markup=False, emoji=False)
    console.print(table)
    console.print(f"score card and pictures: {folder}", soft_wrap=True, highlight=False)
