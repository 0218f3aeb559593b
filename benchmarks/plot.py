"""Draw the pictures of the documentation from stored results: `python benchmarks/plot.py`.

docs/img/wake_sleep.png shows the error against the length of the wake and sleep blocks, and against the share of sleep.
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


if __name__ == "__main__":
    wake_sleep()
