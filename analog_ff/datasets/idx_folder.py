"""Find, fetch and assemble a data set that is published as four IDX files (MNIST and its relatives).

The files are searched in this order:

1. ``data_dir`` if it is given: ``data_dir/<data set>/``, then ``data_dir`` itself. It is an error if neither
   has them, because a user who gives a folder wants no other data.
2. the folder of the environment variable ``ANALOG_FF_DATA``, in the same way; if that data set is not there,
   the search continues.
3. the cache folder, ``pooch.os_cache("analog_ff")/<data set>/``.
4. a download into the cache folder.

Each file may be gzipped (``.gz``) or not; if both exist, the uncompressed one is read. Files in a user's folder
(1, 2) are checked only for their structure and not by checksum, because they may be a variant on purpose. Only
the published training labels of another data set are refused, because all these data sets have the same four
file names. Files of the cache and of a download (3, 4) must have the published SHA-256 of their uncompressed
contents.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analog_ff.datasets import idx
from analog_ff.datasets.base import Dataset, Source, from_bytes
from analog_ff.datasets.checksums import CHECKSUMS
from analog_ff.datasets.download import download, reason
from hardware_models.check import UsageError
from hardware_models.files import home

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
VARIABLE = "ANALOG_FF_DATA"
CLASSES = 10
VALIDATION = 10_000  # number of the last training images that form the validation part, as is usual for MNIST


@dataclass(frozen=True)
class IdxSet:
    """One data set of four IDX files: its name, the address before ``<file>.gz``, and its checksums."""

    name: str
    mirror: str
    sha256: Mapping[str, str]


def read(idx_set: IdxSet, data_dir: str | Path | None) -> Source:
    """Return the data set from the first folder that has it, in the order at the top of this file.

    Raises UsageError if the folder or files are missing, are damaged, have unequal lengths, or cannot be
    downloaded.
    """
    places = _users_files(idx_set, data_dir)
    blobs = _read_users(idx_set, places) if places else _read_cached(idx_set)
    images, labels, test_images, test_labels = (
        idx.parse(data, path, dimensions=3 if "images" in file else 1)
        for file, (path, data) in zip(FILES, blobs, strict=True)
    )
    paths = [path for path, _ in blobs]
    _check_pair(images, labels, paths[0], paths[1])
    _check_pair(test_images, test_labels, paths[2], paths[3])
    if images.shape[1:] != test_images.shape[1:]:
        raise UsageError(
            f"{paths[2]} has images of {test_images.shape[1:]} pixels; expected {images.shape[1:]} as in {paths[0]}."
        )
    _, height, width = images.shape
    dataset = Dataset(
        name=idx_set.name,
        x_train=from_bytes(images),
        y_train=labels.astype(np.int64),
        x_test=from_bytes(test_images),
        y_test=test_labels.astype(np.int64),
        classes=tuple(range(CLASSES)),
        height=height,
        width=width,
    )
    return Source(dataset, validation=np.arange(len(labels)) >= len(labels) - VALIDATION)


def place(idx_set: IdxSet) -> Path | None:
    """Return the folder whose files `read` takes without a data folder, None if it would download them.

    Raises UsageError if the folder of the environment variable is none, or holds a part of the files.
    """
    if paths := _users_files(idx_set, None):
        return paths[0].parent
    cache = _cache(idx_set)
    return cache if all(_present(cache, file) for file in FILES) else None


def _check_pair(images, labels, images_path, labels_path):
    if len(images) != len(labels):
        raise UsageError(f"{labels_path} has {len(labels)} labels; expected {len(images)} as in {images_path}.")
    if labels.max() >= CLASSES:
        raise UsageError(f"{labels_path} has a label {labels.max()}; expected labels from 0 to {CLASSES - 1}.")


def _users_files(idx_set: IdxSet, data_dir: str | Path | None) -> list[Path] | None:
    if data_dir is not None:
        root = home(data_dir)
        places = _search(idx_set, root, "data folder")
        if places is None:
            raise UsageError(f"{root} has no {idx_set.name}: expected {_wanted(root / idx_set.name)} or in {root}.")
        return places
    variable = os.environ.get(VARIABLE)
    return _search(idx_set, home(variable), VARIABLE) if variable else None


def _search(idx_set: IdxSet, root: Path, role: str) -> list[Path] | None:
    if not root.is_dir():
        raise UsageError(f"{role} {root} is not a folder; expected one with {_wanted(root / idx_set.name)}.")
    for folder in (root / idx_set.name, root):
        paths = {file: path for file in FILES if (path := _present(folder, file))}
        if paths:
            missing = [file for file in FILES if file not in paths]
            if missing:
                # An incomplete data set is a failed copy, so no other folder is tried.
                raise UsageError(f"{folder} lacks {' and '.join(missing)}; expected {_wanted(folder)}.")
            return [paths[file] for file in FILES]
    return None


def _present(folder: Path, file: str) -> Path | None:
    return next((path for path in (folder / file, folder / f"{file}.gz") if path.is_file()), None)


def _wanted(folder: Path) -> str:
    return f"{', '.join(FILES[:-1])} and {FILES[-1]} (each gzipped as .gz or not) in {folder}"


def _read_users(idx_set: IdxSet, places: list[Path]) -> list[tuple[Path, bytes]]:
    blobs = [(path, idx.contents(path)) for path in places]
    path, labels = blobs[1]
    digest = hashlib.sha256(labels).hexdigest()
    for other, sums in CHECKSUMS.items():
        if other != idx_set.name and sums[FILES[1]] == digest:
            raise UsageError(f"{path.parent} holds {other}; expected {_wanted(path.parent)} of {idx_set.name}.")
    return blobs


def _read_cached(idx_set: IdxSet) -> list[tuple[Path, bytes]]:
    cache = _cache(idx_set)
    return [_cached(idx_set, cache, file) for file in FILES]


def _cache(idx_set: IdxSet) -> Path:
    import pooch  # imported here because it loads a network client that no other data set needs

    return Path(pooch.os_cache("analog_ff")) / idx_set.name


def _cached(idx_set: IdxSet, cache: Path, file: str) -> tuple[Path, bytes]:
    path = _present(cache, file)
    if path is not None:
        data = idx.contents(path)
        if (found := hashlib.sha256(data).hexdigest()) != idx_set.sha256[file]:
            raise UsageError(
                f"{path} is damaged (SHA-256 of its contents {found}, expected {idx_set.sha256[file]}): "
                "remove it, or give files of your own with --data-dir."
            )
        return path, data
    path = cache / f"{file}.gz"
    url = f"{idx_set.mirror}{file}.gz"
    remedy = f"put {_wanted(Path('DIR') / idx_set.name)} and give --data-dir DIR (or set {VARIABLE}=DIR)"
    try:
        download(url, path)
    except OSError as error:
        raise UsageError(
            f"{idx_set.name} is not in the cache {cache} and {url} cannot be downloaded ({reason(error)}): {remedy}."
        ) from error
    try:
        data = idx.contents(path)
    except UsageError:
        data = b""  # a damaged gzip stream is reported like any other wrong download
    if (found := hashlib.sha256(data).hexdigest()) != idx_set.sha256[file]:
        path.unlink(missing_ok=True)
        raise UsageError(
            f"{url} gave a wrong file (SHA-256 of its contents {found}, expected {idx_set.sha256[file]}): "
            f"try again, or {remedy}."
        )
    return path, data
