"""Turn the bytes of an exported file into rows of text: encoding, separator, lines before the header.

The file does not state its encoding or separator, so the functions try the common ones and report their choice.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hardware_models.check import UsageError, shown

MOST_BYTES = 2**27
"""Largest size of a file [B]."""
MOST_ROWS = 2_500_000
"""Largest number of rows below the header."""
LONGEST_LINE = 20_000
"""Largest number of characters in a line; a file with one endless line is not a table."""
PREAMBLE = 200
"""Number of lines in which the header is searched."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
BINARY = (
    ((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), "a workbook or an archive"),
    ((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ"), "a compressed file"),
    ((b"\x89HDF", b"CDF", b"TDSm", b"MATLAB 5.0", b"PAR1"), "a binary file of data (HDF5, netCDF, TDMS, MATLAB or Parquet)"),
    ((b"%PDF", b"\x89PNG", b"\xff\xd8\xff"), "a document or a picture"),
)  # fmt: skip
"""First bytes of files that are no text, and what such a file is."""
SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "bar", ",": "comma", " ": "blanks"}
"""Separators, the most reliable first: a comma may also be a decimal comma, and many names contain blanks."""


@dataclass(frozen=True)
class Sheet:
    """The text of a table, its separator and its header."""

    where: str
    text: str
    encoding: str
    separator: str
    head: int  # number of the header's line; 0 without a header
    header: tuple[str, ...]

    def rows(self, skip: int = 0) -> Iterator[tuple[int, list[str]]]:
        """Yield line number and cells of each row below the header, without empty rows, comments and the first `skip` rows."""
        for line, raw in lines_of(self.text):
            if line <= self.head or not raw.strip() or raw.startswith("#"):
                continue
            cells = split(raw, self.separator)
            if not any(cells):
                continue
            if skip:
                skip -= 1
                continue
            yield line, cells


def decoded(data: bytes, where: str) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding; raise UsageError if the file is not text."""
    for marks, what in BINARY:
        if data.startswith(marks):
            raise UsageError(f"{where} is {what}, no text; export its table as CSV.")
    known = next(((codec, name) for mark, codec, name in MARKS if data.startswith(mark)), None)
    if known is None and b"\0" in data[:4096]:
        # UTF-16 without a byte order mark has a zero in every other byte.
        known = (
            ("utf-16-le", "UTF-16") if data[1:4096:2].count(0) > data[0:4096:2].count(0) else ("utf-16-be", "UTF-16")
        )
    if known is not None:
        codec, name = known
        try:
            text = data.decode(codec)
        except UnicodeDecodeError as error:
            before = data[: error.start].decode(codec, "ignore")
            line = max(1, sum(1 for _ in lines_of(_line_ends(before) + "x")))
            raise UsageError(
                f"{where}, line {line}: no {name} text, as which the file begins; it is damaged."
            ) from None
    else:
        text, name = _eight_bit(data)
    # Files put together have a mark twice; DOS programs end a text with Ctrl-Z.
    return text.lstrip("\ufeff").removesuffix("\x1a"), name


def _eight_bit(data: bytes) -> tuple[str, str]:
    for codec, name in (("utf-8", "UTF-8"), ("cp1252", "cp1252")):
        try:
            return data.decode(codec), name
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "Latin-1"


def _line_ends(text: str) -> str:
    """Return a text whose lines end with LF; files have CR, LF or both."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line of a text whose lines end with LF (see `sheet`)."""
    number, at = 1, 0
    while (end := text.find("\n", at)) >= 0:
        yield number, text[at:end]
        number, at = number + 1, end + 1
    if at < len(text):
        yield number, text[at:]


def split(line: str, separator: str) -> list[str]:
    """Return the cells of a line without surrounding blanks."""
    if separator == " ":
        return line.split()
    cells = (
        line.split(separator)
        if '"' not in line
        else next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    )
    return [cell.strip() for cell in cells]


def sheet(data: bytes | str, where: str, known: Callable[[list[str]], int], *, headless: bool = False) -> Sheet:
    """Return the table in the bytes, or in the text, of a file.

    Parameters
    ----------
    known : function that counts the names of columns among the cells of a line. The line and separator with most names give
        the header. If no line has two names, the first line that is not a comment is the header.
    headless : True if the user gives numbers of columns: a table without names then has no header, and begins with the first
        row of numbers.
    """
    text, encoding = decoded(data, where) if isinstance(data, bytes) else (data, "text")
    text = _line_ends(text)
    if (at := text.find("\0")) >= 0:
        place = sum(1 for _ in lines_of(text[: at + 1]))
        raise UsageError(f"{where}, line {place}: a NUL character, which no table of numbers has; the file is damaged.")
    for number, line in lines_of(text):
        if len(line) > LONGEST_LINE:
            raise UsageError(
                f"{where}, line {number}: {len(line)} characters, more than the {LONGEST_LINE} that a line may have."
            )
    best: tuple[int, bool, int, str, list[str]] | None = None
    first: tuple[int, str] | None = None
    for seen, (number, line) in enumerate((n, x) for n, x in lines_of(text) if x.strip()):
        if seen == PREAMBLE:
            break
        bare = line.lstrip("#% ") if line.startswith(("#", "%")) else line
        if first is None and bare is line:
            first = number, line
        tried: list[list[str]] = []
        for separator in SEPARATORS:
            cells = split(bare, separator)
            if cells in tried:  # most separators leave a line in one piece
                continue
            tried.append(cells)
            score = known(cells)
            # A header that is written as a comment is used if there is no other.
            if score and (best is None or (score, bare is line) > best[:2]):
                best = score, bare is line, number, separator, cells
    if first is None:
        raise UsageError(f"{where}, line 1: the file is empty; a header and one row a pulse are needed.")
    if headless and (best is None or best[0] < 2):
        return _headless(text, where, encoding)
    if best is None:
        separator = max(SEPARATORS, key=lambda s: first[1].count(s) if s != " " else 0)
        best = 0, True, first[0], separator, split(first[1], separator)
    header = [shown(cell, 80, quoted=False) for cell in best[4]]
    while len(header) > 1 and not header[-1]:  # a separator at the end of a line does not begin a column
        header.pop()
    return Sheet(where, text, encoding, best[3], best[2], tuple(header))


def _headless(text: str, where: str, encoding: str) -> Sheet:
    """Return a table without a header, whose rows begin with the first line in which most cells are numbers."""
    for number, line in lines_of(text):
        for separator in SEPARATORS:
            cells = split(line, separator)
            numbers = sum(cell.strip("+-0123456789.,eE") == "" and cell != "" for cell in cells)
            if len(cells) > 1 and 2 * numbers > len(cells):
                names = tuple(f"column {i}" for i in range(1, len(cells) + 1))
                return Sheet(where, text, encoding, separator, number - 1, names)
        if number == PREAMBLE:
            break
    raise UsageError(f"{where}: no row of numbers in the first {PREAMBLE} lines.")
