"""Compare learners on the buildable chip of the memristor, each tuned with the same budget: error against energy on mnist-5k.

    python benchmarks/learners.py [--data-dir FOLDER]

1. Tuning: the missing points of `28_learner_tuning` are run (three learning rates a learner, with a separate seed).
2. Comparison: `analog_ff compare` with the learning rates of least error, three paired seeds and chip seeds, on the
   validation part, because energy to an accuracy needs a curve. Finished points are not run again.
3. `compare.json`, the table and the pictures are copied to `benchmarks/results/learners` and `docs/img`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import catalogue
import experiment_files
import run

TUNING = "28_learner_tuning"
"""All learners average and multiply in 8 bits and skip silent units; the variant `plain` is Forward-Forward without all that."""
DEVICES = {"memristor": "memristor"}
LEARNERS = {
    "forward-forward": "forward-forward", "plain": "forward-forward", "backprop": "backprop",
    "backprop-nominal": "backprop-nominal", "local-softmax": "local-softmax",
}  # fmt: skip
FOLDER = catalogue.ROOT / "runs" / "learners"
RESULTS = catalogue.HERE / "results" / "learners"
IMAGES = catalogue.ROOT / "docs" / "img"


def settings() -> list[str]:
    """Return the options of each learner and device in the form of `compare --set`."""
    rows = {row["label"]: row for row in catalogue.experiments([TUNING])[TUNING]["rows"]}
    words = []
    for place, device in DEVICES.items():
        for label in LEARNERS:
            row = rows[f"{place}: {label}"]
            best = catalogue.chosen(TUNING, row["label"])
            if best is None:
                sys.exit(f"{TUNING} lacks points of '{row['label']}'.")
            own = {k: v for k, v in row.items() if k not in (*experiment_files.ROW, "device", "learner")} | best
            for key, value in own.items():
                said = str(value).lower() if isinstance(value, bool) else value
                words += ["--set", f"{Path(device).stem}/{label}:{key}={said}"]
    return words


def main() -> None:
    """Tune, compare, and copy the small results into the repository."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    tuning = catalogue.experiments([TUNING])[TUNING]
    if failed := run.run(TUNING, catalogue.points(tuning), args.data_dir, workers=1):
        sys.exit("\n".join(failed))
    common = [word for key, value in tuning["options"].items() if key != "split" for word in (f"--{key}", str(value))]
    named = ",".join(label if label == learner else f"{label}={learner}" for label, learner in LEARNERS.items())
    command = [
        sys.executable,
        "-m",
        "analog_ff",
        "compare",
        "--devices",
        ",".join(DEVICES.values()),
        "--learners",
        named,
    ]
    command += ["--seeds", "3", *common, *settings(), "--out", str(FOLDER)]
    command += ["--resume"] if FOLDER.exists() else []
    subprocess.run(command, cwd=catalogue.ROOT, check=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in ("compare.json", "compare.md"):
        shutil.copyfile(FOLDER / name, RESULTS / name)
    for name in ("compare", "amounts", "tornado"):
        shutil.copyfile(FOLDER / f"{name}.png", IMAGES / f"learners_{name}.png")


if __name__ == "__main__":
    main()
