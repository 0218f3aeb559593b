"""The one way in for files: limits, one sentence for every failure, what was read is noted."""

from __future__ import annotations

import gzip
import hashlib
import os
import tracemalloc
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
        ("[1]", "not an object"), ("1", "not an object"), ("", "cannot be read"), ('{"a": NaN}', r"\(NaN is no number of JSON\)"),
        ('{"a": -Infinity}', "no number"), ('{"a": 1e999}', r"\(the number 1e999"), ('{"a": 1, "a": 2}', r"\(the name 'a'"),
        ('{"a": ' + "9" * 5000 + "}", "cannot be read"), ('{"a":' * 10**5, "RecursionError"), ('{"a": 1', "cannot be read"),
    ):  # fmt: skip
        refused(lambda wrong=wrong: files.json_object(wrong, WHERE, "a result"), words)  # type: ignore[misc]
    refused(lambda: files.json_object(b"{\xff}", WHERE), "UTF-8")


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


def test_a_value_of_several_lines_is_shown_in_one() -> None:
    """Arrays, and whatever a user's own class calls itself."""

    class Loud:
        def __repr__(self) -> str:
            return "two\nlines\x1b[31m"

    assert shown(np.ones((2, 2))) == "array([[1., 1.], [1., 1.]])"
    assert shown(Loud()) == "two lines\\x1b[31m"
