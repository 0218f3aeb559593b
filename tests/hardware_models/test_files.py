"""The one way in for files: limits, one sentence for every failure, what was read is noted."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models import files
from hardware_models.check import RunError, UsageError, shown

WHERE = "x.file"


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


# ---------------------------------------------------------------- reading and contents


@pytest.mark.parametrize(
    "error",
    [ValueError("bad\nvalue"), KeyError("x"), RecursionError("deep"), MemoryError(), EOFError(), TypeError("x" * 10**6),
     UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), OverflowError("a"), AssertionError("0x7f"), RuntimeError("\x1b[31m")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_every_failure_is_one_sentence(error: Exception) -> None:
    def fail() -> None:
        with files.reading(WHERE, "a table"):
            raise error

    said = refused(fail, rf"^{WHERE} cannot be read as a table \({type(error).__name__}")
    assert "\x1b" not in said and "0x7f" not in said


@pytest.mark.parametrize("error", [UsageError("mine."), RunError("mine."), KeyboardInterrupt()])
def test_errors_that_say_it_already_go_through(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, files.reading(WHERE, "a table"):
        raise error
    assert caught.value is error


def test_a_file_that_says_nothing_while_it_is_read(tmp_path: Path) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise ValueError

    def fail() -> None:
        with files.reading(WHERE, "a table"):
            raise Odd

    refused(fail, r"\(Odd\)")


def test_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(bytes(100))
    assert files.contents(file, "data file", most=100) == bytes(100)
    refused(lambda: files.contents(file, "data file", most=99), "has 100 bytes, more than the 99 that are read")
    refused(lambda: files.contents(tmp_path, "data file"), "no regular file")
    refused(lambda: files.contents(tmp_path / "none", "data file"), "^data file .*none does not exist")
    refused(lambda: files.contents(file / "below", "data file"), "Not a directory")
    refused(lambda: files.contents("a\0b", "data file"), "null")
    refused(lambda: files.contents("x" * 5000, "data file"), "is too long: a name has at most 255 bytes")
    refused(lambda: files.contents(f"{file}\n\x1b[31m", "data file"), r"\\n\\x1b")
    os.mkfifo(tmp_path / "pipe")
    refused(lambda: files.contents(tmp_path / "pipe", "data file"), "no regular file")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.contents("~/a.bin", "data file") == bytes(100)
    assert peak(lambda: files.contents(file, "data file", most=files.LARGE)) < 100_000


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no file of unknown length at hand")
def test_a_file_longer_than_it_says() -> None:
    assert b"VmPeak" in files.contents("/proc/self/status", "status")
    refused(lambda: files.contents("/proc/self/status", "status", most=10), "more than the 10")


# ---------------------------------------------------------------- the record


def test_files_are_noted_once_by_kind_and_name(tmp_path: Path) -> None:
    for folder, data in (("a", b"one"), ("b", b"two"), ("c", b"one")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.toml").write_bytes(data)
    one, two = (hashlib.sha256(data).hexdigest() for data in (b"one", b"two"))
    with files.record() as outer:
        files.contents(tmp_path / "a" / "x.toml", "device file")
        with files.record() as inner:
            for folder in "bca":
                files.contents(tmp_path / folder / "x.toml", "device file")
            files.contents(tmp_path / "a" / "x.toml", "prices")
        assert inner == {"device file x.toml": two, "device file x.toml (2)": one, "prices x.toml": one}
    assert outer == {"device file x.toml": one, "device file x.toml (2)": two, "prices x.toml": one}
    files.contents(tmp_path / "b" / "x.toml", "device file")  # nobody asks: nothing is kept
    assert len(outer) == 3
    with pytest.raises(RuntimeError), files.record() as outer, files.record():
        files.note("device file", "y", b"one")
        raise RuntimeError
    assert outer == {"device file y": one}


# ---------------------------------------------------------------- text, TOML, JSON


def test_text() -> None:
    assert files.text("\ufeffé".encode(), WHERE) == "é"
    refused(lambda: files.text(b"a\nb\xff", WHERE), r"not UTF-8 text \(line 2\)")


def test_toml() -> None:
    assert files.toml(b"a.b = 1\n", WHERE) == {"a": {"b": 1}}
    numbers = "curve = [" + ", ".join(["0.25", "1.5e-3"] * 500) + "]\n"
    assert len(files.toml(numbers + 'source = "Fig. 3.a, p. 7. See also 4.b."\n', WHERE)["curve"]) == 1000
    for wrong, words in (
        ("a = ", "x.file cannot be read as a TOML file"), ("a = 1\na = 2", "TOML"), ("a = " + "[" * 5000, "TOML"),
        (f"a = {'9' * 5000}", "TOML"), ("a = 1\n" + ".".join("a" * 1000) + " = 1", "line 2: a name of more than 50 parts"),
        ("[" + " . ".join("1" * 1000) + "]", "more than 50 parts"), ('"a".' * 1000 + "b = 1", "more than 50 parts"),
        ("# " + "x" * files.MOST_TOML, "characters, more than"), ("\0", "TOML"),
    ):  # fmt: skip
        refused(lambda wrong=wrong: files.toml(wrong, WHERE), words)  # type: ignore[misc]
    refused(lambda: files.toml(b"\xff", WHERE), "UTF-8")


def test_json() -> None:
    assert files.json_object('{"a": [1, 2.5, null]}', WHERE) == {"a": [1, 2.5, None]}
    for wrong, words in (
        ("[1]", "not an object"), ("1", "not an object"), ("", "cannot be read"), ('{"a": NaN}', "NaN is no number of JSON"),
        ('{"a": -Infinity}', "no number"), ('{"a": 1e999}', "too large"), ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": ' + "9" * 5000 + "}", "cannot be read"), ('{"a":' * 10**5, "RecursionError"), ('{"a": 1', "cannot be read"),
    ):  # fmt: skip
        refused(lambda wrong=wrong: files.json_object(wrong, WHERE, "a result"), words)  # type: ignore[misc]
    refused(lambda: files.json_object(b"{\xff}", WHERE), "UTF-8")


# ---------------------------------------------------------------- .npz


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
    found = files.arrays(path, "data file")
    with np.load(path) as right:
        assert set(found) == set(right.files)
        for name, array in found.items():
            assert array.dtype == right[name].dtype and array.flags.writeable
            np.testing.assert_array_equal(array, right[name])
    assert set(files.arrays(path, "data file", ("plain", "absent"))) == {"plain"}
    assert files.arrays(packed(path, member(header(), bytes(24), (3, 0))), "data file")["x"].tolist() == [0, 0, 0]


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
    said = refused(lambda: files.arrays(packed(tmp_path / "a.npz", data), "data file"), words)
    assert said.startswith(f"{tmp_path}/a.npz: x ")


def test_archives(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    good = member(header(), bytes(24))
    with pytest.warns(UserWarning, match="Duplicate"):
        packed(path, good, times=2)
    refused(lambda: files.arrays(path, "data file"), "x is in the archive twice")
    for how in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        refused(lambda how=how: files.arrays(packed(path, good, how=how), "data file"), "savez_compressed")  # type: ignore[misc]
    for data in (b"", b"text", b"PK\x03\x04" + bytes(100)):
        path.write_bytes(data)
        refused(lambda: files.arrays(path, "data file"), "is not a .npz file; expected one made by numpy.savez")
    path.write_bytes(packed(path, good).read_bytes().replace(b"x.npy", b"y.npy", 1))
    refused(lambda: files.arrays(path, "data file"), "BadZipFile")
    saved(path, x=np.zeros(1000), y=np.zeros(1000))
    refused(
        lambda: files.arrays(path, "data file", most=12_000), "y takes 8128 bytes, more than the 3872 that are left"
    )


def test_an_archive_takes_no_more_memory_than_it_may(tmp_path: Path) -> None:
    """100 MB of zeros in 100 kB: refused unread above the limit, and no second copy of what is read."""
    path = saved(tmp_path / "a.npz", x=np.zeros(100_000_000, np.uint8))
    assert peak(lambda: refused(lambda: files.arrays(path, "data file", most=10**7), "takes")) < 2_000_000
    path = saved(tmp_path / "a.npz", x=np.zeros(20_000_000, np.uint8))
    assert peak(lambda: files.arrays(path, "data file")) < 25_000_000


# ---------------------------------------------------------------- gzip


def test_gunzip() -> None:
    data = os.urandom(3000)
    packed_twice = gzip.compress(data[:1000]) + gzip.compress(data[1000:])
    assert files.gunzip(packed_twice, WHERE, 10_000) == data
    assert files.gunzip(packed_twice + bytes(50), WHERE, 10_000) == data
    assert files.gunzip(packed_twice, WHERE, 1500) == data[:1500]
    for wrong in (
        b"\x1f\x8b",
        packed_twice[:-1],
        packed_twice + b"junk",
        packed_twice[:-8] + bytes(8),
        b"text",
        b"\x1f",
    ):
        refused(lambda wrong=wrong: files.gunzip(wrong, WHERE, 10_000), "^x.file cannot be read as a gzip file")  # type: ignore[misc]
    bomb = gzip.compress(bytes(50_000_000))
    assert peak(lambda: files.gunzip(bomb, WHERE, 1000)) < 1_000_000
    many = gzip.compress(b"") * 20_000  # members without contents: the time grows with their number, not its square
    assert files.gunzip(many, WHERE, 1000) == b""


def test_a_header_at_the_limit(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((1,) * 32))
    assert files.arrays(packed(tmp_path / "a.npz", buffer.getvalue()), "data file")["x"].shape == (1,) * 32


def test_a_value_of_several_lines_is_shown_in_one() -> None:
    """Arrays, and whatever a user's own class calls itself."""

    class Loud:
        def __repr__(self) -> str:
            return "two\nlines\x1b[31m"

    assert shown(np.ones((2, 2))) == "array([[1., 1.], [1., 1.]])"
    assert shown(Loud()) == "two lines\\x1b[31m"
