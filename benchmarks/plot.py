"""Draw the pictures of the documentation from stored results: `python benchmarks/plot.py`.

docs/img/wake_sleep.png shows the error against the length of the wake and sleep blocks, and against the share of sleep;
docs/img/wires_repair.png the error against the resistance of the wires, of networks that were trained behind them or without.
"""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import store  # noqa: E402
from catalogue import experiments, points  # noqa: E402

from analog_ff.output import whole_files  # noqa: E402
from analog_ff.output.forms import panels, picture  # noqa: E402

PICTURES = HERE.parent / "docs" / "img"
CHANCE = 90.0
"""Error [%] of guessing one of ten digits."""


def results(name: str) -> list[dict[str, Any]]:
    """Return the stored results of an experiment."""
    found = (store.point(name, options) for _, options in points(experiments([name])[name]))
    return [point for point in found if point is not None]


def errors(found: list[dict[str, Any]], readout: str) -> dict[Any, list[float]]:
    """Return the errors [%] by (device, momentum, block, sleep), over the seeds."""
    table = defaultdict(list)
    for result in found:
        config = result["config"]
        if config["learner"] != "forward-forward":
            continue
        by = result["validation_error_percent_by_readout"] or result["test_error_percent_by_readout"]
        key = (config["device"], config["momentum"], config["block"], config["sleep"])
        table[key].append(by[readout])
    return table


def curve(axes: Any, x: list[float], values: list[list[float]], **style: Any) -> None:
    """Draw the means of `values` with their standard deviations."""
    means = [statistics.mean(v) for v in values]
    bars = [statistics.stdev(v) if len(v) > 1 else 0.0 for v in values]
    axes.errorbar(x, means, bars, capsize=3, **style)


def wake_sleep() -> None:
    """Draw docs/img/wake_sleep.png."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    found = results("17_wake_sleep")
    figure, (lengths, deprivation) = plt.subplots(1, 2, figsize=(10, 5.6), layout="constrained", sharey=True)
    for readout, line in (("softmax", "-"), ("energy", ":")):
        table = errors(found, readout)
        for colour, device in (("C0", "ideal"), ("C3", "memristor")):
            for momentum, marker in ((0.98, "o"), (0.0, "s")):
                blocks = sorted(k[2] for k in table if k[:2] == (device, momentum) and k[3] == 1.0)
                if blocks:
                    memory = "leaky average .98" if momentum else "no average"
                    curve(
                        lengths, blocks, [table[device, momentum, b, 1.0] for b in blocks], color=colour, ls=line,
                        marker=marker, mfc=colour if momentum else "white", label=f"{device}, {memory}, {readout}",
                    )  # fmt: skip
            deprived = sorted({k[2] for k in table if k[3] < 1.0 and k[0] == device})
            for block in deprived:
                shares = sorted(k[3] for k in table if k[:3] == (device, 0.98, block))
                curve(
                    deprivation, shares, [table[device, 0.98, block, f] for f in shares], color=colour, ls=line,
                    marker="o", label=f"{device}, blocks of {block}, {readout}",
                )  # fmt: skip
    frozen = [
        r["validation_error_percent_by_readout"]["softmax"]
        for r in found
        if r["config"]["learner"] == "random-features"
    ]
    for axes in (lengths, deprivation):
        if frozen:
            axes.axhline(statistics.mean(frozen), color="grey", lw=0.8, ls="--", label="frozen random layers, softmax")
        axes.axhline(CHANCE, color="grey", lw=0.8, label="guessing")
        axes.set_ylim(4, 100)
        axes.set_yscale("log")
        axes.set_yticks([5, 10, 20, 50, 90], ["5", "10", "20", "50", "90"])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)
    lengths.set_xscale("log")
    lengths.set_xticks([1, 2, 5, 10, 35, 350], ["1", "2", "5", "10", "35", "350"])
    lengths.minorticks_off()
    lengths.set(
        xlabel="batches of one wake or sleep block", ylabel="validation error [%]", title="how long a phase may be"
    )
    deprivation.set(xlabel="share of each sleep that is slept", title="sleep deprivation")
    PICTURES.mkdir(exist_ok=True)
    figure.savefig(PICTURES / "wake_sleep.png", dpi=120)
    plt.close(figure)


def wires_repair() -> None:
    """Draw docs/img/wires_repair.png: a point for each seed, a line through the means."""
    whole_files.write(PICTURES / "wires_repair.png", picture(_wires_repair(results("37_wires_training")), dpi=120))


def _wires_repair(found: list[dict[str, Any]]) -> Any:
    figure, (left, right) = panels(1, 2, size=(8.4, 3.9), sharey=True)
    kinds = {
        "test": ("trained without wires, read through them", "C3", 0.97),
        "refreshed": ("trained with wires, refreshed", "C0", 1.0),
    }
    every: set[float] = set()
    for axes, readout in ((left, "softmax"), (right, "energy")):
        for mode, (label, colour, aside) in kinds.items():
            table = defaultdict(list)
            for result in (r for r in found if r["config"]["wires"] == mode):
                table[result["config"]["wire_resistance"]].append(result["test_error_percent_by_readout"][readout])
            ohms = sorted(table)
            every |= set(ohms)
            axes.plot(
                [aside * r for r in ohms], [statistics.mean(table[r]) for r in ohms], "-", color=colour, label=label
            )
            for ohm in ohms:
                axes.plot([aside * ohm] * len(table[ohm]), table[ohm], "o", color=colour, ms=5, alpha=0.7)
        ideal = [r["test_error_percent_by_readout"][readout] for r in found if r["config"]["wires"] == "off"]
        axes.axhline(statistics.mean(ideal), color="grey", ls="--", label="no wires")
        axes.axhspan(min(ideal), max(ideal), color="grey", alpha=0.15)
        axes.set(xscale="log", xlabel="wire from cell to cell [ohm]", title=f"{readout} read-out")
        axes.set_xticks(sorted(every), [f"{ohm:g}" for ohm in sorted(every)])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    left.set_ylabel("test error [%]")
    left.set_ylim(bottom=0.0)
    left.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    wake_sleep()
    wires_repair()
