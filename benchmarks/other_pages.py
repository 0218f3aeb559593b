"""Pages of results without an experiment file: comparisons, other programs, speed."""

from __future__ import annotations

import json
from typing import Any

import spiking_settings
from catalogue import HERE
from identity import older
from pages import Page, folded, picture
from result_tables import MARK

from analog_ff.runs.identity import digest, figures
from hardware_models.load import load_device

RESULTS = HERE / "results"


def other_pages() -> list[Page]:
    """Return the pages whose results exist, in the order of the index."""
    made = (
        learners(),
        neurosim(),
        peers(),
        cortex(),
        settings(),
        spiking_speed(),
        exported(),
        epoch(),
        half_selected(),
    )
    return [page for page in made if page is not None]


def found_in(*place: str) -> Any:
    """Return the contents of a file of results; None if it does not exist."""
    file = RESULTS.joinpath(*place)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def table(head: str, rows: list[list[str]]) -> list[str]:
    """Return the lines of a table under a head such as "row | error"."""
    return [f"| {head} |", "|" + "---|" * (head.count("|") + 1), *(f"| {' | '.join(cells)} |" for cells in rows)]


def measured(found: dict[str, Any]) -> list[str]:
    """Return a line that marks a spiking result of an older model; no line for a current result."""
    note = older(found, "spiking")
    return [f"Measured {note}.", ""] if note else []


def learners() -> Page | None:
    """Return the page on learners in joules."""
    folder = RESULTS / "learners"
    if not (folder / "compare.md").exists():
        return None
    note = (folder / "note.md").read_text(encoding="utf-8").strip() if (folder / "note.md").exists() else ""
    settings, *devices = (folder / "compare.md").read_text(encoding="utf-8").strip().split("\n## ")
    body = [
        note, "",
        *picture("Error against joules of learning", "learners_compare.png"),
        *picture("Energy of each learner", "learners_amounts.png"),
        "A device is *not physical as drawn* where its lines would carry more current than their metal bears:",
        "[Energy](../explanation/energy.md) has the limits.", "",
        *folded("what moves the ratios: each price alone", picture("What moves the ratios", "learners_tornado.png")),
        *folded("settings of all runs", [settings.partition("\n")[2].strip()]),
    ]  # fmt: skip
    for device in devices:
        name, _, tables = device.partition("\n")
        title = name if " " in name else f"device {name}"  # the sections after the devices have titles of words
        body += folded(title, [tables.strip()])
    answer = (
        "Forward-Forward needs a third of the joules of digital backprop in int8; backprop through the array and local softmax"
        " err about two points less on the same chip and need about half of its joules to the same accuracy."
    )
    title = "Learners in joules on the buildable chip, validation part of mnist-5k"
    return Page("learners", title, answer, "`python benchmarks/learners.py`", body)


def neurosim() -> Page | None:
    """Return the page that compares with the program NeuroSim."""
    found = found_in("peers", "neurosim.json")
    if found is None:
        return None
    rows = found["rows"].values()
    order = {side: sorted(r[side] for r in rows) for side in ("neurosim", "ours")}
    worse = sum(r["neurosim"] > r["ours"] for r in rows)
    agree = sum(order["neurosim"].index(r["neurosim"]) == order["ours"].index(r["ours"]) for r in rows)
    cells = [
        [r["label"], *(f"{r[side]:.2f} ({order[side].index(r[side]) + 1})" for side in ("neurosim", "ours"))]
        for r in rows
    ]
    body = [
        f"MLP+NeuroSim V3.0 (commit cc13863) beside this project after {found['epochs']} epochs of 8000 images, one run",
        "each, the same figures of the device; rank in brackets. This early, errors jump by several points from epoch to epoch.",
        "", *folded("error by device", table("device | NeuroSim, test error % | here, test error %", cells)),
    ]  # fmt: skip
    answer = f"This early NeuroSim's program errs more on {worse} of {len(rows)} devices; {agree} have the same rank in both."
    command = "`python benchmarks/peers/neurosim.py --checkout FOLDER`"
    return Page("neurosim", "The NeuroSim benchmark in NeuroSim itself", answer, command, body)


