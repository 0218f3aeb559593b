"""The results of a sweep for a person: a table of means over the seeds, and what failed."""

from __future__ import annotations

from collections.abc import Sequence

from analog_ff.plain import Document
from analog_ff.sweeps.groups import SHOWN, Group, texts, varied
from analog_ff.sweeps.measures import MEASURES
from analog_ff.sweeps.progress import line
from hardware_models.check import counted

MOST = 60
"""Most lines of the table on a terminal."""


def document(title: str, found: Sequence[Group], status: Document, folder: str) -> Document:
    """Return the answer of the command as one document."""
    return {"schema": 1, "title": title, "folder": folder, "status": status, "rows": [group.row() for group in found]}


def show(document: Document, found: Sequence[Group]) -> None:
    """Print the table of a sweep, the groups with the least error first."""
    from rich.console import Console
    from rich.table import Table

    names = varied(found) or list(dict.fromkeys(name for group in found for name in group.factors))
    measures = [name for name in SHOWN if any(row["measures"][name] is not None for row in document["rows"])]
    table = Table(title=document["title"])
    for name in names:
        table.add_column(name)
    table.add_column("runs", justify="right")
    for name in measures:
        table.add_column(MEASURES[name].title, justify="right", no_wrap=True)
    rows = sorted(document["rows"], key=lambda row: (row["measures"]["error"] or {"mean": float("inf")})["mean"])
    for row in rows[:MOST]:
        factors = [str(row["factors"].get(name, "")) for name in names]
        failed = f", {row['failed']} failed" if row["failed"] else ""
        table.add_row(*factors, f"{row['done']}{failed}", *(texts(row["measures"], name) for name in measures))
    console = Console(markup=False, emoji=False)
    console.print(table)
    if len(rows) > MOST:
        console.print(f"and {len(rows) - MOST} lines more: --export results.csv writes all of them.")
    if any(row["done"] > 1 for row in rows):
        console.print("mean over the seeds +- half of the 95 % t interval of the mean")
    show_status(document["status"], console)
    console.print(f"folder: {document['folder']}", soft_wrap=True, highlight=False)


def show_status(status: Document, console: object = None) -> None:
    """Print where a sweep stands, and why points failed."""
    from rich.console import Console

    shown = console if isinstance(console, Console) else Console(markup=False, emoji=False)
    shown.print(f"{counted(status['points'], 'point')}: {line(status)}", soft_wrap=True, highlight=False)
    for reason, times in status["failures"].items():
        shown.print(f"{times} failed: {reason}", soft_wrap=True, highlight=False)
