"""Check that a refactoring keeps the bits of every result: run a set of short commands and hash their results.

    python benchmarks/same_bits.py write bits.json            # before: run the commands, store their hashes
    python benchmarks/same_bits.py compare bits.json          # after: run the same commands, list the differences
    python benchmarks/same_bits.py compare bits.json --only spiking

The commands are listed from the tables of the program when the hashes are written, and stored with them: every learner, update,
goodness, network, schedule, slope, nonlinearity, available data set, published device and kind of port has one, besides
`compare`, `energy`, `devices fit`, `spiking`, `--ablate` and the estimator. Hashes depend on the processor and on the versions
of the libraries: they are compared on one machine and are not committed. For a refused run the message is hashed.

A hash covers result.json, metrics.csv, events.csv, the arrays of cells.h5 and standard output; times, versions, digests of the
program's own files and the names of folders are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SMALL = ("--data", "toy", "--layers", "12,8", "--epochs", "2", "--batch", "40")
VOLATILE = ("seconds", "wall_seconds", "versions", "inputs_sha256", "machine_joule", "resumed_from", "resumed_from_versions",
            "model", "out", "folder", "energy_run")  # fmt: skip
"""Keys of a result that differ from run to run, or that hold paths."""
OUT = "{OUT}"
"""Placeholder for the folder of a command."""
BRIAN = ("--target", "numpy", "--data", "digits", "--layers", "12", "--epochs", "1", "--images-per-epoch", "12",
         "--test-images", "4")  # fmt: skip


def commands() -> dict[str, list[str]]:
    """Return {name: arguments of ``python -m analog_ff``}, listed from the program's own tables."""
    from analog_ff.learners import LEARNERS
    from analog_ff.learners.options import SLOPES
    from analog_ff.network import NETWORKS
    from analog_ff.objective.goodness import GOODNESS
    from analog_ff.objective.schedule import SCHEDULES
    from analog_ff.updates import UPDATES
    from hardware_models.load import PUBLISHED
    from hardware_models.nonlinearities import NONLINEARITIES

    found: dict[str, list[str]] = {}

    def add(name: str, *words: str, small: Iterable[str] = SMALL) -> None:
        found[name] = ["simulate", *small, *words, "--out", OUT]

    for learner in LEARNERS:
        add(f"learner {learner}", "--learner", learner)
        add(f"learner {learner}, ideal", "--learner", learner, "--device", "ideal", "--dropout", "0")
    for table, option in (
        (UPDATES, "update"),
        (NETWORKS, "network"),
        (SCHEDULES, "schedule"),
        (SLOPES, "slope"),
        (NONLINEARITIES, "nonlinearity"),
        (GOODNESS, "goodness"),
    ):
        for name in table:
            words = [f"--{option}", name]
            if option == "goodness" and name.startswith("mixed"):
                words += ["--regions", "2"]
            if option == "network" and name in ("local", "convolution"):
                words += [
                    "--data",
                    "digits",
                    "--patch",
                    "3",
                    "--stride",
                    "2",
                    "--layers",
                    "3,3",
                    "--images-per-epoch",
                    "120",
                ]
            if option == "network" and name == "recurrent":
                words += ["--data", "digits", "--images-per-epoch", "120"]
            add(f"{option} {name}", *words)
    for device in PUBLISHED:
        add(f"device {device}", "--device", device)
    add("device ideal", "--device", "ideal")
    add("program-to", "--device", "ideal", "--program-to", "joshi2020_pcm")
    add("program-to sonos", "--device", "ideal", "--program-to", "agrawal2022_sonos")
    for name, words in {
        "coincidence on a stack": "--update coincidence --slots 5 --learning-rate 0.002",
        "accumulate-int8": "--update accumulate-int8 --skip-silent --gate 0.1 --drive-bits 3 --write-every 2",
        "rounding nearest": "--rounding nearest --momentum 0.5",
        "pipelined, three layers": "--schedule pipelined --negatives random --layers 8,6,5",
        "wake-sleep blocks": "--schedule wake-sleep --block 2 --sleep 0.5",
        "hybrid": "--negatives hybrid --readout softmax --data digits --images-per-epoch 120 --blurs 2",
        "random labels": "--negatives random",
        "self-generated": "--data characters --negatives self-generated --images-per-epoch 80 --rollout-every 1 "
        "--readout softmax",
        "local, labels": "--network local --data digits --regions positions --patch 3 --stride 2 --layers 3 "
        "--images-per-epoch 120",
        "process": "--port process",
        "chips per layer": "--chips per-layer",
        "process, chips per layer": "--port process --chips per-layer",
        "sealed": "--sealed",
        "analog sums over tiles": "--partial-sums analog --tile 8x4",
        "tiles": "--tile 8x4",
        "no converters": "--dac none --adc none",
        "weight decay and dropout": "--weight-decay 0.001 --decay-every 3 --dropout 0.1",
        "holdout": "--split holdout",
        "seeds": "--seed 3 --chip-seed 5",
        "faults": "--stuck-low 0.02 --stuck-high 0.01 --dead-rows 0.01 --dead-columns 0.02",
        "ageing": "--endurance 1000 --endurance-spread 0.3 --retention 1000",
        "without noise": "--no-read-noise --no-write-noise --no-device-spread --no-step-nonlinearity",
        "johnson noise": "--johnson-noise --chip-temperature 350",
        "shot noise, longer reads": "--johnson-noise --shot-noise 0.5 --read-time 1e-7",
        "converter faults": "--adc-offset 1 --adc-gain-spread 0.01 --adc-inl 0.5 --comparator-noise 0.5 --dac-offset 1 "
        "--dac-gain-spread 0.01 --dac-inl 0.5 --tile 8x4",
        "calibrated": "--adc-offset 1 --dac-gain-spread 0.01 --calibrate offset-gain --learner backprop-nominal",
        "read-out all but first": "--readout-layers all-but-first --readout energy",
        "read-out last": "--readout-layers last",
        "crop and binarise": "--data digits --crop 6 --binarise 0.5 --images-per-epoch 120",
        "mnist-5k": "--data mnist-5k --layers 20,15 --epochs 1 --batch 500",
        # Last bits that differ in one number of millions show only in a run of full size.
        "main job, one epoch": "--data mnist-5k --layers 500,500 --epochs 1 --batch 100 --shift 1",
        "noisy copies": "--learner dimensionality --copies 3 --copies-from read-noise --projection 3",
        "slope oracle, waves": "--slope oracle --nonlinearity random-waves",
        "slope dither, hysteretic": "--slope dither --dither 0.1 --nonlinearity hysteretic",
        "fixed read-outs": "--learner local-softmax --local-readout fixed",
        "several perturbations": "--learner node-perturbation --perturbations 3",
        "a technology": "--technology cmos-7nm",
        "ablate": "--ablate --epochs 1",
        "json": "--json",
    }.items():
        add(name, *words.split())
    for name, words in {
        "spiking": "",
        "spiking, two layers": "--layers 10,8",
        "spiking, poisson": "--encoder poisson",
        "spiking, latency": "--encoder latency --eligibility synaptic",
        "spiking, online": "--online",
        "spiking, tables": "--device memristor --chip table",
        "spiking, exact": "--device memristor --chip exact",
        "spiking, hard": "--negatives hard --pool subtractive --goodness linear",
        "spiking, cortex": "--dale --delay 2 --delay-spread 1 --noise 0.1 --refractory 2 --adaptation 0.1 --gap 4 "
        "--initial-mean 0.5",
        "spiking, own rate": "--third-factor own-rate --sign-delay 1 --sign-noise 0.1",
        "spiking, saturating": "--goodness saturating --reset hard",
    }.items():
        found[name] = ["spiking", *BRIAN, *words.split(), "--out", OUT]
    found["compare"] = ["compare", *SMALL, "--seeds", "2", "--draws", "200", "--devices", "memristor,ideal",
                        "--learners", "forward-forward,backprop,pepita", "--json", "--out", OUT]  # fmt: skip
    found["devices list"] = ["devices", "list"]
    found["devices show"] = ["devices", "show", "memristor"]
    found["energy"] = ["energy", OUT, "--json"]
    found["energy, text"] = ["energy", OUT]
    found["estimator"] = ["estimator"]
    return found


