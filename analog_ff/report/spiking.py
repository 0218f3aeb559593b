"""The report of a run of the spiking network."""

from __future__ import annotations

from pathlib import Path

from analog_ff.output.quantities import joules, readout_in_words
from analog_ff.plain import Facts
from analog_ff.report import energy, learning, origin, physics
from analog_ff.report.charts import Bar, Bars, Level
from analog_ff.report.finished import NUMBERS, Finished, spiking
from analog_ff.report.parts import Page, Part, Section, Table, Text, Tile, missing
from analog_ff.report.run import short
from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import counted

COMMAND = "python -m analog_ff spiking"
SIDES = {"awake": "awake, with the right label", "asleep": "asleep, with a wrong label"}
"""Side of the goodness in metrics.csv -> its name in a legend, with the label that a layer is shown."""
FIRING = {
    "mean_rate_hz": ("mean rate [Hz]", 1.0),
    "active_share": ("active cells [%]", 100.0),
    "active_rate_hz": ("rate of active cells [Hz]", 1.0),
    "active_rate_95_hz": ("19 in 20 of them below [Hz]", 1.0),
    "silent_share": ("cells that never fire [%]", 100.0),
    "population_sparseness": ("sparseness over cells [1]", 1.0),
    "lifetime_sparseness": ("sparseness over images [1]", 1.0),
}
"""Figure of a layer's firing -> its title, and the factor of its unit."""
THIS = "this run"


def page(folder: Path) -> Page:
    """Return the report of the finished run in a folder; raise UsageError where there is none, or a damaged file."""
    run = spiking(folder)
    config, result = run.result["config"], run.result
    synapses = "numbers" if config["device"] == "none" else short(config["device"])
    layers = ", ".join(map(str, config["layers"]))
    made = (
        learning.confusion,
        learning.worst,
        learning.fields,
        _firing,
        _synapses,
        energy.energy,
        _cells,
        energy.prices,
    )
    chosen = origin.configuration(folder, SpikingConfig)
    return Page(
        title=f"Spiking network on {short(config['data'])}: {next(iter(run.errors.values())):.2f} % {run.kind} error",
        subtitle=f"synapses: {synapses}; layers {layers}; {counted(config['epochs'], 'epoch')}; seed {config['seed']}, chip "
        f"{config.get('chip_seed', 0)}; {result['wall_seconds']:.1f} s of simulation",
        tiles=_tiles(run),
        sections=[_curves(run), *(section(run) for section in made), origin.of_a_run(result, chosen, COMMAND)],
        notes=result.get("nir", {}).get("notices", ()),
    )


def _tiles(run: Finished) -> list[Tile]:
    headline, *others = run.errors
    beside = ", ".join(f"{run.errors[name]:.2f} % {readout_in_words(name)}" for name in others)
    first = run.result["firing"][0]["right_label"]
    found = [
        Tile(f"{run.kind} error, {readout_in_words(headline)}", f"{run.errors[headline]:.2f} %", beside),
        Tile("mean rate of the first layer", f"{first['mean_rate_hz']:.1f} Hz", "with the right label"),
        Tile("cells active at an image", f"{100.0 * first['active_share']:.1f} %", "first layer, with the right label"),
    ]
    if "energy" in run.result:
        amounts = run.result["energy"]
        array = f"{joules(amounts['per_synaptic_operation_array_joule'])} in the array"
        found += [
            Tile("energy of a synaptic operation", joules(amounts["per_synaptic_operation_joule"]), array),
            Tile("energy of a decision", joules(amounts["per_decision_joule"]), "all labels are shown"),
            Tile("energy of a training image", joules(amounts["per_training_image_joule"]), "once awake, once asleep"),
        ]
    return found


def _curves(run: Finished) -> Section:
    """Return the section of the goodness in training, with the error of the test as a number."""
    said = ", ".join(f"{error:.2f} % by the {readout_in_words(name)}" for name, error in run.errors.items())
    parts: list[Part] = [
        Text(
            f"Error on {run.result['images']['infer']} {run.kind} images at the end of the run: {said}. A spiking run measures "
            "no error on the way; what it notes after every epoch is the goodness of each layer."
        )
    ]
    charts = learning.goodness_charts(run, SIDES, "goodness per cell [spikes²]")
    parts += charts or [missing("The goodness of the layers", "the run has no epoch, or the folder has no metrics.csv")]
    return Section("curves", "Learning", parts)


