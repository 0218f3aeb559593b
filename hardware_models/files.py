"""The one way in for files: read within limits, checked before use, every failure one sentence, every file noted.

A reader of a format works inside `reading`, which turns whatever goes wrong there (a damaged archive, a number where a
table should stand, nesting too deep, memory that does not suffice) into a `UsageError` that names the file and what it
should have been. No reader lists the exceptions that it expects: a library may raise others in its next version.

`contents` notes the SHA-256 of each file that it reads; `record` collects these notes. A run therefore knows every file it
depends on without a list kept by hand.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import math
import os
import stat
import tomllib
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from hardware_models.check import CommandError, RunError, UsageError, shown

SMALL = 2**24
"""Most bytes of a file that a person writes: parameter files, prices, configurations [B]."""
LARGE = 2**31
"""Most bytes of a file of numbers, and of the numbers in it once they are unpacked [B]."""

_NOTED: ContextVar[dict[str, str] | None] = ContextVar("noted", default=None)


@contextmanager
def record() -> Iterator[dict[str, str]]:
    """Collect {"<what> <file name>": SHA-256} of every file that is read inside the ``with``.

    Records nest: what an inner one sees, the outer one sees, too.
    """
    outer = _NOTED.get()
    noted: dict[str, str] = {}
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)
        if outer is not None:
            for name, digest in noted.items():
                _add(outer, name, digest)


def note(what: str, name: str, data: bytes) -> None:
    """Note the SHA-256 of `data`, the contents of a file called `name`, in the records that are open."""
    if _NOTED.get() is not None:
        note_digest(what, name, hashlib.sha256(data).hexdigest())


def note_digest(what: str, name: str, digest: str) -> None:
    """Note the SHA-256 of something that is no file of its own, such as the arrays of a data set."""
    noted = _NOTED.get()
    if noted is not None:
        _add(noted, f"{what} {name}", digest)


def _add(noted: dict[str, str], name: str, digest: str) -> None:
    """Add a note; two different files of one name are told apart by a number, in the order in which they are read."""
    numbered, number = name, 1
    while noted.get(numbered, digest) != digest:
        number += 1
        numbered = f"{name} ({number})"
    noted[numbered] = digest


@contextmanager
def reading(where: str | Path, expected: str) -> Iterator[None]:
    """Turn every failure inside the ``with`` into a UsageError: "<where> cannot be read as <expected> (<why>)."."""
    try:
        yield
    except (UsageError, RunError, CommandError):
        raise
    except Exception as error:
        reason = type(error).__name__ + (f": {shown(str(error), 160, quoted=False)}" if _says_something(error) else "")
        raise UsageError(f"{shown(str(where), 200, quoted=False)} cannot be read as {expected} ({reason}).") from error


def _says_something(error: Exception) -> bool:
    # Messages of these are addresses, single keys or empty: they would puzzle more than they tell.
    return bool(str(error).strip()) and not isinstance(error, KeyError | RecursionError | MemoryError | AssertionError)


def contents(path: str | Path, what: str, *, most: int = SMALL) -> bytes:
    """Return the bytes of a file and note their SHA-256.

    Parameters
    ----------
    path : the file; ``~`` is the user's home.
    what : what kind of file it is, in a word or two, for messages and for the record: "device file", "data file".
    most : number of bytes above which the file is refused unread.

    Raises
    ------
    UsageError : the file does not exist, is no regular file, cannot be read, or is larger than `most`.
    """
    shown_path = shown(str(path), 200, quoted=False)
    with reading(f"{what} {shown_path}", "a file"):
        place = Path(path).expanduser()
        try:
            # Without O_NONBLOCK a named pipe would wait for ever for somebody to write into it.
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
            data = b"" if state.st_size > most else file.read(state.st_size + 1)
        if state.st_size > most or len(data) > most:
            raise UsageError(f"{what} {shown_path} has {state.st_size} bytes, more than the {most} that are read.")
    note(what, place.name, data)
    return data


def text(data: bytes, where: str | Path) -> str:
    """Return UTF-8 text, with or without a byte order mark; UsageError names the first byte that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{where} is not UTF-8 text (line {line}); save it as UTF-8.") from None


