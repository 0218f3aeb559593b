"""Studies of mortal computation, whose answers stand in the docs.

    python benchmarks/mortal_campaign.py [STUDY ...] [--place FOLDER]

Every study is a command of the program (`STUDIES`). Its answer grows path by path in --place, so that a campaign that was
stopped goes on. It goes to benchmarks/results/mortal/STUDY.json, its picture to docs/img/mortal_STUDY.png (the studies of
`mortal_mismatch` share one); `run.py --tables` makes the pages. The exponent of the answers, 3, was chosen with seed 0 on the
validation part, of 1 and 3; the studies have other seeds and look at the test set.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import mortal_mismatch
from catalogue import HERE

from analog_ff.output import whole_files
from analog_ff.output.forms import document

RESULTS = HERE / "results" / "mortal"
PICTURES = HERE.parent / "docs" / "img"
SMALL = ("--data", "mnist-5k", "--layers", "200,200", "--epochs", "20", "--update", "accumulate-int8", "--seed", "10",
         "--chip-seed", "10")  # fmt: skip
SMALLER = ("--data", "mnist-5k", "--layers", "100,100", "--epochs", "20", "--update", "accumulate-int8", "--seed", "10",
           "--chip-seed", "10")  # fmt: skip
STUDIES: dict[str, tuple[str, ...]] = {
    "memristor": ("--device", "memristor", "--figure", "step_spread=0.3", *SMALL, "--seeds", "5", "--queries", "1000,4000",
                  "--kinds", "images,noise,labelled"),
    "pcm": ("--device", "nandakumar2020_pcm", *SMALLER, "--seeds", "3", "--queries", "4000", "--no-digital", "--generations", "5",
            "--days", "1,3,10,30"),
    "pcm_alike": ("--device", "nandakumar2020_pcm", "--nonlinearity", "relu", *SMALLER, "--seeds", "3", "--queries", "4000",
                  "--no-digital"),
    "failing": (*mortal_mismatch.COMMON, "--failure-time", "2.5e7", "--days", "1,3,10,30"),
    **mortal_mismatch.STUDIES,
}  # fmt: skip
"""Name of a study -> options of `python -m analog_ff mortal`."""


def command(name: str) -> str:
    """Return the command of a study as a user types it."""
    return " ".join(("python -m analog_ff mortal", *STUDIES[name]))


def carry_out(name: str, place: Path) -> None:
    """Run a study, or go on with it, and keep its answer."""
    folder = place / name
    begin = time.monotonic()
    words = ["mortal", *STUDIES[name], "--folder", str(folder)]
    subprocess.run([sys.executable, "-m", "analog_ff", *words], check=True, cwd=HERE.parent)
    found = json.loads((folder / "mortal.json").read_text(encoding="utf-8")) | {"command": command(name)}
    RESULTS.mkdir(parents=True, exist_ok=True)
    whole_files.write(RESULTS / f"{name}.json", document(found))
    if name in mortal_mismatch.STUDIES:
        mortal_mismatch.draw(PICTURES / f"{mortal_mismatch.NAME}.png")
    else:
        whole_files.write(PICTURES / f"mortal_{name}.png", (folder / "mortal.png").read_bytes())
    print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)


def main() -> None:
    """Run the studies named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"one of {', '.join(STUDIES)} [default: all]")
    parser.add_argument("--place", type=Path, default=Path("runs") / "mortal", help="folder of the studies")
    asked = parser.parse_args()
    if unknown := set(asked.studies) - set(STUDIES):
        parser.error(f"no study is called {sorted(unknown)[0]} (known: {', '.join(STUDIES)})")
    for name in asked.studies or STUDIES:
        carry_out(name, asked.place.absolute())


if __name__ == "__main__":
    main()