def peers() -> Page | None:
    """Return the page that compares pulse responses with aihwkit."""
    found = found_in("peers", "aihwkit_pulses.json")
    if found is None:
        return None
    rows, stale = [], False
    for r in (r for r in found["rows"] if abs(r["pulses"]) == 100):
        mine, other = (f"{r[p + 'mean']:.3f} ± {r[p + 'deviation']:.3f}" for p in ("", "aihwkit_"))
        old = r.get("figures") != digest(figures(load_device(r["device"])))
        stale |= old
        device = r["device"] + (MARK if old else "")
        rows.append([device, f"{r['pulses']:+d}", mine, other, f"{r['distance']:.3f}", f"{r['p']:.2g}"])
    furthest = max(r["distance"] for r in found["rows"] if abs(r["pulses"]) == 100)
    body = [
        f"Weight (of aihwkit's scale) after 100 pulses from zero, mean ± standard deviation of {found['cells']} cells with all",
        f"spread and noise; D and p: two-sample Kolmogorov-Smirnov test; aihwkit {found['aihwkit']}. Bounds and steps spread",
        "log-normally here and normally there, so the ends differ where the spread is large.", "",
        *folded("weights by device", table("device | pulses | this project | aihwkit | distance D | p", rows)),
        *(["‡ before figures of the device were corrected.", ""] if stale else []),
    ]  # fmt: skip
    answer = f"Closely, but not equally where cells spread widely: the distributions are {furthest:.2f} apart at most."
    command = "`python benchmarks/peers/aihwkit_pulses.py --json > benchmarks/results/peers/aihwkit_pulses.json`"
    return Page("aihwkit", "Pulse response against aihwkit", answer, command, body)


def cortex() -> Page | None:
    """Return the page with the verdicts of the cortex tests; the score card is on the page of the spiking variant."""
    found = found_in("cortex", "cortex.json")
    if found is None:
        return None
    tests = found["tests"]
    verdicts = [t["verdict"] for t in tests.values()]
    said = ", ".join(f"{verdicts.count(v)} '{v}'" for v in dict.fromkeys(verdicts))
    rows = [[f"{key}: {t['title']}", t["question"], t["verdict"]] for key, t in tests.items()]
    body = ["Numbers, intervals and sources: [the score card](../explanation/cortex.md).", "",
            *folded("verdicts", table("test | question | verdict", rows)), *measured(found)]  # fmt: skip
    title = "How the spiking network fits the cortex"
    return Page("cortex", title, f"Of {len(tests)} tests: {said}.", "`python benchmarks/cortex.py`", body)


def settings() -> Page | None:
    """Return the page on settings of the spiking network."""
    lines = spiking_settings.table()
    if not lines:
        return None
    title, command, prose, *rest = (line for line in lines if line)
    rows = [line for line in rest if line.startswith("|")]
    notes = [line for line in rest if not line.startswith("|")]
    answer = (
        "The first layer's error hardly moves between 20 and 40 epochs; slower, physiological rates cost about a point."
    )
    return Page(
        "spiking_settings", title.removeprefix("## "), answer, command, [prose, "", *folded("settings", rows), *notes]
    )


def spiking_speed() -> Page | None:
    """Return the page that compares the speed of the spiking network with that of another one."""
    ours, other = found_in("speed", "spiking.json"), found_in("peers", "snntorch_surrogate.json")
    if ours is None or other is None:
        return None
    size = "-".join(str(n) for n in (ours["inputs"], *ours["layers"]))
    rows = [
        [f"{size}, Brian2 standalone, float32, batch 1", f"{ours['standalone_float32_per_second']:.0f}", ""],
        ["the same, the twin in NumPy, float64", f"{ours['numpy_twin_per_second']:.0f}", ""],
    ]
    for row in other["rows"]:
        what = f"snnTorch, batch {row['batch']}, {row['epochs']} epoch{'s' if row['epochs'] > 1 else ''}"
        rows.append([what, f"{row['presentations_per_second']:.0f}", f"{row['accuracy_percent']:.1f}"])
    body = [
        "Training, 30 steps a presentation, processor seconds of one core, mnist-5k. The network of surrogate",
        f"gradients (snnTorch {other['versions']['snntorch']}, 784-300-10, the same encoder) sees an image once where",
        "this one sees it twice.",
        "", *folded("speeds", table("what | presentations a second | test accuracy %", rows)), *measured(other),
    ]  # fmt: skip
    best = max(row["presentations_per_second"] for row in other["rows"])
    answer = f"Brian2's compiled network makes {rows[0][1]}, one by one; snnTorch makes {best:.0f} at most."
    command = (
        "`python benchmarks/speed/spiking.py --json > benchmarks/results/speed/spiking.json`,"
        " `python benchmarks/peers/snntorch_surrogate.py --json > benchmarks/results/peers/snntorch_surrogate.json`"
    )
    return Page("spiking_speed", "Spiking: presentations a second", answer, command, body)


