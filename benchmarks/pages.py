"""The form of a page of results: a question, its answer in a sentence, what it was measured with, the tables folded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = DOCS / "results"
FRONT = ["---", "hide:", "  - navigation", "---", ""]
"""Wide tables need the place of the navigation."""


class Page(NamedTuple):
    """One question."""

    name: str
    """Of its file in docs/results."""
    title: str
    answer: str
    """One sentence without links, so that the index can quote it."""
    command: str
    """What makes it, in Markdown."""
    body: list[str]

    @property
    def link(self) -> str:
        """The page as docs/results.md links to it."""
        return f"[{self.title}](results/{self.name}.md)"

    def text(self) -> str:
        """Return the page in Markdown."""
        top = [*FRONT, f"# {self.title}", "", *([f"**{self.answer}**", ""] if self.answer else [])]
        return written([*top, *self.body, "", f"{self.command} · [all results](../results.md)"])


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """Return lines that the reader opens with a click."""
    return [f'<details markdown="1"><summary>{summary}</summary>', "", *lines, "", "</details>", ""]


def written(lines: Iterable[str]) -> str:
    """Return a text without more than one empty line in a row."""
    kept: list[str] = []
    for line in "\n".join(lines).split("\n"):
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def one_level_up(text: str) -> str:
    """Return a text of docs/results.md as docs/results/ has it: pictures and other pages of the docs lie one folder above."""
    return text.replace("](img/", "](../img/").replace("](explanation/", "](../explanation/")
