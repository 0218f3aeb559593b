"""Pages of results on mortal computation, from the stored answers of `mortal_campaign.py`."""

from __future__ import annotations

from collections.abc import Callable

from mortal_mismatch import mismatch
from other_pages import found_in
from pages import Page, folded, picture

from analog_ff.improvement.page import spread
from analog_ff.mortality.life import ANSWERS, CARES, LABELS
from analog_ff.mortality.page import ENERGY, generations, lives, page, rows
from analog_ff.mortality.study import ANEW, COPIED, OLD
from analog_ff.plain import Document
from analog_ff.runs.ages import AS_IT_IS


def mortal_pages() -> list[Page]:
    """Return the pages whose results exist."""
    studies = [_study(name, title, answer) for name, (title, answer) in TITLES.items()]
    return [made for made in (*studies, mismatch()) if made is not None]


def _of_paths(found: Document) -> str:
    """Return a sentence on the errors of the next chip after each path, with the read-out of the run."""
    readout = found["config"]["readout"]
    by = {row["path"]: row for row in rows(found)}
    most = max(row["queries"] for row in by.values())
    asked = next(row for row in by.values() if row["queries"] == most)
    said = ", ".join(
        f"{what} {spread(row['error'][readout])} %"
        for what, row in (
            ("the first chip errs", by[OLD]), ("a copy of its weights", by[COPIED]),
            (f"a chip taught by {most} of its answers", asked), ("one taught anew", by[ANEW]),
        )
    )  # fmt: skip
    return f"With the read-out {readout}: {said}; {asked['chips']} pairs of chips."


def _of_time(found: Document) -> str:
    """Return a sentence on a chip after its days and on the last generation of its pupils, with the read-out of the run."""
    readout = found["config"]["readout"]
    by = {row["care"]: row["change"][readout] for row in lives(found)}
    *_, life = found["lives"].values()
    alone, *_ = lives(found)
    said = [
        f"with the read-out {readout} the first chip errs {spread(alone['error'][readout][0])} % when it has learned",
        f"after {life['days'][-1]} days it errs more by {spread(by[CARES[AS_IT_IS]])} points without care",
        f"by {spread(by[LABELS])} points if it learns {life['images_a_day']} labelled images a day",
        f"by {spread(by[ANSWERS])} points if it learns its own answers",
    ]
    if chain := generations(found):
        behind = spread(chain[-1]["behind"][readout])
        said.append(f"generation {chain[-1]['generation']} of its pupils errs {behind} points more than it")
    return f"{'; '.join(said)}; {alone['error'][readout][0]['n']} seeds.".capitalize()


TITLES: dict[str, tuple[str, Callable[[Document], str]]] = {
    "memristor": ("What is left of a network on the next memristor chip?", _of_paths),
    "pcm": ("A month on phase-change memory, and five generations of chips", _of_time),
    "pcm_alike": ("What is left of a network on a phase-change chip with neurons that are all alike?", _of_paths),
    "failing": ("A month of cells that fail: a tenth of a memristor chip", _of_time),
}
"""Name of a study -> title of its page, and the function that writes its answer."""


def _study(name: str, title: str, answer: Callable[[Document], str]) -> Page | None:
    found = found_in("mortal", f"{name}.json")
    if found is None:
        return None
    lines = page(found).splitlines()[2:]
    energy = lines.index(ENERGY)
    body = [*lines[:energy], *picture("Errors of every path, with 95 % intervals", f"mortal_{name}.png"), "",
            *folded("Energy, and when it pays", lines[energy + 1 :])]  # fmt: skip
    command = f"`python benchmarks/mortal_campaign.py {name}`, which runs `{found['command']}`"
    return Page(f"mortal_{name}", title, answer(found), command, body)
