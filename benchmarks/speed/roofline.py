"""Hold every operation against the limit that binds it: products, memory, or random numbers, all measured in the same run.

    python benchmarks/speed/roofline.py [--n 1024] [--batch 100] [--threads 1 2] [--rounds 7] [--write]

An operation (`operations`, with the formulas of its work) cannot take less time than the longest of its work over the limits of
the machine (`ceilings`): FLOP over those of the product, bytes over those of a copy (within the caches if they all fit, else in
memory), numbers over those of the generator. The share printed is that time over the measured one, and the limit that binds is
the one named. The measured time is the best of its rounds, like the limits. With one thread times are processor time, with more
wall time on an otherwise idle machine. --write stores the table in benchmarks/results/speed/roofline.json.
"""

from __future__ import annotations

import argparse

import numpy as np
import timing
from ceilings import CACHED, Ceilings, measured
from operations import Operation, Work, operations
from timing import Turn, kept, machine, positive, taking_turns, thread_count, warn

RESULT = timing.RESULTS / "speed" / "roofline.json"
DRAWN = "random numbers"
LIMITS = {"flop": "products", "bytes": "memory", "normal": DRAWN, "coarse": DRAWN, "uniform": DRAWN}
UNITS = {"flop": (1e9, "GFLOP/s"), "memory": (1e9, "GB/s"), "cache": (1e9, "GB/s"), "normal": (1e6, "million/s"),
         "coarse": (1e6, "million/s"), "uniform": (1e6, "million/s")}  # fmt: skip


def least(work: Work, ceilings: Ceilings) -> tuple[float, str]:
    """Return the least time of some work [s], and the name of the limit that binds it."""
    copy = ceilings.cache if work.bytes <= CACHED else ceilings.memory
    limits = {"bytes": copy, **ceilings._asdict()}
    times = {name: amount / limits[name] for name, amount in work._asdict().items()}
    binding = max(times, key=lambda name: times[name])
    within = " (cache)" if binding == "bytes" and work.bytes <= CACHED else ""
    return times[binding], LIMITS[binding] + within


def row(operation: Operation, seconds: float, ceilings: Ceilings, threads: int) -> dict[str, object]:
    """Return one row of the table."""
    shortest, limit = least(operation.work, ceilings)
    return {
        "operation": operation.name, "threads": threads, **operation.work._asdict(), "ms": 1e3 * seconds,
        "least_ms": 1e3 * shortest, "limit": limit, "share": shortest / seconds,
    }  # fmt: skip


def main() -> None:
    """Measure limits and operations, and print the table; with --write store it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=positive, default=1024, help="rows and columns of the layers")
    parser.add_argument("--batch", type=positive, default=100)
    parser.add_argument("--threads", type=thread_count, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=positive, default=7)
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/speed")
    given = parser.parse_args()
    warn(given.threads)
    limits = {threads: measured(threads) for threads in given.threads}
    for threads, found in limits.items():
        said = (f"{name} {value / UNITS[name][0]:.4g} {UNITS[name][1]}" for name, value in found._asdict().items())
        print(f"{threads} thread{'s' * (threads > 1)}: {', '.join(said)}")
    rows = []
    print(f"{'operation':44} {'threads':>7} {'ms':>9} {'least':>9} {'share':>6}  limit")
    for operation in operations(given.n, given.batch):
        for threads, ceilings in limits.items():
            times = taking_turns({"it": Turn(operation.call)}, threads, given.rounds, runs=3)["it"]
            one = row(operation, float(np.min(times)) / operation.passes, ceilings, threads)
            rows.append(one)
            print(
                f"{operation.name:44} {threads:7d} {one['ms']:9.3f} {one['least_ms']:9.3f} {one['share']:6.2f}  "
                f"{one['limit']}",
                flush=True,
            )
    if given.write:
        named = {str(threads): found._asdict() for threads, found in limits.items()}
        kept(RESULT, {"n": given.n, "batch": given.batch, "machine": machine(), "ceilings": named, "rows": rows})


if __name__ == "__main__":
    main()
