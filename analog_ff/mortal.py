"""The command that hands a network on from chip to chip: ``python -m analog_ff mortal --device memristor --chips 3``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.cli.carriers import INT
from analog_ff.cli.parameters import TEXT, parameters, with_signature
from analog_ff.cli.repeated import repeated
from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import given
from analog_ff.config.together import owners
from analog_ff.output.messages import answer, tell
from analog_ff.plain import Document
from analog_ff.registry.options import real_of_study, whole_of_study
from hardware_models.check import UsageError
from hardware_models.files import home
from hardware_models.places import placed

if TYPE_CHECKING:
    from analog_ff.mortality.study import Wishes

RECIPE: Document = {"data": "mnist-5k", "layers": (200, 200), "epochs": 20, "nonlinearity": "random", "preset": "plain"}
"""Values that a study takes where the command gives none: a small network, and neurons that differ from chip to chip."""
APART = ("out", "program_to", "ages", "conductances", "chips")
"""Options of a run that belong to one chip."""
OFF_CHIP = "backprop-programmed"
"""Learner of the path from a digital computer."""
LABELLED = "labelled"
"""Kind of query whose true label is known beside the answer."""
ASKED = "What is asked"
_FLOAT = "<float>"


def mortal(
    context: typer.Context,
    *,
    chips: str = typer.Option(
        "2", "--chips", metavar=INT, rich_help_panel=ASKED, help="chips of each seed: one that learns, and those after it [1]"
    ),
    seeds: str = typer.Option(
        "1", "--seeds", metavar=INT, rich_help_panel=ASKED, help="seeds, each with chips of its own [1]"
    ),
    queries: str = typer.Option(
        "500,1000,2000,4000", "--queries", metavar=TEXT, rich_help_panel=ASKED,
        help="images that the first chip is asked about, a path for each number; beyond half of the training set they come again",
    ),
    kinds: str = typer.Option(
        "images", "--kinds", metavar=TEXT, rich_help_panel=ASKED,
        help="what it is asked: images (the other half of the training images, their labels unknown), noise (pixels drawn "
        "independently of each other), labelled (images, whose labels count as much as the answers), separated by commas",
    ),
    sharpness: str = typer.Option(
        "3", "--sharpness", metavar=_FLOAT, rich_help_panel=ASKED,
        help="exponent of the answers' probabilities before labels are drawn from them [1]; 1e6: the likeliest label",
    ),
    tune: str = typer.Option(
        "500", "--tune", metavar=INT, rich_help_panel=ASKED,
        help="labelled images with which a copied network goes on learning, at most half of the training set",
    ),
    tune_epochs: str = typer.Option(
        "4", "--tune-epochs", metavar=INT, rich_help_panel=ASKED, help="passes over the images of --tune"
    ),
    rounds: str = typer.Option(
        "20", "--rounds", metavar=INT, rich_help_panel=ASKED, help="largest number of corrections of copied weights"
    ),
    reads: str = typer.Option(
        "4", "--reads", metavar=INT, rich_help_panel=ASKED, help="reads that are averaged when weights are copied"
    ),
    tolerance: str = typer.Option(
        "0.05", "--tolerance", metavar=_FLOAT, rich_help_panel=ASKED, help="error of a copied weight that stays [of W_max]"
    ),
    generations: str = typer.Option(
        "0", "--generations", metavar=INT, rich_help_panel=ASKED,
        help="chips in a row for each seed, each taught by the answers of the one before, with the largest of --queries",
    ),
    days: str = typer.Option(
        "", "--days", metavar=TEXT, rich_help_panel=ASKED, show_default=False,
        help="let the first chip of each seed live on and test it after these days, such as 1,10,30: with no care, with scales "
        "measured anew, and with a little learning each day",
    ),
    daily: str = typer.Option(
        "100", "--daily", metavar=INT, rich_help_panel=ASKED, help="images of a day of learning, with --days"
    ),
    folder: str = typer.Option(
        "", "--folder", metavar=TEXT, show_default=False,
        help="folder of the answer; a study that is there goes on [default: runs/mortal-DEVICE]",
    ),
    no_digital: bool = typer.Option(
        False, "--no-digital", rich_help_panel=ASKED,
        help="leave out the path on which a digital computer learns once and its weights are written to every chip",
    ),
    as_json: bool = typer.Option(False, "--json", help="print mortal.json on standard output and nothing else"),
    **options: Any,
) -> None:  # fmt: skip
    """Hand a network on from chip to chip: copied, copied and tuned, distilled by queries, or taught anew.

    It takes the options of simulate for the learning of all chips. Errors and energies of every path stand in mortal.json,
    mortal.md, mortal.png and report.html.
    """
    from analog_ff.mortality import study
    from analog_ff.mortality.paths import Verify
    from analog_ff.mortality.teaching import QUERIES

    chosen = {**RECIPE, **given(Config, {**dict.fromkeys(APART), **options})}
    config = Config(**recommended(chosen))
    asked = [word for word in kinds.split(",") if word]
    known = {*QUERIES, LABELLED}
    if not asked or not known.issuperset(asked):
        raise UsageError(f"--kinds takes {', '.join(sorted(known))}, separated by commas, got '{kinds}'.")
    wishes = study.Wishes(
        chips=whole_of_study("--chips", chips, 2, 1000),
        seeds=whole_of_study("--seeds", seeds, 1, 1000),
        queries=tuple(whole_of_study("--queries", word, 1, 10_000_000) for word in queries.split(",")),
        kinds=tuple(kind for kind in asked if kind != LABELLED),
        known=LABELLED in asked,
        sharpness=real_of_study("--sharpness", sharpness, 0.0, 1e6, low_open=True),
        tuned_with=whole_of_study("--tune", tune, 1, 10_000_000),
        tuned_epochs=whole_of_study("--tune-epochs", tune_epochs, 1, 100_000),
        verify=Verify(
            whole_of_study("--rounds", rounds, 0, 1000),
            whole_of_study("--reads", reads, 1, 1000),
            real_of_study("--tolerance", tolerance, 0.0, 1.0),
        ),
        generations=whole_of_study("--generations", generations, 0, 100),
        days=tuple(sorted({whole_of_study("--days", word, 1, 100_000) for word in days.split(",") if word})),
        daily=whole_of_study("--daily", daily, 1, 10_000_000),
    )
    place = placed(home(folder) if folder else Path("runs") / f"mortal-{Path(config.device.split(':')[0]).stem}")
    study_of = _carried_out(
        config, None if no_digital else _digital(chosen), wishes, place, repeated(context, "mortal")
    )
    answer(json.dumps(study_of.found) if as_json else f"{study_of.text}\nfolder: {place}\nreport: {study_of.report}")


app = command_of(with_signature(mortal, parameters(Config, without=APART)))


class Answer(NamedTuple):
    """The answer of a study: its document, its page, and the path of its report."""

    found: Document
    text: str
    report: Path


def _carried_out(config: Config, digital: Config | None, wishes: Wishes, place: Path, command: str) -> Answer:
    """Carry out the study that `command` repeats, and write the answer, its page, its picture and its report."""
    from analog_ff.mortality.page import page
    from analog_ff.mortality.pictures import draw
    from analog_ff.mortality.study import NAME, Study
    from analog_ff.output import folders, whole_files
    from analog_ff.output.forms import document
    from analog_ff.report import kinds
    from analog_ff.runs.execute import examine

    for run in (config, digital):
        if run is not None:
            examine(run)
    Study(config, digital, wishes, place)  # refuses the folder of another study before anything is made
    folders.there(place)
    with folders.held(place, work="study", option="--folder"):
        whole_files.sweep(place)
        found = Study(config, digital, wishes, place).carry_out(tell) | {"command": command}
        text = page(found)
        whole_files.write(place / NAME, document(found))
        whole_files.write(place / "mortal.md", text)
        draw(found, place / "mortal.png")
        return Answer(found, text, kinds.write(place))


def _digital(options: Document) -> Config | None:
    """Return the run by which a digital computer learns what is written to chips; None where it has no such network.

    It has the options given that belong to every learner; its rates are those of its recipe.
    """
    owned = owners(Config)
    common = {name: value for name, value in options.items() if name not in owned}
    try:
        return Config(**recommended({**common, "learner": OFF_CHIP}))
    except UsageError as error:
        tell(f"no path from a digital computer: {error}")
        return None


def main(arguments: list[str] | None = None) -> None:
    """Run `mortal` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
