"""Read files within limits, check them before use, and turn every failure into one sentence. All files come in this way.

A reader of a format works inside `reading`, which turns every exception raised there (a damaged archive, a number instead
of a table, too deep nesting, too little memory) into a `UsageError` that names the file and the expected format. No reader
lists the exceptions that it expects, because the next version of a library may raise others.

`contents` notes the SHA-256 of each file that it reads; `record` collects these notes. A run therefore knows every file on
which it depends, without a list kept by hand.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import math
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO

from hardware_models.check import CommandError, RunError, UsageError, shown
from hardware_models.places import placed

SMALL = 2**24
"""Largest size of a file that a person writes: parameter files, prices, configurations [B]."""
LARGE = 2**31
"""Largest size of a file of numbers, and of its numbers after unpacking [B]."""
Table = dict[str, Any]
"""A table of a TOML or JSON file as its reader gives it; nothing in it has been checked."""
MOST_TOML = 2**20
"""Largest number of characters of a TOML text; the longest of this project has 30 000."""
MOST_PARTS = 50
"""Largest number of points between names in a line of TOML; the parser's time grows with the square of a key's parts."""

_BETWEEN_NAMES = re.compile(r"\.(?=[ \t]*(?:[A-Za-z_\"'-]|\d+[ \t]*\.))")  # a point that is not a decimal point

_DECIMAL_COMMA = re.compile(r"=[ \t]*([+-]?\d+,\d+(?:[eE][+-]?\d+)?)[ \t\r]*(?:#.*)?$")
_AT_LINE = re.compile(r"\(at line (\d+),")  # the line at which the parser stopped

_NOTED: ContextVar[tuple[dict[str, str], ...]] = ContextVar("noted", default=())


@contextmanager
def record() -> Iterator[dict[str, str]]:
    """Collect {"<what> <file name>": SHA-256} of every file that is read inside the ``with``.

    Records can be nested: files noted in an inner record are also noted in the outer one. If two different files have the same
    name, the second entry gets a number.
    """
    noted: dict[str, str] = {}
    token = _NOTED.set((*_NOTED.get(), noted))
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def note(what: str, name: str, data: bytes) -> None:
    """Note the SHA-256 of `data`, the contents of a file called `name`, in all open records."""
    if _NOTED.get():
        note_digest(what, name, hashlib.sha256(data).hexdigest())


def note_digest(what: str, name: str, digest: str) -> None:
    """Note a SHA-256 that is not that of a single file, such as the digest of a data set's arrays."""
    for noted in _NOTED.get():
        noted_as(noted, what, name, digest)


def noted_as(noted: dict[str, str], what: str, name: str, digest: str) -> None:
    """Enter a digest into one record, with a number after its name if the name has another digest already."""
    numbered, number = f"{what} {name}", 1
    while noted.get(numbered, digest) != digest:
        number += 1
        numbered = f"{what} {name} ({number})"
    noted[numbered] = digest


class InWordsError(ValueError):
    """A fault of a file in words of this project, which a message shows without the name of an exception."""


@contextmanager
def reading(where: str | Path, expected: str) -> Iterator[None]:
    """Turn every failure inside the ``with`` into a UsageError: "<where> cannot be read as <expected> (<why>)."."""
    try:
        yield
    except (UsageError, RunError, CommandError):
        raise
    except Exception as error:
        raise UsageError(
            f"{shown(str(where), 200, quoted=False)} cannot be read as {expected} ({_reason(error)})."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, InWordsError):
        return str(error)
    name = type(error).__name__
    try:
        said = str(error).partition("; use sys.set_int_max_str_digits")[0].strip()  # without the advice for programmers
    except Exception:
        return name
    # Messages of these exceptions are addresses, single keys or empty, and would not help a user.
    dumb = isinstance(error, KeyError | RecursionError | MemoryError | AssertionError)
    return f"{name}: {shown(said, 160, quoted=False).rstrip('.')}" if said and not dumb else name


def home(place: str | Path, what: str = "the path") -> Path:
    """Return the path that a user gives, with ``~`` replaced by the home folder; `what` describes the path in messages.

    Raises UsageError for the home of an unknown user, and for names that no file can have, so that a later test of the file's
    existence cannot fail.
    """
    named = f"{what} {shown(str(place), 200, quoted=False)}"
    try:
        path = Path(place).expanduser()
    except RuntimeError:
        raise UsageError(f"{named} begins with the home of a user that this machine does not know.") from None
    if "\0" in str(path):
        raise UsageError(f"{named} holds a null character, which no path can.")
    with reading(named, "a path"):
        if len(os.fsencode(path)) > 4000 or any(len(os.fsencode(part)) > 255 for part in path.parts):
            raise UsageError(f"{named} is too long: a name has at most 255 bytes, a path 4000.")
    return path


