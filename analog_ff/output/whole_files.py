"""Write a file completely or not at all: a temporary file beside it, fsync, rename, fsync of the folder.

A run writes files only in this way. All bytes are complete in memory before the first one is written, so that a full disk
interrupts plain calls of the operating system and not a library in the middle of its work.
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
    """Write a complete new file, for a command that makes this one file.

    Raises
    ------
    UsageError : if a file of that name exists; it is not changed. CommandError : if the file cannot be written. In both cases
    nothing is left behind.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    shown_path = shown(str(path), 200, quoted=False)
    try:
        temporary = _beside(path, content)
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


def _beside(path: Path, content: bytes) -> Path:
    """Write `content` to a new temporary file beside `path`, with fsync, and return its path."""
    # The name cannot be guessed and the file must not exist, so that no planted link is followed. Unlike a file of the
    # module tempfile, this one gets the permissions of the user's umask.
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
