"""Sentences of the page `wins_page`, each with its verdict: made from figures, with the words that their intervals allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from other_pages import found_in
from wins_cases import choices
from wins_compared import LOSES, OPEN, WINS, Compared, Gap, middle, ratio

from analog_ff.output.quantities import joules

Sentence = tuple[str, str]
"""A verdict and a line of Markdown."""
VERDICTS = (WINS, LOSES, OPEN)
SCREENING = " ¹"
"""Mark of what rests on one seed."""
MOST_NAMED = 3
"""Most cases that a sentence names."""
SLOPES = {True: "neurons with slopes of either sign", False: "other neurons"}


def points(gap: Gap) -> str:
    """Return a difference of errors as text."""
    ends = "" if gap.low is None else f" ({gap.low:+.2f} to {gap.high:+.2f})"
    return f"{gap.value:+.2f} points{ends}"


def times(gap: Gap) -> str:
    """Return a ratio of costs as text."""
    ends = "" if gap.low is None else f" ({gap.low:.3g} to {gap.high:.3g})"
    return f"{gap.value:.3g} times{ends}"


MEASURES: dict[str, tuple[Callable[[Compared], Gap | None], Callable[[Gap], str]]] = {
    "Error": (lambda one: one.error, points),
    "Energy of an update": (lambda one: one.update, times),
    "Time of an image while it learns": (lambda one: one.time, times),
    "Area of the chip": (lambda one: one.area, times),
}
"""Measure of a comparison -> the gap of two cases by it, and its text."""


def answer(others: Sequence[Compared]) -> str:
    """Return the answer in a sentence: how often it errs less and more than the first competitors and than frozen layers."""
    entries, parts = choices()["competitors"], []
    for entry in (entries[0], entries[1], entries[-1]):
        if verdicts := [one.error.verdict for one in others if one.other.learner == entry["learner"]]:
            parts.append(f"{tally(verdicts)} against {entry['said']}")
    return f"By its error on the same chip Forward-Forward {'; '.join(parts)}."


def tally(verdicts: Sequence[str]) -> str:
    """Return the verdicts of several comparisons as text, such as "wins 2 and loses 3 of 6 comparisons"."""
    counted = [f"{verdict} {verdicts.count(verdict)}" for verdict in (WINS, LOSES) if verdict in verdicts]
    whole = f"of {len(verdicts)} comparison{'s' if len(verdicts) > 1 else ''}"
    return f"{' and '.join(counted)} {whole}" if counted else f"wins and loses none {whole}"


def against_each(others: Sequence[Compared]) -> list[Sentence]:
    """Return a sentence for each competitor, kind of slope, measure and verdict that occurs, with its cases."""
    made = []
    for entry in choices()["competitors"]:
        for either, neurons in SLOPES.items():
            of = [one for one in others if one.other.learner == entry["learner"] and one.either_sign == either]
            for what, (gap_of, written) in MEASURES.items():
                known = [(one, gap) for one in of if (gap := gap_of(one)) is not None and not gap.equal]
                for verdict in VERDICTS:
                    if hit := [(one, gap) for one, gap in known if gap.verdict == verdict]:
                        start = (
                            f"- **{what}** against {entry['said']}, {neurons}: {verdict} in {len(hit)} of {len(known)}"
                        )
                        made.append((verdict, f"{start}{_spread(hit, written)}: {_named(hit, written)}."))
    return made


def _spread(hit: Sequence[tuple[Compared, Gap]], written: Callable[[Gap], str]) -> str:
    """Return the middle of several gaps and their ends as text; empty for one."""
    if len(hit) < 2:
        return ""
    return f", in the middle {written(Gap(*middle(gap for _, gap in hit), hit[0][1].level))}"


def _named(hit: Sequence[tuple[Compared, Gap]], written: Callable[[Gap], str]) -> str:
    """Return the first cases with their gaps as text, and how many more there are."""
    said = [
        f"[{one.mine.label}]({one.mine.experiment}.md){SCREENING if one.screening else ''} {written(gap)}"
        for one, gap in hit[:MOST_NAMED]
    ]
    more = len(hit) - MOST_NAMED
    return "; ".join(said) + (f"; and {more} more" if more > 0 else "")


def by_joint_draws() -> list[Sentence]:
    """Return the sentences on joules that the comparison of learners made with joint draws of prices, and digital backprop's."""
    found = found_in("learners", "compare.json")
    if found is None:
        return []
    made = []
    mine = next(row for row in found["rows"] if row["learner"] == found["reference"])["per_update_joule"]["by_scenario"]
    for row in found["digital"]:
        if row["name"] == choices()["digital"]:
            theirs = row["per_update_joule"]
            gap = ratio({end: (mine[end], theirs[end]) for end in theirs})
            assert gap is not None, "both are priced"
            amounts = f"[{joules(mine['nominal'])} for {joules(theirs['nominal'])}](learners.md), {times(gap)}"
            text = (
                f"- **Energy of an update** against digital backprop ({row['name']}; counted, not run): {gap.verdict}"
            )
            made.append((gap.verdict, f"{text}, {amounts}."))
    said = {entry["learner"]: entry["said"] for entry in choices()["competitors"]}
    for row in found["differences"]:
        of = row.get("to_accuracy")
        if row["learner"] in said and of:
            gap = Gap(1.0 / of["nominal"], 1.0 / of["high"], 1.0 / of["low"], 1.0)
            text = f"- **Energy to {found['accuracy_percent']:g} %** against {said[row['learner']]}, buildable chip, 2 x 300"
            made.append(
                (gap.verdict, f"{text}: {gap.verdict}, [{times(gap)}](learners.md) over joint draws of all prices.")
            )
    return made


def within_the_family(family: Sequence[Compared]) -> list[Sentence]:
    """Return a sentence for each other form of the family beside its plain form: its error, and what it does without.

    A form that needs less, and whose error is not more than that of the plain one by its interval, wins.
    """
    made = []
    for one in family:
        saved = without(one)
        if one.screening and not saved:
            continue
        mark = SCREENING if one.screening else ""
        text = f"- **[{one.mine.label}]({one.mine.experiment}.md)**{mark} against {one.other.label}"
        text += f": error {points(one.error)}, {one.error.verdict}"
        verdict = WINS if saved and not one.screening and one.error.verdict == OPEN else one.error.verdict
        made.append((verdict, f"{text}{'; ' + saved if saved else ''}."))
    return made


def without(one: Compared) -> str:
    """Return the savings of a case against the one beside it as text: counted figures, which need no interval."""
    said = []
    if one.mine.memory_bits < one.other.memory_bits:
        said.append(f"{one.mine.memory_bits} bits of digital memory a weight for {one.other.memory_bits}")
    if one.mine.stored is not None and one.other.stored and one.mine.stored < one.other.stored:
        said.append(f"{one.mine.stored:g} activities stored an image for {one.other.stored:g}")
    return " and ".join(said)
