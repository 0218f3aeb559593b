"""The checkpoint of a run: one HDF5 file under a seal, replaced as a whole or not at all; the one before is kept.

The first 512 bytes, HDF5's user block, are the seal: the schema and the SHA-256 of all that follows, which is every name, type,
shape and byte of the arrays, and the facts. It is compared before HDF5 sees a byte. Arrays are written from where they are and
read one by one, so that no second copy of the state is in memory. Whole numbers are compressed: most of their bytes are zeros.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import hdf5
from analog_ff.plain import Document, Facts
from hardware_models.check import UsageError
from hardware_models.files import opening, reading

NAME = "checkpoint.h5"
PREVIOUS = "checkpoint.previous.h5"
SCHEMA = 3
SCHEMAS = (2, SCHEMA)
"""Schemas that are read; one of schema 2 holds every array."""
SEAL = 512
"""Bytes of the seal: the smallest user block of HDF5."""
MOST = 2**38
"""Most bytes of a checkpoint [B]."""
PIECE = 2**20
"""Bytes that are hashed at once [B]."""
FEW = 1000
"""Values that are not worth compressing."""


class DamagedError(UsageError):
    """A checkpoint that differs from the written one, or does not fit the run; the one before it may be used instead."""


def write(
    folder: Path, arrays: Mapping[str, np.ndarray], facts: Facts, *, name: str = NAME, previous: str | None = PREVIOUS
) -> None:
    """Write a checkpoint; the one that was there gets the name `previous`."""
    written = json.dumps(facts)

    def fill(file: Any) -> None:
        for name, value in arrays.items():
            whole = np.asarray(value).dtype.kind in "iub" and np.size(value) > FEW
            file.create_dataset(name, data=value, **({"compression": 1, "shuffle": True} if whole else {}))
        file.attrs["facts"] = written

    def make(file: whole_files.File) -> None:
        hdf5(file, fill, before=SEAL)
        seal = _seal(_digest(file))
        file.seek(0)
        file.write(seal)

    whole_files.build(folder / name, make, before=None if previous is None else folder / previous)


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
    arrays: dict[str, np.ndarray] = {}
    with opening(path, "checkpoint", most=MOST) as data:
        seal = data.read(SEAL)
        digest = _digest(data)
        if seal not in [_seal(digest, schema) for schema in SCHEMAS]:
            raise DamagedError(_what_is_wrong(path, seal))
        with sound(path, "a checkpoint"):
            import h5py

            def take(name: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset):
                    arrays[name] = np.asarray(item[()])

            with h5py.File(data, "r") as file:
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


def _digest(file: IO[bytes] | whole_files.File) -> str:
    """Return the SHA-256 of a file behind the seal."""
    digest = hashlib.sha256()
    file.seek(SEAL)
    while piece := file.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _seal(digest: str, schema: int = SCHEMA) -> bytes:
    line = f"analog_ff checkpoint, schema {schema}, SHA-256 of what follows these {SEAL} bytes: {digest}\n"
    return line.encode().ljust(SEAL, b"\0")


def _what_is_wrong(path: Path, seal: bytes) -> str:
    if seal.startswith(b"\x89HDF"):
        return f"{path} is of an earlier version, which wrote no checksum"
    known, begins = (f"analog_ff checkpoint, schema {n},".encode() for n in SCHEMAS), b"analog_ff checkpoint, schema "
    if seal.startswith(begins) and not seal.startswith(tuple(known)):
        return f"{path} should be of schema {SCHEMA}; it is of another version, or damaged"
    return f"{path} is damaged: its SHA-256 is not the one that was written with it"
