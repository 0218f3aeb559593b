"""Report exceptions from a user's own class or function in one sentence, and keep them apart from faults of this project.

`guarded` looks through the calls that led to an exception: if one of them is in code that a user named (``file.py:name`` or
``package.module:name``), the exception becomes a `UsageError` or a `RunError`; any other exception passes unchanged.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hardware_models.check import CommandError, RunError, UsageError, shown

_OWN = ("hardware_models", "analog_ff")
_WATCHED: set[str] = set()


def watch(module: str) -> None:
    """Remember that a module is the user's; modules of this project never count as the user's."""
    if module.partition(".")[0] not in _OWN:
        _WATCHED.add(module)


def files(pickled: bytes) -> list[str]:
    """Return the user's files whose classes a pickle holds; another process must run them before it loads the pickle.

    The name of a module from a user's file holds the hash of its path, so that it cannot mean anything else in the pickle.
    Modules of packages are found by their names and are not listed.
    """
    named = (name for name in sorted(_WATCHED) if name.startswith("_user_") and name.encode() in pickled)
    found = (getattr(sys.modules.get(name), "__file__", None) for name in named)
    return [file for file in found if file]


def described(error: BaseException) -> str:
    """Return an exception as one short line, its class and its message, even if its own methods fail."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    name = type(error).__name__
    return f"{name}: {shown(said, 200, quoted=False).rstrip('.')}" if said else name


def where(error: BaseException, file: str) -> str:
    """Return "line 12, " for the last line of a user's file that led to an exception; nothing if none did."""
    name = Path(file).name
    lines = [
        line for frame, line in traceback.walk_tb(error.__traceback__) if Path(frame.f_code.co_filename).name == name
    ]
    return f"line {lines[-1]}, " if lines else ""


def blamed(error: BaseException | None) -> str | None:
    """Return "file.py, line 12, TypeError: ..." for an exception from a user's code; None for any other."""
    while error is not None:
        place = None
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_globals.get("__name__") in _WATCHED:
                place = f"{Path(frame.f_code.co_filename).name}, line {line}, {described(error)}"
        if place is not None:
            return place
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def guarded(kind: type[UsageError] | type[RunError]) -> Iterator[None]:
    """Turn an exception from a user's code inside the ``with`` into an error of class `kind`; `exit` is one of them."""
    try:
        yield
    except (UsageError, RunError, CommandError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a user's exception need not be an Exception, and `exit` raises SystemExit
        place = blamed(error)
        if place is None and isinstance(error, SystemExit):
            place = described(error)
        if place is None:
            raise
        raise kind(f"a class or function of the user's has failed ({place}).") from error
