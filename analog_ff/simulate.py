"""The main job: ``python -m analog_ff.simulate --device memristor``."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from analog_ff.cli.app import command_of, run_app, set_threads
from analog_ff.cli.parameters import about, parameters, with_signature
from analog_ff.config.config import Config, recommended, run_folder
from analog_ff.config.reading import given
from analog_ff.output.folders import must_be_new
from analog_ff.output.messages import answer, tell
from analog_ff.plain import Document
from analog_ff.registry.options import parse_whole
from analog_ff.runs.logs import LOGS, wanted
from analog_ff.runs.stored import asked_for, finished
from hardware_models.check import UsageError, positive_int
from hardware_models.files import home
from hardware_models.places import placed

KNOWN_LOGS = ", ".join(about(name, row) for name, row in LOGS.items())


def simulate(
    *,
    threads: str = typer.Option(
        None,
        "--threads",
        metavar="<int>",
        help="threads [default: all cores]; the result is the same for any number",
        show_default=False,
    ),
    resume: bool = typer.Option(False, "--resume", help="go on with the interrupted run in --out, bit for bit"),
    keep: str = typer.Option(
        "last",
        "--keep",
        metavar="<text>",
        help="what stays of checkpoints and cells when the run ends: none; last: the last checkpoint and cells.h5; or all",
    ),
    log: str = typer.Option(
        None,
        "--log",
        metavar="<text>",
        help="also write the numbers of every epoch, while the run learns: "
        + KNOWN_LOGS,
    ),
    ablate: bool = typer.Option(
        False, "--ablate", help="run again without each non-ideality in turn, and tabulate what each costs"
    ),
    seeds: str = typer.Option(
        None, "--seeds", metavar="<int>", show_default=False,
        help="with --ablate: paired seeds of each run, a chip of its own with each [1] [default: 1, which has no interval]",
    ),
    as_json: bool = typer.Option(False, "--json", help="print result.json on standard output and nothing else"),
    **options: Any,
) -> None:  # fmt: skip
    """Train a network in situ on a simulated analog chip.

    It learns by Forward-Forward unless --learner names another rule. Every pulse, read and conversion is counted and priced.
    """
    if options["out"] and not resume:  # before any other option is looked at
        must_be_new(placed(home(options["out"])))
    if seeds is not None and not ablate:
        raise UsageError("--seeds belongs to --ablate; one run has one --seed.")
    number = positive_int("an ablation", "--seeds", parse_whole("--seeds", seeds or "1"), 1, 1000)
    if ablate and log is not None:
        raise UsageError("--log belongs to one run, and --ablate makes several: leave it out.")
    wanted(log)
    config = _configure(given(Config, options), resume and not ablate, again=resume)
    if threads is not None:
        set_threads(threads)
    if ablate:
        _ablate(config, number, resume, as_json, keep, threads)
        return
    from analog_ff.runs.first_use import compiling_ahead

    with compiling_ahead(config):
        _run(config, resume, as_json, keep, log)


def _run(config: Config, resume: bool, as_json: bool, keep: str, log: str | None) -> None:
    from analog_ff.cli.run_table import show
    from analog_ff.report import kinds
    from analog_ff.runs.execute import execute

    if resume and not as_json and finished(config, config.folder()) is not None:
        tell("this run is finished; its result:")
    result, folder = execute(config, resume=resume, keep=keep, log=log)
    page = kinds.write(folder)  # before the table, whose reader may end early
    if as_json:
        answer(json.dumps(result))
    else:
        show(result, folder)
        answer(f"report: {page}")


app = command_of(with_signature(simulate, parameters(Config)))


def _ablate(config: Config, seeds: int, resume: bool, as_json: bool, keep: str, threads: str | None) -> None:
    from analog_ff.improvement import ablation
    from analog_ff.improvement.bench import Crew
    from analog_ff.report import kinds
    from analog_ff.runs.first_use import cores

    each = None if threads is None else parse_whole("--threads", threads)
    crew = Crew(None if each is None else max(1, cores() // each), each)
    table, folder = ablation.ablate(config, seeds=seeds, resume=resume, keep=keep, crew=crew, say=tell)
    page = kinds.write(placed(folder))
    if as_json:
        answer(json.dumps(table))
    else:
        ablation.show(table, folder)
        answer(f"report: {page}")


def _configure(options: Document, resume: bool, *, again: bool = False) -> Config:
    """Return the configuration: recipe of the device, then the options given; a resumed run takes its own.

    Without `resume`, and unless an ablation goes on (`again`), the folder must not exist: that is said before anything else.
    """
    folder = run_folder(options)
    if not resume and not again:
        must_be_new(placed(folder))
    begun = asked_for(Config, options, folder) if resume else None
    # The folder of a run that was killed before it wrote its choices: only the options given are known.
    return begun or Config(**recommended(options))


def main(arguments: list[str] | None = None) -> None:
    """Run `simulate` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
