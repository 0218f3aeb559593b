"""The folder of a run: it comes into being complete, and one process at a time works in it.

The lock is the operating system's own on the folder itself (flock): no file that could be left behind, and gone at the moment
in which its owner ends, however it ends. Programs that the owner has started do not inherit it.
"""

from __future__ import annotations

import errno
import glob
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from analog_ff.output import whole_files
from analog_ff.output.messages import tell
from hardware_models.check import RunError, UsageError

if sys.platform != "win32":
    import fcntl

CANNOT_LOCK = "{folder} cannot be locked here: take care that no second process goes on with this run"


def has(folder: Path, name: str) -> bool:
    """Return whether there is a file of that name in a folder; UsageError where nobody may look into it."""
    try:
        return (folder / name).is_file()
    except OSError as error:
        raise _closed(folder, error) from None


def must_be_new(folder: Path) -> None:
    """Raise UsageError if there is anything of that name already."""
    if os.path.lexists(folder):
        raise _taken(folder)


@contextmanager
def made(folder: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Make a folder with its first files, and hold the lock on it within the ``with``.

    It gets its name when the files are in it: whoever sees the folder can go on with the run.

    Raises
    ------
    UsageError : there is a folder of that name already, or it cannot be made. RunError : the files cannot be written.
    Nothing is left behind in both cases.
    """
    must_be_new(folder)
    _sweep(folder)
    above = [place for place in (folder.parent, *folder.parent.parents) if not os.path.exists(place)]
    young = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        young.mkdir()
    except OSError as error:
        _remove(above)
        raise _cannot(folder, error) from None
    with held(young):
        try:
            for name, text in files.items():
                whole_files.write(young / name, text)
            try:
                young.rename(folder)
            except OSError as error:
                raise _taken(folder) if folder.exists() else _cannot(folder, error) from None
        except BaseException as error:
            for name in files:
                (young / name).unlink(missing_ok=True)
            _remove([young, *above])
            if isinstance(error, RunError):  # the name for the time being would puzzle
                raise RunError(str(error).replace(str(young), str(folder))) from error
            raise
        with suppress(OSError):
            whole_files.sync_folder(folder.parent)
        yield


@contextmanager
def held(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock on a folder within the ``with``; UsageError at once if another process holds it, unless asked to wait."""
    if sys.platform == "win32":
        tell(f"warning: {CANNOT_LOCK.format(folder=folder)}.")
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _closed(folder, error) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise UsageError(
                    f"another process works on the run in {folder}; wait until it has ended, or give another --out."
                ) from None
            tell(f"warning: {CANNOT_LOCK.format(folder=folder)} ({error.strerror}).")  # some network file systems
        yield
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Remove what was to become this folder when its maker was killed; a living one holds the lock on his."""
    if sys.platform == "win32":
        return
    try:
        left = list(folder.parent.glob(f".{glob.escape(folder.name)}.*.new"))
    except OSError:  # nobody may look there; making the folder says so
        return
    for young in left:
        if re.fullmatch(r"[0-9a-f]{16}", young.suffixes[-2][1:]):
            with suppress(UsageError, OSError), held(young):
                shutil.rmtree(young)


def _taken(folder: Path) -> UsageError:
    return UsageError(f"the run folder {folder} exists already; give another --out, or --resume to go on with it.")


def _closed(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"the run folder {folder} cannot be opened ({error.strerror}).")


def _cannot(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"the run folder {folder} cannot be made ({error.strerror}); give another --out.")


def _remove(folders: list[Path]) -> None:
    """Remove empty folders, the inner ones first; one that is not there or not empty any more ends it."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