def _firing(run: Finished) -> Section:
    """Return the section of rates and numbers of spikes, layer by layer."""
    layers = run.result["firing"]
    bars = [
        Bar(f"layer {n}, {label}", rate, f"{rate:.3g} Hz", colour=colour)
        for n, layer in enumerate(layers)
        for colour, (label, key) in enumerate((("right label", "right_label"), ("wrong label", "wrong_label")))
        for rate in [layer[key]["mean_rate_hz"]]
    ]
    alt = "Mean rate of the cells of each layer: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    chart = Bars("Mean rate while an image is shown", "mean rate [Hz]", bars, alt)
    rows = [
        [f"layer {n}, {label}", *_figures(layer[key]), _said(layer["burst_share"], 100.0)]
        for n, layer in enumerate(layers)
        for label, key in (("right label", "right_label"), ("wrong label", "wrong_label"))
    ]
    titles = ["layer", *(title for title, _ in FIRING.values()), "intervals of bursts [%]"]
    note = (
        "Counted after training, on images that were not trained on. Active cells fire at least once at an image; sparseness is "
        "0 where all rates are equal and 1 where one rate alone is not zero; the intervals of a burst are shorter than 10 ms. "
        "- is unknown."
    )
    return Section(
        "firing", "Rates and spikes", [chart, _spikes(run), Table("Firing of each layer", titles, rows, note=note)]
    )


def _figures(firing: Facts) -> list[str]:
    return [_said(firing[name], factor) for name, (_, factor) in FIRING.items()]


def _said(value: float | None, factor: float) -> str:
    return "-" if value is None else f"{factor * value:.3g}"


def _spikes(run: Finished) -> Bars:
    """Return the spikes of a presentation, of the input and of each layer."""
    found = run.result["spikes_per_presentation"]
    bars = [
        Bar("input" if n == 0 else f"layer {n - 1}", testing, f"{testing:.3g} in the test, {training:.3g} in training")
        for n, (training, testing) in enumerate(zip(found["training"], found["testing"], strict=True))
    ]
    alt = "Spikes of a presentation: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    return Bars("Spikes of a presentation, mean of the test", "spikes [1]", bars, alt)


def _synapses(run: Finished) -> Section:
    """Return the section of the energy of a synaptic operation: an input spike that reaches a cell by one synapse."""
    title, amounts = "Energy of a synaptic operation", run.result.get("energy")
    if amounts is None:
        return Section("operations", title, [missing("The energy of a synaptic operation", NUMBERS)])
    by = amounts["per_synaptic_operation_by_component_joule"]
    if not by:
        return Section(
            "operations", title, [missing("The energy of a synaptic operation", "no spike reached a synapse")]
        )
    whole, array = (amounts[f"per_synaptic_operation{part}_joule"] for part in ("", "_array"))
    operations = run.result["synaptic_operations"]
    bars = [Bar(name, joule, joules(joule)) for name, joule in sorted(by.items(), key=lambda pair: -pair[1])]
    alt = "Energy of a synaptic operation by component: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    text = (
        f"A spike that reaches a cell by one synapse costs {joules(whole)}, of it {joules(array)} in the array: the energy of "
        f"the test over its {operations['infer']} synaptic operations. The section on the prices has the source of each price."
    )
    parts: list[Part] = [
        Text(text),
        Bars("By component", "energy [J]", bars, alt, log=True),
        _published(whole, amounts),
    ]
    return Section("operations", title, parts)


def _published(whole: float, amounts: Facts) -> Bars:
    """Return the published energies of digital processors beside that of the run."""
    published = amounts["published_per_synaptic_operation"]
    known = {THIS: whole, **published["joule"]}
    bars = [
        Bar(name, joule, joules(joule), colour=0 if name == THIS else 7)
        for name, joule in sorted(known.items(), key=lambda pair: pair[1])
    ]
    alt = "Energy of a synaptic operation: " + "; ".join(f"{bar.name} {bar.text}" for bar in bars) + "."
    note = (
        f"Measured on digital processors, as published: {published['source']}. A synaptic operation means something else in each "
        "of them, and only some of the figures have memory, routing and neuron in them."
    )
    return Bars("Beside published processors", "energy [J]", bars, alt, note, log=True, levels=[Level(whole, THIS)])


def _cells(run: Finished) -> Section:
    """Return the section of the devices behind the synapses: their cells at the end, and their figures."""
    title = "Devices behind the synapses"
    if "cells" not in run.result:
        return Section("cells", title, [missing("A table of cells", NUMBERS)])
    parts = [
        *physics.histograms(run, learning.EARLIER),
        physics.by_layer(run, run.result["cells"].get("layers") or ()),
        *physics.device(run).parts,
    ]
    return Section("cells", title, parts)
