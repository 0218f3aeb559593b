"""The shapes of the documents that reports are made of: every entry that a page, or the words in it, takes from them.

A file of another shape is refused in one sentence that names the entry, before anything of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NotRequired, TypedDict

from analog_ff.plain import Document
from hardware_models import figures, files
from hardware_models.check import UsageError, shown
from hardware_models.files import shaped


def read(place: Path, what: str, expected: str, kind: object, *, earlier: bool = False) -> Document:
    """Return the document in a file; raise UsageError, with the entry, unless it has the shape of a type and schema 1.

    earlier : whether earlier versions wrote this document without the number of its schema.
    """
    found = files.json_object(files.contents(place, what, most=files.LARGE), place, expected)
    where = shown(str(place), 200, quoted=False)
    if "schema" in found or not earlier:
        figures.schema(found, where)
    shaped(found, kind, where)
    return found


@contextmanager
def fitting(place: Path, expected: str) -> Iterator[None]:
    """Turn a failure over entries of a document that do not fit together into one sentence.

    Every entry has its shape by then: what is left are lists of different lengths, names that one part of a document has and
    another one lacks, and one end of an interval without the other.
    """
    with files.reading(place, expected):
        try:
            yield
        except UsageError:
            raise
        except (LookupError, ValueError, ArithmeticError, TypeError) as error:
            where = shown(str(place), 200, quoted=False)
            raise UsageError(f"{where} cannot be read as {expected}: {_unfitting(error)}.") from error


def _unfitting(error: Exception) -> str:
    """Return in words what does not fit together."""
    if isinstance(error, KeyError) and error.args:
        return f"one part of it names {shown(error.args[0])}, another part lacks it"
    if isinstance(error, IndexError) or str(error).startswith("zip()"):
        return "lists that belong together have different lengths"
    return "its entries do not fit together"


class Made(TypedDict):
    """Origin of a document; documents of earlier versions lack it."""

    command: NotRequired[str]
    versions: NotRequired[dict[str, str | int]]
    inputs_sha256: NotRequired[dict[str, str]]


class Mean(TypedDict):
    """A mean with the ends of its interval, which one seed has not."""

    mean: float
    low: float | None
    high: float | None
