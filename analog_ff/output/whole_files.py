"""A file is written as a whole or not at all: a temporary file beside it, fsync, rename, fsync of the folder.

Nothing else in a run writes. The bytes are complete before the first of them is written, so that a full disk finds plain
calls of the operating system and no library in the middle of its work.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from hardware_models.check import CommandError, RunError, UsageError, shown

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")
_PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


def write(path: Path, data: bytes | str, *, before: Path | None = None) -> None:
    """Write a file as a whole; text is UTF-8.

    Parameters
    ----------
    path : where it goes; a link that stands there is replaced, never followed.
    data : all of it.
    before : where the file goes that has stood at `path`; it is overwritten by default.

    Raises
    ------
    RunError : it cannot be written. What stood at `path` is kept, and nothing is left beside it.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    try:
        temporary = _beside(path, content)
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
    """Write a file as a whole where there is none, for a command that makes this one file.

    Raises
    ------
    UsageError : there is something of that name by now; it is left alone. CommandError : the file cannot be written.
    Nothing is left behind in both cases.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    place = shown(str(path), 200, quoted=False)
    try:
        temporary = _beside(path, content)
        try:
            _name_new(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except FileExistsError:
        raise UsageError(f"{place} exists and is not overwritten; give another name, or remove it.") from None
    except OSError as error:
        raise CommandError(f"{place} cannot be written ({error.strerror or type(error).__name__}).") from error


def _name_new(temporary: Path, path: Path) -> None:
    """Give a file its name unless there is one of that name."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: another program may still come between the two steps
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.replace(temporary, path)


def _beside(path: Path, content: bytes) -> Path:
    """Return a new file beside `path` that holds `content` and is on the disk."""
    # The name cannot be foreseen and the file must not exist, so no link that somebody planted is followed. Unlike
    # tempfile's, the file gets the permissions that the user's umask gives every file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)
        raise
    os.close(descriptor)
    return temporary


def sync_folder(folder: Path) -> None:
    """Bring a folder's names onto the disk, where the system knows such a thing."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove temporary files that a killed writer has left in a folder; nobody else may be writing there."""
    for file in folder.iterdir():
        if _TEMPORARY.fullmatch(file.name):
            file.unlink(missing_ok=True)


def holds_anything(folder: Path) -> bool:
    """Tell whether there is anything in a folder but what a killed writer has left."""
    return any(not _TEMPORARY.fullmatch(file.name) for file in folder.iterdir())
