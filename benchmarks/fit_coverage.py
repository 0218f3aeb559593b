"""Coverage of the fit's 95 % intervals, with and without bad readings: benchmarks/results/fit_coverage.jsonl.

    python benchmarks/fit_coverage.py [--trials 300] [--shares 0,0.0003,0.01,0.03]   run missing trials
    python benchmarks/run.py --tables                                              write the page from the stored trials

A trial simulates a train of the known device `TRUTH`, spoils a share of its readings (`FAULTS`), writes the table, reads and
fits it as the command does, and notes which intervals hold the truth. The first `CHOSEN` trials of each share also fit all
forms. A finished trial is not run again; a stopped command goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import store

from analog_ff.runs.identity import digest
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import FORMS, fit, synthetic, write_pulse_train
from hardware_models.fitting.pulse_train import read_pulse_train
from hardware_models.fitting.synthetic import FAULTS, spoiled

NAME = "fit_coverage"
FORM = "exponential_step"
TRUTH: dict[str, Any] = {
    "g_min": 2e-6, "g_max": 4e-5, "states": 100.0, "states_down": 100.0, "a_up": 0.5, "a_down": -0.35, "cycle_noise": 0.008,
    "read_noise": 0.005, "step_spread": 0.1, "bound_spread": 0.02, "v_up": 1.6, "v_down": 1.8, "t_up": 1e-7, "t_down": 1e-7,
}  # fmt: skip
"""The known device: 2 to 40 uS, 100 pulses each way, noise of a pulse 0.8 % and of a reading 0.5 % of the range."""
CELLS, CYCLES, PULSES = 4, 3, 100
SHARES = (0.0, 0.0003, 0.01, 0.03)
CHOSEN = 20
TOGETHER = 20
"""Trials that are stored at once."""


def trial(share: float, seed: int) -> dict[str, Any]:
    """Return the stored line of one trial: which intervals hold the truth, and which bad readings were found."""
    options = {"share": share, "seed": seed, "train": digest([TRUTH, CELLS, CYCLES, PULSES])}
    clean = synthetic(ExponentialStep(name="truth", **TRUTH), cells=CELLS, cycles=CYCLES, pulses=PULSES, seed=seed)
    train, faults = spoiled(clean, share, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.csv"
        write_pulse_train(train, path)
        read = read_pulse_train(path)
    found = np.isin(train.line, read.outliers)
    result = fit(read, forms={FORM: FORMS[FORM]})
    held = {p.name: int(p.low <= TRUTH[p.name] <= p.high) for p in result.parameters}
    bad = {name: [int((faults == name).sum()), int((found & (faults == name)).sum())] for name in FAULTS}
    line = {
        "label": f"{share:g}",
        "options": options,
        "held": held,
        "bad": bad,
        "false": int((found & (faults == "")).sum()),
    }
    return line | ({"form": fit(read).form} if seed < CHOSEN else {})


def missing(share: float, trials: int) -> list[int]:
    """Return the seeds of the trials that are not stored."""
    done = {p["options"]["seed"] for p in store.points(NAME).values() if p["options"]["share"] == share}
    return [seed for seed in range(trials) if seed not in done]


def main() -> None:
    """Run the missing trials of all shares."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=300, help="trials of each share")
    parser.add_argument("--shares", default=",".join(f"{s:g}" for s in SHARES), help="shares of bad readings")
    args = parser.parse_args()
    shares = [float(text) for text in args.shares.split(",")]
    for end in range(TOGETHER, args.trials + TOGETHER, TOGETHER):  # all shares advance together
        for share in shares:
            seeds = missing(share, min(end, args.trials))
            store.keep(NAME, *(trial(share, seed) for seed in seeds))
            print(f"{share:g}: {min(end, args.trials)} of {args.trials} trials done", flush=True)


if __name__ == "__main__":
    main()
