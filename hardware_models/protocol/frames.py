r"""Frames: one line of JSON, which states the arrays, and then the bytes of the arrays, little-endian, in C order.

.. code-block:: text

   {"version":1,"method":"neurons","layer":0,...,"arrays":[{"name":"z","type":"<f4","shape":[20,24]}]}\n
   1920 bytes

A line is UTF-8 (this side writes ASCII, without spaces), at most `MOST_LINE` bytes long with its end. Nothing in a frame is
executed, and every length is known, and limited, before memory is taken for it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from hardware_models.check import shown
from hardware_models.protocol.values import from_json, to_json

VERSION = 1
MOST_LINE = 2**20
"""Most bytes of the line of a frame [B]."""
MOST_ARRAYS = 2**12
"""Most arrays of a frame."""
MOST_BYTES = 2**33
"""Most bytes of all arrays of a frame [B]."""
MOST_AXES = 8
TYPES = ("|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8")
"""Types of arrays as NumPy writes them: boolean, signed and unsigned integers, floats; the digit is their size [B]."""
NO_ARRAYS: Mapping[str, np.ndarray] = MappingProxyType({})


class FrameError(ValueError):
    """Bytes that are no frame, or a value that no frame can carry; the message continues "it ...", without a full stop."""


class Frame(NamedTuple):
    """One message: the entries of its line, and its arrays by name."""

    entries: dict[str, object]
    arrays: dict[str, np.ndarray]


class Source(Protocol):
    """Incoming bytes of a line."""

    def line(self, most: int) -> bytes:
        """Return the bytes up to the next line end, which is left out; raise FrameError after `most` bytes without one."""
        ...

    def exactly(self, number: int) -> bytearray:
        """Return the next `number` bytes."""
        ...


def sendable(name: str, value: object) -> np.ndarray:
    """Return a value as an array that a frame can carry; raise FrameError if it is not one of real numbers."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        raise FrameError(f"cannot carry {name}, which is no array of numbers ({shown(value)})") from None
    if array.dtype.kind in "biuf" and array.dtype.newbyteorder("<").str in TYPES:
        return np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    raise FrameError(f"cannot carry {name}, an array of type {array.dtype}")


def written(entries: Mapping[str, object], arrays: Mapping[str, np.ndarray] = NO_ARRAYS) -> list[bytes]:
    """Return a frame as pieces of bytes; the entry ``arrays`` is added.

    Raises
    ------
    FrameError : a value or an array that no frame carries, or more than a frame holds.
    """
    ready = {name: sendable(name, array) for name, array in arrays.items()}
    stated = [{"name": name, "type": a.dtype.str, "shape": list(a.shape)} for name, a in ready.items()]
    body = {**{name: to_json(name, value) for name, value in entries.items()}, "arrays": stated}
    line = json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
    if len(line) > MOST_LINE or len(ready) > MOST_ARRAYS or sum(a.nbytes for a in ready.values()) > MOST_BYTES:
        raise FrameError(
            f"carries at most {MOST_LINE} bytes of text, {MOST_ARRAYS} arrays and {MOST_BYTES} bytes of arrays in one message"
        )
    return [line, *(a.tobytes() for a in ready.values())]


def read(source: Source) -> Frame:
    """Return the next frame of a source; raise FrameError if what comes is none."""
    text = source.line(MOST_LINE)
    try:
        body = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise FrameError(f"sent {_shown(text)} where a line of JSON should stand") from None
    if not isinstance(body, dict):
        raise FrameError(f"sent {_shown(text)} where an object of JSON should stand")
    if body.get("version") != VERSION:
        raise FrameError(f"speaks version {shown(body.get('version'))} of the protocol, not {VERSION}")
    stated = _stated(body.pop("arrays", []))
    arrays = {
        name: np.frombuffer(source.exactly(size), kind).reshape(shape) if size else np.zeros(shape, kind)
        for name, kind, shape, size in stated
    }
    return Frame({name: from_json(value) for name, value in body.items()}, arrays)


def _stated(stated: object) -> list[tuple[str, np.dtype, tuple[int, ...], int]]:
    """Return name, type, shape and bytes of the arrays that a line states; raise FrameError for a wrong statement."""
    if not isinstance(stated, list) or len(stated) > MOST_ARRAYS:
        raise FrameError(f"states its arrays as {shown(stated)}, not as a list of at most {MOST_ARRAYS}")
    found: list[tuple[str, np.dtype, tuple[int, ...], int]] = []
    for one in stated:
        given = one if isinstance(one, dict) else {}
        name, kind, shape = given.get("name"), given.get("type"), given.get("shape")
        axes = _shape_of(shape)
        if not isinstance(name, str) or kind not in TYPES or axes is None or name in [f[0] for f in found]:
            raise FrameError(f"states an array as {shown(one)}, not as a new name, a type and a shape")
        found.append((name, np.dtype(kind), axes, np.dtype(kind).itemsize * math.prod(axes)))
    if (size := sum(one[3] for one in found)) > MOST_BYTES:
        raise FrameError(f"states arrays of {size} bytes, more than the {MOST_BYTES} of one message")
    return found


def _shape_of(stated: object) -> tuple[int, ...] | None:
    """Return a shape, None for what is none."""
    if not isinstance(stated, list) or len(stated) > MOST_AXES:
        return None
    return tuple(stated) if all(type(n) is int and 0 <= n <= MOST_BYTES for n in stated) else None


def _shown(text: bytes) -> str:
    return shown(text.decode("utf-8", "replace"))
