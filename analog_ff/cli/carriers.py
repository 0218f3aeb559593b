"""Options of commands with many runs that say who carries them out: --workers, --threads and --scheduler."""

from __future__ import annotations

from typing import Any

import typer

from analog_ff.cli.parameters import TEXT
from analog_ff.registry.options import parse_whole
from hardware_models.check import positive_int

RUNNING = "How it runs"
"""Title of these options in the help."""
INT = "<int>"
MOST = 4096
"""Most worker processes, and threads of a run."""


def _option(name: str, metavar: str, text: str) -> Any:  # what the library takes as the default of a parameter
    return typer.Option(None, f"--{name}", metavar=metavar, rich_help_panel=RUNNING, show_default=False, help=text)


WORKERS = _option("workers", INT, "worker processes on this machine [1] [default: one for each core]")
THREADS = _option(
    "threads",
    INT,
    "threads of each run [1]; the result is the same for any number [default: cores by workers; 1 on a cluster]",
)
SCHEDULER = _option(
    "scheduler", TEXT, "address of a Dask scheduler whose workers carry out the runs, such as tcp://127.0.0.1:8786"
)


def crew_of(workers: str | None, threads: str | None, scheduler: str | None) -> dict[str, Any]:
    """Return the arguments of `run_points` that say who carries out the runs, read from the options; None where not given."""
    numbers = {"workers": workers, "threads": threads}
    read = {
        name: None if text is None else positive_int("the runs", f"--{name}", parse_whole(f"--{name}", text), 1, MOST)
        for name, text in numbers.items()
    }
    return {**read, "scheduler": scheduler}
