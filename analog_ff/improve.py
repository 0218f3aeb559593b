"""The command that says what a device must improve: ``python -m analog_ff improve --device memristor``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.carriers import INT, RUNNING, SCHEDULER, THREADS, WORKERS, crew_of
from analog_ff.cli.parameters import TEXT, parameters, with_signature
from analog_ff.cli.repeated import repeated
from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import given
from analog_ff.output.messages import answer, tell
from analog_ff.plain import Document
from analog_ff.registry.options import real_of_study, whole_of_study
from hardware_models.check import UsageError
from hardware_models.files import home
from hardware_models.places import placed

if TYPE_CHECKING:
    from analog_ff.improvement.bench import Bench
    from analog_ff.improvement.study import Wishes

RECIPE: Document = {"data": "mnist-5k", "layers": (64,), "epochs": 6, "batch": 20}
"""Values that a study takes where the command gives none: runs of seconds, with enough updates for the cells to limit them."""
APART = ("split", "out")
"""Options of a run that a study takes in another form: it never looks at the test set."""
ASKED = "What is asked"
_FLOAT = "<float>"


def improve(
    context: typer.Context,
    *,
    target_error: str = typer.Option(
        None, "--target-error", metavar=_FLOAT, rich_help_panel=ASKED, show_default=False,
        help="wanted validation error [%] [default: half of the loss made good; with --specify see --loss]",
    ),
    axes: str = typer.Option(
        "", "--axes", metavar=TEXT, rich_help_panel=ASKED, show_default=False,
        help="figures that may be improved, separated by commas: names of the answer, or NAME=BEST, any figure of the device "
        "with its best value [default: all]",
    ),
    seeds: str = typer.Option(
        None, "--seeds", metavar=INT, rich_help_panel=ASKED, show_default=False,
        help="paired seeds of each case, a chip of its own with each [1] [default: 3; with --specify 10]",
    ),
    curves: str = typer.Option(
        "4", "--curves", metavar=INT, rich_help_panel=ASKED, help="figures that get a curve, at most; 0: the screening alone"
    ),
    together: str = typer.Option(
        "3", "--together", metavar=INT, rich_help_panel=ASKED, help="figures that are tried in pairs and all together"
    ),
    confirm: str = typer.Option(
        "0", "--confirm", metavar=INT, rich_help_panel=ASKED,
        help="seeds that were not used before, with which the order is looked at again [1]",
    ),
    specify: str = typer.Option(
        "", "--specify", metavar=TEXT, rich_help_panel=ASKED, show_default=False,
        help="the reverse question: the worst value that each of these figures may have, such as cycle_noise,asymmetry,adc",
    ),
    loss: str = typer.Option(
        None, "--loss", metavar=_FLOAT, rich_help_panel=ASKED, show_default=False,
        help="with --specify: points that a figure may cost, instead of --target-error [points]",
    ),
    trials: str = typer.Option(
        "0", "--trials", metavar=INT, rich_help_panel=ASKED,
        help="with --specify: trials of a search (Optuna) for the worst values of all of them together",
    ),
    folder: str = typer.Option(
        "", "--folder", metavar=TEXT, rich_help_panel=RUNNING, show_default=False,
        help="folder of the store and of the answer; a study that is there goes on [default: runs/improve-DEVICE]",
    ),
    dry_run: bool = typer.Option(
        False, "--dry-run", rich_help_panel=RUNNING,
        help="run the case as given with two seeds to time it, say what the study costs, and end",
    ),
    workers: str = WORKERS,
    threads: str = THREADS,
    scheduler: str = SCHEDULER,
    as_json: bool = typer.Option(False, "--json", help="print improve.json on standard output and nothing else"),
    **options: Any,
) -> None:  # fmt: skip
    """Say what a device or its chip must improve, in which order, and to which value.

    Each figure is tried alone at its best, those that matter get a curve, and a few are tried together, with paired seeds and
    intervals. It takes the options of simulate for all of its runs, and judges on the validation part of the training set.
    """
    config = Config(**recommended({**RECIPE, **given(Config, {**dict.fromkeys(APART), **options}), "split": "holdout"}))
    place = placed(home(folder) if folder else Path("runs") / f"improve-{Path(config.device.split(':')[0]).stem}")
    wanted = None if target_error is None else _percent("--target-error", target_error)
    allowed = None if loss is None else _percent("--loss", loss)
    searched = whole_of_study("--trials", trials, 0, 100_000)
    crew = crew_of(workers, threads, scheduler)
    with _bench(place, whole_of_study("--seeds", seeds or ("10" if specify else "3"), 1, 1000), crew) as bench:
        if specify:
            made = _specified(config, _words(specify), bench, wanted, allowed, searched, dry_run=dry_run)
        elif allowed is not None or searched:
            raise UsageError("--loss and --trials belong to --specify: leave them out, or give --specify too.")
        else:
            from analog_ff.improvement.study import Wishes

            numbers = [whole_of_study(n, t, 0, 1000) for n, t in
                       (("--curves", curves), ("--together", together), ("--confirm", confirm))]  # fmt: skip
            made = _studied(config, _words(axes), bench, Wishes(wanted, *numbers), dry_run=dry_run)
        if made is None:
            return
        made.found.update(command=repeated(context, "improve"), **bench.origin())
    _write(made, place)
    from analog_ff.report import kinds

    report = kinds.write(place)
    answer(json.dumps(made.found) if as_json else f"{made.text}\nfolder: {place}\nreport: {report}")


app = command_of(with_signature(improve, parameters(Config, without=APART)))


class Answer(NamedTuple):
    """An answer: the name of its files, its document, its page and what draws its picture."""

    name: str
    found: Document
    text: str
    draw: Callable[[Document, Path], None]


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _percent(name: str, text: str) -> float:
    return real_of_study(name, text, 0.0, 100.0, "%", low_open=True)


def _bench(place: Path, seeds: int, crew: dict[str, Any]) -> Bench:
    from analog_ff.improvement.bench import Bench, Crew
    from analog_ff.sweeps.store import NAME, Store

    return Bench(lambda: Store(place / NAME), range(seeds), Crew(**crew), tell)


def _studied(config: Config, axes: list[str], bench: Bench, wishes: Wishes, *, dry_run: bool) -> Answer | None:
    """Return the answer of a study; None if only the cost was asked for."""
    from analog_ff.improvement.axes import axes_of
    from analog_ff.improvement.page import summary
    from analog_ff.improvement.pictures import draw_answer
    from analog_ff.improvement.study import Study

    study = Study(config, axes_of(config, axes), bench, wishes)
    tell(study.cost())
    if dry_run:
        return None
    found = study.carry_out(tell)
    return Answer("improve", found, summary(found), draw_answer)


def _specified(
    config: Config,
    figures: list[str],
    bench: Bench,
    error: float | None,
    loss: float | None,
    trials: int,
    *,
    dry_run: bool,
) -> Answer | None:
    """Return the specification of figures; None if only the cost was asked for."""
    from analog_ff.improvement import specification
    from analog_ff.improvement.joint_search import Limit
    from analog_ff.improvement.page import specified
    from analog_ff.improvement.pictures import draw_specification
    from analog_ff.improvement.rungs import ladders

    if (error is None) == (loss is None):
        raise UsageError("--specify needs a limit: give --target-error (an error) or --loss (points), one of the two.")
    limit = Limit(loss, is_loss=True) if loss is not None else Limit(error or 0.0, is_loss=False)
    wanted = ladders(config, figures)
    tell(specification.cost(config, wanted, bench, trials))
    if dry_run:
        return None
    found = specification.specify(config, wanted, bench, limit, trials, tell)
    return Answer("specification", found, specified(found), draw_specification)


def _write(made: Answer, place: Path) -> None:
    """Write an answer as JSON, page and picture."""
    from analog_ff.output import whole_files
    from analog_ff.output.forms import document

    whole_files.write(place / f"{made.name}.json", document(made.found))
    whole_files.write(place / f"{made.name}.md", made.text)
    made.draw(made.found, place / f"{made.name}.png")


def main(arguments: list[str] | None = None) -> None:
    """Run `improve` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
