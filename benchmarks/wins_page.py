"""The page "Where Forward-Forward wins and loses": every rule, device and size with stored results beside the others on its chip.

Every sentence is made from figures (`wins_sentences`), and its verdict from an interval alone: `wins` and `loses` where the whole
interval lies on one side, else `not decided`. Rows come from the results, by the choices of their runs (`wins_cases`);
what a person must choose stands in `wins.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import wins_picture
import wins_sentences
from other_pages import table
from pages import Page, folded
from result_tables import MARK, footnotes, marked, mean, number, update
from wins_cases import DIGITAL, Case, cases
from wins_compared import LOSES, OPEN, WINS, Compared, against_others, among_the_family, standing
from wins_sentences import SCREENING, points, times

from analog_ff.learners import LEARNERS
from analog_ff.output.quantities import joules, quantity
from analog_ff.registry.rows import LearnerKind
from hardware_models.tables import resolve

NAME, TITLE = "wins", "Where Forward-Forward wins and loses"
NOTE = "¹ screening: one seed, which decides nothing."
HEADS = {WINS: "## Where it wins", LOSES: "## Where it loses", OPEN: "## Not decided"}
INTRODUCTION = f"""
Forward-Forward and its family beside other rules on the same simulated chip, with the same data, size and seeds. Errors: mean
difference, Forward-Forward less the other, and its 95 % t interval over the seeds, each seed a chip of its own; a negative
difference is in favour of Forward-Forward. Energies, times, areas: those of Forward-Forward over those of the other at nominal
prices, with the range of this ratio between all low and all high prices. *In the middle* stands the median of several
comparisons, in brackets the least and the largest. *Wins* and *loses* stand where the whole interval lies on one side; one
seed decides nothing. Where a rule has several rows, the family's first row stands for it, whatever its error, and of another rule
the row that errs least. Many comparisons are made: of those without a difference, one in twenty is called decided by chance.
What a{MARK} stands beside was measured before a correction that touches it.
"""
NEEDS = """
Reads: of each cell, an image in learning, the read-out's included, from the least to the largest of all rows below. Transposed
drivers, labels and copies of the weights are said by the learner itself. A dash: no result below tells it.
"""
COSTS = (
    "row | device, layers, data | update | seeds | error % | energy per update (low to high) | energy to 90 % | memory, bits"
    " | stored, an image | reads forwards | backwards | pulses per weight | area, mm² | time an image"
)
BESIDE = (
    "row | beside | seeds | error % | error beside % | difference (95 %) | verdict | energy per update | energy to 90 %"
)


def wins() -> Page | None:
    """Return the page; None as long as no results stand beside others."""
    every = cases()
    chosen = standing(every)
    others, family = against_others(chosen), among_the_family(chosen)
    if not others:
        return None
    said = [
        *wins_sentences.against_each(others),
        *wins_sentences.by_joint_draws(),
        *wins_sentences.within_the_family(family),
    ]
    body = [INTRODUCTION]
    for verdict, head in HEADS.items():
        lines = [text for found, text in said if found == verdict]
        body += [head, "", *(lines or ["- Nothing that is stored."]), ""]
    body += [NOTE, "", "## Error against energy", "", *wins_picture.shown()]
    body += ["## What each rule needs", NEEDS, *needs(every), "", "## All figures", ""]
    for experiment, group in groupby(every, key=lambda case: case.experiment):
        body += section(experiment, [*group], [one for one in (*others, *family) if one.mine.experiment == experiment])
    command = "`python benchmarks/run.py --tables`"
    return Page(NAME, TITLE, wins_sentences.answer(others), command, [*body, NOTE])


def needs(every: Sequence[Case]) -> list[str]:
    """Return the table of what each rule needs: wires, reads and memory, from the rows of the learners and the counted events."""
    head = (
        "rule | reads forwards | reads backwards | transposed drivers | weights kept in digital memory | label at the input"
        " | activities stored, an image and neuron | rows"
    )
    rows = []
    for learner, kind in LEARNERS.items():
        of = [case for case in every if case.learner == learner]
        made: Any = resolve(kind.place)  # a class that its place names
        rows.append([
            f"{learner} ({kind.about})",
            *(span([case.reads(transposed=back) for case in of]) for back in (False, True)),
            "yes" if made.reads_back else "no", copy_of(kind), "yes" if made.labelled else "no",
            span([None if case.stored is None else case.stored / sum(case.chosen("layers")) for case in of]), str(len(of)),
        ])  # fmt: skip
    return table(head, rows)


def copy_of(kind: LearnerKind) -> str:
    """Return the copy of the weights that a learner keeps in digital memory, as text."""
    looked = ", looked up in the chip" if kind.looks_inside else ""
    return f"{kind.memory_bits} bits a weight{looked}" if kind.memory_bits else "none"


def span(values: Iterable[float | None]) -> str:
    """Return the least and the largest of the known values as text."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return "-"
    low, high = (f"{value:.3g}" for value in (known[0], known[-1]))
    return low if low == high else f"{low} to {high}"


def section(name: str, group: Sequence[Case], pairs: Sequence[Compared]) -> list[str]:
    """Return the folded tables of one experiment: what every row costs, then rows beside others."""
    lines = table(COSTS, [costs(case) for case in group])
    lines += footnotes([(case.label, [*case.results]) for case in group])
    lines += ["", *table(BESIDE, [beside(one) for one in pairs])] if pairs else []
    rows = f"{len(group)} row{'s' if len(group) > 1 else ''}, {len(pairs)} comparison{'' if len(pairs) == 1 else 's'}"
    return [f"**[{group[0].title}]({name}.md)** ({group[0].judged} part)", "", *folded(rows, lines)]


def seeds_of(count: int) -> str:
    """Return a number of seeds as text, marked where it is a screening."""
    return f"{count}{SCREENING if count < 2 else ''}"


def costs(case: Case) -> list[str]:
    """Return the cells of a case in the table of all figures."""
    area, seconds, used = case.of_chip("area_m2"), case.of_chip("seconds_per_image"), case.chosen("update")
    reads = [case.reads(transposed=back) for back in (False, True)]
    return [
        marked(case.label, [*case.results]), case.where,
        DIGITAL.get(used, used) if "update" in LEARNERS[case.learner].reads else "-",
        seeds_of(len(case.results)), mean([*case.errors.values()]),
        update([r["energy"] for r in case.results if r.get("energy")]),
        "-" if case.to_90 is None else joules(case.to_90),
        str(case.memory_bits), "-" if case.stored is None else f"{case.stored:g}",
        *("-" if value is None else f"{value:.3g}" for value in reads),
        number([r["cells"].get("pulses_per_weight") or 0.0 for r in case.results]),
        "-" if area is None else f"{1e6 * area:.3g}", quantity(seconds, "s", unknown="-"),
    ]  # fmt: skip


def beside(one: Compared) -> list[str]:
    """Return the cells of a comparison."""
    shared = sorted(one.mine.errors.keys() & one.other.errors.keys())
    return [
        one.mine.label, one.other.label, seeds_of(one.seeds),
        *(mean([case.errors[seed] for seed in shared]) for case in (one.mine, one.other)),
        points(one.error), one.error.verdict,
        "-" if one.update is None else f"{times(one.update)}, {one.update.verdict}",
        "-" if one.to_90 is None else times(one.to_90),
    ]  # fmt: skip
