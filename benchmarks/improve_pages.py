"""Pages of results on what a device must improve, from the stored answers of `improve_campaign.py`."""

from __future__ import annotations

from typing import Any

from other_pages import found_in
from pages import Page, folded, picture

from analog_ff.improvement.page import page, specified, spread

TITLES = {
    "memristor": "What the memristor must improve first",
    "invented_poor": "What a poor device must improve first",
}
SECOND = "## What each figure must reach"
"""Beginning of the heading from which on a page is folded."""


def improve_pages() -> list[Page]:
    """Return the pages whose results exist."""
    studies = [_study(name, title) for name, title in TITLES.items()]
    return [made for made in (*studies, _specification()) if made is not None]


def _study(name: str, title: str) -> Page | None:
    found = found_in("improve", f"{name}.json")
    if found is None:
        return None
    first = found["figures"][0]
    names = [figure["label"] for figure in found["figures"] if figure["rank"] == first["rank"]]
    gained = f"at its best gains {spread(first['gain'])} points of {spread(found['as_given'])} %"
    if len(names) == 1:
        answer = f"The {first['label']} comes first and {gained}"
    else:
        answer = f"{len(names)} figures tie; of them the {first['label']} {gained}"
    confirmed = found["confirmation"]
    if confirmed and confirmed["decided_pairs"]:
        answer += (
            f"; with other seeds {confirmed['pairs_in_the_same_order']} of {len(confirmed['decided_pairs'])} decided pairs of "
            "figures have the same order"
        )
    lines = page(found)[2:]
    more = next(place for place, line in enumerate(lines) if line.startswith(SECOND))
    picture_of = picture("Gain of each figure alone, and curves", f"improve_{name}.png")
    body = [*lines[:more], *picture_of, "", *folded("Values needed, figures together, other seeds", lines[more:])]
    return Page(f"improve_{name}", title, answer + ".", _command(name, found), body)


def _specification() -> Page | None:
    found = found_in("improve", "specification.json")
    if found is None:
        return None
    said = [f"{one['name']} {one['text']}" for one in found["alone"] if one["allowed"]]
    answer = f"{found['limit_text'].capitalize()} allows, each alone: {', '.join(said)}."
    picture_of = picture("Errors of the values that were tried, with the limit", "improve_specification.png")
    body = [*picture_of, "", *folded("The limits and every value that was tried", specified(found).splitlines()[2:])]
    return Page("improve_specification", "How bad may a figure be?", answer, _command("specification", found), body)


def _command(name: str, found: dict[str, Any]) -> str:
    return f"`python benchmarks/improve_campaign.py {name}`, which runs `{found['command']}`"
