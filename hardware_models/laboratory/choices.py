"""Read the user's choice of columns: "voltage=PulseV,current=MeasI [uA],read voltage=0.2 V"."""

from __future__ import annotations

import fnmatch
import re

from hardware_models.check import UsageError, shown
from hardware_models.laboratory.titles import QUANTITIES, parts_of, plain
from hardware_models.tables import closest


def parse_choice(text: str) -> dict[str, str]:
    """Return {quantity: column} from ``"voltage=PulseV,current=MeasI"``; raise UsageError for an unknown quantity."""
    chosen: dict[str, str] = {}
    if not text.strip():
        return chosen
    for part in re.split(r",(?=[\w\s\-]*=)", text):
        name, equals, column = (x.strip() for x in part.partition("="))
        quantity = next((q for q in QUANTITIES if plain(q) == plain(name)), None)
        if not equals or not column:
            raise UsageError(f"--columns takes name=column,..., got {shown(part.strip())}.")
        if quantity is None:
            near = closest(name, QUANTITIES)
            raise UsageError(f"--columns knows no {shown(name)}{near} (known: {', '.join(QUANTITIES)}).")
        if quantity in chosen:
            raise UsageError(f"--columns names the {quantity} twice; once is right.")
        chosen[quantity] = column
    return chosen


def listed_columns(text: str, header: tuple[str, ...]) -> list[str]:
    """Return the columns of a choice that names several, such as "C1,C2 [uS]", "C* [uS]" or "2-11 [uS]", each with its unit."""
    plain_titles = {plain(title) for title in header}
    if plain(text) in plain_titles or plain(parts_of(text)[0]) in plain_titles:
        return [text]
    names, unit = parts_of(text)
    end = f" [{unit}]" if unit else ""
    if (span := re.fullmatch(r"(\d{1,4})\s*-\s*(\d{1,4})", names)) is not None:
        first, last = (int(x) for x in span.groups())
        return [f"{n}{end}" for n in range(first, min(last, len(header)) + 1)]
    if "*" in names:
        found = [title for title in header if title and fnmatch.fnmatchcase(title.lower(), names.lower())]
        return [title + ("" if parts_of(title)[1] else end) for title in found]
    parts = [part.strip() for part in re.split(r"[,;]", names)]
    return [f"{part}{end}" for part in parts if part] if len(parts) > 1 else [text]
