"""Time of a fit: 10 cells, 20 cycles and 200 pulses a cycle, and reading and fitting against the number of cycles.

    python benchmarks/fit_time.py [--cycles 50,100,200,500,1000]

The trains are simulated from an exponential device (2 to 40 uS, 100 pulses each way, cycle noise 0.8 %, read noise 0.5 % of the
range), written as CSV with a column of cycles and read again. Times are processor seconds of one process with one thread, after
a small fit that has compiled the loops; wall seconds stand beside them. The lines after the first have two cells, and the same
seconds per million rows if time is linear in the rows.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import fit, synthetic, write_pulse_train
from hardware_models.fitting.pulse_train import read_pulse_train

DEVICE = ExponentialStep(
    name="known", g_min=2e-6, g_max=4e-5, states=100.0, states_down=100.0, a_up=0.5, a_down=-0.35, cycle_noise=0.008,
    step_spread=0.1, bound_spread=0.02, read_noise=0.005, v_up=1.6, v_down=1.8, t_up=1e-7, t_down=1e-7,
)  # fmt: skip
PULSES = 100
Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Return the result of some work, its processor seconds and its wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def line(cells: int, cycles: int, folder: Path) -> str:
    """Return a line of the table: rows, seconds of reading and of the fit, and the largest memory so far."""
    path = folder / f"{cells}x{cycles}.csv"
    write_pulse_train(synthetic(DEVICE, cells=cells, cycles=cycles, pulses=PULSES, seed=1), path)
    train, read, _ = timed(lambda: read_pulse_train(path))
    path.unlink()
    _, fitted, wall = timed(lambda: fit(train))
    rows = len(train.g)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    per_million = 1e6 * (read + fitted) / rows
    return (
        f"{cells:6d} {cycles:7d} {rows:9d} {read:9.2f} {fitted:9.2f} {read + fitted:9.2f} {wall:9.2f} {per_million:12.1f} "
        f"{memory:9.0f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--cycles", default="50,100,200,500,1000", help="numbers of cycles of the lines after the first"
    )
    cycles = [int(text) for text in parser.parse_args().cycles.split(",")]
    fit(synthetic(DEVICE, cells=3, cycles=2, pulses=30, seed=1))  # compiles
    print(" cells  cycles      rows  read [s]   fit [s]  both [s]  wall fit   s/1e6 rows  memory MiB")
    with tempfile.TemporaryDirectory() as folder:
        print(line(10, 20, Path(folder)), flush=True)
        for number in cycles:
            print(line(2, number, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
