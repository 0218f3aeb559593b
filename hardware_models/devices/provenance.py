"""Trust in the numbers of a parameter file, and the question whether it says anything about time.

A figure is an assumption (its ``kind`` says so), or it comes from its ``source``. The entry ``checked`` tells where a figure
was compared with that source, file and version; it begins with ``NOT_READ`` where the source could not be read. So the three
kinds of figures can be counted, and a reader sees at once what a device rests on.
"""

from __future__ import annotations

from collections.abc import Mapping

NOT_READ = "no:"
"""Beginning of the entry ``checked`` of a figure whose source could not be read."""
LAWS = {
    "drift": ("nu_slope", "nu", "nu_low", "nu_2", "nu_1", "nu_0", "nu_spread_slope", "nu_spread", "nu_spread_low",
              "nu_spread_2", "nu_spread_1", "nu_spread_0", "log_drift", "drift", "drift_slope", "drift_spread"),
    "relaxation": ("relax_0", "relax_1", "retention"),
    "leak": ("tau",),
    "1/f noise": ("q_noise", "q_slope", "q_low", "q_3", "q_2", "q_1", "q_0"),
}  # fmt: skip
"""Law of time -> the figures of which one at least is not zero where a file has that law."""


def figures(table: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Return the figures of a parameter file by name: all tables but ``[source]``."""
    return {name: entry for name, entry in table.items() if isinstance(entry, Mapping) and name != "source"}


def counts(table: Mapping[str, object]) -> dict[str, int]:
    """Return the numbers of figures of a parameter file that were checked in their source, were not, and are assumptions."""
    found = {"checked": 0, "not_read": 0, "assumptions": 0}
    for figure in figures(table).values():
        said = str(figure.get("checked", ""))
        if figure.get("kind") == "assumption":
            found["assumptions"] += 1
        elif said and not said.startswith(NOT_READ):
            found["checked"] += 1
        else:
            found["not_read"] += 1
    return found


def law_of_time(table: Mapping[str, object]) -> str:
    """Return the laws of time whose figures a parameter file gives, or "none": what it will be later is then not known."""
    given = {name for name, figure in figures(table).items() if figure.get("value")}
    return ", ".join(law for law, names in LAWS.items() if given & set(names)) or "none"


def told(said: str | Mapping[str, object]) -> str:
    """Return in words what the entry of ``[source]`` says: a sentence as it is, a figure with its source and its remark."""
    if isinstance(said, str):
        return said
    note = f" ({said['note']})" if "note" in said else ""
    return f"{said['value']:.4g} {said['unit']}: {said['source']}{note}"
