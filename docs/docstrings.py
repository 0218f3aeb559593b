"""Docstrings as the API reference shows them: equations in the plain text of `devices show`, words in the right column."""

from __future__ import annotations

import re
from typing import Any

import griffe

from analog_ff.output.plain_math import plain, readable

INLINE = re.compile(r":math:`([^`]+)`")
"""An equation within a line."""
ONE_LINE = re.compile(r"^(\w[\w, ]*) : (\S.*(?:\n(?! *$)(?!\w[\w, ]* : )\S.*)*)$(?!\n +\S)", re.M)
"""A parameter with its meaning on the line of its name, where a type would stand; the type is in the signature."""
SECTION = re.compile(r"(?<=^Parameters\n----------\n).*?(?=\n\n|\Z)", re.S | re.M)
"""The parameters of a docstring up to the first empty line."""


def shown(text: str) -> str:
    """Return a docstring for a page."""
    text = readable(INLINE.sub(lambda found: f"`{plain(found[1])}`", text))
    return SECTION.sub(lambda section: ONE_LINE.sub(_below, section[0]), text)


def _below(found: re.Match[str]) -> str:
    """Return a parameter with its meaning on the next line."""
    return f"{found[1]}\n    " + found[2].replace("\n", "\n    ")


class Readable(griffe.Extension):
    """Changes each docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put the text for a page in the place of the docstring's own."""
        if obj.docstring is not None:
            obj.docstring.value = shown(obj.docstring.value)
