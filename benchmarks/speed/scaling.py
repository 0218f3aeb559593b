"""Time and memory of a training step with one thread and with two, from small networks to one crossbar of 8192 x 8192 weights.

    python benchmarks/speed/scaling.py [--only CASE ...] [--threads 1 2] [--steps N] [--write]

A case is a step of Forward-Forward on the memristor with update `accumulate`, as in `benchmarks/speed/epoch.py`, on tiles of
256 x 256; `online` is one image at a time (batch 1), from which the time of 60 000 images follows. Each number of threads is a
process of its own, and its peak memory is that of the whole process; the declared memory is that of the arrays which `save` of
chip and learner return, the state that a resumed run needs.

The time of a step is processor time with one thread, and wall time with two. On two free cores a step could be twice as fast. The
processor time tells why it is not: with T1, T2 the time of a step with one and with two threads and C2 the processor time of
both threads,

    T1/T2 = (C2/T2) (T1/C2).

C2/T2 is the number of busy cores: it is below 2 where one core works alone, which takes the share 2 - C2/T2 of the step. T1/C2 is
below 1 where the same work takes longer on two cores, because they share memory and cache: the limits of the machine
(`ceilings`) with one thread and with two stand beside it. The machine must have nothing else to do. --write stores the table
in benchmarks/results/speed/scaling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from typing import Any, NamedTuple  # Any: a row of JSON

from ceilings import measured
from timing import RESULTS, kept, machine, now, positive, thread_count, warn

CASES = {
    "784-256": ((784, 256), 100),
    "784-1000-1000-1000": ((784, 1000, 1000, 1000), 100),
    "784-4x2000": ((784, 2000, 2000, 2000, 2000), 100),
    "8192 x 8192": ((8191, 8192), 100),
    "784-256, online": ((784, 256), 1),
    "784-4x2000, online": ((784, 2000, 2000, 2000, 2000), 1),
}
TILE, EPOCH = 256, 60_000
LONG = 6.0
"""Time for which steps are repeated [s]."""
LEAST_STEPS, MOST_STEPS = 5, 400
WARM = 3
"""Steps before the first one that counts: they compile, and fill the memories."""


class Measured(NamedTuple):
    """A case with one number of threads."""

    median: float
    """Median time of a step [s]."""
    mean: float
    """Mean time of a step [s]."""
    processor: float
    """Processor time of all threads in a step [s], mean over the steps."""
    peak: int
    """Largest memory of the process [bytes]."""
    declared: int
    """Memory of the arrays that a resumed run needs [bytes]."""
    steps: int


def measure(case: str, steps: int | None) -> Measured:
    """Time the steps of a case in this process, with the threads that Numba was started with."""
    import numba
    import numpy as np
    from steps import learner_of, step_of

    from hardware_models.kernels.products import one_blas_thread

    widths, batch = CASES[case]
    learner = learner_of(TILE, widths)
    step = step_of(learner, widths[0], batch)
    times: list[float] = []
    with one_blas_thread():  # as in a run
        for number in range(WARM):
            step(number)
        begun, threads = time.process_time(), numba.get_num_threads()
        while len(times) < (steps or MOST_STEPS):
            start = now(threads)
            step(WARM + len(times))
            times.append(now(threads) - start)
            if steps is None and len(times) >= LEAST_STEPS and sum(times) > LONG:
                break
    used = (time.process_time() - begun) / len(times)
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux counts in KiB
    declared = sum(array.nbytes for owner in (learner.port, learner) for array in owner.save(copy=False).values())
    return Measured(float(np.median(times)), float(np.mean(times)), used, peak, declared, len(times))


def beside(case: str, threads: int, steps: int | None) -> Measured:
    """Measure a case in a process of its own."""
    command = [sys.executable, __file__, "--case", case, *(["--steps", str(steps)] if steps else [])]
    own = {"NUMBA_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "OMP_PROC_BIND": "true"}
    done = subprocess.run(command, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def row(case: str, found: dict[int, Measured]) -> dict[str, Any]:
    """Return the row of a case: its measurements and, of one and two threads, what the ratio is made of."""
    widths, batch = CASES[case]
    made: dict[str, Any] = {"case": case, "widths": widths, "batch": batch}
    made |= {"threads": {str(threads): one._asdict() for threads, one in found.items()}}
    made |= {"epoch_seconds": {str(threads): one.mean * EPOCH / batch for threads, one in found.items()}}
    if 1 in found and 2 in found:
        one, two = found[1], found[2]
        busy = two.processor / two.mean
        made |= {"speedup": one.median / two.median, "busy_cores": busy, "serial_share": max(0.0, 2.0 - busy),
                 "work_grows": two.processor / one.mean}  # fmt: skip
    return made


def main() -> None:
    """Measure all cases and print the table; with --write store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--threads", type=thread_count, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=positive, help=f"steps of a case [default: as many as fit into {LONG:g} s]")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/speed")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        print(json.dumps(measure(given.case, given.steps)._asdict()))
        return
    warn(given.threads)
    rows = []
    for case in given.only:
        found = {threads: beside(case, threads, given.steps) for threads in given.threads}
        rows.append(row(case, found))
        for threads, one in found.items():
            minutes = one.mean * EPOCH / CASES[case][1] / 60
            memory = f"{one.peak / 2**20:6.0f} MiB ({one.declared / 2**20:.0f} declared)"
            said = f"{minutes:6.1f} min for {EPOCH} images"
            print(f"{case:22} {threads} {1e3 * one.median:9.2f} ms a step, {memory}, {said}", flush=True)
        if "speedup" in rows[-1]:
            print(
                "{:22} {speedup:.2f} times with two; {busy_cores:.2f} cores busy, work x {work_grows:.2f}".format(
                    "", **rows[-1]
                )
            )
    if given.write:
        limits = {str(threads): measured(threads)._asdict() for threads in given.threads}
        kept(RESULTS / "speed" / "scaling.json", {"tile": TILE, "machine": machine(), "ceilings": limits, "rows": rows})


if __name__ == "__main__":
    main()
