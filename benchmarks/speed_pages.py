"""Pages of results on speed: operations against their limits, other programs on the same work, threads and sizes."""

from __future__ import annotations

from typing import Any

from other_pages import found_in, table
from pages import Page, folded

FAST = 1.8
"""Ratio of one thread to two below which a page says why."""
BUSY = 0.1
"""Number of cores at work for other processes from which a page says so."""
LEAST = 0.02
"""Share of a step that is named as a reason."""


def speed_pages() -> list[Page]:
    """Return the pages whose results exist."""
    return [page for page in (roofline(), peer_times(), scaling(), memory()) if page is not None]


def on(machine: dict[str, Any]) -> str:
    """Return the machine of a measurement in words."""
    busy = machine.get("others", 0.0)
    beside = f"; other processes kept {busy:.1f} cores busy" if busy > BUSY else ""
    return f"{machine['cpu']}, {machine['cores']} cores, NumPy {machine['numpy']}, Numba {machine['numba']}{beside}"


def between(values: list[float], form: str = "") -> str:
    """Return the least and the largest of some values as text, by default with two digits."""
    ends = [f"{value:{form}}" if form else short(value) for value in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends))


def short(value: float) -> str:
    """Return a number with at least two digits and without an exponent."""
    return f"{value:.0f}" if value >= 10.0 else f"{value:.2g}"


def roofline() -> Page | None:
    """Return the page that holds every operation against its limit."""
    found = found_in("speed", "roofline.json")
    if found is None:
        return None
    units = (("flop", "product, GFLOP/s", 1e9), ("memory", "copy in memory, GB/s", 1e9),
             ("cache", "copy in cache, GB/s", 1e9), ("normal", "normal numbers, million/s", 1e6),
             ("coarse", "coarse normal", 1e6), ("uniform", "uniform", 1e6))  # fmt: skip
    limits = [[n, *(short(c[key] / unit) for key, _, unit in units)] for n, c in found["ceilings"].items()]
    rows = [
        [r["operation"], str(r["threads"]), f"{r['flop'] / 1e6:.3g}", f"{r['bytes'] / 1e6:.3g}",
         f"{(r['normal'] + r['coarse'] + r['uniform']) / 1e6:.3g}", short(r["ms"]), short(r["least_ms"]), r["limit"],
         f"{r['share']:.0%}"] for r in found["rows"]
    ]  # fmt: skip
    head = "operation | threads | MFLOP | MB | million numbers | ms | least ms | limit | share of the limit"
    body = [
        f"Layers of {found['n']} x {found['n']} weights on the memristor, batch {found['batch']}. The least time is that of the",
        "work which the operation cannot do without, at the limits of the machine, measured in the same run; the docstring of",
        "`benchmarks/speed/operations.py` has the formulas. One thread: processor time; two: wall time; best of the rounds.",
        f"{on(found['machine'])}.", "",
        *folded("limits", table(" | ".join(["threads", *(name for _, name, _ in units)]), limits)),
        *folded("operations", table(head, rows)),
        *baseline(),
    ]  # fmt: skip
    one = {
        r["operation"]: r["share"] for r in found["rows"] if r["threads"] == min(r["threads"] for r in found["rows"])
    }
    kinds = {kind: [share for name, share in one.items() if name.startswith(kind)]
             for kind in ("read", "update", "pulses", "dense pulses", "trains")}  # fmt: skip
    said = ", ".join(f"{kind} {between(shares, '.0%')}" for kind, shares in kinds.items())
    answer = f"Share of the limit that binds each, one thread: {said}."
    command = "`python benchmarks/speed/roofline.py --write`, `python benchmarks/speed/baseline.py --write`"
    return Page("roofline", "Speed: operations against their limits", answer, command, body)


def baseline() -> list[str]:
    """Return the lines on the stored ratios to products."""
    found = found_in("speed", "baseline.json")
    if found is None or "full" not in found:
        return []
    rows = []
    for name, r in found["full"]["rows"].items():
        operation, _, threads = name.rpartition("; threads: ")
        rows.append([operation, threads, short(r["ms"]), f"{r['median']:.2f}", f"{r['least']:.2f} to {r['most']:.2f}"])
    return [
        "`python benchmarks/speed/baseline.py` measures the ratios of the operations to matrix products of the same shape again,",
        "and ends with status 1 if one is worse than the stored one by more than 20 %.", "",
        *folded("stored ratios to the product", table("operation | threads | ms | ratio | over the rounds", rows)),
    ]  # fmt: skip


