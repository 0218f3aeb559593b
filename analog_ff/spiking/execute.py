"""Carry out a spiking run and write its folder: configuration, result, goodness by epoch, weights, pictures."""

from __future__ import annotations

import io
import shutil
import time
from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset
from analog_ff.output import folders, whole_files
from analog_ff.output.forms import table
from analog_ff.output.quantities import joules
from analog_ff.plain import Document
from analog_ff.runs import cells, looks, origin, results, stored
from analog_ff.spiking import statistics
from analog_ff.spiking.accounting import account
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.nir import graph
from analog_ff.spiking.plots import draw
from analog_ff.spiking.simulation import Outcome, data_of, simulate
from analog_ff.spiking.synapses.base import Hardware
from hardware_models import opened
from hardware_models.check import UsageError
from hardware_models.energy import load_technology
from hardware_models.energy.load import Technology
from hardware_models.files import record
from hardware_models.load import load_device
from hardware_models.places import in_place, placed
from hardware_models.user_faults import guarded


def versions() -> dict[str, str]:
    """Return the versions of the libraries on which the bits of a result depend."""
    from importlib import metadata

    return {**origin.versions(), "brian2": metadata.version("brian2")}


@in_place()
def execute(
    config: SpikingConfig, *, resume: bool = False, quiet: bool = False, export: Path | None = None
) -> tuple[Document, Path]:
    """Return the result of a run and its folder.

    Brian2 stores nothing of an interrupted run: a resumed run starts again from the beginning, in the same folder and with the
    same bits. Raises UsageError before anything is written, or RunError if the compiled program fails.
    """
    given = config.folder()
    folder = placed(given)
    export = None if export is None else placed(export)
    if not resume:
        folders.must_be_new(folder)
    if export is not None:
        graph.check(config, export)
    if not resume:
        data = data_of(config)  # errors in data, device or technology are found before the folder exists
        load_technology(config.technology)
        if config.device != "none":
            with guarded(UsageError):
                load_device(config.device)
        with folders.made(folder, {stored.CONFIG: config.to_toml(versions())}):
            try:
                return _carry_out(config, folder, data, quiet, export), given
            except UsageError:
                shutil.rmtree(folder)
                raise
    if (result := stored.finished(config, folder)) is not None:
        return result, given
    begun = stored.begun_with(SpikingConfig, folder)
    with folders.held(folder):
        if (result := stored.finished(config, folder)) is not None:
            return result, given
        if begun is not None and begun.digest() != config.digest():
            raise stored.begun_otherwise(folder)
        whole_files.sweep(folder)
        data = data_of(config)
        if begun is None:
            whole_files.write(folder / stored.CONFIG, config.to_toml(versions()))
        return _carry_out(config, folder, data, quiet, export), given


def _carry_out(config: SpikingConfig, folder: Path, data: Dataset, quiet: bool, export: Path | None) -> Document:
    """Run Brian2 and write the curve, the weights, the pictures and, last of all, the result to the folder."""
    start = time.monotonic()
    with record() as inputs, opened.into(inputs, folder):
        origin.note_arrays(data)
        # The file is read only once, before the run, so that an edit during the run does not change the prices.
        technology = config.technology if config.device == "none" else load_technology(config.technology)
        outcome = simulate(config, data, quiet=quiet)
    result = collect(config, outcome, time.monotonic() - start, technology)
    result["inputs_sha256"] = dict(sorted(inputs.items()))
    if curve := outcome.curve(config.epochs):
        whole_files.write(folder / "metrics.csv", table(curve))
    weights = io.BytesIO()
    np.savez_compressed(weights, *outcome.weights)
    whole_files.write(folder / "weights.npz", weights.getvalue())
    draw(folder, config, outcome, (data.height, data.width))
    _note_looks(folder, data, outcome)
    if export is not None:
        result["nir"] = {"file": export.name, "notices": graph.export_run(config, outcome, export)}
    results.write(folder, result)
    return result


def _note_looks(folder: Path, data: Dataset, outcome: Outcome) -> None:
    """Write looks.json for the report: confusion matrices, worst answers, devices, weights of first cells from every pixel."""
    tested, pixels = len(outcome.labels), data.x_test.shape[1]
    totals = outcome.totals()
    answers = {name: scores.argmax(axis=1) for name, scores in totals.items()}
    headline = next(iter(totals))
    shown = looks.Tested(data, data.x_test[:tested], outcome.labels, answers, headline, totals[headline])
    weights = outcome.weights[0][:pixels, : looks.NEURONS].T
    fields = looks.weights_of(weights, outcome.weights[0].shape[1]) if pixels <= looks.MOST_VALUES else None
    looks.note(folder, shown, _histograms(outcome.hardware), fields)