def left(folder: Path) -> dict[str, Any]:
    """Return the contents of a command's folder without volatile entries: {file: plain values or digest}."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix == ".json":
            found[name] = steady(json.loads(path.read_text()), str(folder))
        elif path.suffix in (".csv", ".md"):
            lines = path.read_text().replace(str(folder), OUT).splitlines()
            titles = lines[0].split(",") if path.suffix == ".csv" and lines else []
            kept = [n for n, title in enumerate(titles) if title not in VOLATILE]
            found[name] = (
                [[cells[n] for n in kept] for cells in (line.split(",") for line in lines)] if titles else lines
            )
        elif path.name in ("cells.h5", "weights.h5", "network.nir"):
            found[name] = _of_arrays(path)
    return found


DESCRIBED = ("version", "configuration", "device", "readout")
"""Entries of an HDF5 file that describe its arrays; other versions may describe more."""


def _of_arrays(path: Path) -> str:
    """Return a hash of the arrays of an HDF5 file and of their names."""
    import h5py
    import numpy as np

    digest = hashlib.sha256()

    def add(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and place.partition("/")[0] not in DESCRIBED:
            digest.update(place.encode() + np.asarray(item[()]).tobytes())

    with h5py.File(path) as file:
        file.visititems(add)
    return digest.hexdigest()


def steady(value: Any, folder: str) -> Any:
    """Return plain values without the volatile keys and the folder's name."""
    if isinstance(value, Mapping):
        return {k: steady(v, folder) for k, v in value.items() if k not in VOLATILE}
    if isinstance(value, list):
        return [steady(v, folder) for v in value]
    return value.replace(folder, OUT) if isinstance(value, str) else value


