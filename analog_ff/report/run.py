"""The report of a run."""

from __future__ import annotations

from pathlib import Path

from analog_ff.config.command_line import SIMULATE
from analog_ff.config.config import Config
from analog_ff.output.quantities import joules, quantity, readout_in_words
from analog_ff.report import energy, learning, origin, physics
from analog_ff.report.finished import Finished, finished
from analog_ff.report.parts import Page, Section, Tile
from analog_ff.runs.limits import binding
from hardware_models.check import counted


def page(folder: Path) -> Page:
    """Return the report of the finished run in a folder; raise UsageError where there is none, or a damaged file."""
    run = finished(folder)
    config = run.result["config"]
    layers = ", ".join(map(str, config["layers"]))
    how = f"{config['learner']}, update {config['update']}"
    device = short(config["device"])
    return Page(
        title=f"{device} on {short(config['data'])}: {next(iter(run.errors.values())):.2f} % {run.kind} error",
        subtitle=f"{how}; layers {layers}; {counted(config['epochs'], 'epoch')}; seed {config['seed']}, chip "
        f"{config.get('chip_seed', 0)}; {run.result['wall_seconds']:.1f} s of simulation",
        tiles=_tiles(run),
        sections=_sections(run),
        notes=[*run.result.get("notes", ()), *run.result.get("data_notes", ())],
    )


def short(name: object) -> str:
    """Return the name of a device or a data set; of a file or a class the last part."""
    place, _, attribute = str(name).partition(":")
    return attribute or Path(place).stem


def _sections(run: Finished) -> list[Section]:
    made = (
        learning.curves, learning.goodness, learning.confusion, learning.worst, learning.fields, physics.cells, physics.currents,
        energy.energy, physics.device, energy.prices,
    )  # fmt: skip
    return [
        *(section(run) for section in made),
        origin.of_a_run(run.result, origin.configuration(run.folder, Config), SIMULATE),
    ]


def _tiles(run: Finished) -> list[Tile]:
    result, cells = run.result, run.result["cells"]
    headline, *others = run.errors
    beside = ", ".join(f"{run.errors[name]:.2f} % {readout_in_words(name)}" for name in others)
    found = [Tile(f"{run.kind} error, {readout_in_words(headline)}", f"{run.errors[headline]:.2f} %", beside)]
    if run.account is not None:
        low, high = run.account["low_joule"], run.account["high_joule"]
        found.append(
            Tile("energy per update", joules(run.account["per_update_joule"]), f"{joules(low)} to {joules(high)}")
        )
        image = run.account["per_image_joule"].get(headline)
        found.append(Tile("energy per image tested", joules(image), readout_in_words(headline)))
    found.append(Tile("pulses per cell", f"{cells['pulses_per_cell']:.1f}", "programming included"))
    bound = cells["share_at_bound"]
    worn = cells.get("share_worn")
    said = "" if worn is None else f"{100.0 * worn:.3g} % worn out"
    found.append(Tile("cells at a bound", "sealed" if bound is None else f"{100.0 * bound:.1f} %", said))
    if lines := result.get("energy", {}).get("line_currents"):
        ratio = max(lines["line_current_ratio"].values())
        limit = f"of the limit, {quantity(lines['limit']['value'], 'A')}"
        found.append(Tile("largest current of a line", f"{100.0 * ratio:.0f} %", limit))
    if (limits := binding(result)) is not None:
        found.append(Tile("limits that bind", ", ".join(limits) or "none"))
    return found
