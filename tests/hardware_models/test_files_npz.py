"""A .npz file is read as NumPy reads it, within its headers and limits; everything else is one sentence."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.files import npz


def refused(call: Callable[[], Any], words: str) -> str:
    """Return the one sentence with which a call is refused."""
    with pytest.raises(UsageError, match=words) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said and said.endswith(".") and len(said) < 600, said
    return said


def peak(call: Callable[[], Any]) -> int:
    """Return the most bytes that a call held at one time."""
    tracemalloc.start()
    call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def saved(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def packed(path: Path, data: bytes, name: str = "x.npy", how: int = zipfile.ZIP_DEFLATED, times: int = 1) -> Path:
    """Write an archive with right checksums and any contents."""
    with zipfile.ZipFile(path, "w", how) as archive:
        for _ in range(times):
            archive.writestr(name, data)
    return path


def member(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    length = len(header).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + length + header.encode() + data


def header(descr: str = "'<f8'", order: object = False, shape: str = "(3,)") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


KINDS = ["?", "i1", "<u2", ">i4", "<f2", "<f4", ">f8", "<c16", "S3", "<U2", ">U2"]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_come_as_numpy_reads_them(tmp_path: Path, kind: str) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(kind)
    path = saved(
        tmp_path / "a.npz", plain=values, turned=np.asfortranarray(values), single=values[0, 0, 1], none=values[:0]
    )
    found = npz.arrays(path, "data file")
    with np.load(path) as right:
        assert set(found) == set(right.files)
        for name, array in found.items():
            assert array.dtype == right[name].dtype and array.flags.writeable
            np.testing.assert_array_equal(array, right[name])
    assert set(npz.arrays(path, "data file", ("plain", "absent"))) == {"plain"}
    assert npz.arrays(packed(path, member(header(), bytes(24), (3, 0))), "data file")["x"].tolist() == [0, 0, 0]


DAMAGED = {
    "header that is no Python": (member("{'descr': '<f8', 'fortran_order'"), "SyntaxError|TokenError"),
    "header of code": (member("__import__('os').getcwd()"), "ValueError"),
    "header nested": (member("(" * 9000), "cannot be read"),
    "header of signs": (member("-" * 9000 + "1"), "cannot be read"),
    "header too long": (member(" " * 20_000), "header of 20000 bytes"),
    "header of a list": (member("[1]"), "names"),
    "shape negative": (member(header(shape="(-3,)"), bytes(24)), "shape"),
    "shape of truths": (member(header(shape="(True, 3)"), bytes(24)), "shape"),
    "shape no tuple": (member(header(shape="3"), bytes(24)), "shape"),
    "shape of 40": (member(header(shape=str((1,) * 40)), bytes(8)), "shape"),
    "shape enormous": (member(header(shape="(9" + "9" * 4000 + ",)")), "shape"),
    "shape too large": (member(header(shape="(2**40,)".replace("2**40", str(2**40))), bytes(24)), "promises"),
    "order a number": (member(header(order=3), bytes(24)), "shape"),
    "pickle": (member(header(descr="'|O'"), bytes(24)), "Python objects"),
    "fields": (member(header(descr="[('a', '<f8')]"), bytes(24)), "named fields"),
    "times": (member(header(descr="'<M8[s]'"), bytes(24)), "datetime64"),
    "void": (member(header(descr="'V8'"), bytes(24)), "elements of type"),
    "sub-arrays": (member(header(descr="'(2,)f8'"), bytes(48)), "elements of type"),
    "of no size": (member(header(descr="'U0'")), "elements of type"),
    "unknown type": (member(header(descr="'no'"), bytes(24)), "TypeError"),
    "short": (member(header(), bytes(23)), "promises 24 bytes .* holds 23"),
    "long": (member(header(), bytes(25)), "promises 24 bytes .* holds 25"),
    "version": (member(header(), bytes(24), (9, 0)), "version|9, 0"),
    "no array": (b"text", "cannot be read as a NumPy array"),
    "empty": (b"", "cannot be read as a NumPy array"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_arrays_inside_valid_checksums(tmp_path: Path, case: str) -> None:
    data, words = DAMAGED[case]
    said = refused(lambda: npz.arrays(packed(tmp_path / "a.npz", data), "data file"), words)
    assert said.startswith(f"{tmp_path}/a.npz: x ")


def test_archives(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    good = member(header(), bytes(24))
    with pytest.warns(UserWarning, match="Duplicate"):
        packed(path, good, times=2)
    refused(lambda: npz.arrays(path, "data file"), "x is in the archive twice")
    for how in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        refused(lambda how=how: npz.arrays(packed(path, good, how=how), "data file"), "savez_compressed")  # type: ignore[misc]
    for data in (b"", b"text", b"PK\x03\x04" + bytes(100)):
        path.write_bytes(data)
        refused(lambda: npz.arrays(path, "data file"), "is not a .npz file; expected one made by numpy.savez")
    path.write_bytes(packed(path, good).read_bytes().replace(b"x.npy", b"y.npy", 1))
    refused(lambda: npz.arrays(path, "data file"), "BadZipFile")
    saved(path, x=np.zeros(1000), y=np.zeros(1000))
    refused(lambda: npz.arrays(path, "data file", most=12_000), "y takes 8128 bytes, more than the 3872 that are left")


def test_an_archive_takes_no_more_memory_than_it_may(tmp_path: Path) -> None:
    """100 MB of zeros in 100 kB: refused unread above the limit, and no second copy of what is read."""
    path = saved(tmp_path / "a.npz", x=np.zeros(100_000_000, np.uint8))
    assert peak(lambda: refused(lambda: npz.arrays(path, "data file", most=10**7), "takes")) < 2_000_000
    path = saved(tmp_path / "a.npz", x=np.zeros(20_000_000, np.uint8))
    assert peak(lambda: npz.arrays(path, "data file")) < 25_000_000


def test_a_header_at_the_limit(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((1,) * 32))
    assert npz.arrays(packed(tmp_path / "a.npz", buffer.getvalue()), "data file")["x"].shape == (1,) * 32
