"""The shipped examples do what they say."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HELLO = EXAMPLES / "hello_forward_forward.py"
NUMBERED = sorted(EXAMPLES.glob("[0-9]*.py"))


@pytest.fixture(scope="module")
def hello() -> dict:
    """Return the names of the first example."""
    return runpy.run_path(str(HELLO))


def test_hello_learns_to_read_digits(hello: dict) -> None:
    """Far better than the 90 % of guessing after a few epochs, and better than what the layers knew before."""
    images, labels = hello["images"], hello["labels"]
    layers = [hello["Layer"](74, 100), hello["Layer"](100, 100)]
    before = np.mean(hello["predict"](layers, images[1400:]) != labels[1400:])
    hello["train"](layers, images[:1400], labels[:1400], epochs=15)
    after = np.mean(hello["predict"](layers, images[1400:]) != labels[1400:])
    assert after < 0.15 < 0.5 < before


@pytest.mark.parametrize("positive", [True, False])
def test_the_old_sign_moves_the_goodness_the_wrong_way(hello: dict, positive: bool) -> None:
    """The rule raises the goodness of positives and lowers that of negatives; the old snippet's sign does the reverse."""
    x = hello["with_label"](hello["images"][:50], hello["labels"][:50])
    for sign in (1, -1):
        layer = hello["Layer"](74, 100)
        layer.w *= np.sqrt(2.0)  # as lively as the threshold: neither kind is yet told apart
        before = (layer.forward(x)[0] ** 2).sum(axis=1).mean()
        layer.learn(x, positive, sign=sign)
        after = (layer.forward(x)[0] ** 2).sum(axis=1).mean()
        assert (after > before) == (positive == (sign == 1))


def test_hello_keeps_the_length_of_a_layer_from_the_next(hello: dict) -> None:
    x = hello["with_label"](hello["images"][:50], hello["labels"][:50])
    _, above = hello["Layer"](74, 100).forward(x)
    assert np.allclose((above**2).mean(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("example", NUMBERED, ids=lambda path: path.stem)
def test_examples_run(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each script runs in an empty folder and prints; its docstring begins with what it is and says what one sees."""
    text = example.read_text(encoding="utf-8")
    assert ": you see " in (ast.get_docstring(ast.parse(text)) or "").split("\n")[0] and len(text.splitlines()) <= 40
    monkeypatch.chdir(tmp_path)
    if "spiking" in text:  # its pictures take longer than the rest, as those of other runs (conftest.py)
        monkeypatch.setattr("analog_ff.spiking.execute.draw", lambda *_, **__: None)
    runpy.run_path(str(example), run_name="__main__")
    printed = capsys.readouterr().out
    assert len(printed) > 20
    wrong = [int(percent) for percent in re.findall(r"(\d+) % wrong", printed)]
    assert not wrong or wrong[-1] < 40  # guessing errs on half


def test_every_example_is_numbered_once() -> None:
    """The numbers give the order in which to read them."""
    assert [int(path.stem[:2]) for path in NUMBERED] == list(range(1, len(NUMBERED) + 1)) and len(NUMBERED) > 10
