"""Times of the same operations in this project and in other programs, which take turns in one run.

    PYTHON benchmarks/peers/times.py [--crosssim FOLDER] [--loewex FOLDER] [--threads 1 2] [--rounds 7] [--only PEER] [--write]

PYTHON is an interpreter with this project and the other programs: aihwkit, badcrossbar (``pip install badcrossbar``) and PyTorch.
FOLDER are checkouts of github.com/sandialabs/cross-sim and github.com/loeweX/Forward-Forward. What is not there is named as
absent. Before an operation is timed, its results in both programs are compared; if they do not agree, the table says so and has
no time. The modules `with_aihwkit`, `with_crosssim`, `with_badcrossbar` and `with_loewex` say what is compared and what differs.

The ratio is the time of the other program over that of this project, in each of the rounds: the median, the least and the
most are shown. With one thread times are processor time, with two wall time on an otherwise idle machine. --write stores the
table in benchmarks/results/peers/times.json.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import comparison  # first: it sets the threads up before any program starts its own
from comparison import Table, absent, compared
from timing import RESULTS, kept, machine, positive, set_threads, thread_count, warn

RESULT = RESULTS / "peers" / "times.json"
PEERS = {
    "aihwkit": "with_aihwkit",
    "CrossSim": "with_crosssim",
    "badcrossbar": "with_badcrossbar",
    "loeweX": "with_loewex",
}
CHECKOUTS = {"CrossSim": "crosssim", "loeweX": "loewex"}


def comparisons(peer: str, checkout: Path | None) -> Iterator[comparison.Comparison]:
    """Yield the comparisons with a program; raise ImportError if it cannot be asked."""
    if peer in CHECKOUTS and checkout is None:
        raise ImportError(f"--{CHECKOUTS[peer]} names no checkout")
    if checkout is not None:
        sys.path.insert(0, str(checkout))
    yield from importlib.import_module(PEERS[peer]).comparisons()


def table(peer: str, checkout: Path | None, threads: list[int], rounds: int) -> Iterator[dict[str, object]]:
    """Yield the rows of a program."""
    try:
        for one in comparisons(peer, checkout):
            for number in threads:
                if number in one.threads:
                    set_all_threads(number)
                    yield compared(one, number, rounds)
    except ImportError as error:
        yield absent(peer, f"absent: {error}")


def set_all_threads(number: int) -> None:
    """Let this project and PyTorch, if it is loaded, use `number` threads."""
    set_threads(number)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(number)


def line(row: dict[str, object]) -> str:
    """Return a row as text."""
    head = f"{row['peer']:12} {row['operation']:75}"
    if "note" in row:
        return f"{head} {row['note']}" + (f" ({row['agreement']}: {row['apart']:.2g})" if "agreement" in row else "")
    spread = f"{row['median']:7.2f} times ({row['least']:.2f} to {row['most']:.2f})"
    return f"{head} {row['threads']} {row['ours_ms']:9.3f} ms {row['theirs_ms']:9.3f} ms {spread}; apart {row['apart']:.1e}"


def main() -> None:
    """Compare with every program and print the table; with --write store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crosssim", type=Path, metavar="FOLDER", help="checkout of github.com/sandialabs/cross-sim")
    parser.add_argument("--loewex", type=Path, metavar="FOLDER", help="checkout of github.com/loeweX/Forward-Forward")
    parser.add_argument("--threads", type=thread_count, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=positive, default=7)
    parser.add_argument("--only", choices=PEERS, help="compare with this program alone; stores nothing")
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/peers")
    given = parser.parse_args()
    warn(given.threads)
    rows: Table = []
    for peer in [given.only] if given.only else PEERS:
        checkout = getattr(given, CHECKOUTS[peer]) if peer in CHECKOUTS else None
        for row in table(peer, checkout, given.threads, given.rounds):
            rows.append(row)
            print(line(row), flush=True)
    if given.write and not given.only:
        programs = versions(given.crosssim)
        kept(RESULT, {"rounds": given.rounds, "machine": machine(), "versions": programs, "rows": rows})


def versions(crosssim: Path | None) -> dict[str, str]:
    """Return the versions of the programs that were loaded, that of CrossSim from its checkout."""
    found: dict[str, str] = {
        name: metadata.version(name) for name in ("aihwkit", "torch", "badcrossbar") if name in sys.modules
    }
    if crosssim is not None and "simulator" in sys.modules:
        about = tomllib.loads((crosssim / "pyproject.toml").read_text(encoding="utf-8"))
        found["CrossSim"] = str(about["project"]["version"])
    return found


if __name__ == "__main__":
    main()
