"""The folder of a run: made whole, for one process at a time; signals, streams that are closed, users who call exit()."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kills import OPTIONS, POSIX, SMALL, begun, killed, killed_run, left_in

from analog_ff.config.config import Config
from analog_ff.output import folders, forms
from analog_ff.runs import checkpoint
from analog_ff.runs import execute as running
from analog_ff.runs.execute import execute
from analog_ff.runs.train import Run
from analog_ff.simulate import app, run_app
from hardware_models.check import RunError, UsageError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the run `SMALL` leaves behind when nobody interrupts it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    execute(Config(**SMALL, out=str(folder)), quiet=True)
    return left_in(folder)


# --- one at a time ---


OWNER = """import multiprocessing, time
from pathlib import Path
from analog_ff.output import folders

if __name__ == "__main__":
    with folders.held(Path({folder!r})):
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
        child.start()
        print(child.pid, flush=True)
        time.sleep(60)
"""
"""Holds the lock, and has a child that outlives it, as a chip's process may for a moment."""


@POSIX
def test_a_second_process_is_refused_and_the_lock_dies_with_its_owner(
    whole: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a living owner: one sentence, status 2, nothing touched. After its kill the run goes on to the same bits."""
    folder = tmp_path / "run"
    config = begun(folder)
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(folder=str(folder)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    owner = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)
    child = 0
    try:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        assert run_app(app, ["--resume", "--out", str(folder)]) == 2
        err = capsys.readouterr().err
        assert "another process works on the run" in err and err.count("\n") == 1
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
        owner.kill()
        owner.wait()
        os.kill(child, 0)  # it is still there
        execute(config, resume=True, quiet=True)
    finally:
        owner.kill()
        if child:
            os.kill(child, signal.SIGKILL)
        owner.communicate()
    assert left_in(folder) == whole


@POSIX
def test_a_folder_that_is_being_made_is_locked_from_the_start(tmp_path: Path) -> None:
    """There is no moment between its name and its lock."""
    folder = tmp_path / "run"
    with folders.made(folder, {"config.toml": "schema = 1\n"}):
        with pytest.raises(UsageError, match="another process"), folders.held(folder):
            pass
    with folders.held(folder):
        pass
    assert [file.name for file in folder.iterdir()] == ["config.toml"]


@POSIX
@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_that_nobody_may_look_into(
    resume: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another user's run: one sentence, at the start as with --resume."""

    def refuse(path: Path, *options: object, **named: object) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    for name in ("is_file", "exists", "is_dir", "mkdir"):
        monkeypatch.setattr(Path, name, refuse)
    options = ["--data", "toy", "--layers", "8", "--out", str(tmp_path / "theirs" / "run"), *["--resume"] * resume]
    assert run_app(app, options) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert f"cannot be {'opened' if resume else 'made'} (Permission denied)" in err and "Traceback" not in err


def test_what_a_killed_maker_left_is_swept(tmp_path: Path) -> None:
    """But nothing of a living one, and nothing of the user's."""
    dead, living, mine = (tmp_path / f".run.{name}.new" for name in ("0" * 16, "1" * 16, "mine"))
    for young in (dead, living, mine):
        young.mkdir()
        (young / "config.toml").write_text("schema = 1\n")
    with folders.held(living), folders.made(tmp_path / "run", {"config.toml": ""}):
        assert {place.name for place in tmp_path.iterdir()} == {"run", living.name, mine.name}


def test_a_folder_whose_first_file_cannot_be_written_is_gone_again(tmp_path: Path) -> None:
    """With all folders above it that were made for it."""
    with killed_disk(), pytest.raises(RunError, match="run/config.toml could not be written"):
        execute(Config(**SMALL, out=str(tmp_path / "a" / "b" / "run")), quiet=True)
    assert list(tmp_path.iterdir()) == []


def killed_disk() -> Any:
    """Return a context in which nothing can be written."""

    def full(descriptor: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    patch = pytest.MonkeyPatch.context()

    class Context:
        def __enter__(self) -> None:
            patch.__enter__().setattr(os, "write", full)

        def __exit__(self, *what: Any) -> None:
            patch.__exit__(*what)

    return Context()


# --- signals, streams, users' code ---


def started(command: list[str], **options: Any) -> subprocess.Popen[str]:
    """Start a run in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "analog_ff.simulate", *command], stdout=subprocess.PIPE, text=True,
        cwd=Path(running.__file__).parents[2], **options,
    )  # fmt: skip


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something has happened, or the process has ended."""
    end = time.monotonic() + 90
    while not happened() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    assert happened()


@pytest.mark.slow
@POSIX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_real_kill(number: signal.Signals, tmp_path: Path) -> None:
    """SIGTERM ends a run at the border of a batch with status 143; after either it goes on, and what was half written is gone."""
    folder = tmp_path / "run"
    long = [*OPTIONS[:4], "--epochs", "3000", *OPTIONS[6:], "--out", str(folder)]
    process = started(long, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: (folder / "metrics.csv").exists(), process)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == (143 if number == signal.SIGTERM else -number) and "Traceback" not in err
    arrays, facts = checkpoint.read(folder)
    assert facts["epoch"] >= 1 and arrays
    (folder / ".result.json.0123456789abcdef.tmp").write_text("half a res")  # a kill may leave one
    killed_run(Config.from_toml(folder / "config.toml"), killed(Run, "_monitor"), resume=True)
    assert not [file.name for file in folder.iterdir() if file.name.startswith(".")]


@pytest.mark.slow
@POSIX
def test_nobody_need_listen_to_standard_error(whole: dict[str, Any], tmp_path: Path) -> None:
    """A pipe whose reader has gone: the run ends with status 0 and its JSON alone."""
    reader, writer = os.pipe()
    os.close(reader)
    process = started([*OPTIONS, "--json", "--out", str(tmp_path / "run")], stderr=writer)
    os.close(writer)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and json.loads(out)["events"] == whole["result"]["events"]


@pytest.mark.parametrize("stream", [None, "closed"])
def test_a_closed_standard_error_takes_nothing(
    stream: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Closed before Python began it is None, and print would take standard output instead."""
    closed = (tmp_path / "stderr").open("w")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed if stream else None)
    assert run_app(app, [*OPTIONS, "--json", "--out", str(tmp_path / "run")]) == 0
    assert run_app(app, [*OPTIONS, "--json", "--out", str(tmp_path / "run")]) == 2
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("where", ["file", "class", "function"])
def test_exit_in_a_user_s_code_is_an_error(where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A class that calls exit() would end the command with its own status, 0, and not a word."""
    file = tmp_path / "mine.py"
    file.write_text(
        {
            "file": "raise SystemExit(0)\n",
            "class": "class Mine:\n    fabricate = pulse = print\n\n    def __init__(self):\n        raise SystemExit(0)\n",
            "function": "def Mine(z):\n    raise SystemExit(0)\n",
        }[where]
    )
    option = "--nonlinearity" if where == "function" else "--device"
    status = run_app(app, [*OPTIONS, option, f"{file}:Mine", "--out", str(tmp_path / "run")])
    err = capsys.readouterr().err
    assert status in (1, 2) and "SystemExit" in err and err.count("\n") == 1


def test_a_file_that_ends_too_early_is_not_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The library of the command line takes EOFError for an interruption."""
    (tmp_path / "empty.npz").write_bytes(b"")
    assert run_app(app, [*OPTIONS, "--fault-map", str(tmp_path / "empty.npz"), "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert "interrupted" not in err and "empty.npz" in err

    def ends(*args: Any) -> None:
        raise EOFError("a reader's own fault")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(EOFError):
        patch.setattr(running, "data_of", ends)
        run_app(app, [*OPTIONS, "--out", str(tmp_path / "run")])


def test_ctrl_c_is_an_interruption(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it comes."""

    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "data_of", interrupt)
        assert run_app(app, [*OPTIONS, "--out", str(tmp_path / "run")]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_table_is_read_back_as_it_was_written() -> None:
    """Quotes where they are needed, 0 for what a line lacks, no line for no epoch."""
    lines = [{"epoch": 1, "a,b": 0.1}, {"epoch": 2, "c": 1e-30}]
    assert forms.table(lines) == 'epoch,"a,b",c\n1,0.1,0\n2,0,1e-30\n'


def test_a_folder_that_has_lost_its_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A finished run without its config.toml is a run: the sentence names what is missing, not that there is no run."""
    run = tmp_path / "run"
    options = ["--data", "toy", "--layers", "3", "--epochs", "1", "--device", "ideal", "--out", str(run)]
    assert run_app(app, options) == 0
    (run / "config.toml").unlink()
    capsys.readouterr()
    assert run_app(app, ["--resume", "--out", str(run)]) == 2
    err = capsys.readouterr().err
    assert "lacks its config.toml" in err and "put it back" in err and err.count("\n") == 1
