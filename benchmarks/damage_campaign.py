"""Damage a run between a kill and `--resume`: flip bits of its checkpoint, fill the disk, or edit the files that it reads.

    python benchmarks/damage_campaign.py [--flips 12] [--sizes 20] [--seed 0] [--write]

A bit flip must be refused in one sentence, or be reported while the previous checkpoint is used and the result stays the same. A
full disk (a file system in memory of a given size if this user may mount one, else a limit on the size of a file) must end
the run with status 1 and one sentence, leave no temporary file, and let `--resume` finish with the same result once there is
room. An edited device file, data file, technology or source file must be refused by name. The script prints a line for each
case; `--write` keeps the table in benchmarks/results/campaigns/damage.json. The exit status is 1 if any case behaved otherwise.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from benchmarks import campaign_runs as runs  # noqa: E402
from benchmarks.kill_campaign import until  # noqa: E402

CASE = runs.CASES["accumulate"]
NEURON = "import numpy as np\n\n\ndef hump(x):\n    return np.maximum(x, 0.0) / (1.0 + x * x)\n"
PARAMETERS = ROOT / "hardware_models" / "parameters" / "wu2018_taox_hfox.toml"
TECHNOLOGY = ROOT / "hardware_models" / "energy" / "technologies" / "cmos_32nm.toml"


def killed(case: runs.Case, where: Path, epochs: int = 2) -> Path:
    """Return the folder of a run that was killed after some epochs."""
    process = runs.start(case.command(*case.options), where)
    folder = where / runs.RUN
    if not until(process, lambda: runs.rows(folder) >= epochs):
        raise SystemExit(f"the run ended before it was killed: {process.communicate()[1].strip()}")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return folder


def told(said: str) -> str:
    """Return the warnings and errors in the messages of a command."""
    return " ".join(line for line in said.splitlines() if not line.startswith("epoch ")).strip()


# --- bits of the checkpoint ---


def flips(number: int, chance: random.Random, where: Path, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return the outcome of resuming with one flipped bit in the checkpoint, for positions spread over the file."""
    reference = runs.uninterrupted(CASE, where / "undisturbed")
    (where / "killed").mkdir()
    killed(CASE, where / "killed")
    table = []
    for n in range(number):
        place = where / f"flip {n}"
        shutil.copytree(where / "killed", place)
        path = place / runs.RUN / "checkpoint.h5"
        data = bytearray(path.read_bytes())
        at = min(int((n + chance.random()) * len(data) / number), len(data) - 1)
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        status, said = runs.complete(CASE.command("--resume"), place)
        if status:
            outcome, fault = (
                "refused",
                "" if status == 2 and runs.one_sentence(said) else f"status {status}: {said[-300:]}",
            )
        else:
            unequal = runs.differences(place / runs.RUN, reference)
            outcome = "told, and the checkpoint before was used" if told(said) else "silent"
            fault = "; ".join(unequal) or ("nothing was said" if outcome == "silent" else "")
        table.append({"byte": at, "of": len(data), "outcome": outcome, "fault": fault})
        say(f"bit flip at byte {at} of {len(data)}: {outcome}; {fault or 'as it should be'}")
    return table


# --- a full disk ---


