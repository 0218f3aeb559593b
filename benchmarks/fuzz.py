"""Give thousands of damaged files to every reader: each must be read or refused in one sentence; all else is a fault.

    python benchmarks/fuzz.py [READER ...] --inputs 10000 --seed 0 [--keep FOLDER] [--write]

Each reader works in a process of its own, with limits of time and memory for each input; a crash is noticed, and a new process
continues with the next input. The changes are of fields (tables, cells, arrays, objects of HDF5), of the text, and of single
bytes; if a file has checksums, most changes are made inside and the checksums are computed again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzzing.readers import READERS
from fuzzing.worker import SECONDS, read_inputs

RESULTS = Path(__file__).resolve().parent / "results" / "fuzz"
START = 300.0
"""Largest time [s] from the start of a process to its first input, in which a run is made and kernels are compiled."""
KEPT = 10
"""Largest number of inputs that are stored for a reader, one for each kind of fault."""


@dataclass
class Report:
    """Outcomes of the inputs of one reader."""

    name: str
    verdicts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str, bytes | None]] = field(default_factory=list)
    reached: set[tuple[str, int]] = field(default_factory=set)
    lines: int = 0
    seconds: float = 0.0
    peak: int = 0  # largest memory of the process [kB]
    beyond: int = 0  # largest memory above that before the first input [kB]

    def summary(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        words = Counter(
            words.split(":")[0] + ":" + words.split(":")[1][:4] if ":" in words else words
            for _, words, _ in self.faults
        )
        return {
            "inputs": sum(self.verdicts.values()), "read": self.verdicts["read"], "refused": self.verdicts["refused"],
            "not_clean": self.verdicts["not clean"], "lines_reached": len(self.reached), "lines": self.lines,
            "seconds": round(self.seconds, 1), "peak_MB": self.peak // 1000, "peak_beyond_start_MB": self.beyond // 1000,
            "faults": dict(words.most_common()),
        }  # fmt: skip


def fuzz(name: str, inputs: int, seed: int) -> Report:
    """Return the report on one reader; a process that ends or hangs costs one input, and a new one continues."""
    report = Report(name)
    context = multiprocessing.get_context("spawn")
    first = 0
    while first < inputs:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=read_inputs, args=(name, seed, first, inputs, there), daemon=True)
        process.start()
        there.close()
        begun, patience = -1, START
        try:
            while here.poll(patience):
                what, value = here.recv()
                if what == "begin":
                    begun, patience = value, 3 * SECONDS + 10
                elif what == "end":
                    number, verdict, words, data = value
                    report.verdicts[verdict] += 1
                    if verdict == "not clean":
                        report.faults.append((number, words, data))
                    first = number + 1
                else:
                    seconds, before, after, reached, report.lines = value
                    report.seconds += seconds
                    report.peak, report.beyond = max(report.peak, after), max(report.beyond, after - before)
                    report.reached.update(reached)
        except EOFError:
            pass
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
        if first < inputs:
            if begun < first:
                raise RuntimeError(f"the process of reader {name} ended before its first input; see above.")
            how = "no answer" if process.exitcode in (None, -9) else f"process ended with {process.exitcode}"
            report.verdicts["not clean"] += 1
            report.faults.append((begun, how, None))
            first = begun + 1
    return report


def keep(report: Report, seed: int, folder: Path) -> None:
    """Write one input for each kind of fault, at most `KEPT`."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds: set[str] = set()
    for number, words, data in report.faults:
        kind = words[:60]
        if data is not None and kind not in kinds and len(kinds) < KEPT:
            kinds.add(kind)
            (folder / f"{report.name}-{seed}-{number}").write_bytes(data)
            print(f"  {report.name}-{seed}-{number}: {words}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)} [default: all]")
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs a reader [default: 10000]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for inputs that are not clean")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}/seed<N>.json among the results")
    chosen = parser.parse_args()
    if unknown := set(chosen.readers) - set(READERS):
        parser.error(f"no reader {', '.join(sorted(unknown))} (known: {', '.join(READERS)})")
    found = {}
    columns = (
        ("inputs", 7),
        ("read", 7),
        ("refused", 8),
        ("not clean", 9),
        ("lines", 9),
        ("peak MB", 8),
        ("beyond", 7),
        ("s", 6),
    )
    print(f"{'reader':12}", *(f"{word:>{width}}" for word, width in columns))
    for name in chosen.readers or READERS:
        report = fuzz(name, chosen.inputs, chosen.seed)
        s = found[name] = report.summary()
        lines = f"{s['lines_reached']}/{s['lines']}"
        print(
            f"{name:12} {s['inputs']:7} {s['read']:7} {s['refused']:8} {s['not_clean']:9} {lines:>9} {s['peak_MB']:8} "
            f"{s['peak_beyond_start_MB']:7} {s['seconds']:6}",
            flush=True,
        )
        for words, number in list(s["faults"].items())[:KEPT]:
            print(f"    {number:5} {words}")
        if chosen.keep:
            keep(report, chosen.seed, chosen.keep)
    if chosen.write:
        RESULTS.mkdir(parents=True, exist_ok=True)
        file = RESULTS / f"seed{chosen.seed}.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        file.write_text(json.dumps({**known, **found}, indent=1) + "\n", encoding="utf-8")
    return 1 if any(s["not_clean"] for s in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
