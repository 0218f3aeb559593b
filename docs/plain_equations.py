"""Equations of docstrings on the pages of the API reference: the plain text that `devices show` prints, not LaTeX."""

from __future__ import annotations

import re
from typing import Any

import griffe

from analog_ff.output.plain_math import plain, readable

INLINE = re.compile(r":math:`([^`]+)`")
"""An equation within a line."""


class PlainEquations(griffe.Extension):
    """Replaces the equations of each docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put plain text in the place of LaTeX."""
        if obj.docstring is not None:
            text = INLINE.sub(lambda found: f"`{plain(found[1])}`", obj.docstring.value)
            obj.docstring.value = readable(text)