def contents(path: str | Path, what: str, *, most: int = SMALL) -> bytes:
    """Return the bytes of a file and note their SHA-256.

    Parameters
    ----------
    path : the file; ``~`` is the user's home.
    what : kind of the file in a word or two, for messages and for the record: "device file", "data file".
    most : largest size [B]; a larger file is refused without being read.

    Raises
    ------
    UsageError : if the file does not exist, is not a regular file, cannot be read, or is larger than `most`.
    """
    with opening(path, what, most=most) as file:
        size = os.fstat(file.fileno()).st_size
        # `read` reserves all the memory that it is asked for, and some files are longer than their stated size.
        data = file.read(size + 1)
        if len(data) > size:
            data += file.read(most + 1 - len(data))
        if len(data) > most:
            raise _too_large(path, what, len(data), most)
    note(what, placed(home(path, what)).name, data)
    return data


@contextmanager
def opening(path: str | Path, what: str, *, most: int = SMALL) -> Iterator[BinaryIO]:
    """Open a file for reading within the ``with``, for a reader that takes it piece by piece; nothing is noted.

    Parameters and errors are those of `contents`; a failure inside the ``with`` is a UsageError, too.
    """
    shown_path = shown(str(path), 200, quoted=False)
    with reading(f"{what} {shown_path}", "a file"):
        place = placed(home(path, what))
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for ever for a writer.
            descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            raise UsageError(f"{what} {shown_path} does not exist.") from None
        except OSError as error:
            raise UsageError(f"{what} {shown_path} cannot be read ({error.strerror}).") from None
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            os.close(descriptor)
            raise UsageError(f"{what} {shown_path} is no regular file; give the path of a file.")
        with open(descriptor, "rb") as file:
            if state.st_size > most:
                raise _too_large(path, what, state.st_size, most)
            yield file


def _too_large(path: str | Path, what: str, size: int, most: int) -> UsageError:
    return UsageError(
        f"{what} {shown(str(path), 200, quoted=False)} has {size} bytes, more than the {most} that are read."
    )


def packaged(package: str, name: str, what: str) -> str:
    """Return the text of a file that is part of a package, and note its SHA-256 like that of any other file."""
    data = resources.files(package).joinpath(name).read_bytes()
    note(what, name, data)
    return text(data, name)


def text(data: bytes, where: str | Path) -> str:
    """Return UTF-8 text without its byte order mark; raise UsageError, with the line, if a byte is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{where} is not UTF-8 text (line {line}); save it as UTF-8.") from None


def toml(data: bytes | str, where: str | Path, expected: str = "a TOML file") -> Table:
    """Return the table of a TOML file's text; `where` is the file's name in error messages."""
    written = text(data, where) if isinstance(data, bytes) else data
    if len(written) > MOST_TOML:
        raise UsageError(f"{where} has {len(written)} characters, more than the {MOST_TOML} that a TOML file may have.")
    for number, line in enumerate(written.split("\n"), 1):
        if line.count(".") > MOST_PARTS and len(_BETWEEN_NAMES.findall(line)) > MOST_PARTS:
            raise UsageError(f"{where}, line {number}: a name of more than {MOST_PARTS} parts; expected two or three.")
    with reading(where, expected):
        try:
            return tomllib.loads(written)
        except tomllib.TOMLDecodeError as error:
            number = int(at.group(1)) if (at := _AT_LINE.search(str(error))) is not None else 0
            line = written.split("\n")[number - 1] if number else ""
            if (comma := _DECIMAL_COMMA.search(line)) is not None:
                place = f"{shown(str(where), 200, quoted=False)}, line {number}"
                raise UsageError(
                    f"{place}: numbers take a decimal point, got {shown(comma.group(1))}; write "
                    f"{shown(comma.group(1).replace(',', '.'), quoted=False)}."
                ) from None
            raise


def toml_value(value: object) -> str:
    """Return a string, a number or a list as TOML, which is JSON except for three things.

    TOML has no escaped surrogate pairs, so letters are written as they are. It allows no bare DEL character, and no half of a
    surrogate pair, which the name of a file may contain.
    """
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return written.encode("utf-8", "replace").decode("utf-8")


def json_object(data: bytes | str, where: str | Path, expected: str = "a JSON file") -> Table:
    """Return the object ({...}) of a JSON text.

    Raises UsageError for NaN and infinity, which JSON does not have, for numbers too large for a float, and for a name that
    occurs twice in one object.
    """
    written = text(data, where) if isinstance(data, bytes) else data
    with reading(where, expected):
        value = json.loads(
            written, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_object_of_single_names
        )
    if not isinstance(value, dict):
        raise UsageError(f"{where} cannot be read as {expected} (it holds {shown(value)}, not an object {{...}}).")
    return value


def _refuse_constant(name: str) -> float:
    raise InWordsError(f"{name} is no number of JSON")


def _finite(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise InWordsError(f"the number {shown(written, quoted=False)} is too large")
    return number


def _object_of_single_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    by_name = dict(pairs)
    if len(by_name) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise InWordsError(f"the name {shown(twice)} stands twice in one object")
    return by_name


def gunzip(data: bytes, where: str | Path, most: int) -> bytes:
    """Return the first `most` bytes of a gzip file, without unpacking much more than these.

    Longer contents are cut at `most`: the reader of the contents compares their length with their header.
    """
    with reading(where, "a gzip file"), gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return file.read(most)
