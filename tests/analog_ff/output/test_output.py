"""Standard output and the working directory belong to the command: whatever a user's own code does with them."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kills import POSIX, SMALL

import analog_ff
from analog_ff.__main__ import app as commands
from analog_ff.cli.app import READER_GONE
from analog_ff.config.config import Config
from analog_ff.output import starting
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app

MINE = """
import os
import sys
import numpy as np
from hardware_models.devices.ideal import Ideal
class Talks(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        print('a pulse')
        super().pulse(state, pulses, key, window)
class Closes(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        sys.stdout.close()
        super().pulse(state, pulses, key, window)
class Moves(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        os.makedirs('elsewhere', exist_ok=True)
        os.chdir('elsewhere')
        super().pulse(state, pulses, key, window)
        os.chdir('..') if os.getcwd().count('elsewhere') > 3 else None
class Own(BaseException):
    pass
class Quits(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        if key.purpose.startswith('train'): raise GeneratorExit
        super().pulse(state, pulses, key, window)
class Raises(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        if key.purpose.startswith('train'): raise Own('enough')
        super().pulse(state, pulses, key, window)
class Refuses(Ideal):
    def __post_init__(self): raise Own('never')
def neuron(z): raise GeneratorExit
def negatives(images, labels, generator): raise Own('none')
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def run(*options: str) -> int:
    return run_app(app, ["--data", "toy", "--layers", "4", "--epochs", "1", "--out", "run", *options])


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("words", [["devices", "list"], ["devices", "list", "--json"], ["devices", "--help"],
                                   ["devices", "show", "ideal"]])  # fmt: skip
def test_a_full_disk_behind_standard_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    assert run_app(commands, words) == 1
    assert capsys.readouterr().err == "error: standard output cannot be written (No space left on device).\n"


def test_a_full_disk_behind_the_tables_of_a_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, mine: Path
) -> None:
    for command, more in ((run, ()), (run, ("--resume",)), (run, ("--resume", "--json"))):
        monkeypatch.setattr(sys, "stdout", Full())
        assert command(*more) == 1
        assert "error: standard output cannot be written (No space left on device).\n" in capsys.readouterr().err
        assert (mine / "run" / "result.json").is_file()
    monkeypatch.setattr(sys, "stdout", Full())
    assert run_app(commands, ["energy", "run"]) == 1


@pytest.mark.parametrize("name", ["Talks", "Closes"])
def test_what_a_users_code_does_with_standard_output(capsys: pytest.CaptureFixture[str], mine: Path, name: str) -> None:
    assert run("--device", "mine.py:" + name, "--json") == 0
    seen = capsys.readouterr()
    assert json.loads(seen.out)["schema"] == 1 and ("a pulse" in seen.err) == (name == "Talks")


def test_standard_output_closed_by_a_users_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, mine: Path
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert run("--device", "mine.py:Closes") == 1
    assert "error: standard output cannot be written (I/O operation on closed file).\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [(["--device", "mine.py:Quits"], 1, "GeneratorExit"), (["--device", "mine.py:Raises"], 1, "Own: enough"),
     (["--device", "mine.py:Refuses"], 2, "Own: never"), (["--nonlinearity", "mine.py:neuron"], 2, "GeneratorExit"),
     (["--negatives", "mine.py:negatives"], 2, "Own: none")],
)  # fmt: skip
def test_exceptions_that_are_none_of_exceptions(
    capsys: pytest.CaptureFixture[str], mine: Path, options: list[str], status: int, words: str
) -> None:
    assert run(*options) == status
    err = capsys.readouterr().err
    assert words in err and err.count("error: ") == 1 and "Traceback" not in err


def test_a_users_code_that_moves_elsewhere(capsys: pytest.CaptureFixture[str], mine: Path) -> None:
    """The run's folder and the files that its options name stay where they were meant to be; so does whoever called."""
    assert run("--device", "mine.py:Moves", "--technology", "cmos-32nm") == 0, capsys.readouterr().err
    assert Path.cwd() == mine and (mine / "run" / "result.json").is_file()
    assert json.loads((mine / "run" / "result.json").read_text())["config"]["out"] == "run"
    assert "run folder: run" in capsys.readouterr().out
    assert not list(mine.glob("elsewhere/**/run"))


def test_ctrl_c_while_a_command_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for words, ours in ((["python", "-m", "analog_ff.simulate"], True), (["python", "-m", "other"], False),
                            (["python", "script.py"], False)):  # fmt: skip
            monkeypatch.setattr(sys, "orig_argv", words)
            monkeypatch.setattr(sys, "argv", ["-m"])
            starting.begin()
            assert (signal.getsignal(signal.SIGINT) is signal.SIG_DFL) == ours
            starting.done()
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_at_the_very_beginning(tmp_path: Path) -> None:
    """A package that is loaded on the way stops the process where it is; its end is the signal's, with no traceback."""
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    root = str(Path(analog_ff.__file__).parents[1])
    words = [sys.executable, "-m", "analog_ff", "devices", "list"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), root))}
    # A shell without job control lets what it starts in the background ignore SIGINT, and a child inherits that.
    ended = subprocess.run(
        words, env=env, capture_output=True, text=True, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert ended.returncode == -signal.SIGINT and ended.stderr == ""


WRONG = ["nan", "-inf", "", "x" * 5000, "é[red]\n[/red]", ".", "9" * 400]
"""What no number, name, file or list of an option should be; a folder where a file is asked for among them."""
OPTIONS = {
    "spiking": ["--layers", "--device", "--encoder", "--epochs", "--images-per-epoch", "--step", "--present", "--target",
                "--theta", "--weight-range", "--technology", "--seed"],
    "compare": ["--devices", "--learners", "--set", "--seeds", "--accuracy", "--draws", "--split", "--threads", "--tile"],
    "devices fit": ["--out", "--plot", "--columns"],
    "devices show": ["--out", None],
    "devices examine": [None],
    "energy": [None, "--technology", "--scenario"],
}  # fmt: skip
BASE = {"spiking": ["--data", "toy"], "compare": ["--data", "toy"], "devices fit": ["train.csv"], "devices show": ["ideal"],
        "devices examine": [], "energy": ["run"]}  # fmt: skip


@pytest.mark.parametrize(("command", "option"), [(c, o) for c, options in OPTIONS.items() for o in options])
def test_wrong_values_of_options(
    capsys: pytest.CaptureFixture[str], mine: Path, command: str, option: str | None
) -> None:
    """Each is refused in one sentence with status 2, and nothing is written."""
    before = sorted(mine.iterdir())
    for value in WRONG:
        words = [*command.split(), *([value] if option is None else [*BASE[command], option, value])]
        assert run_app(commands, words) == 2, words
        seen = capsys.readouterr()
        assert seen.out == "" and seen.err.startswith("error: ") and seen.err.count("\n") == 1, (words, seen)
        assert len(seen.err) < 1600 and sorted(mine.iterdir()) == before, words


def test_an_answer_needs_a_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A command that was begun with standard output closed cannot answer: status 1 and a sentence, the run is kept."""
    monkeypatch.setattr("sys.stdout", None)
    small = ["--data", "toy", "--layers", "8", "--epochs", "1", "--json", "--out", str(tmp_path / "run")]
    assert run_app(app, small) == 1
    assert "standard output cannot be written (it is closed)" in capsys.readouterr().err
    assert (tmp_path / "run" / "result.json").is_file()


@POSIX
def test_a_reader_that_ends_before_the_command(tmp_path: Path) -> None:
    """Behind a pipe such as ``| head -1`` tables, help and answers end without a word, with the status of SIGPIPE."""
    folder = tmp_path / "run"
    execute(Config(**SMALL, out=str(folder)), quiet=True, pictures=False)
    words: list[list[str]] = [[], ["--help"], ["--version"], ["infer", str(folder)]]
    started = []
    for word in words:  # side by side, since each of them loads the program
        process = subprocess.Popen(
            [sys.executable, "-m", "analog_ff", *word], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.close()
        started.append(process)
    ends = [(process.communicate()[1].decode(), process.returncode) for process in started]
    assert ends == [("", READER_GONE)] * len(words)
