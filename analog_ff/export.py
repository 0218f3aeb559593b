"""``python -m analog_ff export RUN --to DIR``: the cells of a finished run for a circuit simulator or another program."""

from __future__ import annotations

import sys

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.parameters import TEXT
from analog_ff.output.messages import answer, tell
from hardware_models.check import UsageError
from hardware_models.files import home
from hardware_models.places import placed


def export(
    run: str = typer.Argument(..., metavar="RUN", help="folder of a finished run with its checkpoint"),
    to: str = typer.Option(..., "--to", metavar=TEXT, help="new folder for the files"),
    form: str = typer.Option(
        "npz",
        "--format",
        metavar=TEXT,
        help="spice: a netlist of each tile, and one that reads it; csv: conductances and weights of each layer; npz: arrays of "
        "NumPy, which --conductances takes",
    ),
) -> None:
    """Write the cells of a finished run as netlists, tables or arrays.

    A file description.json says how conductances become weights and currents, with every unit.
    """
    if not to.strip():
        raise UsageError("--to takes the name of a new folder, got ''.")
    place = placed(home(to, "folder"))
    if place.exists() or place.is_symlink():
        raise UsageError(f"{to} exists already; give another folder by --to.")
    from analog_ff.runs.exports import FORMS
    from analog_ff.runs.exports import export as written
    from analog_ff.runs.further_arrays import left_out
    from analog_ff.runs.loaded import load_run
    from hardware_models.tables import entry

    entry("form of --format", form, FORMS)
    with load_run(run) as loaded:
        files = written(loaded, place, form)
        if said := left_out(loaded.config):
            tell(said)
    answer(f"written to {place}: {len(files)} files, among them {files[0]}")


app = command_of(export)


def main(arguments: list[str] | None = None) -> None:
    """Run `export` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
