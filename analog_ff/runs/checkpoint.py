"""The checkpoint of a run: one HDF5 file under a seal, replaced as a whole or not at all; the one before is kept.

The first 512 bytes, HDF5's user block, are the seal: the schema and the SHA-256 of all that follows, which is every name, type,
shape and byte of the arrays, and the facts. It is compared before HDF5 sees a byte.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import hdf5
from analog_ff.plain import Document
from hardware_models.check import UsageError
from hardware_models.files import contents, reading

NAME = "checkpoint.h5"
PREVIOUS = "checkpoint.previous.h5"
SCHEMA = 2
SEAL = 512
"""Bytes of the seal: the smallest user block of HDF5."""
MOST = 2**38
"""Most bytes of a checkpoint [B]."""


class DamagedError(UsageError):
    """A checkpoint that differs from the written one, or does not fit the run; the one before it may be used instead."""


def write(folder: Path, arrays: dict[str, np.ndarray], facts: Document) -> None:
    """Write a checkpoint; the one that was there becomes the previous one."""
    written = json.dumps(facts)

    def fill(file: Any) -> None:
        for name, value in arrays.items():
            file.create_dataset(name, data=value)
        file.attrs["facts"] = written

    image = hdf5(fill)
    whole_files.write(folder / NAME, _seal(image) + image, before=folder / PREVIOUS)


def read(folder: Path, name: str = NAME) -> tuple[dict[str, np.ndarray], Document]:
    """Return the arrays and facts of a folder's checkpoint.

    Raises
    ------
    DamagedError : in one sentence, if it is damaged or was written by another version.
    UsageError : there is none.
    """
    path = folder / name
    if not path.is_file():
        raise UsageError(f"{folder} holds no {name} to resume from; start the run anew in another folder.")
    data = contents(path, "checkpoint", most=MOST)
    image = data[SEAL:]
    if data[:SEAL] != _seal(image):
        raise DamagedError(_what_is_wrong(path, data))
    arrays: dict[str, np.ndarray] = {}
    with sound(path, "a checkpoint"):
        import h5py

        def take(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                arrays[name] = np.asarray(item[()])

        with h5py.File(io.BytesIO(image), "r") as file:
            file.visititems(take)
            facts = json.loads(str(file.attrs["facts"]))
    return arrays, facts


@contextmanager
def sound(path: Path, expected: str) -> Iterator[None]:
    """Turn every failure inside the ``with`` into a DamagedError: "<path> cannot be read as <expected> (<why>)."."""
    try:
        with reading(path, expected):
            yield
    except UsageError as error:
        raise DamagedError(str(error)) from error


def _seal(image: bytes) -> bytes:
    line = f"analog_ff checkpoint, schema {SCHEMA}, SHA-256 of what follows these {SEAL} bytes: "
    return (line + hashlib.sha256(image).hexdigest() + "\n").encode().ljust(SEAL, b"\0")


def _what_is_wrong(path: Path, data: bytes) -> str:
    if data.startswith(b"\x89HDF"):
        return f"{path} is of an earlier version, which wrote no checksum"
    known, begins = f"analog_ff checkpoint, schema {SCHEMA},".encode(), b"analog_ff checkpoint, schema "
    if data.startswith(begins) and not data.startswith(known):
        return f"{path} should be of schema {SCHEMA}; it is of another version, or damaged"
    return f"{path} is damaged: its SHA-256 is not the one that was written with it"
