"""Files are written as a whole or not at all; a full disk is one sentence, whatever its size."""

from __future__ import annotations

import errno
import io
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.output import whole_files
from analog_ff.runs import checkpoint, plots
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app
from hardware_models.check import CommandError, RunError, UsageError

OPTIONS = ["--data", "toy", "--layers", "8", "--epochs", "2", "--batch", "200", "--shift", "0"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="links and permissions of POSIX")


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(file.name for file in folder.iterdir())


def test_text_and_bytes(tmp_path: Path) -> None:
    """A file is replaced, and the one before kept where that is asked for."""
    for content in ("naïve\n", b"\x00\xff", b"", b"x" * 3_000_000):
        whole_files.write(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == (content.encode() if isinstance(content, str) else content)
    whole_files.write(tmp_path / "a", "new", before=tmp_path / "b")
    assert (tmp_path / "a").read_text() == "new" and (tmp_path / "b").stat().st_size == 3_000_000
    whole_files.write(tmp_path / "c", "first", before=tmp_path / "d")
    assert names(tmp_path) == ["a", "b", "c"]


def test_a_system_that_takes_a_byte_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may write less than it was given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:1]))
    whole_files.write(tmp_path / "a", "all of it")
    assert (tmp_path / "a").read_text() == "all of it"


@POSIX
def test_planted_links_are_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at the file's own name nor at the temporary one, which cannot be foreseen besides."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "result.json").symlink_to(tmp_path / "victim")
    whole_files.write(tmp_path / "result.json", "{}")
    assert (tmp_path / "victim").read_text() == "precious" and not (tmp_path / "result.json").is_symlink()
    monkeypatch.setattr(whole_files.secrets, "token_hex", lambda size: "0" * 16)
    (tmp_path / ".a.0000000000000000.tmp").symlink_to(tmp_path / "victim")
    with pytest.raises(RunError, match="File exists"):
        whole_files.write(tmp_path / "a", "mine")
    assert (tmp_path / "victim").read_text() == "precious"
    monkeypatch.undo()
    seen = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (seen.append(Path(a).name), replace(a, b)))
    for _ in range(2):
        whole_files.write(tmp_path / "b", "")
    assert len(set(seen)) == 2