def toml(data: bytes | str, where: str | Path) -> dict[str, Any]:
    """Return the table of a TOML file's text; `where` is named in errors."""
    written = text(data, where) if isinstance(data, bytes) else data
    with reading(where, "a TOML file"):
        return tomllib.loads(written)


def json_object(data: bytes | str, where: str | Path, expected: str = "a JSON file") -> dict[str, Any]:
    """Return the object ({...}) of a JSON text; NaN and infinity, which JSON does not know, are refused."""
    written = text(data, where) if isinstance(data, bytes) else data
    with reading(where, expected):
        found = json.loads(written, parse_constant=_refuse_constant)
    if not isinstance(found, dict):
        raise UsageError(f"{where} cannot be read as {expected} (it holds {shown(found)}, not an object {{...}}).")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def arrays(
    path: str | Path, what: str, names: Collection[str] | None = None, *, most: int = LARGE
) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file by name: all of them, or those of `names` that it has.

    The type and the shape in each array's header are checked against the size in the archive's directory, and all sizes
    together against `most`, before memory is taken; no more is unpacked than the headers promise. Arrays of Python
    objects are refused, since reading them could run code.

    Raises
    ------
    UsageError : no such file, no ``.npz`` archive, a damaged member, an array that is not plain numbers or strings.
    """
    raw = contents(path, what, most=most)
    where = shown(str(path), 200, quoted=False)
    found: dict[str, np.ndarray] = {}
    left = most
    with reading(where, "a .npz file, made by numpy.savez"), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if names is not None and name not in names:
                continue
            place = f"{where}: {shown(name, quoted=False)}"
            if name in found:
                raise UsageError(f"{place} is in the archive twice; expected each name once.")
            if member.file_size > left:
                raise UsageError(f"{place} takes {member.file_size} bytes, more than the {left} that are left to read.")
            left -= member.file_size
            with reading(place, "a NumPy array"):
                found[name] = _member(archive, member, place)
    return found


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: str) -> np.ndarray:
    """Return one array of an archive; its header has to agree with the size of the member."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise UsageError(f"{place} is of version {version} of NumPy's format; expected 1.0 to 3.0.")
        wide = version != (1, 0)
        length = int.from_bytes(file.read(4 if wide else 2), "little")
        if length > 2**16:
            raise UsageError(f"{place} has a header of {length} bytes; expected at most {2**16}.")
        header = ast.literal_eval(file.read(length).decode("utf-8" if version == (3, 0) else "latin-1").strip())
        if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
            raise UsageError(
                f"{place} has a header that names {shown(header)}; expected descr, fortran_order and shape."
            )
        shape, order, described = header["shape"], header["fortran_order"], header["descr"]
        whole = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
        if not whole or not isinstance(order, bool):
            raise UsageError(f"{place} has the shape {shown(shape)}; expected whole numbers of at least 0.")
        kind = np.dtype(described) if isinstance(described, str) else np.dtype(object)
        if kind.hasobject or kind.kind not in "biufcSU" or kind.itemsize == 0:
            raise UsageError(
                f"{place} holds {'Python objects (a pickle)' if kind.hasobject else kind}, expected plain numbers or strings."
            )
        size = math.prod(shape) * kind.itemsize
        start = 8 + (4 if wide else 2) + length
        if start + size != member.file_size:
            raise UsageError(
                f"{place} promises {size} bytes of {kind} {shape}, but the archive holds {member.file_size - start}."
            )
        data = file.read(size)
        if len(data) != size or file.read(1):
            raise UsageError(f"{place} ends after {len(data)} bytes; expected {size}.")
    return np.frombuffer(bytearray(data), dtype=kind).reshape(shape, order="F" if order else "C")


def gunzip(data: bytes, where: str | Path, most: int) -> bytes:
    """Return the bytes of a gzip stream, at most `most` of them and not one byte unpacked beyond.

    A longer stream is cut at `most`: its reader compares the length with what the header of the contents promises.
    """
    unpacked = bytearray()
    with reading(where, "a gzip file"):
        rest = data
        while rest and len(unpacked) < most:
            stream = zlib.decompressobj(wbits=31)
            unpacked += stream.decompress(rest, most - len(unpacked))
            if not stream.eof:
                if len(unpacked) < most:
                    raise EOFError("the stream ends before its end mark")
                break
            rest = stream.unused_data.lstrip(b"\0")
    return bytes(unpacked)
