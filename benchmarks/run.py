"""Run the experiments of benchmarks/experiments, point by point, and make the tables of the docs from their results.

    python benchmarks/run.py [NAME ...] [--data-dir DIR]   run what is missing (all experiments, or those named)
    python benchmarks/run.py --tables                      write docs/results.md and the README's table

An experiment is one TOML file: a title, options of `analog_ff.simulate` common to all rows, and rows with a label,
options of their own and seeds (the chip's seed is the experiment's seed). A point is one run; its result is kept in
benchmarks/results/<experiment>/<hash of its options>.json, and a point that is there is not run again.

With a table `grid` (option -> values) every row is run with every combination, and its table shows the best one. An
experiment that is `tuned_by` such a one takes its choices, row by row of the same label.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import spiking_settings  # noqa: E402

INSPECTED = {"asymmetry": "asymmetry_mean", "step of a pulse": "pulse_step", "its noise": "pulse_noise"}
"""Column of a table -> what the inspection found, for experiments that are `inspected`."""
READS = "reads of a cell per image"
"""Column of the experiments that are `reads_counted`: reads of cells in phase learn, per image and cell."""
COMPARED = ("gated", "learning energy, first row / this")
"""Columns of the experiments that are `compared`: share of images that a gate kept from learning, mean of the layers;
joules of phase learn of the first row over those of this one, means over the seeds."""
NOT_OPTIONS = ("label", "seeds", "published", "grid", "untuned")
"""Entries of a row that are not options of the run; `published` is what a source reports for the same task."""
KEPT = (
    "schema", "config", "device", "seed", "chip_seed", "split", "wall_seconds", "versions", "test_error_percent",
    "test_error_percent_by_readout", "validation_error_percent", "validation_error_percent_by_readout", "images",
    "events", "integrals", "energy", "cells", "deployed",
    "activity", "shapes", "events_by_layer", "integrals_by_layer", "gated_share_by_layer",
    "firing", "spikes_per_presentation", "presentations",
)  # fmt: skip


def experiments(names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the experiments by name, in the order of their files."""
    files = sorted((HERE / "experiments").glob("*.toml"))
    table = {f.stem: tomllib.loads(f.read_text(encoding="utf-8")) for f in files}
    unknown = set(names) - set(table)
    if unknown:
        sys.exit(f"no experiment {', '.join(sorted(unknown))} (known: {', '.join(table)}).")
    return {n: e for n, e in table.items() if not names or n in names}


def points(experiment: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (label, options) of every run of an experiment; none of a row that is not tuned yet."""
    runs = []
    for row in experiment["rows"]:
        grid = row.get("grid", experiment.get("grid", {}))
        options = {k: v for k, v in row.items() if k not in NOT_OPTIONS}
        by_tuning = "tuned_by" in experiment and not row.get("untuned")
        tuned = chosen(experiment["tuned_by"], row["label"]) if by_tuning else {}
        if tuned is None:
            continue
        for values in itertools.product(*grid.values()):
            for seed in row.get("seeds", experiment.get("seeds", [0])):
                seeds = {"seed": seed, "chip-seed": seed}
                choices = tuned | dict(zip(grid, values, strict=True))
                runs.append((row["label"], {**experiment.get("options", {}), **options, **choices, **seeds}))
    return runs


def chosen(name: str, label: str) -> dict[str, Any] | None:
    """Return the values of the grid with the least mean validation error of a row; None as long as a point is missing."""
    experiment = experiments([name])[name]
    row = [r for r in experiment["rows"] if r["label"] == label]
    errors: dict[tuple[Any, ...], list[float]] = {}
    grid = row[0].get("grid", experiment.get("grid", {})) if row else {}
    for _, options in points({**experiment, "rows": row}):
        file = place(name, options)
        if not file.exists():
            return None
        error = json.loads(file.read_text(encoding="utf-8"))["validation_error_percent"]
        errors.setdefault(tuple(options[k] for k in grid), []).append(error)
    if not errors:
        sys.exit(f"experiment {name} has no row '{label}' to tune.")
    return dict(zip(grid, min(errors, key=lambda values: statistics.mean(errors[values])), strict=True))


def grid_of(experiment: dict[str, Any]) -> list[str]:
    """Return the names of the choices that an experiment, or any of its rows, is run over."""
    grids = [experiment.get("grid", {}), *(row.get("grid", {}) for row in experiment["rows"])]
    return list(dict.fromkeys(name for grid in grids for name in grid))


def place(name: str, options: dict[str, Any]) -> Path:
    """Return the file of a point's result."""
    text = json.dumps(options, sort_keys=True)
    return HERE / "results" / name / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def arguments(options: dict[str, Any]) -> list[str]:
    """Return options as the command line takes them; true is a flag."""
    words = []
    for key, value in options.items():
        if value is False:
            continue
        words += [f"--{key}"] if value is True else [f"--{key}", str(value)]
    return words


def run(name: str, label: str, options: dict[str, Any], data_dir: str | None) -> None:
    """Run one point and keep its result."""
    target = place(name, options)
    if target.exists():
        return
    print(f"{name}: {label}, seed {options['seed']} ...", flush=True)
    # A run that was interrupted goes on from its checkpoint.
    folder = ROOT / "runs" / "experiments" / target.parent.name / target.stem
    spiking = experiments([name])[name].get("command") == "spiking"
    program = ["analog_ff", "spiking"] if spiking else ["analog_ff.simulate"]
    command = [sys.executable, "-m", *program, *arguments(options), "--json", "--out", str(folder)]
    command += ["--data-dir", data_dir] if data_dir else []
    command += ["--resume"] if (folder / "checkpoint.h5").exists() else []
    folder.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {label} failed with status {done.returncode}.")
    result = json.loads(done.stdout)
    kept = {key: result[key] for key in KEPT if key in result}
    # Where the data lay and where the run folder was are this machine's business.
    kept["config"] = {k: v for k, v in kept["config"].items() if k not in ("data_dir", "out", "resume", "json")}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"label": label, "options": options} | kept, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder)


