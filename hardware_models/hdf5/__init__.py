"""HDF5 files of others: read in a process of its own, so that no file can end the user's process or take its memory.

The HDF5 library believes what a file says of itself: a few changed bytes end it by a signal, or let it ask for gigabytes. What
comes back from the other process is numbers, strings and names alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardware_models.check import UsageError, shown
from hardware_models.files import contents, reading
from hardware_models.hdf5.process import ask

MOST = 2**29
"""Most bytes of a file, and of the numbers in it once they are unpacked [B]."""
SMALL = 2**25
"""Bytes of numbers that a file of any size may hold once they are unpacked [B]."""
PACKING = 1100
"""Most bytes of numbers for a byte of a file; gzip packs 1032 to 1 at best."""


def tree(path: str | Path, what: str, *, most: int = MOST) -> dict[str, Any]:
    """Return an HDF5 file as nested dictionaries of arrays; a string, alone or in an array, is a `str`.

    Parameters
    ----------
    path : the file.
    what : what kind of file it is, for messages and the record of files.
    most : number of bytes above which the file, or its numbers once they are unpacked, are refused. A file of f bytes may
        also hold no more numbers than the larger of `SMALL` and `PACKING` f.

    Raises
    ------
    UsageError : the file is none or damaged, has links to elsewhere, an object twice, groups nested too deeply, or arrays that
        are neither plain numbers nor strings or take more than `most` bytes; or it ends the process that reads it.
    """
    raw = contents(path, what, most=most)
    where = shown(str(path), 200, quoted=False)
    if b"\x89HDF\r\n\x1a\n" not in raw[:8192]:
        raise UsageError(f"{where} is not an HDF5 file.")
    with reading(where, "an HDF5 file"):
        return ask(raw, where, min(most, max(SMALL, PACKING * len(raw))))
