"""Pulse trains: what is read, and that every fault is one sentence that names the file and the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.pulse_train import parse_pulse_train, read_pulse_train

HEAD = "cell,cycle,pulse,voltage [V],width [ns],conductance [uS]"


def rows(cells: int = 2, cycles: int = 2, pulses: int = 25) -> list[str]:
    """Return the rows of a good file."""
    out = []
    for c in range(cells):
        for k in range(cycles):
            g = 1.0
            for n in range(1, 2 * pulses + 1):
                sign = 1 if n <= pulses else -1
                g += 0.1 * sign
                out.append(f"A{c},{k},{n},{1.6 * sign:g},50,{g:.4f}")
    return out


def text(head: str = HEAD, change: dict[int, str] = {}, **shape: int) -> str:
    """Return a file with some lines changed (line 1 is the header)."""
    lines = [head, *rows(**shape)]
    for line, new in change.items():
        lines[line - 1] = new
    return "\n".join(lines)


def test_a_good_file() -> None:
    """Sorted by cell and cycle, in SI."""
    train = parse_pulse_train(text(), "mine.csv")
    assert train.cells == ("A0", "A1") and train.cycles == 2 and train.steps == 4 * 49
    assert train.g[0] == pytest.approx(1.1e-6) and train.voltage == pytest.approx((1.6, 1.6))
    assert train.width == pytest.approx((50e-9, 50e-9)) and train.notices == ()
    assert (train.polarity == 0).sum() == train.first.sum() == 4


def test_other_spellings() -> None:
    """Polarity words, semicolons, a byte-order mark, micro signs, extra columns, cells interleaved, cycles not named."""
    lines = ["pulse number;polarity;device;Conductance (µS);note"]
    for n in range(1, 121):
        for cell in ("x", "y"):
            up = (n - 1) // 30 % 2 == 0
            lines.append(f"{n};{'set' if up else 'reset'};{cell};{2 + (n - 1) % 30 * (0.01 if up else -0.01)};ok")
    train = parse_pulse_train("\n".join(lines), "mine.csv")
    assert train.cells == ("x", "y") and train.cycles == 2 and train.voltage is None
    assert train.notices == ("the column 'note' was not used",)
    assert list(train.line[train.first]) == [2, 122, 3, 123]


def test_a_device_that_positive_volts_lower() -> None:
    """The sign is taken from what the pulses do."""
    flipped = text().replace(",1.6,", ",x,").replace(",-1.6,", ",2,").replace(",x,", ",-1,")
    train = parse_pulse_train(flipped, "mine.csv")
    assert train.voltage == pytest.approx((1.0, 2.0)) and "positive voltages lower" in train.notices[0]
    step = np.diff(train.g)[~train.first[1:]]
    assert (np.sign(step) == train.polarity[~train.first]).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: the file is empty"),
        (HEAD, "line 2: no rows"),
        (text(HEAD.replace("conductance [uS]", "current [uA]")), "line 1: no column 'conductance'"),
        (text(HEAD.replace("pulse,", "puls,")), "line 1: no column 'pulse'; did you mean 'puls'"),
        (text(HEAD.replace("voltage [V]", "bias [V]")), "line 1: no column 'voltage' or 'polarity'"),
        (text(HEAD.replace("[uS]", "")), "line 1: the column 'conductance' lacks its unit"),
        (text(HEAD.replace("[uS]", "[uV]")), "which is a voltage, not a conductance"),
        (text(HEAD.replace("[uS]", "[uX]")), "unknown unit 'uX'"),
        (text(HEAD.replace("width [ns]", "conductance [nS]")), "line 1: two columns for the conductance"),
        (text(change={7: "A0,0,6,1.6,50,160 nS"}), "line 7: mixed units: '160 nS'"),
        (text(change={7: "A0,0,6,1.6,50,-0.1"}), "line 7: negative conductance -0.1 uS"),
        (text(change={7: "A0,0,6,1.6,50,nan"}), "line 7: the conductance is nan"),
        (text(change={7: "A0,0,6,1.6,50,"}), "line 7: the conductance should be a number"),
        (text(change={7: "A0,0,6,1.6"}), "line 7: 4 columns"),
        (text(change={7: "A0,0,6,1.7,50,1.6"}), "line 7: the voltage of the up pulses changes from 1.6 V (line 2)"),
        (text(change={9: "A0,0,8,1.6,60,1.8"}), "line 9: the width of the up pulses changes from 50 ns"),
        (text(change={7: "A0,0,6,0,50,1.6"}), "line 7: no pulse (0) inside a cycle"),
        (text(change={7: "A0,0,7,1.6,50,1.6"}), "line 7: pulse 7 of cell A0 follows pulse 5"),
        (text(change={7: "A0,0,2.5,1.6,50,1.6"}), "line 7: the pulse number"),
        (text(cycles=1), "line 51: cell A0 ends after one cycle only"),
        (text(pulses=5), "line 41: the file ends with 16 steps up"),
    ],
)
def test_faults_are_named_by_their_line(content: str, words: str) -> None:
    """One sentence each."""
    with pytest.raises(UsageError) as caught:
        parse_pulse_train(content, "mine.csv")
    assert str(caught.value).startswith("mine.csv, line ") and words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_units_that_change_half_way() -> None:
    """A thousandfold jump that stays is refused at its line."""
    lines = rows()
    lines[30:] = [",".join([*r.split(",")[:-1], str(1e3 * float(r.split(",")[-1]))]) for r in lines[30:]]
    with pytest.raises(UsageError, match=r"line 32: the conductance jumps by a factor of about 1000"):
        parse_pulse_train("\n".join([HEAD, *lines]), "mine.csv")


def test_one_cycle_by_choice_and_missing_files(tmp_path: Path) -> None:
    """Accepted with a notice for every cell; a missing file is named."""
    train = parse_pulse_train(text(cycles=1), "mine.csv", one_cycle=True)
    assert len(train.notices) == 2 and "cell A0 has one cycle only" in train.notices[0]
    with pytest.raises(UsageError, match=r"nothing\.csv does not exist"):
        read_pulse_train(tmp_path / "nothing.csv")