def mean(values: list[float | None], digits: int = 2) -> str:
    """Return 'mean ± standard deviation', or a dash."""
    numbers = [v for v in values if v is not None]
    if not numbers:
        return "-"
    text = f"{statistics.mean(numbers):.{digits}f}"
    return text + (f" ± {statistics.stdev(numbers):.{digits}f}" if len(numbers) > 1 else "")


def percent(values: list[float | None]) -> str:
    """Return a mean share in percent, or a dash."""
    text = mean([None if v is None else 100.0 * v for v in values], 1)
    return text if text == "-" else f"{text} %"


def number(values: list[float]) -> str:
    """Return 'mean ± standard deviation' with digits that suit the size."""
    return mean(list(values), 1 if statistics.mean(values) < 1000 else 0)


def bold(text: str, really: bool) -> str:
    """Return the text, in bold if asked."""
    return f"**{text}**" if really and text != "-" else text


def joule(values: list[float | None]) -> str:
    """Return a mean energy with a prefix."""
    numbers = [v for v in values if v is not None]
    if not numbers:
        return "-"
    value = statistics.mean(numbers)
    for prefix, factor in (("", 1.0), ("m", 1e-3), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12)):
        if value >= factor:
            return f"{value / factor:.3g} {prefix}J"
    return f"{value:.2g} J"


def tuner_of(name: str, experiment: dict[str, Any]) -> str | None:
    """Return the experiment whose grid an experiment's choices come from, itself perhaps; None if nothing is chosen."""
    return name if any("grid" in e for e in (experiment, *experiment["rows"])) else experiment.get("tuned_by")


