"""The cortex tests of the spiking network, and the score card in docs/spiking.md.

    python benchmarks/cortex.py [--tests T1,T3] [--seeds 3] [--data-dir DIR]   run what is missing, then write the card
    python benchmarks/cortex.py --tables                                      write the card from the results that are there

The points lie in benchmarks/results/cortex/points, one file a run; a finished one is not run again. It is the same as
`python -m analog_ff spiking --cortex --out benchmarks/results/cortex`, and then the pictures go to docs/img and the score
card between two marks of docs/spiking.md; `python benchmarks/run.py --tables` copies the verdicts into docs/results.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analog_ff.spiking.cortex import command, report  # noqa: E402
from analog_ff.spiking.cortex.sweep import Sweep  # noqa: E402
from analog_ff.spiking.cortex.table import TESTS  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "cortex"
IMAGES = ROOT / "docs" / "img"
PAGE = ROOT / "docs" / "spiking.md"
BEGIN, END = "<!-- cortex:begin -->", "<!-- cortex:end -->"


def write_card(seeds: int) -> None:
    """Write cortex.json, pictures and the card of all tests, and copy them into the docs."""
    sweep = Sweep(RESULTS, command.base_of({}), seeds)
    document = report.write(sweep, list(TESTS.values()))
    for key in TESTS:
        shutil.move(RESULTS / f"{key}.png", IMAGES / f"cortex_{key}.png")
    (RESULTS / "card.md").unlink()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = f"{before}{BEGIN}\n{report.markdown(document, 'img/cortex_')}{END}{after}"
    PAGE.write_text(text, encoding="utf-8")


def seeds_of() -> int:
    """Return the number of seeds of the card that is there."""
    file = RESULTS / "cortex.json"
    return len(json.loads(file.read_text(encoding="utf-8"))["seeds"]) if file.exists() else 3


def main() -> None:
    """Run or tabulate."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tests", default="", help="tests to run, such as T1,T3 [default: all]")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", action="store_true", help="write the card and run nothing")
    parser.add_argument("--data-dir", help="folder of the data sets")
    args = parser.parse_args()
    if args.tables:
        write_card(seeds_of())
        return
    options = {"out": str(RESULTS)} | ({"data_dir": args.data_dir} if args.data_dir else {})
    command.run(options, args.tests, args.seeds)
    write_card(max(args.seeds, seeds_of()))


if __name__ == "__main__":
    main()
