"""The table of a comparison, compare.md, for a person to read, with the settings and the grounds of its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analog_ff.output.quantities import joules, prefix_of, quantity
from analog_ff.plain import Facts
from hardware_models.energy.facts.line_currents import NOT_PHYSICAL

MARK = "†"
EQUAL = 0.01
"""Ratios this near to 1 in nine of ten draws are called equal: the cheaper side then depends on single conductances."""


def table(document: Facts) -> list[str]:
    """Return the lines of compare.md."""
    lines = [f"# Learners compared: {headline(document)}", "", *_wrapped(conditions(document)), ""]
    for device in document["devices"]:
        lines += [f"## {device['name']}", "", *_wrapped(device_line(device)), ""]
        lines += _device_table(document, device["name"])
        lines += ["", *_ratio_table(document, device["name"]), ""]
    lines += _digital_table(document)
    return [*lines, "## What this rests on", "", *grounds(document)]


def headline(document: Facts) -> str:
    """Return the subject of the comparison: data, hidden layers and epochs."""
    shown = document["labels"]
    return f"{_several(shown['data'])}, hidden layers {_several(shown['layers'])}, {_several(shown['epochs'])} epochs"


def conditions(document: Facts) -> str:
    """Return the settings that every figure of the comparison was made with."""
    shown, seeds = document["labels"], document["seeds"]
    parts = [
        f"technology {document['technology']} ({document['node_nm']:g} nm)",
        f"batch {_several(shown['batch'])}",
        f"DAC {_several(shown['dac'])} and ADC {_several(shown['adc'])} bits",
        f"update {_several(shown['update'])}",
        f"gate {_several(shown['gate'])}",
        f"neurons {_several(shown['nonlinearity'])}" + (", sealed chip" if shown["sealed"] == [True] else ""),
        f"seeds and chips {', '.join(map(str, seeds))}",
        f"{document['draws']} joint draws of all prices",
    ]
    if document["settings"]:
        parts.append(f"set: {', '.join(document['settings'])}")
    return "; ".join(parts) + "."


def device_line(device: Facts) -> str:
    """Return a line with the figures of a device that decide its energy."""
    known = device["figures"]
    parts = [f"1/G_max {quantity(1 / known['g_max'], 'ohm')}"] if known.get("g_max") else []
    parts += [f"read {known['v_read']:g} V, {quantity(known['t_read'], 's')}"] if known.get("v_read") else []
    pulses = [
        f"{sign}{known[f'v_{side}']:g} V, {quantity(known[f't_{side}'], 's')}"
        for side, sign in (("up", "+"), ("down", "-"))
    ]
    free = [path.removeprefix("device.") for path in device["ranges"]]
    parts.append(
        "pulses " + " and ".join(pulses) if known.get("v_up") or known.get("v_down") else "pulses cost nothing"
    )
    if overloaded(device):
        ratio = device["line_current_ratio"]
        carried = f"{ratio['read']:.3g} (reads) and {ratio['write']:.3g} (writes) times what they bear"
        parts.append(f"{NOT_PHYSICAL}: lines carry {carried}")
    parts.append(f"drawn from their ranges: {', '.join(free)}" if free else "no ranges: the device's figures are fixed")
    return "; ".join(parts) + "."


def overloaded(device: Mapping[str, Any]) -> bool:
    """Tell whether the lines of a device carry more current than they bear, in reads or in writes."""
    ratio = device["line_current_ratio"]
    return bool(ratio) and max(ratio.values()) > 1.0 + 1e-9


def _several(values: Sequence[Any]) -> str:
    return " or ".join("perfect" if v is None else str(v) for v in values)


def amount(found: Facts | None) -> str:
    """Return an energy as nominal, median and range, all under one prefix."""
    if found is None:
        return "-"
    prefix, factor = prefix_of(found["median"], most="")
    low, median, high = (f"{found[name] / factor:.3g}" for name in ("low", "median", "high"))
    return f"{found['nominal'] / factor:.3g} {prefix}J; {median} ({low} to {high})"


def _to_accuracy(found: Facts, n: int) -> str:
    if found["to_accuracy_status"] == "reached":
        return amount(found["to_accuracy_joule"])
    if found["to_accuracy_status"] == "not measured":
        return "not measured"
    return "not reached" + (f" by {n - found['to_accuracy_reached']} of {n}" if found["to_accuracy_reached"] else "")


def _device_table(document: Facts, device: str) -> list[str]:
    rows = [r for r in document["rows"] if r["device"] == device]
    kind, n = rows[0]["error_kind"], len(document["seeds"])
    head = ("learner", f"{kind} error %", "energy per update", "energy per image inferred",
            f"energy to {document['accuracy_percent']:g} %", "pulses per weight", "largest parts of an update")  # fmt: skip
    cells = []
    for r in rows:
        deviation = "" if r["error_deviation"] is None else f" ± {r['error_deviation']:.2f}"
        mark = f" {MARK}" if r["grounds"]["recalled"] else ""
        total = sum(r["parts"].values())
        largest = sorted(r["parts"].items(), key=lambda part: -part[1])[:3]
        parts = ", ".join(f"{name} {100 * joule / total:.0f} %" for name, joule in largest if joule > 0)
        cells.append([r["learner"] + mark, f"{r['error_percent']:.2f}{deviation}", amount(r["per_update_joule"]),
                      amount(r["per_image_joule"]), _to_accuracy(r, n), f"{r['pulses_per_weight']:.3g}", parts])  # fmt: skip
    return [
        *_markdown(head, cells),
        "",
        "Energies: nominal; median (5 to 95 % of the draws). Errors: mean ± standard deviation.",
    ]


def _ratio_table(document: Facts, device: str) -> list[str]:
    reference = document["reference"]
    head = (f"against {reference}", "error, points", "ratio per update", "P", "ratio per image", "P", "ratio to accuracy",
            "P", "what moves the ratio per update most")  # fmt: skip
    cells = []
    for d in (d for d in document["differences"] if d["device"] == device):
        e = d["error_percent"]
        between = "" if e["low"] is None else f" ({e['low']:+.2f} to {e['high']:+.2f})"
        line = [d["learner"], f"{e['mean']:+.2f}{between}"]
        for name in ("per_update", "per_image", "to_accuracy"):
            line += _ratio(d[name])
        swings = (d["per_update"] or {"tornado": []})["tornado"][:3]
        line.append(", ".join(f"{s['quantity']} {s['ratio_low']:.3g} to {s['ratio_high']:.3g}" for s in swings) or "-")
        cells.append(line)
    n = len(document["seeds"])
    text = (
        f"Ratio: joules of the learner / joules of {reference}, nominal; median (5 to 95 %), both under the same draw. P: "
        f"share of draws in which {reference} is cheaper. Error: difference paired over n = {n} seeds and chips"
        + (", 95 % t interval of its mean." if n > 1 else "; one pair has no interval.")
    )
    return [*_markdown(head, cells), "", *_wrapped(text)]


def _digital_table(document: Facts) -> list[str]:
    """Return the section on digital backpropagation, if its counts are known for this network."""
    if not document["digital"]:
        return []
    devices = [device["name"] for device in document["devices"]]
    head = ("digital backpropagation", "energy per update", "energy per image",
            *(f"per update / {document['reference']} on {device}" for device in devices))  # fmt: skip
    cells = []
    for r in document["digital"]:
        amounts = [
            _by_scenario({k: joules(v) for k, v in r[f"{name}_joule"].items()}) for name in ("per_update", "per_image")
        ]
        ratios = [r["ratio_per_update"].get(device) for device in devices]
        shown = ["-" if ratio is None else f"{ratio:.3g}" for ratio in ratios]
        cells.append([f"{r['name']} {MARK}", *amounts, *shown])
    text = (
        "Closed-form counts of the same network (a stack with a layer of classes), no error claimed; nominal (low, high). "
        "The prices are those of the chip's own digital work, in a memory of the network's size; ratios are nominal. "
        f"{MARK} prices of memory and of formats below fp32 are recalled."
    )
    return ["## Digital reference", "", *_markdown(head, cells), "", *_wrapped(text), ""]


def _by_scenario(shown: Mapping[str, str]) -> str:
    return f"{shown['nominal']} ({shown['low']}, {shown['high']})"


def _ratio(found: Facts | None) -> list[str]:
    """Return a ratio with its range, and the probability that the reference is cheaper, as cells of the table."""
    if found is None:
        return ["-", "-"]
    if abs(found["low"] - 1.0) < EQUAL and abs(found["high"] - 1.0) < EQUAL:
        return [f"equal within {100 * EQUAL:g} %", "-"]
    return [
        f"{found['nominal']:.3g}; {found['median']:.3g} ({found['low']:.3g} to {found['high']:.3g})",
        f"{100 * found['probability_reference_cheaper']:.0f} %",
    ]


def grounds(document: Facts) -> list[str]:
    """Return the grounds of the figures, line by line: which parts are real, simulated, estimated and recalled."""
    kind = document["rows"][0]["error_kind"]
    lines = [
        f"- Given: the images ({_several(document['labels']['data'])}). Simulated: the chips, cell by cell; every read, pulse "
        f"and conversion is counted in them, and the {kind} errors are theirs.",
        "- Ranges are those of prices at unchanged training: pulses and errors are not simulated anew in each draw.",
    ]
    for device in document["devices"]:
        kinds = ", ".join(f"{name} {what}" for name, what in device["kinds"].items()) or "no parameter file"
        lines.append(f"- Figures of {device['name']}: {kinds}.")
    for r in document["rows"]:
        shares = sorted(r["grounds"]["kinds"].items(), key=lambda part: -part[1])
        text = ", ".join(
            f"{'cells, by the device' if k == 'device' else k} {100 * s:.0f} %" for k, s in shares if s >= 0.005
        )
        recalled = sorted(r["grounds"]["recalled"].items(), key=lambda part: -part[1])
        if recalled:
            names = ", ".join(name for name, _ in recalled)
            text += (
                f"; {MARK} recalled, not read again in the source: {100 * sum(s for _, s in recalled):.0f} % ({names})"
            )
        lines.append(f"- Prices of an update, {r['learner']} on {r['device']}: {text}.")
    lines.append(
        f"- Not priced: {'; '.join(document['omitted'])}." if document["omitted"] else "- Nothing is left out."
    )
    static = document["static"]
    return [*lines, f"- {static[0].upper()}{static[1:]}."] if static else lines


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) + " |" for r in [head, *rows]]
    return [lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]]


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 120)
