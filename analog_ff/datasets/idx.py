r"""Read one IDX file, the format of MNIST, gzipped or not, and accept nothing that is not exactly one.

The contents are two zero bytes, the type of the elements, the number of dimensions, each dimension as a
big-endian 32-bit integer, then the elements, big-endian, last index fastest:

    00 00 | type | n | d_1 .. d_n (4 bytes each) | d_1 * .. * d_n elements

Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File
formats".
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from hardware_models.check import UsageError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""IDX type byte -> NumPy type of the elements in the file."""

_GZIP_MAGIC = b"\x1f\x8b"


def contents(path: Path) -> bytes:
    """Return the bytes of a file, uncompressed if they are gzip (seen from the bytes, not from the name).

    Raises UsageError if the file cannot be read or its gzip stream is damaged.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); expected an IDX file.") from error
    if not raw.startswith(_GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(
            f"{path} is a damaged or truncated gzip file ({error}); expected a complete IDX file."
        ) from error


def parse(data: bytes, path: Path, *, dimensions: int, dtype: type = np.uint8) -> np.ndarray:
    """Return the array that the bytes of an IDX file describe.

    Parameters
    ----------
    data : the uncompressed contents.
    path : where they came from, for messages.
    dimensions : number of dimensions that the file must have.
    dtype : type of the elements that the file must have.

    Raises
    ------
    UsageError : wrong magic number, type, number of dimensions, an empty dimension, too few or too many
        bytes.
    """
    kind = np.dtype(dtype)
    expected = f"expected an IDX file of {kind.name} with {dimensions} dimension{'s' if dimensions > 1 else ''}"
    if len(data) < 4 or data[:2] != b"\x00\x00" or data[2] not in TYPES:
        raise UsageError(f"{path} is not an IDX file (it begins with '{data[:4].hex(' ')}'); {expected}.")
    found = np.dtype(TYPES[data[2]])
    if found.newbyteorder("=") != kind:
        raise UsageError(f"{path} holds elements of type {found.newbyteorder('=').name}; {expected}.")
    if data[3] != dimensions:
        raise UsageError(f"{path} has {data[3]} dimensions; {expected}.")
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise UsageError(f"{path} ends within its header, after {len(data)} bytes; {expected}.")
    shape = tuple(int(d) for d in np.frombuffer(data, dtype=">u4", count=dimensions, offset=4))
    shown = " x ".join(map(str, shape))
    if 0 in shape:
        raise UsageError(f"{path} is empty ({shown} elements); {expected} and at least one element.")
    # Python integers: the product of damaged dimensions may exceed 64 bits.
    length = start + math.prod(shape) * found.itemsize
    if len(data) != length:
        fault = "is truncated" if len(data) < length else "has bytes after its end"
        raise UsageError(f"{path} {fault}: {len(data)} bytes, expected {length} for {shown} elements.")
    return np.frombuffer(data, dtype=found, offset=start).reshape(shape).astype(kind)


def read(path: str | Path, *, dimensions: int, dtype: type = np.uint8) -> np.ndarray:
    """Return the array of one IDX file, gzipped or not; arguments and errors as in `contents` and `parse`."""
    path = Path(path)
    return parse(contents(path), path, dimensions=dimensions, dtype=dtype)
