"""Sweeps that are disturbed, stopped and moved: every point exactly once, the same results; and what a second worker brings.

    python benchmarks/sweep_campaign.py [--points 200] [--parts kills,scheduler,stops,throughput] [--rounds 3] [--write]

The sweep is one of small runs on generated data, begun by the command of a user, each run with one thread.
`kills`: two workers, one of which is killed by SIGKILL again and again. `scheduler`: the same with a Dask scheduler and two Dask
workers, each a process of its own started by hand; another one is started for each that is killed. `stops`: Ctrl-C and SIGKILL to
the client, then the same command again. What `--status` says must be right before each kill of the first part and in the end.
After each part every point must be done, with exactly one attempt that succeeded, the last one, and its result must be that of
the undisturbed sweep, times aside. `throughput`: points a second of two workers by those of one, undisturbed, in turn; the sweep
before it has compiled the kernels.

The script prints a line for each part; `--write` keeps the figures in benchmarks/results/campaigns/sweeps.json, those of other
parts stay. The exit status is 1 if a point is missing, ran twice or differs, or if the throughput of two workers is less than 1.8
times that of one.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analog_ff.runs.first_use import cores  # noqa: E402
from analog_ff.sweeps.store import STATES  # noqa: E402
from benchmarks import campaign_runs as runs  # noqa: E402
from benchmarks.campaign_sweeps import PATIENCE, Campaign  # noqa: E402

WANTED = 1.8
"""Least ratio of the throughput of two workers to that of one."""
PAUSES = (2.0, 6.0)
"""Shortest and longest time between two kills [s]."""
Say = Callable[[str], None]


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Return the worker processes of a client, the oldest first."""
    asked = ["pgrep", "-P", str(process.pid), "-f", "analog_ff.sweeps.worker"]
    return [int(word) for word in subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()]


