"""The folder of a run: it appears only when it is complete, and one process at a time works in it.

The lock is that of the operating system on the folder itself (flock): it needs no file that could be left behind, and it
ends with the process that holds it, however that ends. Programs that this process has started do not inherit the lock.
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
from hardware_models.check import RunError, UsageError, shown

if sys.platform != "win32":
    import fcntl

CANNOT_LOCK = "{folder} cannot be locked here: take care that no second process goes on with this run"


def has(folder: Path, name: str) -> bool:
    """Tell whether a folder has a file of that name; raise UsageError if the folder may not be read."""
    try:
        return (folder / name).is_file()
    except OSError as error:
        raise _closed(folder, error) from None


def must_be_new(folder: Path) -> None:
    """Raise UsageError if a file or folder of that name exists; commands ask before anything else can fail."""
    if os.path.lexists(folder):
        raise _taken(folder)


@contextmanager
def made(folder: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Make a folder with its first files, and hold the lock on it within the ``with``.

    The folder gets its name after the files are in it: whenever the folder is visible, the run can be resumed.

    Raises
    ------
    UsageError : if the folder exists already or cannot be made. RunError : if the files cannot be written. In both cases
    nothing is left behind.
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
            if isinstance(error, RunError):  # the message should not show the temporary name
                raise RunError(str(error).replace(str(young), str(folder))) from error
            raise
        with suppress(OSError):
            whole_files.sync_folder(folder.parent)
        yield


@contextmanager
def held(folder: Path, *, wait: bool = False, work: str = "run", option: str = "--out") -> Iterator[None]:
    """Hold the lock on a folder within the ``with``; if another process holds it, raise UsageError or, with `wait`, wait.

    The message names the `work` in the folder, and the `option` that gives another folder.
    """
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
                    f"another process works on the {work} in {folder}; wait until it has ended, or give another {option}."
                ) from None
            tell(f"warning: {CANNOT_LOCK.format(folder=folder)} ({error.strerror}).")  # on some network file systems
        yield
    finally:
        os.close(descriptor)


def there(folder: Path) -> None:
    """Make a folder that many runs or files share unless it is there; raise UsageError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        where = shown(str(folder), 200, quoted=False)
        raise UsageError(f"the folder {where} cannot be made ({error.strerror}); give another --folder.") from None


def _sweep(folder: Path) -> None:
    """Remove unfinished copies of this folder that killed processes have left; a living process holds a lock on its copy."""
    if sys.platform == "win32":
        return
    try:
        left = list(folder.parent.glob(f".{glob.escape(folder.name)}.*.new"))
    except OSError:  # the folder may not be read, which making the new folder will report
        return
    for young in left:
        if re.fullmatch(r"[0-9a-f]{16}", young.suffixes[-2][1:]):
            with suppress(UsageError, OSError), held(young):
                shutil.rmtree(young)


def _taken(folder: Path) -> UsageError:
    return UsageError(f"the folder {folder} exists already; give another --out, or --resume to go on with it.")


def _closed(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"the run folder {folder} cannot be opened ({error.strerror}).")


def _cannot(folder: Path, error: OSError) -> UsageError:
    return UsageError(f"the run folder {folder} cannot be made ({error.strerror}); give another --out.")


def _remove(folders: list[Path]) -> None:
    """Remove empty folders, inner ones first; stop at a folder that is missing or not empty."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
