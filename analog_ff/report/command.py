"""``python -m analog_ff report FOLDER``: the page of a finished folder, written again."""

from __future__ import annotations

import sys

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.output.messages import answer
from hardware_models.files import home
from hardware_models.places import placed


def report(
    folder: str = typer.Argument(
        ...,
        metavar="FOLDER",
        help="folder of a finished run, also of the spiking network, a comparison, a study of `improve` or a sweep",
    ),
) -> None:
    """Write report.html of a finished folder again, and print its path.

    The page shows what the folder holds in one file that needs no other file and no network. Nothing is simulated.
    """
    from analog_ff.report.kinds import write

    answer(f"report: {write(placed(home(folder)))}")


app = command_of(report)


def main(arguments: list[str] | None = None) -> None:
    """Run `report` and exit with its status."""
    sys.exit(run_app(app, arguments))
