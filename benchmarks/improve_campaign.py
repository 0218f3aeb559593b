"""Studies of what a device must improve, and a specification, whose answers stand in the docs.

    python benchmarks/improve_campaign.py [STUDY ...] [--workers 2] [--place FOLDER]

Every study is a command of the program (`STUDIES`). Its runs stand in a store in --place, so that a campaign that was stopped
goes on. The answer goes to benchmarks/results/improve/STUDY.json, its picture to docs/img/improve_STUDY.png; `run.py --tables`
makes the pages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from catalogue import HERE

from analog_ff.output import whole_files
from analog_ff.output.forms import document

RESULTS = HERE / "results" / "improve"
PICTURES = HERE.parent / "docs" / "img"
PLAIN = ("--preset", "plain", "--threads", "1")
SMALL = (*PLAIN, "--layers", "32", "--epochs", "4")
STUDIES: dict[str, tuple[str, ...]] = {
    "memristor": ("--device", "memristor", *PLAIN, "--seeds", "3", "--confirm", "2", "--curves", "1", "--together", "0"),
    "invented_poor": (
        "--device", "benchmarks/devices/invented_poor.toml", *SMALL, "--seeds", "3", "--confirm", "3", "--curves", "2",
        "--together", "2",
    ),
    "specification": (
        "--device", "benchmarks/devices/invented_flawless.toml", *SMALL, "--specify", "cycle_noise,asymmetry,adc", "--loss", "2",
        "--seeds", "10",
    ),
}  # fmt: skip
"""Name of a study -> options of `python -m analog_ff improve`."""


def command(name: str) -> str:
    """Return the command of a study as a user types it."""
    return " ".join(("python -m analog_ff improve", *STUDIES[name]))


def carry_out(name: str, place: Path, workers: int) -> None:
    """Run a study, or go on with it, and keep its answer."""
    folder = place / name
    begin = time.monotonic()
    words = ["improve", *STUDIES[name], "--workers", str(workers), "--folder", str(folder)]
    subprocess.run([sys.executable, "-m", "analog_ff", *words], check=True, cwd=HERE.parent)
    stem = "specification" if "--specify" in STUDIES[name] else "improve"
    found = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
    for private in ("out", "data_dir"):
        found["config"].pop(private)
    found["command"] = command(name)
    RESULTS.mkdir(parents=True, exist_ok=True)
    whole_files.write(RESULTS / f"{name}.json", document(found))
    whole_files.write(PICTURES / f"improve_{name}.png", (folder / f"{stem}.png").read_bytes())
    print(f"{name}: {time.monotonic() - begin:.0f} s", flush=True)


def main() -> None:
    """Run the studies named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"one of {', '.join(STUDIES)} [default: all]")
    parser.add_argument("--workers", type=int, default=2, help="worker processes")
    parser.add_argument("--place", type=Path, default=Path("runs") / "improve", help="folder of the stores")
    asked = parser.parse_args()
    if unknown := set(asked.studies) - set(STUDIES):
        parser.error(f"no study is called {sorted(unknown)[0]} (known: {', '.join(STUDIES)})")
    for name in asked.studies or STUDIES:
        carry_out(name, asked.place.absolute(), asked.workers)


if __name__ == "__main__":
    main()
