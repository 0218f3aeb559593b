"""HDF5 files of others: what comes back from the process that reads them, and what its end costs the one that asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from hardware_models import hdf5
from hardware_models.check import UsageError
from hardware_models.hdf5 import process
from hardware_models.hdf5.walk import walk

VALUES: dict[str, Any] = {
    "bool": np.array([True, False]), "half": np.ones((2, 1), "f2"), "big": np.arange(3, dtype=">i4"), "empty": np.zeros((0, 4)),
    "complex": np.array([1 + 2j]), "number": np.float32(0.1), "whole": np.int64(-3), "long": np.array(2**64 - 1, "u8"),
}  # fmt: skip


def made(path: Path, fill: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "w") as file:
        fill(file)
    return path


def everything(file: h5py.File) -> None:
    for name, value in VALUES.items():
        file[f"a/{name}"] = value
    file["a/words"] = np.array([b"ab", b"c"])
    file["word"] = "été\n"
    file.create_group("none")


def test_another_process_brings_back_every_kind_of_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hdf5_process: None
) -> None:
    """To the bit, and without what lies in the folder where the user happens to be."""
    (tmp_path / "h5py.py").write_text("raise SystemExit(3)")
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    found = hdf5.tree(made(tmp_path / "x.h5", everything), "file")
    assert list(found) == ["a", "none", "word"] and found["none"] == {} and found["word"] == "été\n"
    assert found["a"].pop("words").tolist() == ["ab", "c"] and set(found["a"]) == set(VALUES)
    for name, value in VALUES.items():
        assert found["a"][name].dtype == value.dtype and found["a"][name].shape == value.shape
        assert found["a"][name].tobytes() == value.tobytes()
    assert found["a"]["big"].flags.writeable


ENDS = {
    "signal SIGSEGV": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "status 7": "raise SystemExit(7)",
    "the process that reads it ended: ModuleNotFoundError: No module named 'nosuch'": "import nosuch",
    "takes more than 0.5 s": "import time; time.sleep(60)",
    "Error": "print('no answer')",
    "its reader answered 9 bytes; expected 8": """print('{"group": {"a": {"numbers": "<f8", "shape": [1]}}}\\n12345678')""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="ends by signals")
@pytest.mark.parametrize("said", ENDS)
def test_however_that_process_ends_the_user_gets_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hdf5_process: None, said: str
) -> None:
    monkeypatch.setattr(process, "START", ENDS[said])
    monkeypatch.setattr(process, "SECONDS", 0.5 if "0.5" in said else 60)
    path = made(tmp_path / "x.h5", everything)
    with pytest.raises(UsageError) as caught:
        hdf5.tree(path, "file")
    words = str(caught.value)
    assert said in words and words.startswith(f"{path} cannot be read as an HDF5 file (") and words.isprintable()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not say what memory is taken")
def test_memory_ends_where_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hdf5_process: None) -> None:
    """Three times the file, the numbers, four chunks and the slack; a little more is refused by the system."""
    left = 2**20
    most = 3 * 100 + left + 4 * left + process.SLACK
    code = "import sys; sys.path[:] = sys.argv[1:]; from hardware_models.hdf5.process import confine; "
    code += f"confine(100, {left}); print(0); bytearray"
    path = made(tmp_path / "x.h5", everything)
    for size, said in ((most - 2**24, "cannot be read"), (most + 2**20, "MemoryError")):
        monkeypatch.setattr(process, "START", f"{code}({size})")
        with pytest.raises(UsageError, match=said) as caught:
            hdf5.tree(path, "file")
        assert ("MemoryError" in str(caught.value)) == (size > most)


def test_numbers_are_bounded_by_the_size_of_their_file(tmp_path: Path) -> None:
    """A small file that promises 48 MB of fill values is refused; zeros packed by gzip are read."""
    promised = {"shape": (2000, 3000), "dtype": "f8", "chunks": (1000, 1000)}

    def promise(file: h5py.File) -> None:
        file.create_dataset("x", **promised)[0, 0] = 1  # one chunk of six

    packed = made(
        tmp_path / "p.h5", lambda file: file.create_dataset("x", data=np.zeros((2500, 2000)), compression="gzip")
    )
    assert packed.stat().st_size * 40 < 40e6 and hdf5.tree(packed, "file")["x"].shape == (2500, 2000)
    with pytest.raises(UsageError, match="takes 48000000 bytes, more than the 33554432 that are left to read"):
        hdf5.tree(made(tmp_path / "x.h5", lambda file: file.create_dataset("x", **promised)), "file")
    image = made(tmp_path / "y.h5", promise).read_bytes()
    assert walk(image, "y.h5", 48_000_000)["x"].sum() == 1
    with pytest.raises(UsageError, match="cut into chunks of .*; expected at most 20000 of 1000000 bytes"):
        bench = made(
            tmp_path / "z.h5", lambda file: file.create_dataset("x", (10,), "f8", chunks=(10**6,), maxshape=(None,))
        )
        walk(bench.read_bytes(), "z.h5", 1_000_000)


def test_strings_are_bounded_by_what_is_left(tmp_path: Path) -> None:
    """Eight bytes a string count for its array; its letters lie elsewhere, and many strings may share them."""
    image = made(tmp_path / "x.h5", lambda file: file.create_dataset("x", data=["e" * 100] * 1000)).read_bytes()
    assert walk(image, "x.h5", 108_000)["x"].shape == (1000,)
    with pytest.raises(UsageError, match="strings of 100000 characters, more than are left"):
        walk(image, "x.h5", 107_999)


def test_a_refusal_is_one_line_whatever_the_other_process_says(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = json.dumps({"refused": "a\n\x1b[31m" + "b" * 5000}).encode()
    monkeypatch.setattr(process, "run", lambda question: (0, refused, b""))
    with pytest.raises(UsageError) as caught:
        process.ask(b"", "x.h5", 1)
    assert str(caught.value).isprintable() and len(str(caught.value)) <= 1002
