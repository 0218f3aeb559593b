"""``python -m analog_ff energy RUN``: the energy of a finished run, priced again with any technology."""

from __future__ import annotations

import json
import sys

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.parameters import TEXT
from analog_ff.output.messages import answer


def energy(
    run: str = typer.Argument(..., metavar="RUN", help="folder of a finished run, or its result.json"),
    technology: str = typer.Option(
        None, "--technology", metavar=TEXT, help="energy technology: a name or a .toml file [default: that of the run]"
    ),
    scenario: str = typer.Option(
        "nominal", "--scenario", metavar=TEXT, help="place of every price in its range: low, nominal or high"
    ),
    as_json: bool = typer.Option(False, "--json", help="print one JSON document on standard output and nothing else"),
) -> None:
    """Price a finished run again, with any technology.

    The energy is told by component, layer and phase, beside physical bounds, time, area, wear and currents.
    """
    from analog_ff.runs.account import account
    from analog_ff.runs.result_file import read_run

    result = read_run(run)
    found = account(result, technology or result["config"].get("technology", "cmos-32nm"), scenario)
    if as_json:
        answer(json.dumps(found))
    else:
        from analog_ff.cli.energy_table import show

        show(found)


app = command_of(energy)


def main(arguments: list[str] | None = None) -> None:
    """Run `energy` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
