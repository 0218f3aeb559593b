"""``python -m analog_ff infer RUN``: what the network of a finished run answers to images, and what an image costs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.parameters import TEXT
from analog_ff.config.ages import parse_ages
from analog_ff.output.messages import answer
from analog_ff.plain import Document
from hardware_models.check import UsageError, counted
from hardware_models.files import home
from hardware_models.places import placed


def infer(
    run: str = typer.Argument(..., metavar="RUN", help="folder of a finished run with its checkpoint"),
    data: str = typer.Option(
        None,
        "--data",
        metavar=TEXT,
        help="images: a .npz file (x, with or without y), a .csv or .parquet table, or the name of a data set, of which the test "
        "part is taken [default: the run's own test images]",
    ),
    label_column: str = typer.Option(
        None, "--label-column", metavar=TEXT, help="column of the labels in a table [default: that of the run]"
    ),
    data_dir: str = typer.Option(
        None, "--data-dir", metavar=TEXT, help="folder of the data sets [default: that of the run]"
    ),
    readout: str = typer.Option(
        None, "--readout", metavar=TEXT, help="read-out that answers, or all [default: that of the run's headline]"
    ),
    conductances: str = typer.Option(
        None,
        "--conductances",
        metavar=TEXT,
        help="file of conductances (.h5, .npz) that the cells take before the images are shown",
    ),
    ages: str = typer.Option(
        None,
        "--ages",
        metavar=TEXT,
        help="ages at which the chip is tested again, such as 1h,1d,30d (s, min, h, d or y after the run's test)",
    ),
    out: str = typer.Option(None, "--out", metavar=TEXT, help="write the predictions to this new .csv file"),
    as_json: bool = typer.Option(False, "--json", help="print one JSON document on standard output and nothing else"),
) -> None:
    """Let the network of a finished run name images.

    The chip is restored with every cell as training left it. Told are the predictions, the error where the images have labels,
    and the energy of an image in the run's circuit. With --ages the images are shown again to a second copy of the chip as it
    grows older, as `simulate --ages` does.
    """
    from analog_ff.output import whole_files
    from analog_ff.runs.conductances import note, put
    from analog_ff.runs.inference import images_of, inferred, labelled, readouts_of
    from analog_ff.runs.loaded import load_run

    place = None if out is None else _new(out)
    wanted = None if ages is None else parse_ages("--ages", ages)
    with load_run(run, data_dir=data_dir) as loaded:
        readouts = readouts_of(loaded, readout)
        images = images_of(loaded, data, label_column)
        own = None if data is None or wanted is None else labelled(loaded, images)
        notes = () if conductances is None else (note(put(loaded.chip, conductances), conductances),)
        result, predictions = inferred(loaded, images._replace(notes=(*images.notes, *notes)), readouts)
        if wanted is not None:
            result["written_to"] = loaded.config.program_to
            result["ages"] = loaded.aged(wanted, own, conductances=conductances)
    if place is not None:
        whole_files.create(place, predictions)
    if as_json:
        answer(json.dumps(result))
    else:
        show(result, place)


def show(result: Document, place: Path | None) -> None:
    """Print the table of an inference."""
    from rich.console import Console
    from rich.table import Table

    from analog_ff.cli.run_table import of_ages
    from analog_ff.output.quantities import joules

    shown = Table(title=f"{result['run']}: {counted(result['images'], 'image')} of {result['data']}")
    for column in ("read-out", "error", "energy per image"):
        shown.add_column(column, justify="right" if column != "read-out" else "left")
    written = result.get("written_to")
    chip = "the chip of the run" if written is None else f"its weights, written to {written},"
    aged = Table("quantity", "value", title=f"{chip} at later ages")
    errors = result["error_percent_by_readout"]
    for name, joule in result["joule_per_image_by_readout"].items():
        shown.add_row(name, "no labels" if errors is None else f"{errors[name]:.2f} %", joules(joule))
    for what, value in of_ages(result.get("ages")):
        aged.add_row(what, value)
    console = Console(markup=False, emoji=False)
    console.print(shown)
    if aged.rows:
        console.print(aged)
    for note in result["notes"]:
        console.print(f"data: {note}", soft_wrap=True, highlight=False)
    told = "write them to a file by --out predictions.csv" if place is None else str(place)
    console.print(f"predictions: {told}", soft_wrap=True, highlight=False)


def _new(out: str) -> Path:
    """Return the place of a new file; raise UsageError if something is there already, or its folder is not."""
    if not out.strip():
        raise UsageError("--out takes the name of a new file, got ''.")
    place = placed(home(out, "file"))
    if place.exists() or place.is_symlink():
        raise UsageError(f"{out} exists already; give another --out.")
    if not place.parent.is_dir():
        raise UsageError(f"{out} cannot be written: there is no folder {place.parent}.")
    return place


app = command_of(infer)


def main(arguments: list[str] | None = None) -> None:
    """Run `infer` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
