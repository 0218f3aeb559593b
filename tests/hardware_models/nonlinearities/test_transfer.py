"""A measured transfer: a table of points becomes the curve of the neurons, or one sentence says why it cannot."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import load_nonlinearity

KEY = Key(0, "transfer")
EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "transfers"


def curve(folder: Path, text: str, z: np.ndarray) -> np.ndarray:
    """Return f(z) (n,) of the transfer in a file with this text."""
    file = folder / "t.csv"
    file.write_text(text, encoding="utf-8")
    box = load_nonlinearity(f"measured:{file}").fabricate(3, KEY)
    y = box(np.asarray(z, np.float32)[:, None].repeat(3, axis=1))
    assert y.dtype == np.float32 and (y == y[:, :1]).all()
    return y[:, 0]


def test_points_lines_between_them_and_ends_that_are_kept(tmp_path: Path) -> None:
    """The curve goes through its points, rises and falls, and stays at its ends."""
    text = "input,output\n-1,0\n0,2\n1,1\n3,5\n"
    y = curve(tmp_path, text, np.array([-9, -1, -0.5, 0, 0.5, 1, 2, 3, 40]))
    assert np.allclose(y, [0, 0, 1, 2, 1.5, 1, 3, 5, 5])
    assert load_nonlinearity(f"measured:{tmp_path / 't.csv'}").analog


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_scales_and_separators(tmp_path: Path, separator: str) -> None:
    """u_0, u_1, T_0 and T_1 map the table's units to z and y, also where z runs against u; a header is not needed."""
    scales = "# input at 0: 5\n# input at 1: 3\n# output at 0: 0.1\n# output at 1: 0.3\n"
    rows = "\n".join(separator.join(row) for row in (("1", "0.7"), ("3", "0.3"), ("5", "0.1")))
    assert np.allclose(curve(tmp_path, scales + rows, np.array([0, 0.5, 1, 2])), [0, 0.5, 1, 3])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 points"),
        ("input,output\n1,2\n", "has 1 point,"),
        ("u,v\n0,0\n1,2,3\n", "line 3: '1,2,3' has not two columns"),
        ("u,v\n0,0\n1,two\n", "line 3: 'two' is not a finite number"),
        ("u,v\n0,0\n1,nan\n", "line 3: 'nan' is not a finite number"),
        ("u,v\n0,0\n2,1\n1,2\n", "line 4: the input 1 is not above 2 of the line before"),
        ("u,v\n0,0\n0,1\n", "line 3: the input 0 is not above 0 of the line before"),
        ("# input at 1: 0\nu,v\n0,0\n1,1\n", "'# input at 0' and '# input at 1' are both 0"),
        ("# input at 1: 2\n# input at 1: 3\nu,v\n0,0\n1,1\n", "line 2: the scale '# input at 1: 3' stands twice"),
        ("# inptu at 1: 5\nu,v\n0,0\n1,1\n", "line 1: the scale '# inptu at 1: 5' is none of"),
        ("# input at 2: 5\nu,v\n0,0\n1,1\n", "line 1: the scale '# input at 2: 5' is none of"),
        ("# output at 1: volt\nu,v\n0,0\n1,1\n", "line 1: 'volt' is not a finite number"),
    ],
)
def test_a_file_that_is_no_curve_is_refused_in_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        curve(tmp_path, text, np.zeros(1))
    assert "\n" not in str(caught.value)


def test_names_without_a_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"names no file: write measured:FILE\.csv"):
        load_nonlinearity("measured:")
    with pytest.raises(UsageError, match="does not exist"):
        load_nonlinearity(f"measured:{tmp_path / 'none.csv'}")


@pytest.mark.parametrize("name", ["saturable_absorber", "modulator"])
def test_the_example_is_what_its_script_makes_of_the_law(name: str) -> None:
    """The committed table is the script's output, says that it was computed, and is a curve."""
    made = subprocess.run(
        [sys.executable, EXAMPLES / "make.py", name], capture_output=True, text=True, check=True
    ).stdout
    assert made == (EXAMPLES / f"{name}.csv").read_text(encoding="utf-8")
    assert "not measured" in made.splitlines()[0]
    box = load_nonlinearity(f"measured:{EXAMPLES / f'{name}.csv'}").fabricate(2, KEY)
    z = np.linspace(0, 3, 31, dtype=np.float32)[:, None].repeat(2, axis=1)
    y = box(z)
    assert abs(float(y[0, 0])) < 0.1 and abs(float(y[10, 0]) - 1.0) < 0.1