def results_of(name: str, experiment: dict[str, Any], row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the results of a row that are there; of a row that is run over a grid, those of the best point."""
    tuner = tuner_of(name, experiment)
    best = chosen(tuner, row["label"]) if tuner and not row.get("untuned") else {}
    results = []
    for label, options in points({**experiment, "rows": [row]}):
        if tuner and (best is None or any(options[k] != v for k, v in best.items())):
            continue
        file = place(name, options)
        if file.exists():
            results.append(json.loads(file.read_text(encoding="utf-8")))
            assert results[-1]["label"] == label or results[-1]["options"] == options
    return results


def table(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the lines of one experiment's table; rows without results say so."""
    if experiment.get("command") == "spiking":
        return spiking_table(name, experiment)
    kind = judged_on(experiment)
    head = ["row", "seeds", f"{kind} error, energy read-out %", f"{kind} error, softmax read-out %", "pulses per weight",
            "cells at a bound", "memory left", "energy per update", "seconds"]  # fmt: skip
    readouts = ("energy", "softmax")
    if experiment.get("options", {}).get("readout") == "output":
        readouts = ("output",)
        head[2:4] = [f"{kind} error, output layer %"]
    ages = ["at once", "after a day"] if any("program-to" in row for row in experiment["rows"]) else []
    inspected = INSPECTED if experiment.get("inspected") else {}
    published = any("published" in row for row in experiment["rows"])
    tuner = tuner_of(name, experiment)
    choices = grid_of(experiments([tuner])[tuner]) if tuner else []
    head[2:2] = ["published %"] if published else []
    kept = ["stored", "on wires"] if experiment.get("activity") else []
    counted = [READS] if experiment.get("reads_counted") else []
    head[1:1] = choices
    compared = COMPARED if experiment.get("compared") else ()
    first: float | None = None
    reached = experiment.get("to_accuracy")
    head += [f"energy to {reached} %"] if reached else []
    head += [*compared, *counted, *inspected, *(f"written, {age}" for age in ages), *kept]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in experiment["rows"]:
        results = results_of(name, experiment, row)
        if not results:
            known = f" {row.get('published', '-')} |" if published else ""
            blank = " - |" * len(choices)
            left = len(head) - 3 - published - len(choices)
            lines.append(f"| {row['label']} |{blank} 0 |{known} not run |" + " |" * left)
            continue
        by = f"{kind}_error_percent_by_readout"
        headline = results[0]["config"].get("readout", "softmax")
        cells = [
            row["label"],
            str(len(results)),
            *(bold(mean([(r.get(by) or {}).get(name) for r in results]), name == headline) for name in readouts),
            number([r["cells"].get("pulses_per_weight") for r in results]),
            percent([r["cells"].get("share_at_bound") for r in results]),
            mean([r["cells"].get("memory_left") for r in results]),
            joule([r["energy"].get("per_update_joule") for r in results]),
            mean([r["wall_seconds"] for r in results], 0),
        ]
        cells[2:2] = [str(row.get("published", "-"))] if published else []
        tuned = [results[0]["options"].get(name) for name in choices]
        cells[1:1] = ["-" if value is None else f"{value:g}" for value in tuned]
        cells += [arrived(results, reached)] if reached else []
        if compared:
            spent = statistics.mean(r["energy"]["total_joule"]["learn"] for r in results)
            first = spent if row is experiment["rows"][0] else first
            cells += [percent([gated(r) for r in results]), "-" if first is None else f"{first / spent:.1f}"]
        cells += [mean([reads(r) for r in results]) for _ in counted]
        cells += [mean([layer(r, name) for r in results], 3) for name in inspected.values()]
        cells += [mean([aged(r, kind, age, headline) for r in results]) for age in ages]
        if kept:
            found = [r["activity"] for r in results]
            cells += [
                str(max(a["peak_stored"] for a in found)),
                str(max(sum(a["registers_per_layer"]) for a in found)),
            ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def spiking_table(name: str, experiment: dict[str, Any]) -> list[str]:
    """Return the lines of a table of spiking runs: error of all layers and of each, and how the layers fire."""
    kind = judged_on(experiment)
    tuner = tuner_of(name, experiment)
    choices = grid_of(experiments([tuner])[tuner]) if tuner else []
    head = ["row", *choices, "seeds", f"{kind} error, all layers %", "each layer %", "mean rate Hz", "rate of active cells Hz",
            "active cells", "energy per update", "energy per decision", "seconds"]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in experiment["rows"]:
        results = results_of(name, experiment, row)
        if not results:
            lines.append(
                f"| {row['label']} |{' - |' * len(choices)} 0 | not run |" + " |" * (len(head) - 3 - len(choices))
            )
            continue
        by = [r[f"{kind}_error_percent_by_readout"] for r in results]
        layers = [n for n in by[0] if n != "energy"]
        firing = [[layer["right_label"] for layer in r["firing"]] for r in results]

        def fired(what: str, firing: list[Any] = firing, digits: int = 0) -> str:
            return ", ".join(mean([f[n][what] for f in firing], digits) for n in range(len(firing[0])))

        shares = [percent([f[n]["active_share"] for f in firing]) for n in range(len(layers))]
        energy = [r.get("energy") or {} for r in results]
        lines.append("| " + " | ".join([
            row["label"], *(f"{results[0]['options'].get(c)}" for c in choices), str(len(results)),
            bold(mean([b["energy"] for b in by]), True), ", ".join(mean([b[n] for b in by]) for n in layers),
            fired("mean_rate_hz", digits=1), fired("active_rate_hz"), ", ".join(shares),
            joule([e.get("per_update_joule") for e in energy]), joule([e.get("per_decision_joule") for e in energy]),
            mean([r["wall_seconds"] for r in results], 0),
        ]) + " |")  # fmt: skip
    return lines


def arrived(results: list[dict[str, Any]], accuracy: str) -> str:
    """Return the mean energy to an accuracy of the runs that reached it, and how many did."""
    found = [r["energy"]["to_accuracy_joule"][accuracy] for r in results]
    there = [joules for joules in found if joules is not None]
    return f"{joule(there) if there else '-'} ({len(there)} of {len(found)})"


def gated(result: dict[str, Any]) -> float | None:
    """Return the share of images that a gate kept from learning, mean of the layers; None without a gate."""
    shares = result.get("gated_share_by_layer")
    return statistics.mean(shares) if shares else None


def reads(result: dict[str, Any]) -> float | None:
    """Return how often learning read each cell for one image; a positive and its negative are one image."""
    learn, per_weight = result["events"]["learn"], result["cells"].get("pulses_per_weight")
    if not per_weight:
        return None
    weights = learn["write.selected"] / per_weight
    return learn["reads.cells"] / (2.0 * weights * result["images"]["learn"])


def layer(result: dict[str, Any], name: str) -> float | None:
    """Return the mean over the layers of what the inspection found."""
    values = [found.get(name) for found in result["cells"].get("layers") or []]
    known = [v for v in values if v is not None]
    return statistics.mean(known) if known else None


def aged(result: dict[str, Any], kind: str, age: str, readout: str) -> float | None:
    """Return the error of a written chip at an age."""
    return result.get("deployed", {}).get(f"{kind}_error_percent_by_age", {}).get(age, {}).get(readout)


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
    for r in found["rows"]:
        if abs(r["pulses"]) == 100:
            mine, other = (f"{r[p + 'mean']:.3f} ± {r[p + 'deviation']:.3f}" for p in ("", "aihwkit_"))
            cells = [r["device"], f"{r['pulses']:+d}", mine, other, f"{r['distance']:.3f}", f"{r['p']:.2g}"]
            lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


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
    return [*lines, ""]


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
        lines += [""]
    exported = results / "peers" / "nir_snntorch.json"
    if exported.exists():
        rows = json.loads(exported.read_text(encoding="utf-8"))["rows"]
        lines += [
            "## Spiking: the exported NIR file in snnTorch", "",
            "`python benchmarks/peers/nir_snntorch.py`; 884-300, 5 epochs, 1000 test images with ten labels each, one seed.",
            "As imported: snnTorch's own order of a step and clock; matched: its step in the order of this project. The files",
            "come from compiled runs that still lost updates (see the changelog): a new run gives other weights.", "",
            "| reset | run % | file, NumPy % | snnTorch as imported % | matched % | presentations equal, spike for spike |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for row in rows:
            cells = [f"{row[k]:.1f}" for k in ("run_accuracy_percent", "ours_accuracy_percent",
                     "snntorch_imported_accuracy_percent", "snntorch_matched_accuracy_percent")]  # fmt: skip
            same = f"{row['matched_presentations_spike_for_spike_percent']:.1f} %"
            lines.append(f"| {row['reset']} | {' | '.join(cells)} | {same} |")
        lines += [""]
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


def judged_on(experiment: dict[str, Any]) -> str:
    """Return the part of the data that an experiment is judged on."""
    return "validation" if experiment.get("options", {}).get("split") == "holdout" else "test"


def error(name: str, experiment: dict[str, Any], row: dict[str, Any], readout: str | None = None) -> tuple[str, int]:
    """Return a row's error by one read-out, the headline's unless named, and the number of its seeds."""
    results = results_of(name, experiment, row)
    if not results:
        return "not run", 0
    headline = "energy" if experiment.get("command") == "spiking" else results[0]["config"].get("readout", "softmax")
    found = [r[f"{judged_on(experiment)}_error_percent_by_readout"] for r in results]
    return mean([f[readout or headline] for f in found]), len(results)


def anchor(title: str) -> str:
    """Return the name of a heading within its page, as Python-Markdown makes it."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def glance() -> list[str]:
    """Return the table of the rows that say most, each with others of its experiment beside it."""
    head = ["what", "error %", "seeds", "beside it, error %", "published, error %"]
    lines = ["## At a glance", "",
             "The rows that say most, each by the read-out that it is judged by. A name leads to the whole table, with the",
             "command that makes it, its settings and its caveats.", ""]  # fmt: skip
    lines += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for entry in tomllib.loads((HERE / "glance.toml").read_text(encoding="utf-8"))["rows"]:
        name = entry["experiment"]
        experiment = experiments([name])[name]
        rows = {row["label"]: row for row in experiment["rows"]}
        found, seeds = error(name, experiment, rows[entry["row"]], entry.get("readout"))
        beside = "; ".join(f"{label}: {error(name, experiment, rows[label])[0]}" for label in entry.get("beside", []))
        published = entry.get("published", rows[entry["row"]].get("published", ""))
        what = f"[{entry['what']}](#{anchor(experiment['title'])})"
        note = " (validation)" if judged_on(experiment) == "validation" else ""
        lines.append(f"| {what} | **{found}**{note} | {seeds} | {beside} | {published} |")
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
    ]
    for name, experiment in experiments([]).items():
        text += [f"## {experiment['title']}", "", f"`python benchmarks/run.py {name}`", ""]
        if experiment.get("note"):
            text += [experiment["note"].strip(), ""]
        text += [*table(name, experiment), ""]
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


def main() -> None:
    """Run or tabulate."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--tables", action="store_true", help="write the tables and run nothing")
    parser.add_argument("--data-dir", help="folder of the data sets")
    args = parser.parse_args()
    if not args.tables:
        for name, experiment in experiments(args.names).items():
            for label, options in points(experiment):
                run(name, label, options, args.data_dir)
    write_tables()


if __name__ == "__main__":
    main()