def peer_times() -> Page | None:
    """Return the page on times beside other programs."""
    found = found_in("peers", "times.json")
    if found is None:
        return None
    timed = [r for r in found["rows"] if "median" in r]
    rows = []
    for r in found["rows"]:
        head = [r["peer"], r["operation"], str(r.get("threads", ""))]
        apart = f"{r['agreement']}: {r['apart']:.1g}" if "agreement" in r else ""
        if "median" in r:
            ratio = f"{short(r['median'])} ({short(r['least'])} to {short(r['most'])})"
            rows.append([*head, short(r["ours_ms"]), short(r["theirs_ms"]), ratio, apart])
        else:
            rows.append([*head, "", "", r["note"], apart])
    programs = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    body = [
        f"Both programs do the same operation in turn, {found['rounds']} rounds; the ratio is the time of the other program over",
        "that of this project: the median round, the least and the most. Results are compared first, and what does not agree is",
        "not timed. One thread: processor time; two: wall time.",
        f"{on(found['machine'])}; {programs}.", "",
        *folded("times", table("program | operation | threads | here, ms | there, ms | ratio | agreement", rows)),
        "What differs: aihwkit draws trains and has one device a weight; its spread from device to device is normal, here",
        "log-normal. It pulses a batch image by image; this project pulses the summed product, on two devices a weight.",
        "CrossSim draws the noise of every cell, this project that of the sum on every line, which has the same distribution.",
        "badcrossbar solves all nodes directly, this project to a bound of 1e-6. loeweX has no hardware at all.", "",
    ]  # fmt: skip
    said = []
    for peer in dict.fromkeys(r["peer"] for r in timed):
        said.append(f"{peer} {between([r['median'] for r in timed if r['peer'] == peer])}")
    answer = f"Time of other programs in units of this project's: {', '.join(said)}."
    command = "`PYTHON benchmarks/peers/times.py --crosssim FOLDER --loewex FOLDER --write`"
    return Page("peer_times", "Speed: the same work in other programs", answer, command, body)


def scaling() -> Page | None:
    """Return the page on threads, sizes, memory, and learning image by image."""
    found = found_in("speed", "scaling.json")
    if found is None:
        return None
    rows = []
    for r in found["rows"]:
        for threads, one in r["threads"].items():
            last = threads == max(r["threads"])
            faster = [f"{r['speedup']:.2f}", reason(r)] if last and "speedup" in r else ["", ""]
            memory = [f"{one[what] / 2**20:.0f}" for what in ("peak", "declared")]
            minutes = f"{r['epoch_seconds'][threads] / 60:.1f}"
            rows.append([r["case"], str(r["batch"]), threads, short(1e3 * one["median"]), minutes, *memory, *faster])
    head = "network | batch | threads | ms a step | minutes for 60 000 images | peak MiB | declared MiB | one thread / two | why"
    body = [
        "Forward-Forward on the memristor, update `accumulate`, tiles of 256 x 256, each row in a process of its own. One",
        "thread: processor time; two: wall time. Declared",
        "is the state that a resumed run needs. Two threads are slower than twice one where one core works alone for a share of",
        "the step, or where the same work takes longer on two cores at once, because they share memory and cache.",
        *shared(found["ceilings"]),
        f"{on(found['machine'])}.", "",
        *folded("times", table(head, rows)),
    ]  # fmt: skip
    online = next((r for r in reversed(found["rows"]) if r["batch"] == 1), None)
    ratios = [r["speedup"] for r in found["rows"] if "speedup" in r]
    answer = f"Two threads are {between(ratios, '.2f')} times as fast as one" if ratios else "One thread was measured"
    if online is not None:
        minutes = min(online["epoch_seconds"].values()) / 60
        answer += f"; image by image, {online['case'].partition(',')[0]} takes {minutes:.0f} minutes for 60 000 images"
    command = "`python benchmarks/speed/scaling.py --write`"
    return Page("scaling", "Speed: threads, sizes and memory", f"{answer}.", command, body)


def memory() -> Page | None:
    """Return the page on the memory and the disk that a run takes."""
    found = found_in("speed", "memory.json")
    if found is None:
        return None
    parts = ("peak", "state", "checkpoint", "folder")
    rows = [
        [
            preset,
            *(f"{sizes[part] / 1e6:.0f}" for part in parts),
            *(f"{sizes[p] / sizes['state']:.2f}" for p in parts[::2]),
        ]
        for preset, sizes in found["bytes"].items()
    ]
    head = "preset | peak MB | state MB | checkpoint MB | folder MB | peak / state | checkpoint / state"
    body = [
        f"`simulate --device memristor --layers {found['layers']}`, one epoch of {found['images']} images, with each preset:",
        "the largest memory of the process, the arrays of the run's state (chip and learner), the checkpoint, which leaves out",
        "what comes from the chip's seed, and the folder that the run leaves with `--keep last`.", "",
        *folded("sizes", table(head, rows)),
    ]  # fmt: skip
    answer = "; ".join(
        f"{preset}: peak {row[1]} MB, folder {row[4]} MB" for preset, row in zip(found["bytes"], rows, strict=True)
    )
    command = "`python benchmarks/speed/memory.py --write`"
    return Page("memory", "Speed: memory and disk of a run", f"{answer}.", command, body)


def shared(ceilings: dict[str, dict[str, float]]) -> list[str]:
    """Return a line on the limits of the machine with two threads, in units of those with one."""
    if not {"1", "2"} <= ceilings.keys():
        return []
    times = {name: ceilings["2"][name] / ceilings["1"][name] for name in ("flop", "memory", "cache")}
    return [
        f"The machine itself, two threads over one: products {times['flop']:.2f}, copies in memory {times['memory']:.2f}, in the"
        f" cache {times['cache']:.2f}."
    ]


def reason(row: dict[str, Any]) -> str:
    """Return why two threads give less than `FAST` times the speed, in words; nothing if they do not."""
    if row["speedup"] >= FAST:
        return ""
    if row["serial_share"] > 1.0:
        return "other processes were at work"
    reasons = []
    if row["serial_share"] > LEAST:
        reasons.append(f"one core works alone for {row['serial_share']:.0%} of the step")
    if row["work_grows"] > 1.0 + LEAST:
        reasons.append(f"the work takes {row['work_grows']:.2f} times the processor time")
    return "; ".join(reasons)
