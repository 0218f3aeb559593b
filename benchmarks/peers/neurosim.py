"""Run the 400-100-10 benchmark in MLP+NeuroSim V3.0 itself and here, for each device and the same number of images.

    python benchmarks/peers/neurosim.py --checkout FOLDER [--epochs 2] [--data-dir FOLDER]

FOLDER is a checkout of github.com/neurosim/MLP_NeuroSim_V3.0 (commit cc13863, CC BY-NC 4.0). It is copied to a temporary
folder; there the constants of its class RealDevice and the number of epochs are set, its reports of energy are turned off,
and it is built (g++, make) and run with one thread; nothing of it becomes part of this project. An epoch of 8000 images and
the test take about a minute a device. Points in the result file are not run again.

Both get the same images (20 x 20 in the middle, black and white), figures of the device, no read noise, no spread; one run each.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.datasets.preprocess import binarised, cropped
from analog_ff.learners import LEARNERS
from analog_ff.runs.execute import execute
from hardware_models.load import load_device

RESULT = Path(__file__).resolve().parents[1] / "results" / "peers" / "neurosim.json"
LABELS = {
    "jo2010_ag_asi": ("Ag:a-Si", 2.4, -4.88),
    "neurosim2_taox_tio2": ("TaOx/TiO2", 1.85, -1.79),
    "wu2018_taox_hfox": ("TaOx/HfOx", 0.04, -0.63),
    "park2013_pcmo": ("PCMO", 3.68, -6.76),
    "woo2016_alox_hfo2": ("AlOx/HfO2", 1.94, -0.61),
    "kuzum2011_gst": ("GST phase change", 0.105, 2.4),
    "choi2018_epiram": ("EpiRAM", 0.5, -0.5),
    "jerry2017_hzo": ("HZO FeFET", 1.75, 1.46),
}
"""Names in NeuroSim's manual, Table II, and its nonlinearity labels of LTP and LTD; other figures are in parameter files."""


def prepared(checkout: Path, folder: Path, epochs: int, data_dir: str | None) -> None:
    """Copy the sources, set the constants that all devices share, and write the images in NeuroSim's format."""
    shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns(".git", "*.o", "*.txt", "main"))
    replace(folder / "main.cpp", r"omp_set_num_threads\(\d+\)", "omp_set_num_threads(1)")
    replace(folder / "Param.cpp", r"totalNumEpochs = \d+", f"totalNumEpochs = {epochs}")
    replace(folder / "Param.cpp", r"writeEnergyReport = true", "writeEnergyReport = false")
    replace(folder / "Param.cpp", r"NeuroSimDynamicPerformance = true", "NeuroSimDynamicPerformance = false")
    data = binarised(cropped(load("mnist", data_dir=data_dir, split="final"), 20), 0.5)
    for part, images, labels in (("train", data.x_train, data.y_train), ("test", data.x_test, data.y_test)):
        rows = images.T.astype(np.uint8)
        lines = "\n".join(" ".join(map(str, row.tolist())) for row in rows)
        (folder / f"patch{len(images)}_{part}.txt").write_text(lines + "\n")
        (folder / f"label{len(images)}_{part}.txt").write_text("\n".join(str(int(y)) for y in labels) + "\n")


def replace(file: Path, pattern: str, text: str, after: str = "") -> None:
    """Replace the first match of a pattern after the text `after`; a file without a match is another version and refused."""
    source = file.read_text(encoding="utf-8", errors="replace")
    start = source.find(after)
    head, tail = source[: max(start, 0)], source[max(start, 0) :]
    tail, times = re.subn(pattern, lambda _: text, tail, count=1)
    if start < 0 or not times:
        sys.exit(f"{file.name} of the checkout lacks '{pattern}': use commit cc13863.")
    file.write_text(head + tail, encoding="utf-8")


def theirs(folder: Path, device: str) -> float:
    """Return NeuroSim's test error [%] after its last epoch."""
    d: Any = load_device(device)
    _, up, down = LABELS[device]
    cell, inside = folder / "Cell.cpp", "RealDevice::RealDevice"
    for name, value in (
        ("maxConductance", d.g_max), ("minConductance", d.g_min), ("maxNumLevelLTP", round(d.states)),
        ("maxNumLevelLTD", round(d.states_down or d.states)), ("NL_LTP", up), ("NL_LTD", down),
    ):  # fmt: skip
        replace(cell, rf"\b{name} = [^;]+;", f"{name} = {value!r};", inside)
    replace(cell, r"sigmaCtoC = [^;]+;", f"sigmaCtoC = {d.cycle_noise!r} * (maxConductance - minConductance);", inside)
    subprocess.run(["make"], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shown = subprocess.run(["./main"], cwd=folder, check=True, stdout=subprocess.PIPE).stdout.decode("utf-8", "replace")
    return 100.0 - [float(a) for a in re.findall(r"Accuracy at \d+ epochs is : ([\d.]+)", shown)][-1]


def ours(device: str, epochs: int, data_dir: str | None) -> float:
    """Return this project's test error [%] after `epochs` epochs."""
    recipe = {**LEARNERS["backprop-sigmoid"].recipe, "learner": "backprop-sigmoid"}
    with tempfile.TemporaryDirectory() as out:
        config = Config(**{
            **recipe, "device": device, "data": "mnist", "data_dir": data_dir, "crop": 20, "binarise": 0.5,
            "images_per_epoch": 8000, "epochs": epochs, "read_noise": False, "device_spread": False,
            "out": str(Path(out) / "run"),
        })  # fmt: skip
        result, _ = execute(config, quiet=True)
    return float(result["test_error_percent"])


def main() -> None:
    """Run the missing points and write the result file after each device."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--data-dir")
    args = parser.parse_args()
    found = json.loads(RESULT.read_text()) if RESULT.exists() else {"epochs": args.epochs, "rows": {}}
    if found["epochs"] != args.epochs:
        sys.exit(f"{RESULT} holds runs of {found['epochs']} epochs: use --epochs {found['epochs']}, or move it away.")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "neurosim"
        prepared(args.checkout, folder, args.epochs, args.data_dir)
        for device, (label, *_) in LABELS.items():
            if device not in found["rows"]:
                row = {
                    "label": label,
                    "neurosim": theirs(folder, device),
                    "ours": ours(device, args.epochs, args.data_dir),
                }
                found["rows"][device] = row
                RESULT.parent.mkdir(parents=True, exist_ok=True)
                RESULT.write_text(json.dumps(found, indent=1) + "\n")
                print(f"{label}: NeuroSim {row['neurosim']:.2f} %, here {row['ours']:.2f} %", flush=True)


if __name__ == "__main__":
    main()
