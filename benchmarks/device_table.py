"""The tables of docs/reference/devices.md, with the sources of each published device, made from the parameter files.

``python benchmarks/device_table.py`` writes them between their marks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardware_models.load import published

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "devices.md"
BEGIN, END = "<!-- devices:begin -->", "<!-- devices:end -->"
LIVES = "<!-- lives:begin -->", "<!-- lives:end -->"


def row(device: dict[str, Any]) -> str:
    """Return the row of a device in Markdown."""
    name, doi, counts = device["name"], device["doi"], device["figures"]
    linked = f"[{name}](https://doi.org/{doi})" if doi else name
    numbers = [str(counts[what]) for what in ("checked", "not_read", "assumptions")]
    cells = [linked, device["technology"], device["model"], device["citation"], *numbers, device["law_of_time"]]
    return f"| {' | '.join(cells)} |"


def table() -> list[str]:
    """Return the lines of the table, one row a parameter file."""
    head = ["device", "technology", "model", "source", "checked", "not read", "assumptions", "law of time"]
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(row(device) for device in published())]


def lives() -> list[str]:
    """Return the lines of the table of what sources say of endurance and retention, devices with the same words in one row."""
    said: dict[tuple[str, str], list[str]] = {}
    for device in published():
        said.setdefault((str(device["endurance"]), str(device["retention"])), []).append(str(device["name"]))
    rows = [f"| {', '.join(names)} | {endurance} | {retention} |" for (endurance, retention), names in said.items()]
    return ["| device | endurance | retention |", "|---|---|---|", *rows]


def page(text: str) -> str:
    """Return the text of the page with the current tables between their marks."""
    for (begin, end), lines in (((BEGIN, END), table()), (LIVES, lives())):
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = "\n".join([before + begin, "", *lines, "", end + after])
    return text


def main() -> None:
    """Write the tables into docs/reference/devices.md."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
