"""Typography of the built pages: a number stays on the line of its spread and unit, and a short name in code is not cut."""

from __future__ import annotations

import re

KEPT = re.compile(r"(<(pre|code|script|style)\b.*?</\2>|<[^>]*>)", re.S)
"""Parts of a page that stay as they are: code, which readers copy, and tags."""
SPREAD = re.compile(r"(?<=\d) ± (?=\d)")
UNIT = re.compile(r"(?:(?<=\d)|(?<=%)) (?=(?:%|‡|[zafpnum]?J|[kM]?Ohm|[num]?[AVS]|[kMG]?Hz|[num]?s|nm)(?![\w]))")
SHORT = re.compile(r"<code>(?=[^<]{1,24}</code>$)")
FIRM = "\N{NO-BREAK SPACE}"


def firm(text: str) -> str:
    """Return a text in which numbers do not break from their spreads and units."""
    return UNIT.sub(FIRM, SPREAD.sub(f"{FIRM}±{FIRM}", text))


def on_page_content(html: str, **_: object) -> str:
    """Return the HTML of a page with firm numbers and names; mkdocs calls it for every page."""
    texts_and_parts = KEPT.split(html)
    del texts_and_parts[2::3]  # the names of tags, which `split` returns too
    changed = [firm(s) if i % 2 == 0 else SHORT.sub('<code class="short">', s) for i, s in enumerate(texts_and_parts)]
    return "".join(changed)
