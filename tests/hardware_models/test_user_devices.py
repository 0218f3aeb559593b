"""Small mistakes in a device of one's own: each is one sentence that holds what to write instead."""

from __future__ import annotations

from pathlib import Path

import numba
import pytest

from hardware_models.check import UsageError
from hardware_models.examination.verdict import Skipped
from hardware_models.examination.whole import threads
from hardware_models.load import load_device, named_device

HEAD = """
from dataclasses import dataclass
from typing import ClassVar, NamedTuple
import numpy as np
from hardware_models.devices.base import BaseDevice, gathered, si

class Cells(NamedTuple):
    g: np.ndarray

class Methods:
    def fabricate(self, shape, key):
        return Cells(self.fresh_conductance(shape, key))

    def pulse(self, state, pulses, key, window=None):
        if window is not None:
            return gathered(self.pulse, state, pulses, key, window)
        state.g[:] = np.clip(state.g + pulses * np.float32(self.g_range / self.states), self.g_min, self.g_max)
"""
WHOLE = """
@dataclass(frozen=True, kw_only=True)
class Mine(Methods, BaseDevice):
    g_min: float = si("S", 0.0, 1.0, 1e-6)
    g_max: float = si("S", 0.0, 1.0, 2e-5)
    states: float = si("1", 1.0, 1e9, 100.0)
"""
MISTAKES = {
    "no number of states": (
        WHOLE.replace('    states: float = si("1", 1.0, 1e9, 100.0)\n', ""),
        'lacks a value of states [(]pulses from the lowest to the highest[)]; .*states: float = si[(]"1", 1, 1e[+]09, [.]{3}[)]',
    ),
    "no dataclass": (
        WHOLE.replace("@dataclass(frozen=True, kw_only=True)\n", ""),
        "its g_min, g_max, states would not count: write @dataclass[(]frozen=True, kw_only=True[)] above",
    ),
    "a plain subclass": (
        WHOLE.replace("Mine", "Base") + "\nclass Mine(Base):\n    g_max = 4e-5\n",
        "its g_max would not count",
    ),
    "not frozen": (
        WHOLE.replace("frozen=True, ", ""),
        r"line 19, TypeError: .*frozen.*; write @dataclass[(]frozen=True, kw_only=True[)] above the class",
    ),
    "bounds exchanged": (WHOLE.replace("2e-5", "1e-7"), "device Mine needs 0 <= g_min < g_max, got g_min=1e-06 S"),
    "no methods": (WHOLE.replace("Methods, ", ""), "needs the methods fabricate and pulse"),
    "another class": ("", "mine.py has no 'Mine' [(]it defines classes: Cells, Methods[)]"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_keeps_a_class_from_being_a_device(mistake: str, tmp_path: Path) -> None:
    """One sentence each."""
    text, words = MISTAKES[mistake]
    (tmp_path / "mine.py").write_text(HEAD + text)
    with pytest.raises(UsageError, match=words) as refused:
        load_device(f"{tmp_path / 'mine.py'}:Mine")
    assert "\n" not in str(refused.value)


def test_a_whole_class_is_a_device(tmp_path: Path) -> None:
    """So are a subclass without numbers of its own, and one with a constructor of its own."""
    file = tmp_path / "mine.py"
    same = "\nclass Same(Mine):\n    timed: ClassVar[bool] = False\n"
    made = "\nclass Made(Mine):\n    def __init__(self):\n        super().__init__(g_max=4e-5)\n"
    file.write_text(HEAD + WHOLE + same + made)
    found = [named_device(f"{file}:{name}").g_max for name in ("Mine", "Same", "Made")]
    assert found == [2e-5, 2e-5, 4e-5]


def test_a_file_without_a_class_lists_its_classes_and_runs_nothing(tmp_path: Path) -> None:
    """Those that may be devices; a folder and another file are told apart from an unknown name."""
    file = tmp_path / "mine.py"
    file.write_text(HEAD + WHOLE + "\nraise RuntimeError('it ran')\n")
    for name in (str(file), f"{file}:"):
        with pytest.raises(
            UsageError, match=r"without the name of a class: say .*mine.py:Methods or .*mine.py:Mine[.]$"
        ):
            load_device(name)
    file.write_text("x = 3\n")
    with pytest.raises(UsageError, match="a class, and it defines none"):
        load_device(str(file))
    with pytest.raises(UsageError, match="mine.py has no 'Mine' [(]it defines no class and no function[)]"):
        load_device(f"{file}:Mine")
    with pytest.raises(UsageError, match="is a folder; name a file.toml"):
        load_device(str(tmp_path))
    with pytest.raises(UsageError, match=f"{tmp_path} is a folder; name a file in it"):
        load_device(f"{tmp_path}:Mine")
    (tmp_path / "mine.txt").write_text("1")
    with pytest.raises(UsageError, match="is a file of another kind"):
        load_device(str(tmp_path / "mine.txt"))
    with pytest.raises(UsageError, match="does not exist"):
        load_device(str(tmp_path / "yours.py"))


def test_one_thread_is_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check is skipped with its reason, and not passed."""
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1)
    with pytest.raises(Skipped, match="one thread only here"):
        threads(load_device("memristor"))
