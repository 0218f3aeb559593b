"""Sections on the chip: its cells, the currents of its lines, and its device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.output.quantities import quantity
from analog_ff.plain import Facts
from analog_ff.report.charts import Bar, Bars, Chart, Curve, Level
from analog_ff.report.finished import Finished
from analog_ff.report.parts import Code, Part, Section, Table, Text, missing
from analog_ff.runs.looks import Histograms
from hardware_models.check import counted

FIGURES = (
    ("g_min", "S", "least conductance"),
    ("g_max", "S", "largest conductance"),
    ("v_read", "V", "voltage of a read"),
    ("t_read", "s", "time of a read"),
    ("v_up", "V", "voltage of a pulse up"),
    ("t_up", "s", "width of a pulse up"),
    ("v_down", "V", "voltage of a pulse down"),
    ("t_down", "s", "width of a pulse down"),
)
"""Figure of a device, its unit, and what it is."""
UNCOUNTED = "step tables add up the pulses of all devices of a neuron; --chip exact counts those of each device"
SEALED = "the chip is sealed, so that nobody sees its cells"


def cells(run: Finished) -> Section:
    """Return the section of the cells: histograms of conductance and of pulses, and what is stuck, worn or at a bound."""
    looked = run.result["cells"].get("layers")
    parts = histograms(run, "neither looks.json nor cells.h5 is in the folder" if looked else SEALED)
    parts.append(by_layer(run, looked) if looked else missing("The table of the layers", SEALED))
    return Section("cells", "Cells: conductance, pulses, stuck and worn", parts)


def histograms(run: Finished, why_none: str) -> list[Part]:
    """Return the histograms of conductance and of pulses received, layer by layer, or the reason why there are none."""
    if not run.cells:
        return [missing("A histogram of the cells", why_none)]
    parts: list[Part] = []
    for layer, one in run.cells.items():
        pulses = (
            _pulses(layer, one)
            if one.pulses.size
            else missing(f"A histogram of the pulses of layer {layer}", UNCOUNTED)
        )
        parts += [_conductances(layer, one), pulses]
    return parts


def _conductances(layer: int, one: Histograms) -> Chart:
    pair = [
        Curve(name, one.edges.tolist(), _density(values, one.edges), colour, dashed=colour == 1, steps=True)
        for colour, (name, values) in enumerate((("G+", one.plus), ("G-", one.minus)))
    ]
    middle = 0.5 * (one.edges[1:] + one.edges[:-1])
    means = [float((values @ middle) / max(values.sum(), 1.0)) for values in (one.plus, one.minus)]
    alt = (
        f"Layer {layer}: densities of the conductances of G+ and G- from {one.edges[0]:.3g} to {one.edges[-1]:.3g} microsiemens; "
        f"means {means[0]:.3g} and {means[1]:.3g}."
    )
    borders = [Level(bound, "nominal bounds") for bound in one.bounds]
    return Chart(f"Layer {layer}: conductance", "conductance [µS]", "density [1/µS]", pair, alt, borders=borders)


def _density(values: np.ndarray, edges: np.ndarray) -> list[float]:
    found: list[float] = (values / (max(values.sum(), 1.0) * np.diff(edges))).tolist()
    return found


def _pulses(layer: int, one: Histograms) -> Chart:
    edges = (np.arange(len(one.pulses) + 1) * one.pulses_a_bin - 0.5).tolist()
    peak = int(one.pulses.argmax()) * one.pulses_a_bin
    a_bin = counted(one.pulses_a_bin, "pulse")
    alt = (
        f"Layer {layer}: number of cells against pulses received, in bins of {a_bin}; most cells received about {peak}."
    )
    curve = Curve("cells", edges, one.pulses.astype(float).tolist(), 2, steps=True)
    note = "Programming included. One cell in a thousand received more than is shown."
    return Chart(
        f"Layer {layer}: pulses received", "pulses received [1]", f"cells in a bin of {a_bin}", [curve], alt, note
    )


def by_layer(run: Finished, looked: Sequence[Facts]) -> Table:
    """Return the table of the cells of each layer: what is at a bound, stuck or worn, pulses received, values clipped."""
    found = run.result["cells"]
    worn, clipped = found.get("share_worn_by_layer"), found.get("clipped_share")
    rows = []
    for n, layer in enumerate(looked):
        cut = clipped[n] if clipped else {}
        rows.append(
            [
                f"{n}", _percent(layer.get("share_at_low")), _percent(layer.get("share_at_high")),
                _percent(layer.get("share_faulty", 0.0)), _percent(worn[n] if worn else None),
                _number(layer.get("pulses_mean")), _number(layer.get("pulses_90_percent")), _number(layer.get("pulses_max")),
                _number(layer.get("weight_spread")), _percent(cut.get("dac")), _percent(cut.get("adc")),
            ]
        )  # fmt: skip
    titles = ["layer", "at lower bound", "at upper bound", "stuck or on a dead line", "worn out", "pulses, mean",
              "pulses, 9 in 10 below", "pulses, most", "spread of weights, times √inputs", "clipped by DAC",
              "clipped by ADC"]  # fmt: skip
    left = found.get("memory_left")
    kept = "" if left is None else f" Memory left after the noise of the pulses: {100.0 * left:.0f} %."
    return Table(
        "Cells by layer, at the end of the run", titles, rows, note=f"Shares of cells or values; - is unknown.{kept}"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.3g} %"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def currents(run: Finished) -> Section:
    """Return the section of the currents of the lines against the limit that a line bears."""
    title, lines = "Currents of the lines", run.result.get("energy", {}).get("line_currents")
    if not lines:
        why = "the technology of the run has no current limit, or the result comes from a version that did not note it"
        return Section("currents", title, [missing("The currents of the lines", why)])
    limit = lines["limit"]["value"]
    verdict = "All currents keep the limit." if lines["physical"] else f"The chip is {lines['label']}."
    parts: list[Part] = [Text(f"A line bears {quantity(limit, 'A')} for good (electromigration). {verdict}")]
    bars = []
    if "largest" in lines:
        for stage, name in (("run", "largest in the run"), ("calibration", "largest in the search for groups")):
            bars += [
                _current(f"{what}s, {name}", value / limit, limit, 0) for what, value in lines["largest"][stage].items()
            ]
        bars += [_current(f"{what}s, worst case", ratio, limit, 1) for what, ratio in lines["worst_case_ratio"].items()]
        steps = lines["steps_of_a_read"]
        parts.append(
            Text(
                "Groups of lines keep the limit: the worst case is that of all lines at once with all cells at their largest "
                f"conductance. A read is made in {counted(steps, 'step')}."
            )
        )
    else:
        bars = [_current(f"{what}s, worst case", r, limit, 1) for what, r in lines["line_current_ratio"].items() if r]
    alt = "Largest currents over the limit of a line: " + "; ".join(f"{bar.name} {bar.value:.3g}" for bar in bars) + "."
    parts.append(
        Bars("Largest currents over the limit", "current over the limit [1]", bars, alt, levels=[Level(1.0, "limit")])
    )
    return Section("currents", title, parts)


def _current(name: str, ratio: float, limit: float, colour: int) -> Bar:
    return Bar(name, ratio, f"{ratio:.3g} times the limit, {quantity(ratio * limit, 'A')}", colour=colour)


def device(run: Finished) -> Section:
    """Return the section of the device: its figures, its source, and every assumption that no source gives."""
    found = run.result["device"]
    rows = [[what, name, quantity(found[name], unit, most="")] for name, unit, what in FIGURES if found.get(name)]
    parts: list[Part] = []
    if found.get("source"):
        parts.append(Text(f"Source: {found['source']}."))
    if found.get("equation"):
        parts.append(Code(str(found["equation"])))
    parts.append(Table("Figures that voltages, times and currents rest on", ["figure", "name", "value"], rows, (1,)))
    assumed = [str(said).partition(": ") for said in found.get("assumptions", ())]
    if assumed:
        table = [[figure, why or "-"] for figure, _, why in assumed]
        parts.append(Table("Assumed, because no source gives it", ["assumption", "reason"], table, (1,)))
    else:
        parts.append(Text("No figure of the device is noted as an assumption."))
    return Section("device", f"Device: {found.get('name', run.result['config']['device'])}", parts)
