"""Where relative paths start: where a command or a run began, wherever a user's own code moves afterwards (`os.chdir`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HERE: list[str] = []


@contextmanager
def in_place(here: str | None = None) -> Iterator[None]:
    """Let relative paths mean within the ``with`` what they mean now, or in the folder `here`: a user's own code may move.

    Afterwards the working directory is what it was. Within another ``with`` the outer one's holds.
    """
    try:
        here = _HERE[-1] if _HERE else here or os.getcwd()
    except OSError:  # the folder was removed: relative paths mean nothing anyway
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
    """Return the folder that relative paths start from within `in_place`."""
    return _HERE[-1] if _HERE else None


def placed(path: Path) -> Path:
    """Return a path as it was meant when `in_place` began."""
    return Path(_HERE[-1]) / path if _HERE else path
