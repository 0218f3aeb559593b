"""Write docs/gallery.md, the page with every picture of docs/img: its caption, the page that explains it, and its command.

    python benchmarks/gallery.py           write the page
    python benchmarks/gallery.py --check   say whether the page is that of today's pictures

The caption of a picture is the text that the page which shows it gives it, so that a picture without a page is refused.
"""

from __future__ import annotations

import argparse
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from pages import DOCS, written

from analog_ff.output import whole_files
from hardware_models.check import UsageError

PAGE = DOCS / "gallery.md"
SECTIONS = {
    "Laws beside the simulation": {"validation_*.png": "python benchmarks/validation_figures.py --write"},
    "Learning": {
        "wins.png": "python benchmarks/run.py --tables",
        "black_box_strength.png": "python benchmarks/run.py --tables",
        "learners_*.png": "python benchmarks/learners.py",
        "wake_sleep.png": "python benchmarks/plot.py",
    },
    "Devices and chips": {
        "improve_*.png": "python benchmarks/improve_campaign.py",
        "mortal_*.png": "python benchmarks/mortal_campaign.py",
        "wires_training.png": "python benchmarks/wires_training.py --plot",
        "wires_repair.png": "python benchmarks/plot.py",
    },
    "Spiking networks and the cortex": {"cortex_*.png": "python benchmarks/cortex.py"},
}
"""Headings of the page; under each, patterns of names of pictures and the command that makes such a picture."""
SHOWN = re.compile(r"!\[([^\]]+)\]\((?:\.\./)*img/([\w.]+)\)")


class Shown(NamedTuple):
    """A place where a page shows a picture."""

    caption: str
    """Text of the picture."""
    page: str
    """File of the page, from the folder of the docs."""
    title: str
    """First heading of the page."""


def places(docs: Path = DOCS) -> dict[str, Shown]:
    """Return, for each picture that a page shows, its caption and that page; an explanation goes before a page of results."""
    found: dict[str, Shown] = {}
    for file in sorted(docs.rglob("*.md"), key=lambda p: ("results" in p.parts, str(p))):
        text = file.read_text(encoding="utf-8")
        heading = re.search(r"^# (.+)$", text, re.M)
        for caption, name in SHOWN.findall(text) if file.name != PAGE.name else ():
            title = heading[1] if heading else file.stem
            found.setdefault(name, Shown(caption, file.relative_to(docs).as_posix(), title))
    return found


def section_of(name: str) -> tuple[str, str]:
    """Return the heading and the command of a picture; raise UsageError if no row of `SECTIONS` knows it."""
    for heading, rows in SECTIONS.items():
        for pattern, command in rows.items():
            if fnmatch(name, pattern):
                return heading, command
    raise UsageError(f"docs/img/{name}: no row of SECTIONS in benchmarks/gallery.py gives its command; add one.")


def page(docs: Path = DOCS) -> str:
    """Return the page; raise UsageError if a picture is shown by no page, or if its command is not known."""
    shown, under = places(docs), {heading: list[str]() for heading in SECTIONS}
    for file in sorted((docs / "img").glob("*.png")):
        heading, command = section_of(file.name)
        if file.name not in shown:
            raise UsageError(f"docs/img/{file.name}: no page of docs shows this picture; show it, or remove the file.")
        caption, where, title = shown[file.name]
        under[heading] += [
            f"[![{caption}](img/{file.name})](img/{file.name})",
            "",
            f"**{caption}.** Explained in [{title}]({where}); made by `{command}`.",
            "",
        ]
    lines = [
        "# Gallery",
        "",
        "This page shows every picture of the documentation with the command of the repository that makes it. A click on",
        "a picture opens it in its full size. The page behind the link says what it means, and how many seeds it rests on.",
        "",
    ]
    for heading, pictures in under.items():
        lines += [f"## {heading}", "", *pictures] if pictures else []
    return written([*lines, "`python benchmarks/gallery.py` wrote this page."])


def main(arguments: list[str] | None = None) -> None:
    """Write the page, or compare it with today's pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; end with status 1 if the page is out of date"
    )
    options = parser.parse_args(arguments)
    try:
        text = page()
    except UsageError as error:
        parser.error(str(error))
    if not options.check:
        whole_files.write(PAGE, text.encode())
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        raise SystemExit("docs/gallery.md is out of date; run python benchmarks/gallery.py")


if __name__ == "__main__":
    main()