class Disk:
    """A folder on a file system of limited size, or one with a limit on the size of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.mounted = not self._mount("size=1m")

    def _mount(self, options: str) -> int:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    def run(self, size: int, *more: str) -> tuple[int, str]:
        """Return the status and standard error of a run with `size` bytes of room."""
        if self.mounted:
            self._mount(f"remount,size={size}")
            return runs.complete(CASE.command(*more), self.folder)

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        return runs.complete(CASE.command(*more), self.folder, preexec_fn=limit)

    def empty(self) -> None:
        """Remove all files that runs have left."""
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def close(self) -> None:
        """Unmount the file system."""
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


ROOM = 2**26
PAGE = 4096


def full_disks(number: int, where: Path, say: Callable[[str], None]) -> tuple[str, list[dict[str, Any]]]:
    """Return the kind of disk, and the outcomes of runs on disks of different sizes, the largest one page too small."""
    reference = runs.uninterrupted(CASE, where / "undisturbed")
    disk = Disk(where / "disk")
    kind = "a file system of that size" if disk.mounted else "a limit on each file"
    sizes = [path.stat().st_size for path in reference.iterdir()]
    enough = sum(-(-s // PAGE) * PAGE for s in sizes) if disk.mounted else max(sizes)
    table = []
    try:
        for n in range(1, number + 1):
            size = max(enough * n // (number + 1), PAGE) // PAGE * PAGE if disk.mounted else enough * n // (number + 1)
            status, said = disk.run(size, *CASE.options)
            folder = disk.folder / runs.RUN
            faults = [] if status == 1 and runs.one_sentence(said) else [f"status {status}: {told(said)[-300:]}"]
            left = [p.name for place in (disk.folder, folder) if place.is_dir() for p in place.iterdir()]
            faults += [f"{name} was left" for name in left if name.startswith(".") or name.endswith(".tmp")]
            stood = folder.is_dir()
            status, more = disk.run(ROOM, *(("--resume",) if stood else CASE.options))
            faults += [f"then status {status}: {told(more)[-300:]}"] if status else runs.differences(folder, reference)
            table.append({"bytes": size, "said": told(said)[-200:], "resumed": stood, "fault": "; ".join(faults)})
            say(f"disk of {size} bytes: {told(said)[-120:]}; {'; '.join(faults) or 'as it should be'}")
            disk.empty()
    finally:
        disk.close()
    return kind, table


# --- edited input files ---


def edits(where: Path, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return the message of `--resume` after an edit of each file that a run reads."""
    place = where / "killed"
    place.mkdir(parents=True)
    generator = np.random.default_rng(0)
    images, labels = generator.random((600, 36)).astype(np.float32), generator.integers(0, 4, 600)
    np.savez(place / "mine.npz", x_train=images[:400], y_train=labels[:400], x_test=images[400:], y_test=labels[400:])
    shutil.copy(PARAMETERS, place / "device.toml")
    shutil.copy(TECHNOLOGY, place / "technology.toml")
    (place / "neuron.py").write_text(NEURON)
    options = ("--data", "mine.npz", "--shift", "0", "--layers", "30", "--epochs", "6", "--device", "device.toml")
    case = runs.Case(runs.SIMULATE, (*options, "--technology", "technology.toml", "--nonlinearity", "neuron.py:hump"))
    killed(case, place)

    def labels_turned(path: Path) -> None:
        with np.load(path) as arrays:
            kept = dict(arrays)
        np.savez(path, **{**kept, "y_train": np.roll(kept["y_train"], 1)})

    def appended(path: Path) -> None:
        path.write_text(path.read_text() + "\n# looked at\n")

    def changed(path: Path) -> None:
        path.write_text(path.read_text().replace("1.0 +", "1.5 +"))

    table = []
    for name, edit in {
        "device.toml": appended, "mine.npz": labels_turned, "technology.toml": appended, "neuron.py": changed,
    }.items():  # fmt: skip
        copy = where / f"edited {name}"
        shutil.copytree(place, copy)
        edit(copy / name)
        before = {p.name: p.read_bytes() for p in (copy / runs.RUN).iterdir()}
        status, said = runs.complete(case.command("--resume"), copy)
        fault = (
            "" if status == 2 and runs.one_sentence(said) and name in said else f"status {status}: {told(said)[-300:]}"
        )
        if {p.name: p.read_bytes() for p in (copy / runs.RUN).iterdir()} != before:
            fault += " (and the run's folder was changed)"
        table.append({"edited": name, "said": told(said)[-300:], "fault": fault})
        say(f"edited {name}: {told(said)[-200:]}; {fault or 'as it should be'}")
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the campaign; return 0 if no damage was missed, no run crashed and no file was left behind."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flips", type=int, default=12)
    parser.add_argument("--sizes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="keep the table in benchmarks/results/campaigns")
    given = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, flush=True)

    found: dict[str, Any] = {"seed": given.seed}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        found["edits"] = edits(where / "edits", say)
        found["flips"] = flips(given.flips, random.Random(given.seed), where / "flips", say) if given.flips else []
        if given.sizes:
            found["disk"], found["sizes"] = full_disks(given.sizes, where / "sizes", say)
    faults = [row["fault"] for part in found.values() if isinstance(part, list) for row in part if row["fault"]]
    say(f"{len(faults)} of {sum(len(p) for p in found.values() if isinstance(p, list))} not as they should be")
    if given.write:
        runs.RESULTS.mkdir(parents=True, exist_ok=True)
        (runs.RESULTS / "damage.json").write_text(json.dumps({**found, "faults": len(faults)}, indent=1) + "\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