@POSIX
def test_permissions_are_those_of_the_umask(tmp_path: Path) -> None:
    """Those who share a folder can read what a run writes."""
    before = os.umask(0o027)
    try:
        whole_files.write(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
def test_a_failure_anywhere_is_one_sentence_and_no_litter(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stood there is kept, and the file that was to go is gone."""
    (tmp_path / "a").write_text("before")

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    with (
        monkeypatch.context() as patch,
        pytest.raises(RunError, match=r"/a could not be written \(No space left") as caught,
    ):
        patch.setattr(os, call, fails)
        whole_files.write(tmp_path / "a", "after")
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "before"


def test_only_what_a_writer_left_is_swept(tmp_path: Path) -> None:
    """A user's own hidden and temporary files are not touched."""
    left = [".result.json.0123456789abcdef.tmp", ".checkpoint.h5.fedcba9876543210.tmp"]
    kept = [".hidden", "a.tmp", ".notes.tmp", ".a.0123.tmp", "result.json"]
    for name in (*left, *kept):
        (tmp_path / name).write_text("")
    whole_files.sweep(tmp_path)
    assert names(tmp_path) == sorted(kept)


# --- a run on a disk that fills up ---


class Disk:
    """Takes so many bytes; the call that goes beyond writes what still fits, as a real disk does."""

    def __init__(self, size: int) -> None:
        self.left, self._write = size, os.write

    def write(self, descriptor: int, data: Any) -> int:
        taken = min(len(data), self.left)
        if len(data) and not taken:
            raise OSError(28, "No space left on device")
        self.left -= taken
        return self._write(descriptor, data[:taken])


@pytest.mark.slow
def test_twenty_sizes_of_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From nothing to nearly all bytes: one sentence, status 1, no litter; with room again the run ends the same.

    Times in the files have more digits in one run than in another, so that the last size is 200 bytes short.
    """
    monkeypatch.setattr(plots, "learning_curve", lambda folder, *a: whole_files.write(folder / "c.png", b"-" * 9000))
    monkeypatch.setattr("analog_ff.runs.cells._picture", lambda looks: b"-" * 9000)
    # A first run may write more than its folder, such as compiled kernels: the bytes of a second one are counted.
    assert run_app(app, [*OPTIONS, "--json", "--out", str(tmp_path / "first")]) == 0
    room = Disk(10**9)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", room.write)
        assert run_app(app, [*OPTIONS, "--json", "--out", str(tmp_path / "whole")]) == 0
    needed = 10**9 - room.left
    whole = (tmp_path / "whole" / "events.csv").read_bytes()
    capsys.readouterr()
    kinds = set()
    sizes = [0, 1, *(needed * n // 18 for n in range(1, 18)), needed - 200]
    assert len(sizes) == 20
    for number, size in enumerate(sizes):
        folder = tmp_path / f"disk{number}"
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", Disk(size).write)
            assert run_app(app, [*OPTIONS, "--json", "--out", str(folder)]) == 1
        shown = capsys.readouterr()
        lines = [line for line in shown.err.splitlines() if "batches" not in line]
        assert len(lines) == 1 and "No space left on device" in lines[0] and shown.out == ""
        kinds.add(folder.exists())
        if not folder.exists():  # not even the configuration had room
            continue
        assert not [name for name in names(folder) if name.startswith(".")] and "result.json" not in names(folder)
        if number % 4 == 3:
            assert run_app(app, ["--resume", "--json", "--out", str(folder)]) == 0
            assert (folder / "events.csv").read_bytes() == whole and names(folder) == names(tmp_path / "whole")
            capsys.readouterr()
    assert kinds == {True, False} and not [name for name in names(tmp_path) if name.startswith(".")]


@POSIX
def test_a_limit_of_the_system(tmp_path: Path) -> None:
    """Of the size of a file, in the checkpoint that grows beyond it: the plain calls report it, nothing crashes."""
    import resource

    image = io.BytesIO(b"x" * 100_000).getvalue()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(RunError, match="could not be written"):
            whole_files.write(tmp_path / "a", image)
        with pytest.raises(RunError, match="could not be written"):
            checkpoint.write(tmp_path, {"a": np.zeros(20_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == []


def test_a_picture_that_cannot_be_written_stops_the_run_and_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures come last but for the result: nothing has to be trained again."""
    config = Config(data="toy", layers=(8,), epochs=1, batch=200, shift=0, out=str(tmp_path / "run"))
    replace = os.replace

    def fails(a: Path, b: Path) -> None:
        if Path(b).suffix == ".png":
            raise OSError(28, "No space left on device")
        replace(a, b)

    with monkeypatch.context() as patch, pytest.raises(RunError, match="cells.png could not be written"):
        patch.setattr(os, "replace", fails)
        execute(config, quiet=True)
    result, _ = execute(config, resume=True, quiet=True)
    assert result["images"]["learn"] == 400 and (tmp_path / "run" / "learning_curve.png").is_file()


def test_a_file_that_a_command_makes_is_new_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, text = tmp_path / "device.toml", "name = 'é'\n"
    whole_files.create(file, text)
    with pytest.raises(UsageError, match="exists and is not overwritten"):
        whole_files.create(file, "other")

    def no_links(*places: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", no_links)
        with pytest.raises(UsageError, match="exists and is not overwritten"):
            whole_files.create(file, "other")
        whole_files.create(tmp_path / "second.toml", text)
    assert (tmp_path / "second.toml").read_text("utf-8") == file.read_text("utf-8") == text

    def full(*anything: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(CommandError, match="third.toml cannot be written .No space left on device"):
            whole_files.create(tmp_path / "third.toml", text)
    assert sorted(place.name for place in tmp_path.iterdir()) == ["device.toml", "second.toml"]
