"""Write a file completely or not at all: a temporary file beside it, fsync, rename, fsync of the folder.

A run writes files only in this way. A full disk interrupts plain calls of the operating system and not a library in the middle
of its work: small files are complete in memory before the first byte is written, and a library that writes a large one itself
(`build`) is not told of a failure until it is done.
"""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hardware_models.check import CommandError, RunError, UsageError, shown

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: Path, data: bytes | str, *, before: Path | None = None) -> None:
    """Write a complete file; text is encoded as UTF-8.

    Parameters
    ----------
    path : path of the file; a link at this path is replaced, never followed.
    data : contents of the file.
    before : new path of an older file at `path`; by default the older file is overwritten.

    Raises
    ------
    RunError : if the file cannot be written. An older file at `path` is kept, and no temporary file is left.
    """
    build(path, lambda file: file.write(_bytes(data)), before=before)


def build(path: Path, make: Callable[[File], object], *, before: Path | None = None) -> None:
    """Write a complete file as `write` does, by `make`, which writes and reads it anywhere, as a library does that wants a file.

    An exception of `make` passes through and leaves no file, unless a call of the operating system failed before: that failure
    is raised as RunError.
    """
    try:
        temporary = _beside(path, make)
        try:
            if before is not None and path.exists():
                os.replace(path, before)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RunError(f"{shown(str(path), 200, quoted=False)} could not be written ({reason})") from error


def create(path: Path, data: bytes | str) -> None:
    """Write a complete new file, for a command that makes this one file.

    Raises
    ------
    UsageError : if a file of that name exists; it is not changed. CommandError : if the file cannot be written. In both cases
    nothing is left behind.
    """
    shown_path = shown(str(path), 200, quoted=False)
    try:
        temporary = _beside(path, lambda file: file.write(_bytes(data)))
        try:
            _name_new(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        raise UsageError(f"{shown_path} exists and is not overwritten; give another name, or remove it.") from None
    except OSError as error:
        raise CommandError(f"{shown_path} cannot be written ({error.strerror or type(error).__name__}).") from error


def _name_new(temporary: Path, path: Path) -> None:
    """Give a temporary file its name; raise FileExistsError if the name exists."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # this file system has no links; another program may act between the two steps below
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.replace(temporary, path)


class File(io.RawIOBase):
    """A temporary file; after the first call that fails it takes everything and keeps nothing, and `failure` says why."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failure: OSError | None = None

    def write(self, data: ReadableBuffer) -> int:
        """Write all of `data` at the present place, and return its number of bytes."""
        left = memoryview(data).cast("B") if memoryview(data).nbytes else memoryview(b"")
        size = len(left)
        try:
            while left and self.failure is None:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self.failure = error
        return size

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read at the present place and return the number of bytes."""
        place = memoryview(buffer).cast("B")
        data = os.read(self._descriptor, len(place))
        place[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another place and return it."""
        return os.lseek(self._descriptor, offset, whence)

    def truncate(self, size: int | None = None) -> int:
        """Set the size of the file and return it."""
        size = self.tell() if size is None else size
        try:
            os.ftruncate(self._descriptor, size)
        except OSError as error:
            self.failure = self.failure or error
        return size

    def readable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True


def _bytes(data: bytes | str) -> bytes:
    return data.encode("utf-8") if isinstance(data, str) else data


def _beside(path: Path, make: Callable[[File], object]) -> Path:
    """Make a new temporary file beside `path`, with fsync, and return its path."""
    # The name cannot be guessed and the file must not exist, so that no planted link is followed. Unlike a file of the
    # module tempfile, this one gets the permissions of the user's umask.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | _PLAIN, 0o666)
    try:
        file = File(descriptor)
        try:
            make(file)
        except Exception:
            if file.failure is None:
                raise
        if file.failure is not None:
            raise file.failure
        os.fsync(descriptor)
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        temporary.unlink(missing_ok=True)
        raise
    os.close(descriptor)
    return temporary


def sync_folder(folder: Path) -> None:
    """Force the names in a folder onto the disk (fsync), if the operating system can do that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove temporary files of a killed writer from a folder; no other process may be writing there."""
    for file in folder.iterdir():
        if _TEMPORARY.fullmatch(file.name):
            file.unlink(missing_ok=True)


def holds_anything(folder: Path) -> bool:
    """Tell whether a folder holds anything besides temporary files of a killed writer."""
    return any(not _TEMPORARY.fullmatch(file.name) for file in folder.iterdir())
