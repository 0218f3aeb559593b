"""The checkpoint of a run: one HDF5 file, replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from hardware_models.check import UsageError

NAME = "checkpoint.h5"


def write(folder: Path, arrays: dict[str, np.ndarray], facts: dict[str, Any]) -> None:
    """Write a checkpoint atomically: temporary file in the same folder, fsync, rename, fsync of the folder."""
    import h5py

    temporary = folder / f".{NAME}.tmp"
    with h5py.File(temporary, "w") as file:
        for name, value in arrays.items():
            file.create_dataset(name, data=value)
        file.attrs["facts"] = json.dumps(facts)
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(folder / NAME)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and facts of a folder's checkpoint; UsageError in one sentence if there is none to read."""
    import h5py

    path = folder / NAME
    if not path.is_file():
        raise UsageError(f"{folder} holds no {NAME} to resume from; start the run anew in another folder.")
    arrays: dict[str, np.ndarray] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(take)
            facts = json.loads(str(file.attrs["facts"]))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise UsageError(f"{path} is damaged and cannot be resumed ({type(error).__name__}).") from None
    return arrays, facts
