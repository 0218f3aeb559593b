"""The cortex tests of the spiking network, and the score card in docs/explanation/cortex.md.

    python benchmarks/cortex.py [--tests T1,T3] [--seeds 3] [--data-dir DIR]   run missing points, then write the card
    python benchmarks/cortex.py --tables                                      write the card from the stored results

The points lie in benchmarks/results/cortex.jsonl, one line a run; a finished one is not run again. They are unpacked into
runs/cortex, `python -m analog_ff spiking --cortex --out runs/cortex` runs the missing ones, and the finished ones are packed
again, however it ends; points that a killed run has finished stay in that folder for the next run. Then the pictures go to
docs/img and the score card between two marks of docs/explanation/cortex.md; `python benchmarks/run.py --tables` copies the
verdicts.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import store  # noqa: E402

from analog_ff.spiking.cortex import command, report  # noqa: E402
from analog_ff.spiking.cortex.sweep import Sweep  # noqa: E402
from analog_ff.spiking.cortex.table import TESTS  # noqa: E402

STORED = "cortex"
FOUND = ROOT / "benchmarks" / "results" / "cortex" / "cortex.json"
FOLDER = ROOT / "runs" / "cortex"
IMAGES = ROOT / "docs" / "img"
PAGE = ROOT / "docs" / "explanation" / "cortex.md"
BEGIN, END = "<!-- cortex:begin -->", "<!-- cortex:end -->"


def write_card(seeds: int) -> None:
    """Write cortex.json, pictures and the card of all tests from the unpacked points, and copy them into docs and results."""
    sweep = Sweep(FOLDER, command.base_of({}), seeds)
    document = report.write(sweep, list(TESTS.values()))
    for key in TESTS:
        shutil.move(FOLDER / f"{key}.png", IMAGES / f"cortex_{key}.png")
    FOUND.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(FOLDER / "cortex.json", FOUND)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    text = f"{before}{BEGIN}\n{report.markdown(document, '../img/cortex_')}{END}{after}"
    PAGE.write_text(text, encoding="utf-8")


def seeds_of() -> int:
    """Return the number of seeds of the existing card."""
    return len(json.loads(FOUND.read_text(encoding="utf-8"))["seeds"]) if FOUND.exists() else 3


@contextmanager
def unpacked() -> Iterator[None]:
    """Unpack the stored points into the folder of the tests for the ``with``, and store all points of the folder after it."""
    places = FOLDER / "points"
    places.mkdir(parents=True, exist_ok=True)
    for line in store.points(STORED).values():
        file = places / f"{line['label']}.json"
        if not file.exists():  # an existing file comes from a killed run and is newer
            file.write_text(json.dumps(line["point"]), encoding="utf-8")
    try:
        yield
    finally:
        store.keep(STORED, *(packed(file) for file in sorted(places.glob("*.json"))))
        shutil.rmtree(FOLDER)


def packed(file: Path) -> dict[str, Any]:
    """Return the stored line of a point from its file, which is named after the options that differ from the defaults."""
    point = json.loads(file.read_text(encoding="utf-8"))
    return {"label": file.stem, "options": {"point": file.stem}, "point": point}


def main() -> None:
    """Run the missing points, or only write the card."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tests", default="", help="tests to run, such as T1,T3 [default: all]")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", action="store_true", help="write the card and run nothing")
    parser.add_argument("--data-dir", help="folder of the data sets")
    args = parser.parse_args()
    with unpacked():
        if args.tables:
            write_card(seeds_of())
            return
        options = {"out": str(FOLDER)} | ({"data_dir": args.data_dir} if args.data_dir else {})
        command.run(options, args.tests, args.seeds)
        write_card(max(args.seeds, seeds_of()))


if __name__ == "__main__":
    main()
