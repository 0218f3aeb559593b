"""Files that a user's own code opens are inputs of a run: recorded, compared at --resume, refused by name."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analog_ff.simulate import app, run_app
from hardware_models import opened
from hardware_models.chip.process_port import ProcessPort
from hardware_models.keys import Key
from hardware_models.tables import load_object

DEVICE = """
import numpy as np
from pathlib import Path
from hardware_models.devices.ideal import Ideal
HERE = Path(__file__).parent
class AtInit(Ideal):
    def __post_init__(self):
        super().__post_init__()
        np.load(HERE / 'table.npy')
class InPulse(Ideal):
    def pulse(self, state, pulses, key, window=None, **time):
        if key.purpose.startswith('train'):
            np.loadtxt(HERE / 'late.csv')
            with open(HERE / 'log.txt', 'a') as log:
                log.write('pulse')
        super().pulse(state, pulses, key, window)
def neuron(z):
    return z * np.load(HERE / 'table.npy')[0]
def negatives(images, labels, generator):
    import helper_of_negatives
    return images, (labels + helper_of_negatives.STEP) % 2
"""
HELPER = "from pathlib import Path\nSTEP = int((Path(__file__).parent / 'step.txt').read_text())\n"


class Killed(Exception):
    """What ends a run after an epoch."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "mine.py").write_text(DEVICE)
    (tmp_path / "helper_of_negatives.py").write_text(HELPER)
    np.save(tmp_path / "table.npy", np.ones(3))
    (tmp_path / "late.csv").write_text("1,2\n".replace(",", " "))
    (tmp_path / "step.txt").write_text("1")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("helper_of_negatives", None)


CASES = {
    "at init": (["--device", "{0}/mine.py:AtInit"], "table.npy"),
    "in a pulse of training": (["--device", "{0}/mine.py:InPulse"], "late.csv"),
    "by a module that is imported": (["--negatives", "{0}/mine.py:negatives"], "step.txt"),
}


def killed_after_one_epoch(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from analog_ff.runs.train import Run

    save = Run._save

    def _save(self: Run, folder: Path) -> None:
        save(self, folder)
        if self.epoch == 1:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_save", _save)
        with pytest.raises(Killed):
            run_app(app, options)


@pytest.mark.parametrize("case", CASES)
def test_a_file_that_a_users_code_opens(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: Path, case: str
) -> None:
    own, name = CASES[case]
    run, again = place / "run", ["--resume", "--out", str(place / "run")]
    options = ["--data", "toy", "--layers", "4", "--epochs", "2", *(o.format(place) for o in own), "--out", str(run)]
    killed_after_one_epoch(options, monkeypatch)
    kept = shutil.copytree(run, place / "kept")
    assert run_app(app, again) == 0, capsys.readouterr().err
    inputs = json.loads((run / "result.json").read_text())["inputs_sha256"]
    assert [entry for entry in inputs if entry.startswith("opened file ")] == [f"opened file {place / name}"]
    shutil.rmtree(run)
    kept.rename(run)
    for change in ("edited", "removed"):
        if change == "edited":
            (place / name).write_bytes((place / name).read_bytes() + b"\n")
        else:
            (place / name).unlink()
        capsys.readouterr()
        sys.modules.pop(
            "helper_of_negatives", None
        )  # as in another process; a module that is loaded reads no file again
        assert run_app(app, again) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and name in err and not (run / "result.json").exists()


@pytest.mark.slow
def test_a_file_that_is_opened_in_the_process_of_a_chip(place: Path) -> None:
    with opened.into({}) as noted, ProcessPort("ideal", ((5, 4),), nonlinearity=f"{place}/mine.py:neuron") as chip:
        assert list(noted) == [f"opened file {place}/table.npy"]
        np.save(place / "table.npy", np.zeros(3))
        chip.observe(0, np.zeros((1, 5), np.float32), key=Key(0, "x"))
        assert list(noted)[1:] == [f"opened file {place}/table.npy (2)"]


def test_which_files_count(place: Path) -> None:
    """Read by the user's code, beneath no folder of Python's: not what is listed, written, or read by others."""
    (place / "reader.py").write_text(
        "import os\n"
        "def read(path):\n    with open(path) as file: file.read()\n"
        "def other(path): return os.listdir(path)\n"
        "def write(path): open(path, 'w').close()\n"
        "def ours(path):\n    from hardware_models.files import contents\n    contents(path, 'file')\n"
    )
    read, other, write, ours = (
        load_object(f"{place}/reader.py:{name}", "x") for name in ("read", "other", "write", "ours")
    )
    with opened.into({}, place / "run") as noted:
        other(place)
        write(place / "new.txt")
        read(place / "new.txt")
        read(json.__file__)
        ours(place / "step.txt")
        (place / "late.csv").read_text()
        (place / "run").mkdir()
        (place / "run" / "a").write_text("")
        read(place / "run" / "a")
        with pytest.raises(FileNotFoundError):
            read(place / "none")
        assert noted == {}
        read(place / "step.txt")
        read(place / "step.txt")
        assert list(noted) == [f"opened file {place}/step.txt"]
        (place / "step.txt").write_text("22")
        read(place / "step.txt")
        assert len(noted) == 2
    read(place / "late.csv")
    assert len(noted) == 2


def test_two_records_of_one_file() -> None:
    """One that was moved is known by its name and contents; another one, or none, is not."""
    kept = {"opened file a/x.npy": "1", "device file d.toml": "3"}
    assert opened.agree("opened file a/x.npy", kept, {"opened file /b/x.npy": "1"})
    assert opened.agree("opened file /b/x.npy", kept, {"opened file /b/x.npy": "1"})
    assert not opened.agree("opened file a/x.npy", kept, {"opened file /b/x.npy": "2"})
    assert not opened.agree("opened file a/x.npy", kept, {"opened file a/x.npy": "2"})
    assert not opened.agree("opened file a/x.npy", kept, {})
    assert not opened.agree("device file d.toml", kept, {})
    now = {"opened file /b/x.npy": "1", "device file d.toml": "3"}
    opened.goes_on(kept, now)
    assert now == kept


def test_a_module_that_is_found_only_while_the_users_code_runs(tmp_path: Path) -> None:
    """Its source counts, and what it opens: the user's own file has changed the path of imports, or names it in a text."""
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "hidden_helper.py").write_text(
        "from pathlib import Path\nF = Path(__file__).with_name('f.txt')\nSTEP = F.read_text()\ndef again(): F.read_text()\n"
    )
    (tmp_path / "beside" / "f.txt").write_text("1")
    (tmp_path / "mine.py").write_text(
        "import importlib, sys\nfrom pathlib import Path\n"
        "def f():\n"
        "    sys.path.insert(0, str(Path(__file__).parent / 'beside'))\n"
        "    return importlib.import_module('hidden_helper')\n"
    )
    entries = [f"opened file {tmp_path}/beside/{name}" for name in ("hidden_helper.py", "f.txt")]
    path = list(sys.path)
    try:
        for _ in range(2):  # the second time it comes from a .pyc
            f = load_object(f"{tmp_path}/mine.py:f", "x")
            with opened.into({}) as noted:
                f()
            assert list(noted) == entries
            with opened.into({}) as noted:
                sys.modules["hidden_helper"].again()
            assert list(noted) == entries[1:]
            del sys.modules["hidden_helper"]
    finally:
        sys.path[:] = path
        sys.modules.pop("hidden_helper", None)


