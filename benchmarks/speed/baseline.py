"""Compare the speed of every operation with a stored one, as ratios to a matrix product that takes turns with it.

    python benchmarks/speed/baseline.py             compare; exit status 1 if a ratio is worse by more than 20 %
    python benchmarks/speed/baseline.py --write     store the ratios of today as the baseline
    python benchmarks/speed/baseline.py --quick     small layers, one thread: seconds instead of minutes, against rows of its own
    python benchmarks/speed/baseline.py --report    tell the times, but fail only if an operation fails or has no stored row

A row is the time of one operation (`operations`) over that of numpy.matmul of the shape that it names, both with the same
threads: the median over rounds in which they take turns. A ratio of times in one run says more than a time, because a slower
or busier machine slows both. The baseline, benchmarks/results/speed/baseline.json, is that of three such measurements whose
rounds differ least. A row that looks worse than it is measured again, up to three times in all, and is worse only if it is each
time. With one thread times are processor time; with two, the machine must have nothing else to do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import timing
from operations import Operation, operations
from timing import Ratio, kept, machine, pair, stored, thread_count, warn

RESULT = timing.RESULTS / "speed" / "baseline.json"
WORSE = 1.2
"""Ratio to the stored ratio beyond which a row is worse."""
TRIES = 3
"""Number of measurements in each of which a row must be worse."""


class Size(NamedTuple):
    """The size of a comparison."""

    n: int
    batch: int
    threads: tuple[int, ...]
    rounds: int


SIZES = {"full": Size(1024, 100, (1, 2), 7), "quick": Size(256, 100, (1,), 15)}
Table = dict[str, dict[str, float]]
"""A row by the name of its operation and its threads."""


class Row(NamedTuple):
    """One measured row."""

    ms: float
    product_ms: float
    ratio: Ratio

    def plain(self) -> dict[str, float]:
        """Return the row as it is stored."""
        return {"ms": self.ms, "product_ms": self.product_ms, **self.ratio._asdict()}


def row_of(operation: Operation, threads: int, rounds: int) -> Row:
    """Measure one row."""
    m, k, n = operation.product
    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal(shape, np.float32) for shape in ((m, k), (k, n)))
    out = np.empty((m, n), np.float32)
    ours, product, found = pair(operation.call, lambda: np.matmul(a, b, out=out), threads, rounds, runs=3)
    return Row(1e3 * ours / operation.passes, 1e3 * product, found.over(operation.passes))


def best_of(operation: Operation, threads: int, rounds: int, enough: float) -> Row:
    """Return the first of `TRIES` measurements of a row with a ratio of at most `enough`, else the one with the least spread."""
    found = []
    for _ in range(TRIES):
        found.append(row_of(operation, threads, rounds))
        if found[-1].ratio.median <= enough:
            return found[-1]
    return min(found, key=lambda row: row.ratio.most / row.ratio.least)


def compare(size: Size, before: Table, *, tries: str) -> tuple[Table, list[str]]:
    """Measure all rows and print them beside the stored ones; return them, and the names of those that are worse.

    `tries` says how often a row is measured: "once", "all" tries, or again "if worse".
    """
    table, worse = {}, []
    print(
        f"{'operation':44} {'threads':>7} {'ms':>9} {'/ product':>9} {'least':>8} {'most':>8} {'stored':>8} {'change':>8}"
    )
    for operation in operations(size.n, size.batch):
        for threads in size.threads:
            name = f"{operation.name}; threads: {threads}"
            then = before.get(name, {}).get("median")
            limit = WORSE * then if then else np.inf
            row = best_of(operation, threads, size.rounds, {"once": np.inf, "all": 0.0, "if worse": limit}[tries])
            table[name] = row.plain()
            worse += [name] if row.ratio.median > limit else []
            said = f"{then:8.3f} {100 * (row.ratio.median / then - 1):+7.0f}%" if then else "    none"
            ratios = " ".join(f"{value:8.3f}" for value in row.ratio[:3])
            print(f"{operation.name:44} {threads:7d} {row.ms:9.3f}  {ratios} {said}", flush=True)
    return table, worse


def unmatched(table: Table, before: Table, threads: tuple[int, ...]) -> list[str]:
    """Return sentences on rows with these numbers of threads that only one of two tables has."""
    asked = [name for name in before if int(name.rpartition(" ")[2]) in threads]
    missing, gone = [name for name in table if name not in before], [name for name in asked if name not in table]
    return [f"the baseline lacks '{name}'" for name in missing] + [
        f"no operation has the row '{name}'" for name in gone
    ]


def rows_of(document: Mapping[str, object], kind: str) -> Table:
    """Return the rows of one size of a stored baseline, none if it lacks them."""
    found = document.get(kind)
    return found["rows"] if isinstance(found, dict) else {}


def main() -> int:
    """Compare, or store; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small layers and one thread")
    parser.add_argument("--report", action="store_true", help="tell the times, and fail for nothing but missing rows")
    parser.add_argument("--write", action="store_true", help="store the rows of today")
    parser.add_argument("--threads", type=thread_count, nargs="+", help="only rows of these numbers of threads")
    given = parser.parse_args()
    kind = "quick" if given.quick else "full"
    size = SIZES[kind]._replace(threads=tuple(given.threads)) if given.threads else SIZES[kind]
    warn(size.threads)
    document = dict(stored(RESULT)) if RESULT.exists() else {}
    before = rows_of(document, kind)
    tries = "all" if given.write else "once" if given.report else "if worse"
    table, worse = compare(size, before, tries=tries)
    if given.write:
        kept(RESULT, {**document, kind: {**SIZES[kind]._asdict(), "machine": machine(), "rows": {**before, **table}}})
        return 0
    faults = unmatched(table, before, size.threads)
    if kind == "quick":  # the names do not depend on the size
        faults += unmatched(table, rows_of(document, "full"), size.threads)
    if not given.report:
        faults += [f"'{name}' is worse by more than {100 * (WORSE - 1):.0f} %" for name in worse]
    for fault in faults:
        print(f"{fault}.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
