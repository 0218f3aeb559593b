"""The cost of each effect: the same run with each one switched off in turn, and with all of them off, with paired seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from analog_ff.comparison.pricing import interval
from analog_ff.config.command_line import SIMULATE, command_line
from analog_ff.config.config import Config
from analog_ff.improvement.bench import Bench, Crew
from analog_ff.improvement.page import spread
from analog_ff.improvement.switches import SWITCHES
from analog_ff.output import folders, whole_files
from analog_ff.output.forms import document, panels, picture
from analog_ff.plain import Document, Facts
from analog_ff.runs.run_device import loaded_device
from analog_ff.sweeps.measures import at, error
from analog_ff.sweeps.store import NAME, Store
from hardware_models.check import UsageError
from hardware_models.places import placed

FILE = "ablation.json"
GIVEN = "as given"
"""Case of the run with all of its effects."""
CORES = Crew()
"""The default of who carries out the runs: a process for each core of this machine."""


def cases(config: Config) -> dict[str, Config]:
    """Return the runs of an ablation by name: as given, without each effect that the run has, without all of them."""
    device = loaded_device(config)
    present = {name: switch.off for name, switch in SWITCHES.items() if switch.on(config, device)}
    if not present:
        raise UsageError(f"device '{config.device}' has no non-ideality left to switch off.")
    runs = {GIVEN: config, **{f"no {name}": replace(config, **off) for name, off in present.items()}}
    if len(present) > 1:
        everything = {key: value for off in present.values() for key, value in off.items()}
        runs["all of these off"] = replace(config, **everything)
    return runs


def ablate(
    config: Config,
    *,
    seeds: int = 1,
    resume: bool = False,
    keep: str = "last",
    crew: Crew = CORES,
    say: Callable[[str], None] = print,
) -> tuple[Document, Path]:
    """Run every case with every seed and return the table, also kept as ``ablation.json`` and drawn as ``ablation.png``.

    The runs stand in the store of the folder, and what stays of each beside its result is chosen by `keep`, see
    `analog_ff.runs.execute.execute`. An ablation that was stopped goes on with `resume`; with more seeds it runs what is new
    alone. Raise UsageError before anything is written if the folder exists and is not resumed.
    """
    folder = placed(config.folder())
    if not resume:
        folders.must_be_new(folder)
    runs = cases(config)
    with Bench(lambda: Store(folder / NAME), range(seeds), crew, say, keep=keep) as bench:
        found = bench.results(runs)
        origin = bench.origin()
    kind = "test" if config.split == "final" else "validation"
    errors = {name: [error(result) or 0.0 for result in results] for name, results in found.items()}
    rows = [_row(name, results, kind, errors[GIVEN]) for name, results in found.items()]
    table = {
        "schema": 1,
        "config": config.as_dict(),
        "seed": config.seed,
        "chip_seed": config.chip_seed,
        "seeds": seeds,
        "rows": rows,
        "command": f"{command_line(config, SIMULATE)} --ablate" + (f" --seeds {seeds}" if seeds > 1 else ""),
        **origin,
    }
    whole_files.write(folder / FILE, document(table))
    whole_files.write(folder / "ablation.png", _drawn(table))
    return table, config.folder()


def _row(name: str, results: list[Document], kind: str, given: list[float]) -> Document:
    """Return the row of a case: means over the seeds, and the interval of what the effect costs."""
    errors = [error(result) or 0.0 for result in results]
    costs = [g - e for g, e in zip(given, errors, strict=True)]
    by = {
        readout: statistics.fmean(result[f"{kind}_error_percent_by_readout"][readout] for result in results)
        for readout in results[0][f"{kind}_error_percent_by_readout"]
    }
    return {
        "case": name,
        f"{kind}_error_percent": statistics.fmean(errors),
        f"{kind}_error_percent_by_readout": by,
        "errors_percent": errors,
        "error": interval(errors),
        "share_at_bound": _mean(results, "cells.share_at_bound"),
        "share_worn": _mean(results, "cells.share_worn"),
        "energy_per_update_joule": _mean(results, "energy.per_update_joule"),
        "costs_percent": statistics.fmean(costs),
        "costs": interval(costs),
    }


def _mean(results: list[Document], place: str) -> float | None:
    """Return the mean of a number of the results; None if one of them has it not, as of a sealed chip."""
    found = [value for result in results if (value := at(result, place)) is not None]
    return statistics.fmean(found) if len(found) == len(results) else None


def _drawn(table: Facts) -> bytes:
    """Return the picture of an ablation: what each effect costs, with its interval."""
    from analog_ff.improvement.pictures import DPI, tornado

    rows = [(row["case"], row["costs"]) for row in table["rows"][1:]]
    figure, axes = panels(size=(7.0, 1.4 + 0.4 * len(rows)))
    kind = "test" if table["config"]["split"] == "final" else "validation"
    tornado(axes, rows, f"{kind} error as given less that of the run [points]", "effect switched off")
    seeds = f"mean of {table['seeds']} seeds, 95 % interval" if table["seeds"] > 1 else "one seed, no interval"
    axes.set_title(f"{table['config']['device']}, {table['config']['data']}: {seeds}", fontsize=9)
    return picture(figure, DPI)


def show(table: Document, folder: Path) -> None:
    """Print the table of an ablation."""
    from rich.console import Console
    from rich.table import Table

    kind = "test" if table["config"]["split"] == "final" else "validation"
    several = table["seeds"] > 1
    of = f"mean of {table['seeds']} paired seeds, 95 % interval" if several else "one seed, one chip"
    shown = Table(title=f"{table['config']['device']}: what each non-ideality costs ({of})")
    shown.add_column("run")
    for column in (f"{kind} error [%]", "cost [points]", "at a bound"):
        shown.add_column(column, justify="right")
    for row in table["rows"]:
        share: Any = row["share_at_bound"]
        cost = "" if row["case"] == GIVEN else signed(row["costs"])
        bound = "sealed" if share is None else f"{100 * share:.1f} %"
        shown.add_row(row["case"], spread(row["error"]), cost, bound)
    console = Console(markup=False, emoji=False)
    console.print(shown)
    said = f"cost: {kind} error {GIVEN} less that of the run. {decided(table['seeds'])}"
    console.print(said, soft_wrap=True, highlight=False)
    console.print(f"folder: {folder}", soft_wrap=True, highlight=False)


def decided(seeds: int) -> str:
    """Return the sentence on what so many seeds decide."""
    if seeds > 1:
        return "A cost whose interval contains zero is not decided by these seeds."
    return "One seed has no interval: repeat with --seeds 3 before a small cost, or a cost below zero, is believed."


def signed(found: Facts) -> str:
    """Return a mean with its sign and half of its interval, such as "+1.20 ± 0.40"."""
    return f"{'+' if found['mean'] >= 0.0 else ''}{spread(found)}"
