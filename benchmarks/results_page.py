"""The sections of docs/results.md, and the table of the README."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import spiking_settings
from catalogue import HERE, ROOT, experiments, judged_on, results_of
from identity import digest, figures, older
from result_tables import MARK, error, marked, mean, table

from analog_ff.runs.pricing import interval
from hardware_models.devices.load import load_device


def glance() -> list[str]:
    """Return the table of the rows that say most, each with others of its experiment beside it."""
    head = ["what", "error %", "seeds", "beside it, error %", "published, error %"]
    lines = ["## At a glance", "",
             "The rows that say most, each by the read-out that it is judged by. A name leads to the whole table, with the",
             "command that makes it, its settings and its caveats. What a ‡ stands beside was measured before a correction that",
             "touches it.", ""]  # fmt: skip
    lines += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    known = experiments([])
    for entry in tomllib.loads((HERE / "glance.toml").read_text(encoding="utf-8"))["rows"]:
        name = entry["experiment"]
        experiment = known[name]
        rows = {row["label"]: row for row in experiment["rows"]}
        found, seeds = error(name, experiment, rows[entry["row"]], entry.get("readout"))
        beside = "; ".join(f"{label}: {error(name, experiment, rows[label])[0]}" for label in entry.get("beside", []))
        published = entry.get("published", rows[entry["row"]].get("published", ""))
        what = f"[{entry['what']}](#{anchor(experiment['title'])})"
        note = " (validation)" if judged_on(experiment) == "validation" else ""
        lines.append(f"| {what} | **{found}**{note} | {seeds} | {beside} | {published} |")
    return [*lines, ""]


def anchor(title: str) -> str:
    """Return the name of a heading within its page, as Python-Markdown makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def paired(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the table of the pairs of rows that an experiment wants compared seed by seed, `paired = [[row, other], ...]`."""
    if "paired" not in experiment:
        return []
    head = ["row", "against", "seeds", "energy read-out, points", "softmax read-out, points"]
    lines = ["Error of a row less that of another, seed by seed: mean and 95 % t interval. Layers that learn nothing have only a",
             "softmax read-out, which then stands against both.", "",
             f"| {' | '.join(head)} |", "|" + "---|" * len(head)]  # fmt: skip
    rows, by = {row["label"]: row for row in experiment["rows"]}, f"{judged_on(experiment)}_error_percent_by_readout"
    for pair in experiment["paired"]:
        found_by = [results_of(name, experiment, rows[label]) for label in pair]
        mine, theirs = ({r["options"]["seed"]: r[by] for r in found} for found in found_by)
        seeds = mine.keys() & theirs.keys()
        cells = []
        for readout in ("energy", "softmax"):
            gaps = [
                mine[s][readout] - theirs[s].get(readout, theirs[s]["softmax"]) for s in seeds if readout in mine[s]
            ]
            found = interval(gaps) if len(gaps) > 1 else None
            cells.append(f"{found['mean']:+z.2f} ± {found['high'] - found['mean']:.2f}" if found else "-")
        names = [marked(label, found) for label, found in zip(pair, found_by, strict=True)]
        lines.append(f"| {' | '.join([*names, str(len(seeds)), *cells])} |")
    return [*lines, ""]


def moved() -> list[str]:
    """Return the table of the rows that were measured anew after a correction: the error before, and now."""
    head = ["experiment", "row", "seeds", "error before %", "error now %", "why"]
    lines = ["## What the corrections moved", "",
             "Rows that were measured anew because a rule or a figure was corrected: means over the same seeds, by the read-out",
             "of the headline; of a written chip, at once and at the last age. What could not be measured anew yet has a ‡",
             "in its table. Another processor rounds products otherwise, and runs on it take another course from the same seeds:",
             "what differs by less than the spread between seeds need not come from the correction.", "",
             f"| {' | '.join(head)} |", "|" + "---|" * len(head)]  # fmt: skip
    found = False
    for name, experiment in experiments([]).items():
        for row in experiment["rows"]:
            pairs = [r for r in results_of(name, experiment, row) if "before" in r]
            if not pairs:
                continue
            found = True
            now, then = (mean_errors([r if new else r["before"] for r in pairs], pairs[0]) for new in (True, False))
            reasons = sorted({reason for r in pairs for reason in r["before"]["reasons"]})
            where = f"[{experiment['title']}](#{anchor(experiment['title'])})"
            lines.append(f"| {where} | {row['label']} | {len(pairs)} | {then} | {now} | {'; '.join(reasons)} |")
    return [*lines, ""] if found else []


def mean_errors(results: list[dict[str, Any]], like: dict[str, Any]) -> str:
    """Return the mean error of results by the read-out of a run's headline, and of its written chip at its ages."""
    headline = "energy" if "encoder" in like["config"] else like["config"].get("readout", "softmax")
    kind = "test" if like["config"].get("split", "final") == "final" else "validation"
    parts = [mean([r[f"{kind}_error_percent_by_readout"][headline] for r in results])]
    if "deployed" in like:
        by_age = [r["deployed"][f"{kind}_error_percent_by_age"] for r in results]
        ages = dict.fromkeys(("at once", next(reversed(by_age[0]))))
        parts = [f"{mean([ages_of[age][headline] for ages_of in by_age])} {age}" for age in ages]
    return ", ".join(parts)


def peers() -> list[str]:
    """Return the section on the pulse response against aihwkit, if it was measured."""
    file = HERE / "results" / "peers" / "aihwkit_pulses.json"
    if not file.exists():
        return []
    found = json.loads(file.read_text(encoding="utf-8"))
    head = ["device", "pulses", "this project", "aihwkit", "distance D", "p"]
    lines = [
        "## Pulse response against aihwkit", "",
        "`python benchmarks/peers/aihwkit_pulses.py --json > benchmarks/results/peers/aihwkit_pulses.json`", "",
        f"Weight (of aihwkit's scale) after 100 pulses from zero, mean ± standard deviation of {found['cells']} cells with all",
        f"spread and noise; D and p: two-sample Kolmogorov-Smirnov test; aihwkit {found['aihwkit']}. Bounds and steps spread",
        "log-normally here and normally there, so the ends differ where the spread is large.", "",
        f"| {' | '.join(head)} |", "|" + "---|" * len(head),
    ]  # fmt: skip
    stale = False
    for r in found["rows"]:
        if abs(r["pulses"]) == 100:
            mine, other = (f"{r[p + 'mean']:.3f} ± {r[p + 'deviation']:.3f}" for p in ("", "aihwkit_"))
            old = r.get("figures") != digest(figures(load_device(r["device"])))
            stale |= old
            cells = [
                r["device"] + (MARK if old else ""),
                f"{r['pulses']:+d}",
                mine,
                other,
                f"{r['distance']:.3f}",
                f"{r['p']:.2g}",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return [*lines, "", *(["‡ before figures of the device were corrected.", ""] if stale else [])]


def learners() -> list[str]:
    """Return the section on learners in joules, if they were compared."""
    folder = HERE / "results" / "learners"
    if not (folder / "compare.md").exists():
        return []
    note = (folder / "note.md").read_text(encoding="utf-8").strip() if (folder / "note.md").exists() else ""
    # The comparison's own headings go below this section's.
    found = (folder / "compare.md").read_text(encoding="utf-8").strip().replace("\n#", "\n##")
    found = found.partition("\n")[2] if found.startswith("# ") else found
    lines = [
        "## Learners in joules, three devices, validation part of mnist-5k",
        "",
        "`python benchmarks/learners.py`",
        "",
    ]
    pictures = ["![Error against joules of learning](img/learners_compare.png)", "",
                "![What moves the ratios](img/learners_tornado.png)", ""]  # fmt: skip
    return [*lines, note, "", *pictures, found.strip(), ""]


def neurosim() -> list[str]:
    """Return the section on NeuroSim's own program, if it was run."""
    file = HERE / "results" / "peers" / "neurosim.json"
    if not file.exists():
        return []
    found = json.loads(file.read_text(encoding="utf-8"))
    rows = found["rows"].values()
    order = {side: sorted(r[side] for r in rows) for side in ("neurosim", "ours")}
    lines = [
        "## The NeuroSim benchmark in NeuroSim itself", "",
        "`python benchmarks/peers/neurosim.py --checkout FOLDER`", "",
        f"MLP+NeuroSim V3.0 (commit cc13863) beside this project after {found['epochs']} epochs of 8000 images, one run",
        "each, the same figures of the device; rank in brackets. This early, errors jump by several points from epoch to epoch.",
        "",
        "| device | NeuroSim, test error % | here, test error % |", "|---|---|---|",
    ]  # fmt: skip
    for r in rows:
        cells = [f"{r[side]:.2f} ({order[side].index(r[side]) + 1})" for side in ("neurosim", "ours")]
        lines.append(f"| {r['label']} | {' | '.join(cells)} |")
    return [*lines, ""]


def cortex() -> list[str]:
    """Return the verdicts of the cortex tests, if they were run; the score card itself is on the page of the spiking variant."""
    file = HERE / "results" / "cortex" / "cortex.json"
    if not file.exists():
        return []
    found = json.loads(file.read_text(encoding="utf-8"))
    lines = ["## How the spiking network fits the cortex", "", "`python benchmarks/cortex.py`", "",
             "Numbers, intervals and sources: [the spiking variant](spiking.md).", "",
             "| test | question | verdict |", "|---|---|---|"]  # fmt: skip
    lines += [f"| {key}: {t['title']} | {t['question']} | {t['verdict']} |" for key, t in found["tests"].items()]
    return [*lines, "", *measured(found)]


def measured(*found: dict[str, Any]) -> list[str]:
    """Return the line that marks spiking results of an older model, if any of these is one."""
    notes = {note for one in found if (note := older(one, "spiking"))}
    return [line for note in sorted(notes) for line in (f"Measured {note}.", "")]


def spiking_peers() -> list[str]:
    """Return the section on the spiking network beside others, from what was measured."""
    results = HERE / "results"
    lines: list[str] = []
    fast, surrogate = results / "speed" / "spiking.json", results / "peers" / "snntorch_surrogate.json"
    if fast.exists() and surrogate.exists():
        ours, other = (json.loads(f.read_text(encoding="utf-8")) for f in (fast, surrogate))
        size = "-".join(str(n) for n in (ours["inputs"], *ours["layers"]))
        lines += [
            "## Spiking: presentations a second", "",
            "`python benchmarks/speed/spiking.py --json > benchmarks/results/speed/spiking.json`,",
            "`python benchmarks/peers/snntorch_surrogate.py --json > benchmarks/results/peers/snntorch_surrogate.json`", "",
            "Training, 30 steps a presentation, processor seconds of one core, mnist-5k. The network of surrogate",
            f"gradients (snnTorch {other['versions']['snntorch']}, 784-300-10, the same encoder) sees an image once where",
            "this one sees it twice.",
            "", "| what | presentations a second | test accuracy % |", "|---|---|---|",
            f"| {size}, Brian2 standalone, float32, batch 1 | {ours['standalone_float32_per_second']:.0f} | |",
            f"| the same, the twin in NumPy, float64 | {ours['numpy_twin_per_second']:.0f} | |",
        ]  # fmt: skip
        for row in other["rows"]:
            what = f"snnTorch, batch {row['batch']}, {row['epochs']} epoch{'s' if row['epochs'] > 1 else ''}"
            lines.append(f"| {what} | {row['presentations_per_second']:.0f} | {row['accuracy_percent']:.1f} |")
        lines += ["", *measured(other)]
    exported = results / "peers" / "nir_snntorch.json"
    if exported.exists():
        of_files = json.loads(exported.read_text(encoding="utf-8"))
        rows = of_files["rows"]
        lines += [
            "## Spiking: the exported NIR file in snnTorch", "",
            "`python -m analog_ff spiking --layers 300 --epochs 5 --reset RESET --export RESET.nir --out RESET` for both resets,",
            "each file moved into its run folder; `python benchmarks/peers/nir_snntorch.py subtract hard --json >",
            "benchmarks/results/peers/nir_snntorch.json`. 884-300, 1000 test images with ten labels each, one seed.",
            "As imported: snnTorch's own order of a step and clock; matched: its step in the order of this project.", "",
            "| reset | run % | file, NumPy % | snnTorch as imported % | matched % | presentations equal, spike for spike |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for row in rows:
            cells = [f"{row[k]:.1f}" for k in ("run_accuracy_percent", "ours_accuracy_percent",
                     "snntorch_imported_accuracy_percent", "snntorch_matched_accuracy_percent")]  # fmt: skip
            same = f"{row['matched_presentations_spike_for_spike_percent']:.1f} %"
            lines.append(f"| {row['reset']} | {' | '.join(cells)} | {same} |")
        lines += ["", *measured(of_files)]
    return lines


def speed() -> list[str]:
    """Return the section on the time of an epoch, if it was measured."""
    file = HERE / "results" / "speed" / "epoch.json"
    if not file.exists():
        return []
    found = json.loads(file.read_text(encoding="utf-8"))
    others = [name for name in ("numpy", "products", "peer") if name in found["cases"]]
    lines = [
        "## Time of an epoch", "",
        "`python benchmarks/speed/epoch.py --peer FOLDER --json > benchmarks/results/speed/epoch.json`", "",
        f"784-1000-1000-1000, batch 100, 60 000 images, {found['threads']} threads, one run on an otherwise idle machine of two",
        "cores: memristor with all noise and converters, the same rule in plain NumPy without hardware, the matrix products",
        "alone, and a step of the PyTorch implementation loeweX/Forward-Forward.", "",
        "| case | seconds | " + " | ".join(f"/ {name}" for name in others) + " |", "|---|---|" + "---|" * len(others),
    ]  # fmt: skip
    for name, row in found["cases"].items():
        ratios = [f"{row[f'ratio_to_{other}']:.2f}" if other != name else "1" for other in others]
        lines.append(f"| {name} | {row['epoch_seconds']:.1f} | {' | '.join(ratios)} |")
    return [*lines, ""]


def half_selected() -> list[str]:
    """Return the section on bursts on arrays without selectors, if they were timed."""
    file = HERE / "results" / "speed" / "half_selected.json"
    if not file.exists():
        return []
    found = json.loads(file.read_text(encoding="utf-8"))
    lines = [
        "## Bursts on an array without selectors", "",
        "`python benchmarks/speed/half_selected.py --write`", "",
        "One burst of one pulse to a share of the weights, half-selected cells from running sums along the lines against a",
        "pass over all cells (float64, as it was), in turn in one run: processor time of one thread, median of the ratios.", "",
        "| array | weights pulsed | all cells, ms | running sums, ms | ratio | energies apart |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in found["rows"]:
        times = f"{r['all_cells_ms']:.2f} | {r['running_sums_ms']:.2f} | {r['ratio']:.1f} | {r['energy_apart']:.0e}"
        lines.append(f"| {r['n']} x {r['n']} | {100 * r['share']:g} % | {times} |")
    return [*lines, ""]


def write_tables() -> None:
    """Write docs/results.md, and the first experiment's table into the README."""
    text = [
        "---",
        "hide:",
        "  - navigation",
        "---",
        "",
        "# Results",
        "",
        "Generated by `python benchmarks/run.py --tables` from `benchmarks/results/`; mean ± standard deviation over",
        "the seeds (each seed is also its own chip), the headline read-out in bold.",
        "",
        *glance(),
        *moved(),
    ]
    for name, experiment in experiments([]).items():
        text += [f"## {experiment['title']}", "", f"`python benchmarks/run.py {name}`", ""]
        if experiment.get("note"):
            text += [experiment["note"].strip(), ""]
        text += [*table(name, experiment), "", *paired(name, experiment)]
    text += learners()
    text += neurosim()
    text += peers()
    text += cortex()
    text += spiking_settings.table()
    text += spiking_peers()
    text += speed()
    text += half_selected()
    (ROOT / "docs" / "results.md").write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
    readme = ROOT / "README.md"
    begin, end = "<!-- results:begin -->", "<!-- results:end -->"
    before, _, rest = readme.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    first, experiment = next(iter(experiments([]).items()))
    command = f"`python benchmarks/run.py {first}`"
    middle = [begin, f"{experiment['title']} ({command}; [all results](docs/results.md#at-a-glance)):", ""]
    readme.write_text(before + "\n".join([*middle, *table(first, experiment), end]) + after, encoding="utf-8")
