"""Carry out the notebooks of docs/notebooks and write each as a page: text, code, what the code printed, and its pictures.

    python benchmarks/notebooks.py [NAME ...]     carry out all notebooks, or those named, and write their pages

A notebook is a Python file in percent format, as Jupyter (by jupytext), VS Code and Spyder open it: `# %%` begins a
cell of code and `# %% [markdown]` a cell of text. Its cells run in an empty folder, in a fresh process. The page
docs/notebooks/NAME.md shows every cell, and the pictures that a cell leaves open in pyplot stand below it as
NAME_NUMBER.png.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pages import DOCS, written

from analog_ff.output import whole_files
from hardware_models.check import UsageError

NOTEBOOKS = DOCS / "notebooks"
COMMAND = "python benchmarks/notebooks.py"


class Cell(NamedTuple):
    """A cell of a notebook."""

    text: bool
    """True for a cell of Markdown, False for one of code."""
    source: str


class Output(NamedTuple):
    """Output of a cell of code."""

    printed: str = ""
    pictures: tuple[bytes, ...] = ()
    """Its pictures as PNG."""


def cells(source: str) -> list[Cell]:
    """Return the cells of a script in percent format; raise UsageError if it does not begin with a cell of text."""
    parts = re.split(r"^# %%(.*)\n", source, flags=re.M)
    found = [
        Cell(kind.strip() == "[markdown]", body.strip("\n"))
        for kind, body in zip(parts[1::2], parts[2::2], strict=True)
    ]
    if parts[0].strip() or not found or not found[0].text:
        raise UsageError("a notebook begins with a line '# %% [markdown]' and its title; add them.")
    return [Cell(True, re.sub(r"^# ?", "", cell.source, flags=re.M)) if cell.text else cell for cell in found]


def page(name: str, source: str, outputs: Iterable[Output]) -> str:
    """Return the page of a notebook in Markdown; `outputs` are those of its cells of code, in order."""
    lines, left, number = [], iter(outputs), 0
    for cell in cells(source):
        if cell.text:
            lines += [cell.source, ""]
            continue
        output = next(left)
        lines += ["```python", cell.source, "```", ""]
        if output.printed.strip():
            lines += ["```text", output.printed.rstrip(), "```", ""]
        for _ in output.pictures:
            number += 1
            shown = f"{name}_{number}.png"
            lines += [f"[![Picture {number} of this notebook]({shown})]({shown})", ""]
    return written(
        [*lines, f"`{COMMAND} {name}` carried out the cells of `docs/notebooks/{name}.py` and wrote this page."]
    )


def carried_out(source: str) -> list[Output]:
    """Carry out the cells of code one after the other in this process, in the working directory; return what they leave."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names: dict[str, object] = {"__name__": "__main__"}
    outputs = []
    for number, cell in enumerate(cells(source)):
        if cell.text:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(cell.source, f"<cell {number}>", "exec"), names)
        pictures = []
        for figure in plt.get_fignums():
            image = io.BytesIO()
            plt.figure(figure).savefig(image, dpi=110, format="png")
            pictures.append(image.getvalue())
        plt.close("all")
        outputs.append(Output(printed.getvalue(), tuple(pictures)))
    return outputs


def write(name: str) -> None:
    """Carry out one notebook, then write its page and its pictures in place of those of before."""
    source = (NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8")
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            outputs = carried_out(source)
        finally:
            os.chdir(before)
    for old in NOTEBOOKS.glob(f"{name}_[0-9]*.png"):
        old.unlink()
    for number, image in enumerate((image for output in outputs for image in output.pictures), 1):
        whole_files.write(NOTEBOOKS / f"{name}_{number}.png", image)
    whole_files.write(NOTEBOOKS / f"{name}.md", page(name, source, outputs))


def main(arguments: list[str] | None = None) -> None:
    """Carry out the notebooks that are named, one process after the other; all of them if none is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = sorted(file.stem for file in NOTEBOOKS.glob("*.py"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"notebook: {', '.join(known)}")
    names = parser.parse_args(arguments).names or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        parser.error(f"there is no notebook {unknown[0]}; the notebooks are {', '.join(known)}.")
    if len(names) == 1:
        write(names[0])
        return
    for name in names:
        subprocess.run([sys.executable, __file__, name], check=True)


if __name__ == "__main__":
    main()
