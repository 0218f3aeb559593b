"""Walk through an HDF5 file of others within limits, array by array, in the separate process for it.

An HDF5 file may link a group into itself, point into other files, announce arrays larger than any memory and pack a gigabyte
into a megabyte. `walk` follows only plain links, each object once, and unpacks no chunk beyond its size.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.files import reading
from hardware_models.hdf5.process import MOST_CHUNK

MOST_OBJECTS = 20_000
"""Largest number of groups and arrays in a file, and of chunks of an array."""
MOST_DEPTH = 16
"""Largest depth of nested groups."""
MOST_TEXTS = 2**20
"""Largest number of strings in an array."""

Filter = Callable[[bytes, int, int], bytes]


def _inflate(data: bytes, size: int, item: int) -> bytes:
    unpacked = zlib.decompressobj().decompress(data, size + 1)
    if len(unpacked) > size:
        raise ValueError(f"a chunk unpacks to more than its {size} bytes")
    return unpacked


def _unshuffle(data: bytes, size: int, item: int) -> bytes:
    whole = len(data) // item * item
    return np.frombuffer(data[:whole], np.uint8).reshape(item, -1).T.tobytes() + data[whole:]


FILTERS: dict[int, Filter] = {1: _inflate, 2: _unshuffle}
"""Number of an HDF5 filter -> its inverse, a function (bytes, largest size of the chunk, size of an element) -> bytes."""


def walk(image: bytes, where: str, left: int) -> dict[str, Any]:
    """Return the contents of an HDF5 file as nested dictionaries of arrays; strings are `str`, alone or in an array.

    Parameters
    ----------
    image : the bytes of the file.
    where : name of the file, for messages.
    left : largest size of the numbers and strings in the file [B].

    Raises UsageError for links to other places, an object with two names, groups nested too deeply, and arrays that are neither
    plain numbers nor strings or take more than `left` bytes. A damaged file may raise any exception, or end the process.
    """
    with h5py.File(h5py.h5f.open_file_image(image)) as file:
        return _Walk(where, left).group(file, 0)


class _Walk:
    """State of a walk through one file: the objects found so far and the memory that is left."""

    def __init__(self, where: str, left: int) -> None:
        self.where, self.left, self.most_chunk = where, left, min(left, MOST_CHUNK)
        self.met: set[int] = set()

    def group(self, group: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in group:
            place = f"{self.where}: {shown(f'{group.name}/{name}'.lstrip('/'), 120, quoted=False)}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UsageError(f"{place} is a link to another place or file; expected the object itself.")
            if depth >= MOST_DEPTH:
                raise UsageError(f"{place} lies in more than {MOST_DEPTH} groups; expected fewer.")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in self.met:
                raise UsageError(f"{place} is an object that has another name, too; expected each object once.")
            self.met.add(address)
            if len(self.met) > MOST_OBJECTS:
                raise UsageError(f"{self.where} has more than {MOST_OBJECTS} objects; expected fewer.")
            if isinstance(item, h5py.Group):
                found[name] = self.group(item, depth + 1)
            elif isinstance(item, h5py.Dataset):
                with reading(place, "an array"):
                    found[name] = self.array(item, place)
            else:
                raise UsageError(f"{place} is neither a group nor an array.")
        return found

    def array(self, item: Any, place: str) -> Any:
        """Return the contents of a data set, after checking its size before memory is reserved."""
        if item.shape is None or item.external or item.is_virtual:
            raise UsageError(f"{place} holds nothing, or names another file; expected numbers.")
        text = h5py.check_string_dtype(item.dtype)
        size = math.prod(item.shape) * item.dtype.itemsize
        if text is None and item.dtype.kind not in "biufc":
            raise UsageError(f"{place} has elements of type {shown(str(item.dtype))}; expected numbers or strings.")
        if size > self.left:
            raise UsageError(f"{place} takes {size} bytes, more than the {self.left} that are left to read.")
        self.left -= size
        if text is not None:
            variable = text.length is None
            if math.prod(item.shape) > MOST_TEXTS or (variable and item.chunks and item.id.get_storage_size() > 2**16):
                raise UsageError(f"{place} holds more strings than the {MOST_TEXTS} that are read.")
            return self.texts(item[()] if variable else self.numbers(item, size, place), place)
        return self.numbers(item, size, place)

    def numbers(self, item: Any, size: int, place: str) -> Any:
        """Return the numbers or fixed-length strings of a data set."""
        if item.chunks is not None:
            return _chunked(item, self.most_chunk, place)
        if size and item.id.get_storage_size() != size:
            raise UsageError(f"{place} promises {size} bytes, but the file has {item.id.get_storage_size()}.")
        return item[()]

    def texts(self, value: Any, place: str) -> Any:
        """Return strings as `str`, in an array of objects or alone; in the file, many strings may share one place."""
        texts = [
            v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in np.asarray(value, object).ravel().tolist()
        ]
        self.left -= sum(map(len, texts))
        if self.left < 0:
            raise UsageError(f"{place} holds strings of {sum(map(len, texts))} characters, more than are left to read.")
        return np.array(texts, object).reshape(value.shape) if isinstance(value, np.ndarray) else texts[0]


def _chunked(item: Any, most: int, place: str) -> np.ndarray:
    """Return a data set that is stored in chunks; each chunk is unpacked here and not beyond its size."""
    plan, kind = item.id.get_create_plist(), item.dtype
    filters = [plan.get_filter(n)[0] for n in range(plan.get_nfilters())]
    chunk, size = item.chunks, math.prod(item.chunks) * kind.itemsize
    corners = [range(0, length, step) for length, step in zip(item.shape, chunk, strict=True)]
    if not set(filters) <= set(FILTERS):
        raise UsageError(
            f"{place} is compressed in a way that is not read here; expected gzip, with or without shuffle."
        )
    if size > most or math.prod(map(len, corners)) > MOST_OBJECTS:
        raise UsageError(
            f"{place} is cut into chunks of {shown(chunk)}; expected at most {MOST_OBJECTS} of {most} bytes."
        )
    if not item.id.get_storage_size() and math.prod(item.shape):
        raise UsageError(f"{place} was never written; expected numbers.")
    made, read = np.full(item.shape, item.fillvalue, kind), 0
    for corner in itertools.product(*corners):
        if item.id.get_chunk_info_by_coord(corner).byte_offset is None:  # never written, so it has the fill value
            continue
        mask, data = item.id.read_direct_chunk(corner)
        read += 1
        for number, code in reversed(list(enumerate(filters))):
            if not mask >> number & 1:
                data = FILTERS[code](data, size, kind.itemsize)
        if len(data) != size:
            raise UsageError(f"{place} has a chunk of {len(data)} bytes; expected {size}.")
        inside = tuple(slice(0, n - at) for n, at in zip(item.shape, corner, strict=True))
        part = np.frombuffer(data, kind).reshape(chunk)[inside]
        made[tuple(slice(at, at + n) for at, n in zip(corner, part.shape, strict=True))] = part
    if read != (there := item.id.get_num_chunks()):
        raise UsageError(f"{place} has {there} chunks, of which {read} can be read.")
    return made
