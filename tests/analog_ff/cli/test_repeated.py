"""The command that repeats what a command made: it gives the options that decide numbers, and no place."""

from __future__ import annotations

import shlex

import pytest
import typer

from analog_ff import compare, improve
from analog_ff.cli.repeated import repeated

CASES = [
    ("compare", compare.app, ["--devices", "memristor,my device.toml", "--set", "a:b=1", "--set", "a:c=2", "--fixed-device",
                              "--shift", "0", "--no-softmax-readout", "--figure", "states=64"]),
    ("compare", compare.app, []),
    ("improve", improve.app, ["--device", "memristor", "--specify", "cycle_noise,adc", "--loss", "2", "--layers", "8,8"]),
]  # fmt: skip
PLACES = [["--threads", "1"], ["--data-dir", "somewhere"], ["--json"]]


@pytest.mark.parametrize(("name", "app", "words"), CASES)
def test_it_gives_the_same_choices_and_leaves_places_out(name: str, app: typer.Typer, words: list[str]) -> None:
    """Read again, the command gives every parameter the value that it had."""
    command = typer.main.get_command(app)
    of_place = [word for words_of_one in PLACES for word in words_of_one] + [
        "--out" if name == "compare" else "--folder",
        "elsewhere",
    ]
    context = command.make_context(name, [*words, *of_place])
    text = repeated(context, name)
    assert "elsewhere" not in text and "somewhere" not in text and "--threads" not in text
    start, again = shlex.split(text)[:4], shlex.split(text)[4:]
    assert start == ["python", "-m", "analog_ff", name]
    assert command.make_context(name, again).params == command.make_context(name, list(words)).params
