"""Measure the cost of counting: the wall time of a training epoch with and without the sums that only the ledger needs.

    python benchmarks/energy_counting.py [--layers 500,500] [--data mnist-5k] [--repeats 3]

The functions that count are replaced by stubs: adding, pricing of bursts and of coincident trains, the energy of a read, the
half-selected sums. The stubs also remove the chip's clock, which is needed without any counting, so the figure is a little too
high; the sums that follow the conductances stay. Both variants run in turn, the shortest time of each is used, and the ratio
is printed and stored in benchmarks/results/energy/counting.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from hardware_models.crossbar import reading, write_costs, writing
from hardware_models.events import Events, Ledger, Tally

RESULT = Path(__file__).resolve().parent / "results" / "energy" / "counting.json"
NOTHING = Events({}, {"time": 0.0, "read.v2g": 0.0})


def stubbed() -> ExitStack:
    """Return a context in which the chip counts no events."""
    stack = ExitStack()

    def nothing(*_: Any, **__: Any) -> Events:
        return NOTHING

    def kept(self: Any, *_: Any, **__: Any) -> Any:
        return self

    for owner, name, stub in (
        (write_costs, "priced", nothing),
        (write_costs, "train", nothing),
        (reading, "read_events", nothing),
        (writing, "_half_selected", lambda *_: 0.0),
        (Events, "__add__", kept),
        (Tally, "__add__", kept),
        (Tally, "add", lambda *_: None),
        (Ledger, "book", lambda *_: None),
    ):
        stack.enter_context(mock.patch.object(owner, name, stub))
    return stack


def seconds(config: dict[str, Any], counting: bool) -> float:
    """Return the time [s] of the second of two epochs; the first one compiles and warms up."""
    moments: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        made = Config(**config, epochs=2, out=str(Path(place) / "run"))
        with ExitStack() as stack:
            if not counting:
                stack.enter_context(stubbed())

                class Stopped(Exception):
                    """Ends a run without counts before it computes figures, which would be useless."""

                def after(epoch: int) -> None:
                    moments.append(time.process_time())
                    if epoch == 2:
                        raise Stopped

                try:
                    execute(made, quiet=True, after_epoch=after)
                except Stopped:
                    pass
            else:
                execute(made, quiet=True, after_epoch=lambda _: moments.append(time.process_time()))
    return moments[1] - moments[0]


def main() -> None:
    """Measure both times, print their ratio and store it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", default="500,500")
    parser.add_argument("--data", default="mnist-5k")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    layers = tuple(int(n) for n in given.layers.split(","))
    found = {}
    for update in ("accumulate", "coincidence"):
        config = {"data": given.data, "layers": layers, "update": update, "images_per_epoch": 1000}
        times: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(given.repeats):
            for counting in (False, True):
                times[counting].append(seconds(config, counting))
        best = {way: float(np.min(values)) for way, values in times.items()}
        share = best[True] / best[False] - 1.0
        found[update] = {"counted_seconds": best[True], "uncounted_seconds": best[False], "share": share}
        print(
            f"update {update}: {best[True]:.3f} s counted, {best[False]:.3f} s not, counting adds {100 * share:.1f} %"
        )
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    kept = {"layers": layers, "data": given.data, "clock": "processor time, one thread", "updates": found}
    RESULT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
