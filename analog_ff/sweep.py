"""Many runs from one file: ``python -m analog_ff sweep FILE.toml``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.carriers import INT, RUNNING, SCHEDULER, THREADS, WORKERS, crew_of
from analog_ff.cli.parameters import TEXT
from analog_ff.output import whole_files
from analog_ff.output.messages import answer, tell
from analog_ff.registry.options import parse_whole
from hardware_models.check import CommandError, UsageError, counted, shown
from hardware_models.files import home
from hardware_models.places import placed

if TYPE_CHECKING:
    from analog_ff.sweeps.groups import Group
    from analog_ff.sweeps.points import Point
    from analog_ff.sweeps.store import Store
    from analog_ff.sweeps.sweep import Sweep

RESULTS = "What is made of the results, without running"
ARRAY = "Array jobs"
PICTURES = (".png", ".pdf", ".svg")


def sweep(
    file: str = typer.Argument(..., metavar="FILE", help="file of the sweep, a .toml file (docs/how-to/sweep.md)"),
    *,
    folder: str = typer.Option(
        "", "--folder", metavar=TEXT, show_default=False, rich_help_panel=RUNNING,
        help="folder of the store and the runs; a sweep that is there goes on [default: runs/sweep-FILE]",
    ),
    workers: str = WORKERS,
    threads: str = THREADS,
    scheduler: str = SCHEDULER,
    keep: str = typer.Option(
        "none", "--keep", metavar=TEXT, rich_help_panel=RUNNING,
        help="what stays of a finished run beside its result: none; last: its folder with the last checkpoint; or all of it",
    ),
    retries: str = typer.Option(
        "3", "--retries", metavar=INT, rich_help_panel=RUNNING,
        help="how often a point is run again whose worker has died [1]",
    ),
    again: bool = typer.Option(
        False, "--again", rich_help_panel=RUNNING, help="run points again that have failed before"
    ),
    status: bool = typer.Option(
        False, "--status", rich_help_panel=RESULTS, help="say where the sweep stands, also while it runs"
    ),
    table: bool = typer.Option(False, "--table", rich_help_panel=RESULTS, help="print the table of what is there"),
    plot: str = typer.Option(
        None, "--plot", metavar=TEXT, rich_help_panel=RESULTS, show_default=False,
        help="draw a measure against one parameter, or two, such as adc or adc,dac, to --out",
    ),
    measure: str = typer.Option(
        "error", "--measure", metavar=TEXT, rich_help_panel=RESULTS,
        help="what --plot draws: error, energy, pulses, ..., or a place in result.json such as energy.low_joule",
    ),
    out: str = typer.Option(
        None, "--out", metavar=TEXT, rich_help_panel=RESULTS, show_default=False,
        help="new picture of --plot, a .png, .pdf or .svg file",
    ),
    export: str = typer.Option(
        None, "--export", metavar=TEXT, rich_help_panel=RESULTS, show_default=False,
        help="write the results to this new .csv, .parquet or .jsonl file",
    ),
    task: str = typer.Option(
        None, "--task", metavar="<I/N>", rich_help_panel=ARRAY, show_default=False,
        help="run the I-th of N equal shares of the points into a file of its own in --results",
    ),
    results: str = typer.Option(
        None, "--results", metavar=TEXT, rich_help_panel=ARRAY, show_default=False, help="folder of the files of --task"
    ),
    collect: str = typer.Option(
        None, "--collect", metavar=TEXT, rich_help_panel=ARRAY, show_default=False,
        help="take the files of all tasks from this folder into the store",
    ),
    as_json: bool = typer.Option(False, "--json", help="print one JSON document on standard output and nothing else"),
) -> None:  # fmt: skip
    """Run many configurations: grids, random and Sobol samples, searches, over devices, seeds and any option.

    The points run on the cores of this machine, or on a Dask cluster. One that is done never runs again: the same command goes on
    with a sweep that was stopped.
    """
    actions = {
        "--task": task,
        "--collect": collect,
        "--status": status,
        "--table": table,
        "--plot": plot,
        "--export": export,
    }
    asked = [name for name, given in actions.items() if given]
    if len(asked) > 1:
        raise UsageError(f"{asked[0]} and {asked[1]} are two things to do; give one of them at a time.")
    for one, other, given in (("--task", "--results", (task, results)), ("--plot", "--out", (plot, out))):
        if (given[0] is None) != (given[1] is None):
            raise UsageError(f"{one} and {other} belong together: give both, or neither.")
    from analog_ff.sweeps import sweep_file

    wanted = sweep_file.read(file)
    place = placed(home(folder) if folder else Path("runs") / f"sweep-{Path(file).stem}")
    if asked in ([], ["--task"]):
        run = partial(
            _run, **crew_of(workers, threads, scheduler), keep=keep, retries=parse_whole("--retries", retries), again=again
        )  # fmt: skip
        _carry_out(wanted, place, task, results, run, as_json=as_json)
    elif collect is not None:
        _collect(wanted, place, placed(home(collect)), as_json=as_json)
    elif status:
        _status(wanted, place, as_json=as_json)
    elif table:
        _table(wanted, place, as_json=as_json)
    elif plot is not None:
        _plot(wanted, place, plot.split(","), measure, placed(home(out)))
    else:
        _export(wanted, place, placed(home(export)))


def _run(points: Sequence[Point], store: Store, place: Path, **how: Any) -> None:  # passed on to `run_points`
    from analog_ff.sweeps.execute import run_points

    run_points(points, store, folder=place, **how)


def _carry_out(
    wanted: Sweep, place: Path, task: str | None, results: str | None, run: Callable[..., None], *, as_json: bool
) -> None:
    """Run the points of a sweep, or the share of one task of an array job, and print the table."""
    from analog_ff.sweeps import array_jobs, search
    from analog_ff.sweeps.points import check
    from analog_ff.sweeps.store import FAILED, NAME, Store

    points, file = wanted.points(), place / NAME
    if task is not None and results is not None:
        if wanted.search is not None:
            raise UsageError("a [search] chooses its trials one after the other; --task cannot divide it.")
        shared = placed(home(results))
        points = array_jobs.share(points, *array_jobs.parse_task(task))
        file = array_jobs.file_of(shared, *array_jobs.parse_task(task))
        place = file.with_suffix("")
    if wanted.search is not None:
        search.check(wanted, wanted.search)
    check(points, wanted.where)  # before the store is made
    with Store(file) as store:
        if wanted.search is not None:
            points = search.search(wanted, wanted.search, store, lambda some: run(some, store, place))
        else:
            run(points, store, place)
        _answer(wanted, store, place, points, as_json=as_json)
        states = store.states(_keys(points))
    if task is None:  # the share of a task has no report: the sweep has one once it is collected
        _report(wanted, place, as_json=as_json)
    if failed := sum(state == FAILED for state in states.values()):
        raise CommandError(
            f"{failed} of {counted(len(states), 'point')} failed; --status says why, --again runs them again."
        )


def _collect(wanted: Sweep, place: Path, folder: Path, *, as_json: bool) -> None:
    from analog_ff.sweeps import array_jobs
    from analog_ff.sweeps.store import NAME, Store

    array_jobs.files(folder)
    points = _points(wanted)
    with Store(place / NAME) as store:
        store.add(points or [])
        tell(f"{array_jobs.collect(store, folder)} files of tasks were taken.")
        _answer(wanted, store, place, points, as_json=as_json)
    _report(wanted, place, as_json=as_json)


def _report(wanted: Sweep, place: Path, *, as_json: bool) -> None:
    """Keep the file of a sweep in its folder, write the report, and tell where it is."""
    from analog_ff.report import kinds
    from analog_ff.sweeps.sweep_file import KEPT

    whole_files.write(place / KEPT, wanted.text)
    page = kinds.write(place)
    if not as_json:
        answer(f"report: {page}")


def _points(wanted: Sweep) -> list[Point] | None:
    """Return the points of a sweep; None for those of a search, which its file does not tell."""
    return None if wanted.search is not None else wanted.points()


def _keys(points: Sequence[Point] | None) -> list[str] | None:
    return None if points is None else [point.key for point in points]


def _groups(store: Store, points: Sequence[Point] | None) -> list[Group]:
    from analog_ff.sweeps.groups import groups

    return groups(store.points(_keys(points)))


def _answer(wanted: Sweep, store: Store, place: Path, points: Sequence[Point] | None, *, as_json: bool) -> None:
    """Print the table of a sweep, or its document."""
    from analog_ff.sweeps.progress import status
    from analog_ff.sweeps.search import best
    from analog_ff.sweeps.table import document, show

    found = _groups(store, points)
    made = document(wanted.title, found, status(store, _keys(points)), str(place))
    if wanted.search is not None:
        made["best"] = best(found, wanted.search)
    if as_json:
        answer(json.dumps(made))
    else:
        show(made, found)


def _status(wanted: Sweep, place: Path, *, as_json: bool) -> None:
    from analog_ff.sweeps.progress import status
    from analog_ff.sweeps.store import NAME, Store
    from analog_ff.sweeps.table import show_status

    with Store(place / NAME, read_only=True) as store:
        found = {"schema": 1, **status(store, _keys(_points(wanted)))}
    if as_json:
        answer(json.dumps(found))
    else:
        show_status(found)


def _table(wanted: Sweep, place: Path, *, as_json: bool) -> None:
    from analog_ff.sweeps.store import NAME, Store

    with Store(place / NAME, read_only=True) as store:
        _answer(wanted, store, place, _points(wanted), as_json=as_json)


def _plot(wanted: Sweep, place: Path, names: list[str], measure: str, out: Path) -> None:
    from analog_ff.sweeps import measures, plots
    from analog_ff.sweeps.store import NAME, Store

    if out.suffix.lower() not in PICTURES:
        raise UsageError(
            f"--out takes a picture that ends in {', '.join(PICTURES)}, got {shown(out.name, quoted=False)}."
        )
    wished = measures.measure(measure)
    with Store(place / NAME, read_only=True) as store:
        found = _groups(store, _points(wanted))
    whole_files.create(out, plots.draw(found, names, wished, wanted.command, wanted.title, out.suffix[1:].lower()))
    tell(f"wrote {shown(str(out), 200, quoted=False)}")


def _export(wanted: Sweep, place: Path, path: Path) -> None:
    from analog_ff.sweeps import export
    from analog_ff.sweeps.store import NAME, Store

    export.check(path)
    with Store(place / NAME, read_only=True) as store:
        export.write(path, store.points(_keys(_points(wanted))), wanted.title, wanted.options)
    tell(f"wrote {shown(str(path), 200, quoted=False)}")


app = command_of(sweep)


def main(arguments: list[str] | None = None) -> None:
    """Run `sweep` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