def test_a_file_that_is_opened_to_read_and_to_write(tmp_path: Path) -> None:
    """`numpy.memmap` opens like that unless it is told otherwise; a file made anew or prolonged stays the user's own."""
    (tmp_path / "table.bin").write_bytes(bytes(8))
    (tmp_path / "mapping.py").write_text(
        "import numpy as np\nfrom pathlib import Path\n"
        "def f(): return np.memmap(Path(__file__).with_name('table.bin'), np.float32)\n"
        "def g():\n"
        "    for mode in ('w+', 'a+'): open(Path(__file__).with_name('log.txt'), mode).close()\n"
    )
    f, g = (load_object(f"{tmp_path}/mapping.py:{name}", "x") for name in "fg")
    with opened.into({}) as noted:
        f()
        g()
    assert list(noted) == [f"opened file {tmp_path}/table.bin"]


def test_files_that_threads_of_the_user_read(tmp_path: Path) -> None:
    """A pool's thread has no call of the user on its stack; it works for those who started it, and theirs for them in turn."""
    for name in "abcd":
        np.save(tmp_path / f"{name}.npy", np.ones(1))
    (tmp_path / "pooled.py").write_text(
        "import threading\nfrom concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\nimport numpy as np\n"
        "HERE = Path(__file__).parent\nkept = ThreadPoolExecutor(1)\n"
        "def f():\n"
        "    with ThreadPoolExecutor(2) as pool: list(pool.map(np.load, [HERE / 'a.npy', HERE / 'b.npy']))\n"
        "    thread = threading.Thread(target=np.load, args=(HERE / 'c.npy',))\n"
        "    thread.start()\n    thread.join()\n"
        "def g(): return kept.submit(np.load, HERE / 'd.npy').result()\n"
    )
    f, g = (load_object(f"{tmp_path}/pooled.py:{name}", "x") for name in "fg")
    g()  # starts the thread before there is a record
    with opened.into({}) as noted:
        f()
        g()
        stranger = threading.Thread(target=np.load, args=(tmp_path / "stranger.npy",))
        np.save(tmp_path / "stranger.npy", np.ones(1))
        stranger.start()
        stranger.join()
    assert sorted(noted) == [f"opened file {tmp_path}/{name}.npy" for name in "abcd"]
