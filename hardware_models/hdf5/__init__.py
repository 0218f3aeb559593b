"""Read HDF5 files of others in a separate process, so that no file can end the user's process or use up its memory.

The HDF5 library trusts the contents of a file: a few changed bytes can end the process by a signal, or make it reserve
gigabytes. The other process returns only numbers, strings and names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hardware_models.check import UsageError, shown
from hardware_models.files import contents, reading
from hardware_models.hdf5.process import ask

MOST = 2**29
"""Largest size of a file, and of its numbers after unpacking [B]."""
SMALL = 2**25
"""Size of unpacked numbers that even the smallest file may hold [B]."""
PACKING = 1100
"""Largest ratio of the size of unpacked numbers to that of the file; gzip reaches at most 1032."""


def tree(path: str | Path, what: str, *, most: int = MOST) -> dict[str, Any]:
    """Return the contents of an HDF5 file as nested dictionaries of arrays; strings are `str`, alone or in an array.

    Parameters
    ----------
    path : the file.
    what : kind of the file, for messages and for the record of files.
    most : largest size [B] of the file and of its unpacked numbers. The unpacked numbers of a file of f bytes may also not
        exceed the larger of `SMALL` and `PACKING` f.

    Raises
    ------
    UsageError : if the file is not HDF5 or is damaged, has links to other places, an object with two names, groups nested too
        deeply, or arrays that are neither plain numbers nor strings or take more than `most` bytes; or if it ends the process
        that reads it.
    """
    raw = contents(path, what, most=most)
    where = shown(str(path), 200, quoted=False)
    if b"\x89HDF\r\n\x1a\n" not in raw[:8192]:
        raise UsageError(f"{where} is not an HDF5 file.")
    with reading(where, "an HDF5 file"):
        return ask(raw, where, min(most, max(SMALL, PACKING * len(raw))))
