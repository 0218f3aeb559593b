"""Keep relative paths starting from the folder in which a command or a run began, even if a user's code calls `os.chdir`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HERE: list[str] = []


@contextmanager
def in_place(here: str | None = None) -> Iterator[None]:
    """Keep relative paths, within the ``with``, relative to the present folder or to `here`, even if a user's code calls chdir.

    Afterwards the working directory is restored. Inside another ``with`` the folder of the outer one is used.
    """
    try:
        here = _HERE[-1] if _HERE else here or os.getcwd()
    except OSError:  # the folder was removed, so relative paths have no meaning
        yield
        return
    _HERE.append(here)
    try:
        yield
    finally:
        _HERE.pop()
        with suppress(OSError):
            os.chdir(here)


def place_now() -> str | None:
    """Return the folder from which relative paths start within `in_place`; None outside of it."""
    return _HERE[-1] if _HERE else None


def placed(path: Path) -> Path:
    """Return a path; a relative one is joined to the folder in which `in_place` began."""
    return Path(_HERE[-1]) / path if _HERE else path