def _histograms(hardware: Hardware | None) -> Document:
    """Return the histograms of the devices of each layer that a picture has; none where synapses are numbers."""
    if hardware is None:
        return {}
    bounds = hardware.device.g_min, hardware.device.g_max
    return {
        str(n): looks.histograms(hardware.cells[n].conductance, hardware.cells[n].pulses, bounds)
        for n in cells.pictured(len(hardware.cells))
    }


def collect(config: SpikingConfig, outcome: Outcome, wall: float, technology: str | Technology) -> Document:
    """Return the contents of result.json (schema 1) for a spiking run."""
    errors = outcome.errors()
    final = config.split == "final"
    headline = errors["energy"]
    tested = len(outcome.labels)
    seen = outcome.statistics
    period = config.period_steps * config.step
    layers = []
    for counts, raster in zip(seen.counts, seen.raster[1:], strict=True):
        right, wrong = statistics.firing(counts[::2], config.present), statistics.firing(counts[1::2], config.present)
        layers.append(
            {"right_label": right, "wrong_label": wrong, "burst_share": statistics.burstiness(*raster, period)}
        )
    presented = {"training": len(outcome.training), "testing": outcome.scores[0].size}
    per = {what: [float(s.sum()) / max(presented[what], 1) for s in spikes] for what, spikes in outcome.spikes.items()}
    result: Document = {
        "schema": stored.SCHEMA,
        "config": config.as_dict(),
        "seed": config.seed,
        "chip_seed": config.chip_seed,
        "split": config.split,
        "wall_seconds": round(wall, 3),
        "versions": versions(),
        "test_error_percent": headline if final else None,
        "test_error_percent_by_readout": errors if final else None,
        "validation_error_percent": None if final else headline,
        "validation_error_percent_by_readout": None if final else errors,
        "shapes": [list(w.shape) for w in outcome.weights],
        "images": {"learn": len(outcome.training) // 2, "infer": tested},
        "presentations": presented,
        "spikes_per_presentation": per,
        "firing": layers,
        "seconds": outcome.seconds,
    }
    if outcome.hardware is not None:
        h, shapes = outcome.hardware, [w.shape for w in outcome.weights]
        figures = [layer.figures for layer in h.cells]
        result |= account(h.ledger, technology, h.device, shapes, result["images"], figures)
    return results.plain(result)  # type: ignore[no-any-return]


def show(result: Document, folder: Path) -> None:
    """Print the result table of a finished run."""
    from rich.console import Console
    from rich.table import Table

    config = result["config"]
    kind = "test" if result["split"] == "final" else "validation"
    table = Table(title=f"spiking, {config['data']}, synapses: {config['device']}")
    table.add_column("quantity")
    table.add_column("value", justify="right")
    for name, error in result[f"{kind}_error_percent_by_readout"].items():
        mark = " (headline)" if name == "energy" else ""
        table.add_row(f"{kind} error, {name} read-out{mark}", f"{error:.2f} %")
    for n, layer in enumerate(result["firing"]):
        right = layer["right_label"]
        table.add_row(f"layer {n + 1}: mean rate, right label", f"{right['mean_rate_hz']:.1f} Hz")
        active = right["active_rate_hz"]
        table.add_row(f"layer {n + 1}: rate of active cells", "none fires" if active is None else f"{active:.0f} Hz")
        table.add_row(f"layer {n + 1}: active cells", f"{100 * right['active_share']:.1f} %")
    spikes = ", ".join(f"{s:.0f}" for s in result["spikes_per_presentation"]["training"])
    table.add_row("spikes per presentation, input and layers", spikes)
    if "energy" in result:
        energy = result["energy"]
        for what, key in (("update", "per_update_joule"), ("decision (all labels)", "per_decision_joule"),
                          ("synaptic operation", "per_synaptic_operation_joule")):  # fmt: skip
            table.add_row(f"energy per {what}", joules(energy[key]))
        table.add_row("pulses per weight", f"{result['cells']['pulses_per_weight']:.1f}")
    for notice in result.get("nir", {}).get("notices", ()):
        table.add_row("not in the NIR file", notice)
    table.add_row("wall time", f"{result['wall_seconds']:.1f} s")
    console = Console(markup=False, emoji=False)
    console.print(table)
    console.print(f"run folder: {folder}", soft_wrap=True, highlight=False)
