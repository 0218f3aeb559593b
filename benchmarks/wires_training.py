"""Error of the matrix that reads use behind wires against exact solutions, over a training with `--wires refreshed`.

    python benchmarks/wires_training.py [POINT ...] [--epochs 5] [--threads 1] [--write]     run the missing points
    python benchmarks/wires_training.py --plot                  draw docs/img/wires_training.png from the stored result
    python benchmarks/wires_training.py --times 3 --threads 1   processor time of an epoch with wires and without, in turn

In every fourth batch, the first read of each layer is compared: the currents of its first 16 images, tile by tile, by the matrix
of the read and by exact solutions. A current's error is a share of the largest current of its tile for the same image; a tile's
error is that of its worst current. Kept are the largest and the median one over tiles and images, and the batches in which the
run itself solved its wires anew. A point is run a second time without comparisons, and both run folders must be equal in all that
is no time. --write keeps each point in benchmarks/results/wires_training.json as soon as it is done and draws the picture; a kept
point is not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numba
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import campaign_runs  # noqa: E402

from analog_ff.config.config import Config  # noqa: E402
from analog_ff.output import whole_files  # noqa: E402
from analog_ff.output.forms import document, panels, picture  # noqa: E402
from analog_ff.runs import execute as running  # noqa: E402
from analog_ff.runs.train import Run  # noqa: E402
from analog_ff.sweeps.points import resolved  # noqa: E402
from hardware_models.converters.dac import Dac  # noqa: E402
from hardware_models.crossbar.cells import Cells  # noqa: E402
from hardware_models.events import Events, Tally  # noqa: E402
from hardware_models.wires import Interconnect, Wires  # noqa: E402

RESULT = ROOT / "benchmarks" / "results" / "wires_training.json"
PICTURE = ROOT / "docs" / "img" / "wires_training.png"
EVERY = 4
"""Batches between two compared ones."""
IMAGES = 16
"""Images of a batch whose currents are compared."""
TOLERANCE = 1e-6
"""Relative error of the exact currents."""
SMALL = {"layers": "64,64"}
"""Network of the points with narrow wires, whose tiles are solved anew many times."""
POINTS: dict[str, dict[str, Any]] = {
    "0.475 ohm, tiles 128 x 128 (default)": {},
    "2.97 ohm, tiles 128 x 128, 2 x 64 neurons": {"technology": "cmos-32nm", **SMALL},
    "2.97 ohm, tiles 256 x 256, 2 x 64 neurons": {"technology": "cmos-32nm", "tile": "256x256", **SMALL},
    "10 ohm, tiles 128 x 128, 2 x 64 neurons": {"wire-resistance": 10.0, **SMALL},
}
"""Point -> its options beside the default ones."""


def errors(cells: Cells, wires: Interconnect, v: np.ndarray) -> np.ndarray:
    """Return the largest error of a current of each tile for each input v (B, rows), (tiles, B) [1]; nan where nothing flows.

    The matrix is that of the last read. Neither it nor what follows it is changed.
    """
    g, matrix = cells.connected(), cells.seen()
    found = []
    for rows in (slice(*cut) for cut in cells.tiling.row_cuts):
        for columns in (slice(*cut) for cut in cells.tiling.column_cuts):
            driven = v[:, rows].astype(np.float64)
            exact = Wires(g[rows, columns], wires.r_word, wires.r_bit, tolerance=TOLERANCE).solve(driven)
            apart = np.abs(driven @ matrix[rows, columns].astype(np.float64) - exact).max(axis=1)
            largest = np.abs(exact).max(axis=1)
            found.append(np.divide(apart, largest, out=np.full(len(v), np.nan), where=largest > 0.0))
    return np.stack(found)


class Watch:
    """A run whose reads are compared with exact wires from time to time, which changes nothing of it."""

    def __init__(self, run: Run) -> None:
        self._run, self._port = run, run.port
        self._observe, self._step = run.port.observe, run.learner.step
        self._dac = Dac(run.config.dac)
        self._left: set[int] = set()  # layers that this batch has yet to compare
        self._batch = 0
        self._known: list[int] = []  # solutions of each layer after the last batch
        layers = len(run.port.shapes)
        self.compared: list[list[dict[str, float]]] = [[] for _ in range(layers)]
        """Comparisons of each layer: ``batch``, ``largest`` and ``median`` error [1]."""
        self.solved: list[list[int]] = [[] for _ in range(layers)]
        """Batches of each layer in which its wires were solved anew."""

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Compare within the ``with``."""
        with (
            mock.patch.object(self._port, "observe", self.observe),
            mock.patch.object(self._run.learner, "step", self.step),
        ):
            yield

    def step(self, images: np.ndarray, labels: np.ndarray, *, step: int, **options: Any) -> Tally:
        """Let the learner learn from a batch, and note where wires were solved."""
        self._batch = step
        self._left = set(range(len(self.compared))) if step % EVERY == 0 else set()
        before = self._known or self._solutions()  # those of the monitoring after an epoch count for the next batch
        tally = self._step(images, labels, step=step, **options)
        self._left = set()
        self._known = self._solutions()
        for solved, old, new in zip(self.solved, before, self._known, strict=True):
            solved.extend([step] if new > old else [])
        return tally

    def _solutions(self) -> list[int]:
        return [layer["solutions"] for layer in self._port.wire_tracking()]

    def observe(self, layer: int, x: np.ndarray, **options: Any) -> tuple[np.ndarray, Events]:
        """Read a layer, and compare its matrix if this is the layer's first read in a batch that is compared."""
        read = self._observe(layer, x, **options)
        if layer in self._left:
            self._left.remove(layer)
            v, _ = self._dac.convert(x[:IMAGES], self._run.config.input_scale)
            cells = self._port._arrays[layer, "main"].cells
            found = errors(cells, cells.wired.interconnect, v)
            line = {"largest": float(np.nanmax(found)), "median": float(np.nanmedian(found))}
            self.compared[layer].append({"batch": self._batch} | line)
        return read


