"""The gallery has every picture of the docs, and says of each which page explains it and which command makes it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from hardware_models.check import UsageError

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import gallery  # noqa: E402


def test_the_page_is_that_of_todays_pictures() -> None:
    """Every picture of the folder, once; the committed page is what the program writes."""
    text = gallery.PAGE.read_text(encoding="utf-8")
    pictures = {file.name for file in (ROOT / "docs" / "img").iterdir()}
    assert set(re.findall(r"!\[[^\]]+\]\(img/([\w.]+)\)", text)) == pictures
    assert text == gallery.page()


def test_its_commands_are_programs_of_the_repository() -> None:
    """The file of each command exists and is long enough to be a program."""
    commands = [command for rows in gallery.SECTIONS.values() for command in rows.values()]
    assert all((ROOT / command.split()[1]).stat().st_size > 500 for command in commands)


def test_a_picture_without_a_page_or_a_command_is_refused(tmp_path: Path) -> None:
    """One sentence names the file."""
    (tmp_path / "img").mkdir()
    picture = tmp_path / "img" / "wins.png"
    picture.write_bytes(b"")
    with pytest.raises(UsageError, match=r"wins\.png: no page of docs shows"):
        gallery.page(tmp_path)
    (tmp_path / "page.md").write_text("# Title\n\n![All rules](img/wins.png)\n")
    assert "**All rules.** Explained in [Title](page.md)" in gallery.page(tmp_path)
    picture.rename(tmp_path / "img" / "unknown.png")
    with pytest.raises(UsageError, match=r"unknown\.png: no row of SECTIONS"):
        gallery.page(tmp_path)