def exported() -> Page | None:
    """Return the page on exported NIR files in snnTorch."""
    found = found_in("peers", "nir_snntorch.json")
    if found is None:
        return None
    keys = ("run_accuracy_percent", "ours_accuracy_percent", "snntorch_imported_accuracy_percent",
            "snntorch_matched_accuracy_percent")  # fmt: skip
    same = {r["reset"]: f"{r['matched_presentations_spike_for_spike_percent']:.1f} %" for r in found["rows"]}
    rows = [[r["reset"], *(f"{r[k]:.1f}" for k in keys), same[r["reset"]]] for r in found["rows"]]
    head = "reset | run % | file, NumPy % | snnTorch as imported % | matched % | presentations equal, spike for spike"
    body = ["884-300, 1000 test images with ten labels each, one seed. As imported: snnTorch's own order of a step and clock;",
            "matched: its step in the order of this project.", "",
            *folded("accuracies", table(head, rows)), *measured(found)]  # fmt: skip
    shares = ", ".join(f"{share} with reset {reset}" for reset, share in same.items())
    answer = f"In the order of this project's step snnTorch gives the same spikes in so many presentations: {shares}."
    command = (
        "`python -m analog_ff spiking --layers 300 --epochs 5 --reset RESET --export RESET.nir --out RESET` for both resets,"
        " each file moved into its run folder; `python benchmarks/peers/nir_snntorch.py subtract hard --json >"
        " benchmarks/results/peers/nir_snntorch.json`"
    )
    return Page("nir", "Spiking: the exported NIR file in snnTorch", answer, command, body)


def epoch() -> Page | None:
    """Return the page on the time of an epoch."""
    found = found_in("speed", "epoch.json")
    if found is None:
        return None
    others = [name for name in ("numpy", "products", "peer") if name in found["cases"]]
    main = "main job"  # it is compared with steps of its own widths

    def ratio(name: str, other: str) -> str:
        beside = f"{other}, {main}" if name.endswith(main) else other
        return "1" if beside == name else f"{found['cases'][name].get(f'ratio_to_{beside}', float('nan')):.2f}"

    rows = [
        [name, f"{r['epoch_seconds']:.1f}", *(ratio(name, other) for other in others)]
        for name, r in found["cases"].items()
    ]
    body = [
        f"784-1000-1000-1000, batch 100, 60 000 images, {found['threads']} threads, one run on an otherwise idle machine of two",
        "cores: memristor with all noise and converters, the same rule in plain NumPy without hardware, the matrix products",
        "alone, and a step of the PyTorch implementation loeweX/Forward-Forward.", "",
        *folded("times", table(" | ".join(["case", "seconds", *(f"/ {name}" for name in others)]), rows)),
    ]  # fmt: skip
    answer = f"{rows[0][1]} s for {rows[0][0]}" + (f", {rows[0][2]} times the case {others[0]}." if others else ".")
    command = "`python benchmarks/speed/epoch.py --peer FOLDER --json > benchmarks/results/speed/epoch.json`"
    return Page("epoch", "Time of an epoch", answer, command, body)


def half_selected() -> Page | None:
    """Return the page on bursts on arrays without selectors."""
    found = found_in("speed", "half_selected.json")
    if found is None:
        return None
    rows = [
        [f"{r['n']} x {r['n']}", f"{100 * r['share']:g} %", f"{r['all_cells_ms']:.2f}", f"{r['running_sums_ms']:.2f}",
         f"{r['ratio']:.1f}", f"{r['energy_apart']:.0e}"] for r in found["rows"]
    ]  # fmt: skip
    head = "array | weights pulsed | all cells, ms | running sums, ms | ratio | energies apart"
    body = [
        "One burst of one pulse to a share of the weights, half-selected cells from running sums along the lines against a",
        "pass over all cells (float64, as it was), in turn in one run: processor time of one thread, median of the ratios.", "",
        *folded("times", table(head, rows)),
    ]  # fmt: skip
    ratios = [r["ratio"] for r in found["rows"]]
    times = f"{min(ratios):.0f} to {max(ratios):.0f} times"
    answer = f"Running sums along the lines make a burst {times} faster, with the same energies."
    command = "`python benchmarks/speed/half_selected.py --write`"
    return Page("half_selected", "Bursts on an array without selectors", answer, command, body)