def estimated() -> dict[str, Any]:
    """Return the scores of the scikit-learn classifier on two features and on digits."""
    from sklearn.datasets import load_digits

    from analog_ff import ForwardForwardClassifier

    x, y = load_digits(return_X_y=True)
    found = {}
    for name, settings in {"defaults": {}, "settings": {"adc": 6, "sealed": True, "momentum": 0.5}}.items():
        model = ForwardForwardClassifier(hidden=(20, 10), epochs=2, settings=settings).fit(x[:300], y[:300])
        found[name] = model.predict_proba(x[300:340]).tolist(), model.events_, model.n_iter_
    model = ForwardForwardClassifier(hidden=(10,)).partial_fit(x[:100], y[:100], classes=list(range(10)))
    found["partial"] = model.decision_function(x[300:340]).tolist(), model.events_, model.n_iter_
    return found


def run(words: list[str], folder: Path) -> dict[str, Any]:
    """Run one command and return its files, its output and its exit status."""
    from analog_ff.__main__ import main

    if words == ["estimator"]:
        return {"estimator": estimated()}
    if words[0] == "energy":
        run([*"simulate --learner forward-forward".split(), *SMALL, "--out", str(folder)], folder)
    out, error = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["analog-ff", *(word.replace(OUT, str(folder)) for word in words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.argv = before
    printed: Any = out.getvalue().replace(str(folder), OUT)
    if "--json" in words and status == 0:
        printed = steady(json.loads(printed), OUT)
    elif words[0] == "simulate" or words[0] == "spiking":
        printed = ""  # a table for a person, made from result.json
    said = error.getvalue().replace(str(folder), OUT) if status else ""
    return {"status": status, "printed": printed, "said": said, "left": left(folder)}


def hashed(value: Any) -> str:
    """Return a short hash of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=list).encode()).hexdigest()[:16]


def measure(listed: Mapping[str, list[str]], keep: Path | None) -> dict[str, dict[str, str]]:
    """Return {name: {part: hash}} for every command; with `keep` the hashed values are stored there as JSON."""
    os.environ["COLUMNS"] = "120"
    found = {}
    for name, words in listed.items():
        start = time.monotonic()
        base = Path(tempfile.mkdtemp(prefix="same_bits"))
        try:
            result = run(words, base / "run")
        finally:
            shutil.rmtree(base)
        parts = {**{k: v for k, v in result.items() if k != "left"}, **result.get("left", {})}
        found[name] = {part: hashed(value) for part, value in parts.items()}
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{name.replace('/', '_')}.json").write_text(
                json.dumps(result, indent=1, sort_keys=True, default=list)
            )
        state = "" if result.get("status", 0) == 0 else f"  status {result['status']}: {result['said'].strip()[:150]}"
        print(f"{time.monotonic() - start:5.1f} s  {name}{state}", flush=True)
    return found


def main() -> None:
    """Write or compare hashes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", default="", help="commands whose names contain this text")
    parser.add_argument("--keep", type=Path, help="folder for what is hashed, to look at a difference")
    chosen = parser.parse_args()
    if chosen.what == "write":
        listed = {name: words for name, words in commands().items() if chosen.only in name}
        hashes = measure(listed, chosen.keep)
        chosen.file.write_text(json.dumps({"commands": listed, "hashes": hashes}, indent=1) + "\n")
        return
    stored = json.loads(chosen.file.read_text())
    listed = {name: words for name, words in stored["commands"].items() if chosen.only in name}
    hashes = measure(listed, chosen.keep)
    differing = 0
    for name, parts in hashes.items():
        before = stored["hashes"][name]
        unlike = [part for part in sorted({*parts, *before}) if parts.get(part) != before.get(part)]
        if unlike:
            differing += 1
            print(f"differs: {name}: {', '.join(unlike)}")
    print(f"{len(hashes) - differing} of {len(hashes)} commands left the same bits")
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
