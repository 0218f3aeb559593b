"""Changes to an HDF5 file: objects are replaced, removed, or linked to other places or themselves; the file stays valid."""

from __future__ import annotations

import math
import random
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fuzzing.mutations import NAMES, VALUES


def of_objects(random: random.Random, data: bytes, scratch: Path) -> bytes:
    """Return a file with one to three objects changed."""
    scratch.write_bytes(data)
    with h5py.File(scratch, "r+") as file:
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            names: list[str] = []
            file.visit(names.append)
            if not names:
                break
            try:
                _change(random, file, names)
            except (OSError, ValueError, TypeError, KeyError, RuntimeError, OverflowError):
                pass  # HDF5 itself refuses some changes, and the file then stays unchanged
    return scratch.read_bytes()


def _change(random: random.Random, file: Any, names: list[str]) -> None:
    name = random.choice(names)
    kind = random.randrange(12)
    if kind == 11:
        for attribute in file.attrs:
            file.attrs[attribute] = random.choice([v for v in VALUES if v is not None and not isinstance(v, dict)])
        return
    item = file[name]
    small = isinstance(item, h5py.Dataset) and item.size is not None and item.size < 10_000
    value = item[()] if small else None
    del file[name]
    if kind == 0:
        return
    if kind == 1:
        file[name] = h5py.SoftLink(random.choice(["/", *names, "/nowhere"]))
    elif kind == 2:
        file[name] = h5py.ExternalLink(random.choice(("/etc/passwd", "no.h5", "")), "/")
    elif kind == 3:
        file[name] = file[random.choice(["/", *[n for n in names if n in file]])]
    elif kind == 4:
        file.create_group(name).create_dataset(random.choice(("x", "type", "weight")), data=1.0)
    elif kind == 5:
        file.create_dataset(name, shape=random.choice(((10**9,), (10**5, 10**5), (3,), (0,))), dtype="f8", chunks=True)
    elif kind == 6:
        made = file.create_dataset(name, (4,), "f8", chunks=(4,), compression="gzip")
        made.id.write_direct_chunk((0,), zlib.compress(bytes(random.choice((31, 33, 10**7))), 9))
    elif kind == 7 and value is not None:
        file.create_dataset(name, data=_of_array(random, np.asarray(value)))
    elif kind == 8 and value is not None:
        file.create_dataset(f"{name}{random.choice([n for n in NAMES if n])}", data=value)
    elif kind == 9:
        file.create_dataset(name, data=h5py.Empty("f8"))
    else:
        choices = [v for v in VALUES if isinstance(v, bool | int | float | str) and "\0" not in str(v)[:10]]
        file.create_dataset(
            name, data=random.choice([*choices, [1, 2], [[1.0]], np.zeros(2, "i4,f8"), b"\xff\xfe", ["a", "b"]])
        )


def _of_array(random: random.Random, array: np.ndarray) -> np.ndarray:
    kind = random.randrange(5)
    if array.dtype.kind not in "biuf":
        return np.zeros(array.shape)
    if kind == 0:
        return array.astype(random.choice(("?", "i1", "u8", "f2", "c8", "f8", "S3")))
    if kind == 1:
        return array.reshape(random.choice(((-1,), (1, *array.shape), (*array.shape, 1), array.shape[::-1])))
    if kind == 2:
        return np.full(array.shape, random.choice((math.nan, math.inf, -1.0, 1e300, 0.0)))
    if kind == 3:
        return np.concatenate([array.ravel()] * 2)
    changed = array.copy()
    if changed.size:
        changed.ravel()[random.randrange(changed.size)] = random.choice((0, 1, 2, 100))
    return changed
