"""A spiking network: ``python -m analog_ff spiking``."""

from __future__ import annotations

import json
import sys

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.parameters import TEXT, parameters, with_signature
from analog_ff.config.reading import given
from analog_ff.output.folders import must_be_new
from analog_ff.output.messages import answer
from analog_ff.plain import Document
from analog_ff.registry.options import parse_whole
from analog_ff.runs.stored import asked_for
from analog_ff.spiking.config import SpikingConfig, run_folder
from hardware_models.check import UsageError
from hardware_models.files import home
from hardware_models.places import placed


def spiking(
    *,
    export: str = typer.Option(
        None, "--export", metavar=TEXT, help="also write the trained network as a NIR graph to this file"
    ),
    cortex: bool = typer.Option(
        False, "--cortex", help="run the cortex tests T1 to T7 instead; the other options are their base configuration"
    ),
    tests: str = typer.Option(
        "",
        "--tests",
        metavar=TEXT,
        help="with --cortex: tests to run, such as T1,T3 [default: all]",
        show_default=False,
    ),
    seeds: str = typer.Option(
        "3", "--seeds", metavar="<int>", help="with --cortex: seeds of each case, the same for all, from --seed on [1]"
    ),
    resume: bool = typer.Option(
        False, "--resume", help="carry out the interrupted run in --out from its beginning, with the same bits"
    ),
    as_json: bool = typer.Option(False, "--json", help="print result.json on standard output and nothing else"),
    **options: object,
) -> None:
    """Train a spiking network by Forward-Forward.

    Its plasticity is local, and Brian2 simulates it. With --cortex, tests tell how well it fits the cortex.
    """
    if cortex:
        from analog_ff.spiking.cortex.command import run

        if export or resume:
            raise UsageError("--export and --resume belong to a single run: leave them out with --cortex.")
        run(given(SpikingConfig, options), tests, parse_whole("--seeds", seeds), as_json=as_json)
        return
    if options["out"] and not resume:  # before any other option is looked at
        must_be_new(placed(home(str(options["out"]))))
    config = _configure(given(SpikingConfig, options), resume)
    from analog_ff.report import kinds
    from analog_ff.spiking.execute import execute, show

    result, folder = execute(config, resume=resume, export=home(export) if export else None)
    page = kinds.write(folder)  # before the table, whose reader may end early
    if as_json:
        answer(json.dumps(result))
    else:
        show(result, folder)
        answer(f"report: {page}")


def _configure(options: Document, resume: bool) -> SpikingConfig:
    """Return the configuration of the options; a resumed run uses its stored configuration."""
    if not resume:
        must_be_new(placed(run_folder(options)))
    config = SpikingConfig(**options)
    if not resume:
        return config
    if options.get("chip") == "auto":
        del options["chip"]  # `--chip` was translated into other options
    return asked_for(SpikingConfig, options, config.folder()) or config


app = command_of(with_signature(spiking, parameters(SpikingConfig)))


def main(arguments: list[str] | None = None) -> None:
    """Run the command `spiking` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
