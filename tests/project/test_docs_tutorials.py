"""The short tutorials: every block runs in the order of the page, with the sizes of the page."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from analog_ff.__main__ import app
from analog_ff.simulate import app as simulate
from analog_ff.simulate import run_app

DOCS = Path(__file__).resolve().parents[2] / "docs"
LEFT = {
    "device-from-a-csv": ["fitted.toml", "fit.png", "runs/fitted/result.json"],
    "black-box": ["runs/box/result.json", "runs/dither/result.json"],
    "compare-learners": ["runs/compared/compare.md", "runs/compared/compare.json"],
    "improve": ["runs/improved/improve.md", "runs/improved/improve.json"],
    "sweep-on-a-cluster": ["runs/here/sweep.sqlite", "runs/there/sweep.sqlite"],
    "spiking-network": ["runs/spikes/result.json", "runs/devices/result.json"],
    "chip-in-another-process": ["runs/apart/result.json"],
}
"""Files that the commands of a page leave behind."""
PRINTED = {
    "sweep-on-a-cluster": ["equal to the bit: True in 2 runs"],
    "chip-in-another-process": ["equal to the bit: True", "refused: "],
}
"""Lines that blocks of Python print."""


def in_process(line: str) -> None:
    """Carry out a command of a page in this process."""
    words = shlex.split(line)
    if words[2] == "analog_ff.simulate":
        assert run_app(simulate, words[3:]) == 0, line
    else:
        assert words[:3] == ["python", "-m", "analog_ff"] and run_app(app, words[3:]) == 0, line


@pytest.mark.slow
@pytest.mark.parametrize("page", LEFT)
def test_every_block_of_a_tutorial_runs(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blocks run in an empty folder, where the page's files have been saved under the names that it gives."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analog_ff.spiking.execute.draw", lambda *_, **__: None)  # drawing takes longer than the runs
    for drawer in ("analog_ff.comparison.plots", "analog_ff.improvement.pictures"):
        monkeypatch.setattr(f"{drawer}.picture", lambda figure, dpi: b"--")
    text = (DOCS / "tutorials" / f"{page}.md").read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    for before, language, block in re.findall(r"([^\n]*(?:\n[^\n]+)*)\n\n```(\w+)\n(.*?)```", text, re.S):
        saved = re.search(r"[Ss]ave .*?`(\w+\.\w+)`", before, re.S)
        if saved:
            Path(saved[1]).write_text(block, encoding="utf-8")
        elif language == "python":
            exec(block, names)
        for line in block.replace("\\\n", " ").splitlines() if language == "bash" else ():
            in_process(line)
    assert all((tmp_path / name).stat().st_size > 0 for name in LEFT[page])
    printed = capsys.readouterr().out
    assert all(line in printed for line in PRINTED.get(page, ()))


def test_no_tutorial_is_left_out() -> None:
    """Each page of the folder is run here or in test_docs_pages.py."""
    elsewhere = {"chip", "learner", "first-run", "your-device"}
    assert {page.stem for page in (DOCS / "tutorials").glob("*.md")} == set(LEFT) | elsewhere
