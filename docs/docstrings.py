"""Docstrings as the API reference shows them: plain equations, words in the right column, a table of declared fields.

A field that is declared by `option(default, help, ...)` or `si(unit, low, high, default)` has no docstring: its meaning stands
in the declaration, from which the table is made.
"""

from __future__ import annotations

import ast
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


def declared(name: str, source: str) -> str:
    """Return the lines of a field in a section of attributes, or nothing if its source is no declaration."""
    call = ast.parse(source, mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id not in ("option", "si"):
        return ""
    given = {word.arg: word.value for word in call.keywords if word.arg}
    if call.func.id == "si":
        given |= dict(zip(("unit", "low", "high", "default"), call.args, strict=False))
        said = ""
    else:
        given |= {"default": call.args[0]} if call.args else {}
        texts = [part.value for part in call.args[1:] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        said = f"{texts[0]}; " if texts else ""
    parts = [
        f"{what} `{_written(given[what])}`"
        for what in ("unit", "low", "high", "choices", "table", "beside", "default")
        if what in given
    ]
    return f"{name}\n    {said}{', '.join(parts)}.\n" if said or parts else ""


def _written(value: ast.expr) -> str:
    """Return a value of a declaration: a text as it is, anything else as it stands in the source."""
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ast.unparse(value)


class Readable(griffe.Extension):
    """Changes each docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put the text for a page in the place of the docstring's own."""
        if obj.docstring is not None:
            obj.docstring.value = shown(obj.docstring.value)
            if isinstance(obj, griffe.Class):
                fields = (declared(name, str(f.value)) for name, f in obj.attributes.items() if f.value is not None)
                if table := "".join(fields):
                    obj.docstring.value += f"\n\nAttributes\n----------\n{table}"
