"""Benchmark of the energy per update: each learner on each device, from counted events.

    python benchmarks/energy_per_update.py [--devices A,B] [--learners A,B] [--images N] [--technology NAME]

Every learner trains the same network (784-500-500 by default) on the buildable chip and the same images, each shown once, with
its recipe. All events of phase `learn` are priced at low, nominal and high figures and split into reads, writes, neurons,
converters, digital and memory. The images are the first ones of a run, when pulses are most frequent, so for learners whose
errors shrink the figure is an upper bound for later updates. The results go to
benchmarks/results/energy/energy_per_update.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from analog_ff.comparison import plan  # noqa: E402
from analog_ff.comparison.document import ranges_of  # noqa: E402
from analog_ff.comparison.pricing import Pricing, row  # noqa: E402
from analog_ff.learners import LEARNERS  # noqa: E402
from analog_ff.output.quantities import joules  # noqa: E402
from analog_ff.runs.origin import versions  # noqa: E402
from hardware_models.check import UsageError  # noqa: E402
from hardware_models.energy import load_technology  # noqa: E402

DEVICES = "memristor,park2013_pcmo,renaudineau2026_hfox_ti"
SKIPPED = ("backprop-sigmoid", "dimensionality")
"""Learners that are left out, because their network differs or they use no labels."""
PULSED = {"forward-forward": 0.001, "backprop": 0.05}
"""Learners that also run with the update `coincidence` (without its own memory and converters) -> learning rate. That of
Forward-Forward was chosen in holdout runs; that of backprop has the same ratio to its default and was not tuned."""
TARGET = HERE / "results" / "energy" / "energy_per_update.json"


def measured(devices: str, learners: str, images: int, layers: tuple[int, ...], technology: str) -> dict[str, Any]:
    """Run the benchmark and return its results as one document."""
    chosen, labels = plan.parse_devices(devices), plan.parse_learners(learners)
    pulsed = {f"{name}-coincidence": name for name in PULSED if name in labels}
    own = {label: {"update": "coincidence", "learning_rate": PULSED[name]} for label, name in pulsed.items()}
    labels = {**labels, **pulsed}
    common: dict[str, Any] = {
        "layers": layers, "epochs": 1, "images_per_epoch": images, "technology": technology, "split": "holdout",
    }  # fmt: skip
    prices = load_technology(technology)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "runs"
        points = plan.points_of(chosen, labels, 1, common, own, folder)
        plan.run(points, folder, resume=False, say=lambda line: print(line, file=sys.stderr, flush=True))
        for device in chosen:
            config = next(p.config for p in points if p.device == device)
            loaded = {p.label: plan.load(p) for p in points if p.device == device}
            found = [row(device, label, [run], 100.0) for label, run in loaded.items()]
            first = next(iter(loaded.values()))[0]
            pricing = Pricing(prices, found, first["device"], ranges_of(config), 1000)
            for r, run in zip(found, loaded.values(), strict=True):
                priced = pricing.priced(r)
                kept = (
                    "device",
                    "learner",
                    "per_update_joule",
                    "per_image_joule",
                    "parts",
                    "grounds",
                    "pulses_per_weight",
                )
                seconds = run[0]["integrals"]["learn"]["time"]["value"] / run[0]["images"]["learn"]
                rows.append({name: priced[name] for name in kept} | {"seconds_per_update": seconds,
                                                                     "update": run[0]["config"]["update"]})  # fmt: skip
    return {
        "schema": 1, "technology": prices.name, "node_nm": prices.node_nm, "images": images, "layers": list(layers),
        "data": "mnist-5k", "versions": versions(), "rows": rows,
    }  # fmt: skip


def lines(found: dict[str, Any]) -> list[str]:
    """Return the lines of the table."""
    network = "-".join(str(n) for n in (784, *found["layers"]))
    text = [
        f"{network}, mnist-5k, {found['images']} images once, {found['technology']}; energy per update, counted events",
        "",
    ]
    head = ["device", "learner", "nominal", "5 to 95 %", *found["rows"][0]["parts"], "chip time", "pulses per weight"]
    text += [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for r in found["rows"]:
        energy = r["per_update_joule"]
        shares = [
            f"{100 * part / energy['nominal']:.0f} %" if energy["nominal"] else "-" for part in r["parts"].values()
        ]
        mark = " †" if r["grounds"]["recalled"] else ""
        cells = [r["device"], r["learner"] + mark, joules(energy["nominal"])]
        cells += [f"{joules(energy['low'])} to {joules(energy['high'])}", *shares]
        cells += [f"{1e6 * r['seconds_per_update']:.3g} us", f"{r['pulses_per_weight']:.3g}"]
        text.append(f"| {' | '.join(cells)} |")
    text += ["", "Updates reach the array by way of a digital accumulator, but for the rows called coincidence."]
    return [*text, "† includes prices that were recalled and not read again in their source."]


def main() -> None:
    """Run the benchmark, print the table and store the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--devices", default=DEVICES)
    parser.add_argument("--learners", default=",".join(sorted(set(LEARNERS) - set(SKIPPED), key=_order)))
    parser.add_argument("--images", type=int, default=500, help="training images [default: 500]")
    parser.add_argument("--layers", default="500,500")
    parser.add_argument("--technology", default="cmos-32nm-wide")
    parser.add_argument("--out", type=Path, default=TARGET)
    args = parser.parse_args()
    try:
        found = measured(
            args.devices, args.learners, args.images, tuple(int(n) for n in args.layers.split(",")), args.technology
        )
    except UsageError as error:
        parser.error(str(error))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(lines(found)))


def _order(learner: str) -> tuple[bool, str]:
    return learner != "forward-forward", learner


if __name__ == "__main__":
    main()