def wait(process: subprocess.Popen[str], happened: Callable[[], object]) -> None:
    """Wait until something has happened, or the process has ended."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None and not happened() and time.monotonic() < end:
        time.sleep(0.1)


def disturb(process: subprocess.Popen[str], chance: random.Random, kill: Callable[[], bool]) -> int:
    """Kill a worker of a client again and again until the client has ended, and return how often that succeeded."""
    sent = 0
    while process.poll() is None:
        until = time.monotonic() + chance.uniform(*PAUSES)
        wait(process, lambda until=until: time.monotonic() > until)
        sent += process.poll() is None and kill()
    return sent


def kills(campaign: Campaign, say: Say, chance: random.Random) -> dict[str, Any]:
    """Kill one of two workers again and again."""
    process = campaign.start("killed", "--workers", "2", "--retries", "1000")
    wait(process, lambda: len(workers_of(process)) == 2)
    spared, wrong, looked = workers_of(process)[0], list[str](), 0

    def kill() -> bool:
        nonlocal looked
        stands, looked = campaign.status("killed"), looked + 1
        if sum(stands[state] for state in STATES) != campaign.points or stands["running"] > 2 or stands["failed"]:
            wrong.append(f"the status said {stands}")
        for pid in [pid for pid in workers_of(process) if pid != spared]:
            os.kill(pid, signal.SIGKILL)
            return True
        return False  # it has not been started again yet

    sent = disturb(process, chance, kill)
    found = _ended(campaign, process, "killed") | {"kills": sent, "attempts_that_died": campaign.deaths("killed")}
    found |= {"statuses_read": looked, "faults": found["faults"] + wrong}
    say(
        f"one of two workers killed {sent} times, {found['attempts_that_died']} of them at work: {_said(found['faults'])}"
    )
    return found


def scheduler(campaign: Campaign, say: Say, chance: random.Random) -> dict[str, Any]:
    """Run the sweep on a scheduler and two workers that were started by hand; kill one of these again and again."""
    address = campaign.where / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.dask_"]
    about = ["--scheduler-file", str(address), "--no-dashboard", "--dashboard-address", ":0"]

    def by_hand(words: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            words, cwd=campaign.where, env=runs.environment(), text=True, stdout=DEVNULL, stderr=DEVNULL
        )

    head = by_hand([*dask[:2], f"{dask[2]}scheduler", "--port", "0", *about])
    worker = [*dask[:2], f"{dask[2]}worker", *about, "--nthreads", "1", "--no-nanny"]
    workers: list[subprocess.Popen[str]] = []

    def kill() -> bool:
        workers[-1].kill()
        workers[-1].wait()
        workers.append(by_hand(worker))
        return True

    try:
        wait(head, address.exists)
        workers += [by_hand(worker) for _ in range(2)]
        place = json.loads(address.read_text())["address"]
        process = campaign.start("cluster", "--scheduler", place, "--retries", "1000")
        wait(process, lambda: campaign.done("cluster") > 0)
        sent = disturb(process, chance, kill)
    finally:
        for started in (head, *workers):
            started.kill()
            started.wait()
    found = _ended(campaign, process, "cluster") | {"kills": sent}
    say(f"a Dask scheduler and two workers started by hand, one killed {sent} times: {_said(found['faults'])}")
    return found


def _ended(campaign: Campaign, process: subprocess.Popen[str], folder: str) -> dict[str, Any]:
    """Return the outcome of a sweep that was disturbed, after its client has ended."""
    said = process.communicate()[1]
    faults = [f"status {process.returncode}: {said.strip()[-300:]}"] if process.returncode else []
    stands = campaign.status(folder)
    if stands["done"] != campaign.points or stands["workers_died"] != campaign.deaths(folder):
        faults.append(f"the status says {stands}")
    return {"points": campaign.points, "faults": faults + campaign.faults(folder, "undisturbed")}


def stops(campaign: Campaign, say: Say) -> dict[str, Any]:
    """Stop the client of a sweep with Ctrl-C and kill it, and let the same command go on."""
    done, faults = [], []
    for share, sent in ((0.2, signal.SIGINT), (0.5, signal.SIGKILL)):
        process = campaign.start("stopped", "--workers", "2")
        wait(process, lambda share=share: campaign.done("stopped") >= share * campaign.points)
        process.send_signal(sent)
        said = process.communicate(timeout=PATIENCE)[1]
        if sent == signal.SIGINT and (process.returncode != 130 or "the same command goes on" not in said):
            faults.append(f"Ctrl-C ended with status {process.returncode}: {said.strip()[-300:]}")
        done.append(campaign.done("stopped"))
    campaign.complete("stopped", "--workers", "2")
    faults += campaign.faults("stopped", "undisturbed")
    say(f"stopped by Ctrl-C after {done[0]} points, killed after {done[1]}, and gone on: {_said(faults)}")
    return {"points": campaign.points, "done_at_ctrl_c": done[0], "done_at_kill": done[1], "faults": faults}


def throughput(campaign: Campaign, say: Say, rounds: int) -> dict[str, Any]:
    """Run the sweep with one worker and with two, in turn, each worker with one thread."""
    rates: dict[str, list[float]] = {"1": [], "2": []}
    for number in range(rounds):
        for workers, found in rates.items():
            folder = f"workers {workers} round {number}"
            campaign.complete(folder, "--workers", workers)
            found.append(round(campaign.rate(folder), 4))
            say(f"{workers} worker{'s' * (workers != '1')}, one thread each: {found[-1]:.2f} points/s")
    ratios = [round(two / one, 3) for one, two in zip(rates["1"], rates["2"], strict=True)]
    return {"points_per_second": rates, "ratios": ratios, "cores": cores(), "load": round(os.getloadavg()[0], 2)}


def _said(faults: Sequence[str]) -> str:
    return "; ".join(faults[:5]) or "every point once, all results equal"


PARTS = ("kills", "scheduler", "stops", "throughput")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the campaign; return 0 if every part ended as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=200, help="least number of points of each sweep")
    parser.add_argument("--parts", default=",".join(PARTS), help="parts that are carried out")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the throughput")
    parser.add_argument("--seed", type=int, default=0, help="seed of the moments of kills")
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results/campaigns")
    given = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as where:
        campaign = Campaign(Path(where), given.points)
        campaign.complete("undisturbed", "--workers", "2")
        found["undisturbed"] = {"points": campaign.points, "faults": campaign.faults("undisturbed")}
        say: Say = lambda line: print(line, flush=True)  # noqa: E731
        say(f"{campaign.points} points on two workers, undisturbed: {_said(found['undisturbed']['faults'])}")
        for part in given.parts.split(","):
            if part == "kills":
                found[part] = kills(campaign, say, random.Random(given.seed))
            elif part == "scheduler":
                found[part] = scheduler(campaign, say, random.Random(given.seed))
            elif part == "stops":
                found[part] = stops(campaign, say)
            elif part == "throughput":
                found[part] = throughput(campaign, say, given.rounds)
            else:
                parser.error(f"no part {part!r} (known: {', '.join(PARTS)})")
    ratio = max(found["throughput"]["ratios"]) if "throughput" in found else WANTED
    if "throughput" in found:
        print(f"two workers by one: {found['throughput']['ratios']}")
    if given.write:
        runs.RESULTS.mkdir(parents=True, exist_ok=True)
        file = runs.RESULTS / "sweeps.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | found, indent=1) + "\n")
    return int(any(part.get("faults") for part in found.values()) or ratio < WANTED)


if __name__ == "__main__":
    sys.exit(main())
