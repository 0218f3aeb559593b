"""Pages of results on mortal computation, from the stored answers of `mortal_campaign.py`."""

from __future__ import annotations

from other_pages import found_in
from pages import Page, folded, picture

from analog_ff.improvement.page import spread
from analog_ff.mortality.page import ENERGY, page, rows
from analog_ff.mortality.study import ANEW, COPIED, OLD

TITLES = {"memristor": "What is left of a network on the next memristor chip?"}
"""Name of a study -> title of its page."""


def mortal_pages() -> list[Page]:
    """Return the pages whose results exist."""
    return [made for made in (_study(name, title) for name, title in TITLES.items()) if made is not None]


def _study(name: str, title: str) -> Page | None:
    found = found_in("mortal", f"{name}.json")
    if found is None:
        return None
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
    answer = f"With the read-out {readout}: {said}; {asked['chips']} pairs of chips."
    lines = page(found).splitlines()[2:]
    energy = lines.index(ENERGY)
    body = [*lines[:energy], *picture("Error against queries, with the other paths as lines", f"mortal_{name}.png"), "",
            *folded("Energy, and when it pays", lines[energy + 1 :])]  # fmt: skip
    return Page(
        f"mortal_{name}",
        title,
        answer,
        f"`python benchmarks/mortal_campaign.py {name}`, which runs `{found['command']}`",
        body,
    )
