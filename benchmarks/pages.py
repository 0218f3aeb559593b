"""Form of a page of results: a question, its answer in a sentence, the conditions of the measurement, folded tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = DOCS / "results"
FRONT = ["---", "hide:", "  - navigation", "---", ""]
"""Header of a page that hides the navigation, because wide tables need its place."""
NARROW = [*FRONT[:-2], "  - toc", *FRONT[-2:]]
"""Header of a page that hides its table of contents too, because it has one heading."""


class Page(NamedTuple):
    """A page that answers one question."""

    name: str
    """Name of the page's file in docs/results."""
    title: str
    answer: str
    """Answer in one sentence without links, which the index quotes."""
    command: str
    """Rest of the page in Markdown."""
    body: list[str]

    @property
    def link(self) -> str:
        """Path of the page in links from docs/results.md."""
        return f"[{self.title}](results/{self.name}.md)"

    def text(self) -> str:
        """Return the page in Markdown."""
        top = [*NARROW, f"# {self.title}", "", *([f"**{self.answer}**", ""] if self.answer else [])]
        return written([*top, *self.body, "", f"{self.command} · [all results](../results.md)"])


def folded(summary: str, lines: Iterable[str]) -> list[str]:
    """Return lines that are folded on the page and that a reader opens with a click."""
    return [f'<details markdown="1"><summary>{summary}</summary>', "", *lines, "", "</details>", ""]


def picture(what: str, file: str) -> list[str]:
    """Return the lines of a picture of docs/img on a page of docs/results; a click shows it in its full size."""
    return [f"[![{what}](../img/{file})](../img/{file})", ""]


def linked(text: str, names: Collection[str], folder: str = "") -> str:
    """Return a text in which every page that it names in code, such as `18_slopes`, is a link into `folder`."""
    return re.sub(r"(?<!\[)`(\w+)`", lambda m: f"[{m[0]}]({folder}{m[1]}.md)" if m[1] in names else m[0], text)


def written(lines: Iterable[str]) -> str:
    """Return lines as a text without two empty lines in a row."""
    kept: list[str] = []
    for line in "\n".join(lines).split("\n"):
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def one_level_up(text: str) -> str:
    """Return a text of docs/results.md with links for a page in docs/results/, one folder below the other docs."""
    for folder in ("img", "explanation", "how-to"):
        text = text.replace(f"]({folder}/", f"](../{folder}/")
    return text
