"""The rendered notebooks show the cells of their scripts, in order, with what each cell printed and drew."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from hardware_models.check import UsageError

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import notebooks  # noqa: E402

SCRIPTS = sorted(notebooks.NOTEBOOKS.glob("*.py"))
SMALL = """# %% [markdown]
# # Title
#
# Words.

# %%
x = 2
print("x is", x)

# %%
import matplotlib.pyplot as plt

figure, panel = plt.subplots(figsize=(1, 1))
panel.plot([x, x + 1])
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_rendered_page_is_that_of_its_script(script: Path) -> None:
    """Without what the cells have left, the committed page is the script; its pictures are files, and there are no others."""
    source = script.read_text(encoding="utf-8")
    text = script.with_suffix(".md").read_text(encoding="utf-8")
    bare = re.sub(r"```text\n.*?```\n\n|\[!\[[^]]*\]\([^)]*\.png\)\]\([^)]*\.png\)\n\n", "", text, flags=re.S)
    nothing = [notebooks.Output() for cell in notebooks.cells(source) if not cell.text]
    assert bare == notebooks.page(script.stem, source, nothing)
    shown = set(re.findall(r"\(([\w]+\.png)\)", text))
    assert shown == {file.name for file in script.parent.glob(f"{script.stem}_[0-9]*.png")} and shown


def test_there_are_notebooks_and_each_has_a_page() -> None:
    """The pages of the folder are those of its scripts."""
    assert len(SCRIPTS) >= 3
    assert {file.stem for file in notebooks.NOTEBOOKS.glob("*.md")} == {script.stem for script in SCRIPTS}


def test_cells_run_in_order_and_leave_output_and_pictures() -> None:
    """Later cells know the names of earlier ones; a picture stands below the cell that drew it."""
    printed, drawn = notebooks.carried_out(SMALL)
    assert printed == notebooks.Output("x is 2\n") and drawn.printed == ""
    assert len(drawn.pictures) == 1 and drawn.pictures[0].startswith(b"\x89PNG")
    text = notebooks.page("small", SMALL, [printed, drawn])
    assert text.startswith("# Title\n\nWords.\n\n```python\nx = 2\n") and "```text\nx is 2\n```" in text
    assert text.index("panel.plot") < text.index("](small_1.png)")


def test_a_cell_that_fails_is_named() -> None:
    """The fault of a cell ends the rendering."""
    with pytest.raises(ZeroDivisionError):
        notebooks.carried_out("# %% [markdown]\n# # Title\n\n# %%\n1 / 0\n")


def test_a_script_without_a_title_is_refused() -> None:
    """One sentence says what is missing."""
    with pytest.raises(UsageError, match="begins with"):
        notebooks.cells("x = 1\n")
