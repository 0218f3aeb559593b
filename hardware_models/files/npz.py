"""Read a ``.npz`` file of NumPy: no more is unpacked than the headers promise, and objects that could run code are refused."""

from __future__ import annotations

import ast
import io
import math
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.files.way_in import LARGE, contents, reading

MOST_MEMBERS = 10_000
"""Largest number of arrays in a ``.npz`` file."""
MOST_HEADER = 10_000
"""Largest size of the header of an array, as in NumPy [B]."""


def arrays(
    path: str | Path, what: str, names: Collection[str] | None = None, *, most: int = LARGE
) -> dict[str, np.ndarray]:
    """Return the arrays of a ``.npz`` file by name: all of them, or those of `names` that the file has.

    The type and the shape in each array's header are checked against the size in the archive's directory, and all sizes
    together against `most`, before memory is reserved; no more is unpacked than the headers state. Arrays of Python
    objects are refused, because reading them could run code.

    Raises
    ------
    UsageError : for a missing file, a file that is no ``.npz`` archive, a damaged member, or an array that does not hold plain
        numbers or strings.
    """
    raw = contents(path, what, most=most)
    where = shown(str(path), 200, quoted=False)
    by_name: dict[str, np.ndarray] = {}
    left = most
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        raise UsageError(f"{where} is not a .npz file; expected one made by numpy.savez.")
    with reading(where, "a .npz file, made by numpy.savez"), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise UsageError(f"{where} holds {len(members)} arrays, more than the {MOST_MEMBERS} that are read.")
        for member in members:
            name = member.filename.removesuffix(".npy")
            if names is not None and name not in names:
                continue
            place = f"{where}: {shown(name, quoted=False)}"
            if name in by_name:
                raise UsageError(f"{place} is in the archive twice; expected each name once.")
            if member.file_size > left:
                raise UsageError(f"{place} takes {member.file_size} bytes, more than the {left} that are left to read.")
            left -= member.file_size
            with reading(place, "a NumPy array"):
                by_name[name] = _member(archive, member, place)
    return by_name


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: str) -> np.ndarray:
    """Return one array of an archive; raise UsageError if its header disagrees with the size of the member."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Other methods of compression unpack a complete block at once, of whatever size.
        raise UsageError(
            f"{place} is compressed in a way that NumPy does not use; save it with numpy.savez_compressed."
        )
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise UsageError(f"{place} is of version {version} of NumPy's format; expected 1.0 to 3.0.")
        wide = version != (1, 0)
        length = int.from_bytes(file.read(4 if wide else 2), "little")
        if length > MOST_HEADER:
            raise UsageError(f"{place} has a header of {length} bytes; expected at most {MOST_HEADER}.")
        kind, shape, order = _described(file.read(length).decode("utf-8" if version == (3, 0) else "latin-1"), place)
        size = math.prod(shape) * kind.itemsize
        start = 8 + (4 if wide else 2) + length
        if start + size != member.file_size:
            raise UsageError(
                f"{place} promises {size} bytes of {kind} {shape}, but the archive holds {member.file_size - start}."
            )
        data = np.empty(size, np.uint8)
        done = 0
        while piece := file.read(2**20):  # in pieces, so that there is only one copy of a large array
            data[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
        if done != size:
            raise UsageError(f"{place} ends after {done} bytes; expected {size}.")
    return data.view(kind).reshape(shape, order="F" if order else "C")


def _described(header: str, place: str) -> tuple[np.dtype, tuple[int, ...], bool]:
    """Return the type and the shape in the header of an array, and True if its first index runs fastest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about strange but valid Python in the header
        fields = ast.literal_eval(header.strip())
    if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
        raise UsageError(f"{place} has a header that names {shown(fields)}; expected descr, fortran_order and shape.")
    shape, order, described = fields["shape"], fields["fortran_order"], fields["descr"]
    valid_shape = (
        isinstance(shape, tuple) and len(shape) <= 32 and all(type(n) is int and 0 <= n < 2**48 for n in shape)
    )
    if not valid_shape or not isinstance(order, bool):
        raise UsageError(f"{place} has the shape {shown(shape)}; expected at most 32 whole numbers from 0 to 2^48.")
    if not isinstance(described, str):
        raise UsageError(f"{place} holds rows of named fields, expected plain numbers or strings.")
    kind = np.dtype(described)
    if kind.hasobject or kind.kind not in "biufcSU" or kind.itemsize == 0:
        held = "Python objects (a pickle)" if kind.hasobject else f"elements of type {kind}"
        raise UsageError(f"{place} holds {held}, expected plain numbers or strings.")
    return kind, shape, order