def watched(config: Config) -> Watch:
    """Run a configuration under watch, with the same bits as without."""
    made: list[Watch] = []

    class Watched(Run):
        """A run that is watched while it trains."""

        def train(self, folder: Path, **options: Any) -> None:
            """Train under watch."""
            made.append(Watch(self))
            with made[0].watching():
                super().train(folder, **options)

    with mock.patch.object(running, "Run", Watched):
        running.execute(config, quiet=True)
    return made[0]


def point(options: dict[str, Any]) -> dict[str, Any]:
    """Return the comparisons of one point; raise RuntimeError if they changed the run."""
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / name for name in ("watched", "plain")]
        configs = [resolved("simulate", {**options, "out": str(folder)}) for folder in folders]
        watch = watched(configs[0])
        result, _ = running.execute(configs[1], quiet=True)
        apart = [d for d in campaign_runs.differences(*folders) if not d.startswith("result.json.config.out")]
    if apart:
        raise RuntimeError(f"the comparisons changed the run: {'; '.join(apart)}")
    wires = result["wires"]["layers"]
    layers = [
        {"shape": shape, "compared": compared, "solved": solved, "tracking": tracking}
        for shape, compared, solved, tracking in zip(result["shapes"], watch.compared, watch.solved, wires, strict=True)
    ]
    batches = -(-result["images"]["learn"] // (configs[1].batch * configs[1].epochs))
    return {"options": options, "batches": batches, "tolerance": configs[1].wire_tolerance, "layers": layers,
            "test_error_percent": result["test_error_percent"]}  # fmt: skip


def epoch_seconds(wires: str) -> float:
    """Return the processor time [s] of an epoch of the main job, as mean of its second and third; the first one compiles."""
    moments: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        config = resolved("simulate", {"device": "memristor", "epochs": 3, "wires": wires, "out": f"{place}/run"})
        running.execute(config, quiet=True, after_epoch=lambda _: moments.append(time.process_time()))
    return (moments[2] - moments[0]) / 2.0


def times(rounds: int) -> None:
    """Print the processor time of an epoch with wires and without, in turn."""
    ratios = []
    for _ in range(rounds):
        off, refreshed = (epoch_seconds(wires) for wires in ("off", "refreshed"))
        ratios.append(refreshed / off)
        print(f"an epoch takes {off:.2f} s without wires, {refreshed:.2f} s with: {ratios[-1]:.2f} times", flush=True)
    print(f"median: {statistics.median(ratios):.2f} times", flush=True)


def said(label: str, found: dict[str, Any]) -> list[str]:
    """Return a line of text for each layer of a point."""
    lines = []
    for number, layer in enumerate(found["layers"]):
        largest, median = (np.array([line[name] for line in layer["compared"]]) for name in ("largest", "median"))
        lines.append(
            f"{label}, layer {number}: largest error {largest.max():.2%}, middle one of {len(largest)} comparisons "
            f"{np.median(largest):.2%}, median current {np.median(median):.3%}; solved anew in {len(layer['solved'])} batches, "
            f"mean share {layer['tracking']['share']:.3f}"
        )
    return lines


def draw(points: dict[str, dict[str, Any]]) -> None:
    """Draw the errors of all points over training, with the tolerance and the batches in which wires were solved anew."""
    figure, every = panels(len(points), size=(8.0, 2.4 * len(points) + 0.6), share_x=True, squeeze=False, sharey=True)
    for axes, (label, found) in zip(every[:, 0], points.items(), strict=True):
        for number, layer in enumerate(found["layers"]):
            colour, shown = f"C{number}", [line for line in layer["compared"] if line["largest"] > 0.0]
            epochs = np.array([line["batch"] for line in shown]) / found["batches"]
            for name, style in (("largest", "-"), ("median", ":")):
                values = [100.0 * line[name] for line in shown]
                axes.plot(epochs, values, style, color=colour, label=f"layer {number}, {name} error")
            solved = np.array(layer["solved"]) / found["batches"]
            heights = np.full(len(solved), 0.03 + 0.06 * number)
            label_of_marks = f"layer {number}, wires solved anew"
            axes.plot(
                solved, heights, "|", color=colour, ms=8, transform=axes.get_xaxis_transform(), label=label_of_marks
            )
        axes.axhline(
            100.0 * found["tolerance"], color="grey", ls="--", lw=1.0, label="tolerance of the run's own comparison"
        )
        axes.set(yscale="log", ylabel="error [% of the tile's\nlargest current]", title=label)
        axes.grid(alpha=0.3)
    every[0, 0].set_ylim(bottom=1e-3)  # before cells have moved the error is that of float32
    every[-1, 0].set_xlabel("epoch")
    figure.legend(*every[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    whole_files.write(PICTURE, picture(figure, dpi=120))


def main() -> None:
    """Run the points that are missing, print them, and with --write store them and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points", nargs="*", metavar="POINT", help="beginning of the name of a point [default: all]")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--layers", help="hidden layers [default: those of the point]")
    parser.add_argument("--threads", type=int, help="threads of the run [default: all cores]")
    parser.add_argument("--write", action="store_true", help="keep the result in benchmarks/results")
    parser.add_argument("--plot", action="store_true", help="draw the stored result and run nothing")
    parser.add_argument(
        "--times", type=int, metavar="ROUNDS", help="measure the time of an epoch so often, and run nothing else"
    )
    given = parser.parse_args()
    stored = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    if given.threads:
        numba.set_num_threads(given.threads)
    if given.times:
        times(given.times)
        return
    for label, own in {} if given.plot else POINTS.items():
        if given.points and not label.startswith(tuple(given.points)):
            continue
        options = {"device": "memristor", "data": "mnist-5k", "epochs": given.epochs, **own}
        options |= {"layers": given.layers} if given.layers else {}
        if stored.get(label, {}).get("options") != options:
            stored[label] = point(options)
        print(*said(label, stored[label]), sep="\n", flush=True)
        if given.write:
            whole_files.write(RESULT, document({name: stored[name] for name in POINTS if name in stored}))
    if given.plot or given.write:
        draw({name: stored[name] for name in POINTS if name in stored})


if __name__ == "__main__":
    main()
