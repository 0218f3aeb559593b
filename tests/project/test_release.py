"""What a release carries: how to cite it, its promises, a change log of each version, and a check that says its seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import analog_ff

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def citation() -> dict[str, str]:
    """Return the fields of CITATION.cff that stand in one line of its first level."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    return {name: value.strip().strip('"') for name, value in re.findall(r"^([\w-]+):(.*)$", text, re.M)}


def test_the_citation_has_its_fields() -> None:
    """Those that the format asks for, and version, licence and keywords of the package."""
    fields = citation()
    assert fields["cff-version"] == "1.2.0" and fields["type"] == "software"
    assert {"message", "title", "authors", "references"} <= fields.keys() and fields["message"] and fields["title"]
    assert fields["version"] == PROJECT["version"] == analog_ff.__version__
    assert fields["license"] == PROJECT["license"] and fields["title"].startswith("analog_ff")
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert [f"  - {word}" for word in PROJECT["keywords"]] == re.findall(r"^  - [\w -]+$", text, re.M)
    assert f"name: {PROJECT['authors'][0]['name']}" in text


def test_each_version_has_its_section_of_the_change_log() -> None:
    """The version of the package, and what is not released yet first."""
    sections = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert sections[0] == "Unreleased" and PROJECT["version"] in sections and len(set(sections)) == len(sections)


@pytest.mark.parametrize("script", ["run", "release"])
def test_every_part_of_a_check_says_its_seconds(script: str) -> None:
    """Parts are begun by the one function that times them."""
    text = (ROOT / ".ci" / script).read_text(encoding="utf-8")
    assert ". .ci/parts" in text and 'echo "==' not in text and len(re.findall(r"^ *part ", text, re.M)) >= 5
    assert "parts_done" in text and os.access(ROOT / ".ci" / script, os.X_OK)


@pytest.mark.skipif(sys.platform == "win32", reason="a script of Bash")
def test_parts_are_timed() -> None:
    """Each one is named twice, the second time with its seconds; the whole comes last."""
    script = f'. "{ROOT}/.ci/parts"; part one; part "two things"; parts_done'
    said = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [re.sub(r"\d+ s", "N s", line) for line in said] == [
        "== one", "== N s: one", "== two things", "== N s: two things", "== N s: everything",
    ]  # fmt: skip


def completed(*words: str) -> list[str]:
    """Return how the installed program would complete the last of some words."""
    asked = {"_ANALOG_FF_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    program = "import sys; sys.argv[0] = 'analog-ff'; from analog_ff.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_shell_completes_commands_and_options() -> None:
    """Commands by their first letters, options of a command by theirs."""
    assert completed("analog-ff", "doc") == ["doctor"]
    assert {"--device", "--device-spread"} & set(completed("analog-ff", "simulate", "--devi"))


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
def test_the_script_of_a_shell_is_printed() -> None:
    """The library's own option finds out which shell asks, and ends the program with status 0."""
    program = "import sys; sys.argv[0] = 'analog-ff'; from analog_ff.__main__ import main; main()"
    words = ["bash", "-c", '"$0" -c "$1" --show-completion; exit $?', sys.executable, program]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0 and "_ANALOG_FF_COMPLETE=complete_bash" in done.stdout, done.stderr
