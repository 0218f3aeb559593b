"""Learners against each other in joules: ``python -m analog_ff compare --devices memristor --learners forward-forward,...``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from analog_ff.cli.app import command_of, run_app, set_threads
from analog_ff.cli.parameters import TEXT, parameters, with_signature
from analog_ff.cli.repeated import repeated
from analog_ff.config.config import Config
from analog_ff.config.reading import given
from analog_ff.output.folders import must_be_new
from analog_ff.output.messages import answer, tell
from analog_ff.registry.options import parse_real, parse_whole
from hardware_models.check import in_range, positive_int
from hardware_models.files import home
from hardware_models.places import placed

APART = ("device", "learner", "split", "out")
"""Options of a run that a comparison takes in another form."""
LEARNERS = "forward-forward,backprop,backprop-nominal,feedback-alignment"
COMPARED = "What is compared"
"""Title of the comparison's own options in the help, which begins with them."""
_SETTINGS = typer.Option(
    [], "--set", metavar=TEXT, rich_help_panel=COMPARED,
    help="[DEVICE/]LEARNER:OPTION=VALUE, a choice for one learner (on one device); may be repeated",
)  # fmt: skip


def compare(
    context: typer.Context,
    *,
    devices: str = typer.Option(
        "memristor", "--devices", metavar=TEXT, rich_help_panel=COMPARED,
        help="devices separated by commas, each as simulate takes it",
    ),
    learners: str = typer.Option(
        LEARNERS,
        "--learners", metavar=TEXT, rich_help_panel=COMPARED,
        help="learners separated by commas; ratios are to the first one; LABEL=LEARNER names a variant for --set; frozen "
        "random layers are always added",
    ),
    settings: list[str] = _SETTINGS,
    seeds: str = typer.Option(
        "3", "--seeds", metavar="<int>", rich_help_panel=COMPARED,
        help="seeds of each learner, the same for all, each with a chip of its own [1]",
    ),
    accuracy: str = typer.Option(
        "90", "--accuracy", metavar="<float>", rich_help_panel=COMPARED,
        help="the energy to reach this validation accuracy is given, too [%]",
    ),
    draws: str = typer.Option(
        "2000", "--draws", metavar="<int>", rich_help_panel=COMPARED, help="joint draws of all prices from their ranges [1]"
    ),
    fixed_device: bool = typer.Option(
        False, "--fixed-device", rich_help_panel=COMPARED,
        help="keep the device's voltages, times and conductances at their values in the draws",
    ),
    split: str = typer.Option(
        "holdout", "--split", metavar=TEXT, rich_help_panel=COMPARED,
        help="holdout: validation part of the training set; final: test once, without a curve",
    ),
    out: str = typer.Option(
        "", "--out", metavar=TEXT, rich_help_panel=COMPARED,
        help="folder of the comparison; must not exist [default: runs/compare-DATA]", show_default=False,
    ),
    resume: bool = typer.Option(
        False, "--resume", help="go on with the comparison in --out: finished points stay, missing ones are run"
    ),
    threads: str = typer.Option(
        None, "--threads", metavar="<int>", show_default=False,
        help="threads [default: all cores]; the result is the same for any number",
    ),
    as_json: bool = typer.Option(False, "--json", help="print compare.json on standard output and nothing else"),
    **options: Any,
) -> None:  # fmt: skip
    """Compare learners on devices, in error and in joules.

    The comparison tells the error and the energy per update, per image and to an accuracy, with ranges and their causes. It takes
    the options of simulate for all of its runs.
    """
    folder = home(out) if out else Path("runs") / f"compare-{Path(options['data'] or Config.data).stem}"
    if not resume:
        must_be_new(placed(folder))
    common = {**given(Config, {**dict.fromkeys(APART), **options}), "split": split}
    wanted = in_range("a comparison", "--accuracy", parse_real("--accuracy", accuracy), 0.0, 100.0, "%", low_open=True)
    times = positive_int("a comparison", "--draws", parse_whole("--draws", draws), 100, 1_000_000)
    paired = parse_whole("--seeds", seeds)
    if threads is not None:
        set_threads(threads)
    from analog_ff.comparison import document, plan
    from analog_ff.report import kinds

    chosen = plan.parse_devices(devices)
    labels = plan.parse_learners(learners)
    own = plan.parse_settings(settings, chosen, labels)
    points = plan.points_of(chosen, labels, paired, common, own, folder)
    plan.run(points, folder, resume=resume, say=tell)
    found = document.collect(
        points, accuracy=wanted, draws=times, fixed_device=fixed_device, common=common, settings=settings,
        command=repeated(context, "compare"),
    )  # fmt: skip
    text = document.write(found, folder)
    page = kinds.write(folder)
    answer(json.dumps(found) if as_json else f"{text}\nreport: {page}")


app = command_of(with_signature(compare, parameters(Config, without=APART)))


def main(arguments: list[str] | None = None) -> None:
    """Run `compare` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
