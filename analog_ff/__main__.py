"""``python -m analog_ff``: the list of commands."""

from __future__ import annotations

import os
import sys

import typer

from analog_ff import __version__, devices
from analog_ff.cli.app import WIDE, program, run_app
from analog_ff.cli.parameters import Grouped
from analog_ff.compare import compare
from analog_ff.doctor import doctor
from analog_ff.energy import energy
from analog_ff.export import export
from analog_ff.improve import improve
from analog_ff.infer import infer
from analog_ff.mortal import mortal
from analog_ff.output.messages import answer
from analog_ff.report.command import report
from analog_ff.simulate import simulate
from analog_ff.spike import spiking
from analog_ff.sweep import sweep

INSTALLED = "analog-ff"
"""Name of the installed program; a shell completes the words of this name alone, not those of ``python -m analog_ff``."""
COMPLETING = "_ANALOG_FF_COMPLETE"
"""Environment variable by which a shell asks for the words that may follow."""
COMPLETION = {"--install-completion", "--show-completion"}
"""Options of the library by which a shell learns to ask; they end the program themselves."""

app = typer.Typer(
    add_completion=program() == INSTALLED, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True
)
app.command("simulate", cls=Grouped, context_settings=WIDE)(simulate)
app.command("energy", cls=Grouped, context_settings=WIDE)(energy)
app.command("infer", cls=Grouped, context_settings=WIDE)(infer)
app.command("export", cls=Grouped, context_settings=WIDE)(export)
app.command("compare", cls=Grouped, context_settings=WIDE)(compare)
app.command("improve", cls=Grouped, context_settings=WIDE)(improve)
app.command("mortal", cls=Grouped, context_settings=WIDE)(mortal)
app.command("spiking", cls=Grouped, context_settings=WIDE)(spiking)
app.command("sweep", cls=Grouped, context_settings=WIDE)(sweep)
app.command("report", cls=Grouped, context_settings=WIDE)(report)
app.command("doctor", cls=Grouped, context_settings=WIDE)(doctor)
app.add_typer(devices.app, name="devices")


def _version(asked: bool) -> None:
    if asked:
        answer(f"analog-ff {__version__}")
        raise typer.Exit


@app.callback()
def analog_ff(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="print the version of the program and end"
    ),
) -> None:
    """Simulate analog chips on which networks learn in situ by Forward-Forward."""


def main() -> None:
    """Run the command named on the command line, or tell a shell how its words can be completed."""
    if COMPLETING in os.environ or (program() == INSTALLED and COMPLETION & set(sys.argv[1:2])):
        app(prog_name=INSTALLED)  # prints the words and exits
    sys.exit(run_app(app))


if __name__ == "__main__":
    main()
