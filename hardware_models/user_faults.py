"""What goes wrong inside a user's own class or function, told apart from faults of this project, in one sentence.

`guarded` looks through the calls that led to an exception: if one of them is in code that a user named (``file.py:name`` or
``package.module:name``), the exception becomes a `UsageError` or a `RunError`; any other goes on as it is.
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
    """Remember that a module is the user's; those of this project stay its own, whoever names them."""
    if module.partition(".")[0] not in _OWN:
        _WATCHED.add(module)


def files(pickled: bytes) -> list[str]:
    """Return the files of the user's whose classes a pickle holds; another process needs them before it can take it up.

    The name of a module that was read from a file is made of the hash of its path, so that it stands for nothing else in the
    pickle. Modules of packages are found by their names.
    """
    named = (name for name in sorted(_WATCHED) if name.startswith("_user_") and name.encode() in pickled)
    found = (getattr(sys.modules.get(name), "__file__", None) for name in named)
    return [file for file in found if file]


def described(error: BaseException) -> str:
    """Return an exception as one short line: its class and what it says, whatever its own methods do."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    name = type(error).__name__
    return f"{name}: {shown(said, 200, quoted=False).rstrip('.')}" if said else name


def blamed(error: BaseException | None) -> str | None:
    """Return "file.py, line 12, TypeError: ..." of an exception that came out of a user's code, or None."""
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
    """Turn what a user's code raises inside the ``with`` into an error of that kind; `exit` never ends in silence."""
    try:
        yield
    except (UsageError, RunError, CommandError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a user's own may be none of Exception's
        place = blamed(error)
        if place is None and isinstance(error, SystemExit):
            place = described(error)
        if place is None:
            raise
        raise kind(f"a class or function of the user's has failed ({place}).") from error
