"""Text of the repository's root on a page: its links lead from the root, and are made to lead from the folder of the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TAKEN = {"changelog.md": "CHANGELOG.md"}
"""Pages that show a file of the root, and that file."""


def on_page_markdown(markdown: str, page: Any, **_: object) -> str:
    """Return the Markdown of a page; one of `TAKEN` gets the text of its file. mkdocs calls it for every page."""
    name = TAKEN.get(page.file.src_uri)
    return markdown if name is None else (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")
