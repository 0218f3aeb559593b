"""Parts of a page from the lines of an answer in Markdown, such as compare.md: its headings, paragraphs, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from analog_ff.report.parts import Part, Section, Table, Text

NUMBER = re.compile(r"[-+±]?\s*[0-9]|-$|$")
"""Beginning of a cell with a number, or of a cell without a value."""


def sections(lines: Sequence[str], first: str) -> tuple[str, list[Section]]:
    """Return the title of a text and its sections; `first` is the title of what stands above the first heading of a section."""
    title, heading = "", first
    kept: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for line in "\n".join(lines).splitlines():  # an entry may hold several lines
        if line.startswith("# "):
            title = _plain(line[2:])
        elif line.startswith("## "):
            found.append((heading, kept))
            heading, kept = _plain(line[3:]), []
        else:
            kept.append(line)
    found.append((heading, kept))
    return title, [Section(f"part-{n}", name, made) for n, (name, own) in enumerate(found) if (made := parts(own))]


def parts(lines: Sequence[str]) -> list[Part]:
    """Return the paragraphs, lists and tables of lines without headings."""
    return [
        part
        for blank, block in groupby(lines, key=lambda line: not line.strip())
        if not blank
        for part in _parts(block)
    ]


def _parts(block: Iterator[str]) -> Iterator[Part]:
    for is_table, some in groupby(block, key=lambda line: line.startswith("|")):
        if is_table:
            yield _table([[_plain(cell) for cell in line.strip().strip("|").split("|")] for line in some])
        else:
            for text in re.split(r"\n(?=- )", "\n".join(some)):
                yield Text(_plain(text.removeprefix("- ")))


def _table(rows: Sequence[Sequence[str]]) -> Table:
    """Return a table; a column in which a text begins with no number is one of words."""
    titles, _, *body = rows
    words = [n for n in range(1, len(titles)) if not all(NUMBER.match(row[n]) for row in body if len(row) > n)]
    return Table("", titles, body, words)


def _plain(text: str) -> str:
    """Return a text on one line without marks of emphasis or code."""
    return re.sub(
        r"\*([^*]+)\*|`([^`]+)`",
        lambda found: found[1] or found[2],
        " ".join(re.sub(r"(?<=\w)-\n(?=\w)", "-", text).split()),
    )
