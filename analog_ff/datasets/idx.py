r"""Read one IDX file (the format of MNIST), gzipped or not, and refuse any file that departs from the format.

The contents are two zero bytes, the type of the elements, the number of dimensions, each dimension as a
big-endian 32-bit integer, then the elements, big-endian, last index fastest:

    00 00 | type | n | d_1 .. d_n (4 bytes each) | d_1 * .. * d_n elements

Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File
formats".
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, counted

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""IDX type byte -> NumPy type of the elements in the file."""

MOST = files.LARGE // 4
"""Largest size of an unpacked IDX file [B]; as float32 its pixels take four times as many bytes."""

_GZIP_MAGIC = b"\x1f\x8b"
_HEADER = 4 + 4 * 255  # the longest header, of 255 dimensions


def contents(path: str | Path) -> bytes:
    """Return the bytes of a file, unpacked if they are gzip (recognised by the bytes, not by the name).

    The header is unpacked first, then one byte more than the header states, from which `parse` detects too long contents.
    Raises UsageError if the file cannot be read or its gzip stream is damaged.
    """
    raw = files.contents(path, "IDX file", most=MOST)
    if not raw.startswith(_GZIP_MAGIC):
        return raw
    promised = _length(files.gunzip(raw, path, _HEADER))
    if promised is not None and promised > MOST:
        raise UsageError(f"{path} promises more than the {MOST} bytes of an IDX file that are read.")
    return files.gunzip(raw, path, _HEADER if promised is None else promised + 1)


def _length(data: bytes) -> int | None:
    """Return the size of an IDX file by its header [B]; None if the header is incomplete."""
    if len(data) < 4 or data[2] not in TYPES or len(data) < 4 + 4 * data[3]:
        return None
    shape = [int.from_bytes(data[at : at + 4], "big") for at in range(4, 4 + 4 * data[3], 4)]
    # Python integers: the product of damaged dimensions may exceed 64 bits.
    return 4 + 4 * len(shape) + math.prod(shape) * np.dtype(TYPES[data[2]]).itemsize


def parse(data: bytes, path: str | Path, *, dimensions: int, dtype: type = np.uint8) -> np.ndarray:
    """Return the array that the bytes of an IDX file describe.

    Parameters
    ----------
    data : the uncompressed contents.
    path : name of the file, for messages.
    dimensions : number of dimensions that the file must have.
    dtype : type of the elements that the file must have.

    Raises
    ------
    UsageError : for a wrong magic number, type or number of dimensions, an empty dimension, too few or too many
        bytes.
    """
    kind = np.dtype(dtype)
    expected = f"expected an IDX file of {kind.name} with {counted(dimensions, 'dimension')}"
    if len(data) < 4 or data[:2] != b"\x00\x00" or data[2] not in TYPES:
        raise UsageError(f"{path} is not an IDX file (it begins with '{data[:4].hex(' ')}'); {expected}.")
    element_type = np.dtype(TYPES[data[2]])
    if element_type.newbyteorder("=") != kind:
        raise UsageError(f"{path} holds elements of type {element_type.newbyteorder('=').name}; {expected}.")
    if data[3] != dimensions:
        raise UsageError(f"{path} has {data[3]} dimensions; {expected}.")
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise UsageError(f"{path} ends within its header, after {len(data)} bytes; {expected}.")
    shape = tuple(int(d) for d in np.frombuffer(data, dtype=">u4", count=dimensions, offset=4))
    shown = " x ".join(map(str, shape))
    if 0 in shape:
        raise UsageError(f"{path} is empty ({shown} elements); {expected} and at least one element.")
    length = _length(data)
    if len(data) != length:
        fault = "is truncated" if len(data) < (length or 0) else "has bytes after its end"
        raise UsageError(f"{path} {fault}: {len(data)} bytes, expected {length} for {shown} elements.")
    return np.frombuffer(data, dtype=element_type, offset=start).reshape(shape).astype(kind)


def read(path: str | Path, *, dimensions: int, dtype: type = np.uint8) -> np.ndarray:
    """Return the array of one IDX file, gzipped or not; arguments and errors as in `contents` and `parse`."""
    return parse(contents(path), path, dimensions=dimensions, dtype=dtype)
