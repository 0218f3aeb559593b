"""The parts of a page: paragraphs, tables, confusion matrices and rows of small pictures, in sections."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol

import numpy as np


class Part(Protocol):
    """A part of a section; the template of that name draws it as `part`."""

    template: ClassVar[str]


@dataclass(frozen=True)
class Text:
    """A paragraph; `missing` marks one that stands for data which the folder does not hold."""

    template: ClassVar[str] = "text.html"

    text: str
    missing: bool = False


@dataclass(frozen=True)
class Table:
    """A table; all columns but those of `words` (by place) are aligned to the right, the first one names the row."""

    template: ClassVar[str] = "table.html"

    caption: str
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: Sequence[int] = ()
    note: str = ""
    folded: bool = False  # shown when it is asked for, and in print


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: how often images of each true label (rows) got each answer (columns)."""

    template: ClassVar[str] = "matrix.html"

    caption: str
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    note: str = ""

    def shade(self, row: int, column: int) -> int:
        """Return the depth of a cell's colour [%]: its share of the true label's images, small shares raised by a root."""
        whole = sum(self.counts[row])
        return round(75.0 * (self.counts[row][column] / whole) ** 0.5) if whole else 0


class Picture(NamedTuple):
    """A small picture: a data URI, its alternative text and the words below it."""

    source: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Gallery:
    """Small pictures in rows."""

    template: ClassVar[str] = "gallery.html"

    title: str
    pictures: Sequence[Picture]
    note: str = ""


@dataclass(frozen=True)
class Code:
    """Text of a program or a command, as it is written."""

    template: ClassVar[str] = "code.html"

    text: str


@dataclass(frozen=True)
class Section:
    """A section of a page; `key` names its place."""

    key: str
    title: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class Tile:
    """A number at the head of a page, with its name and one line on it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    """A whole report: what it is of, the numbers at its head, and its sections."""

    title: str
    subtitle: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    notes: Sequence[str] = field(default=())


def missing(what: str, why: str) -> Text:
    """Return the sentence that stands for data which a folder lacks: what is not shown, and why."""
    return Text(f"{what} is not shown: {why}.", missing=True)


def grey(pixels: np.ndarray) -> str:
    """Return the data URI of a picture of uint8 values (height, width) from black to white, or (height, width, 3) in colours."""
    colours = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return _png(np.concatenate((colours, np.full((*colours.shape[:2], 1), 255, np.uint8)), axis=2))


def signed(values: np.ndarray) -> str:
    """Return the data URI of a picture of values (height, width) from -1 to 1: orange below 0, blue above, clear at 0.

    What is clear shows the colour of the page, so that the picture suits light and dark.
    """
    shades = np.where(values[:, :, None] < 0.0, np.array([230, 97, 0]), np.array([40, 110, 235]))
    depth = np.rint(255.0 * np.clip(np.abs(values), 0.0, 1.0))[:, :, None]
    return _png(np.concatenate((shades, depth), axis=2).astype(np.uint8))


def _png(colours: np.ndarray) -> str:
    """Return the data URI of a picture of uint8 red, green, blue and opacity (height, width, 4)."""
    height, width, channels = colours.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # the first byte of a row says that no filter is used
    rows[:, 1:] = colours.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)  # 8 bits a channel, colours with opacity
    blocks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    made = b"\x89PNG\r\n\x1a\n" + b"".join(_block(name, content) for name, content in blocks)
    return "data:image/png;base64," + base64.b64encode(made).decode()


def _block(name: bytes, content: bytes) -> bytes:
    """Return a block of a PNG file (W3C, Portable Network Graphics, section 5.3): length, name, content and checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
