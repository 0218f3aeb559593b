"""Boxes for tests, in Python without any package: neurons that do right, and neurons that do one thing wrong.

``python outside_boxes.py WHAT [NUMBER]`` answers the line protocol at standard input; WHAT is a name below, and what is wrong
happens at the message of that number.
"""

from __future__ import annotations

import array
import json
import math
import os
import signal
import sys
import time

HELLO = {"what": "neurons", "save": False, "repeatable": True}
WRONG = {
    "late": "has given no answer within",
    "shape": "should send 'y' of the shape",
    "nan": "sent NaN or infinity in 'y'",
    "garbage": "where a line of JSON should stand",
    "dies": "killed by SIGKILL",
    "exits": "has ended with status 3, after it had written: starting / the lamp is broken",
    "refuses": "answered 'neurons' of layer",
    "missing": "sent no array 'y'",
    "events": "counts of events are whole numbers",
    "version": "speaks version 7 of the protocol, not 1",
}
"""Name of a box that does one thing wrong -> a part of the sentence in which that is told."""


def say(entries: dict, arrays: dict | None = None) -> None:
    """Write an answer; arrays are pairs of a shape and float32 numbers."""
    given = arrays or {}
    stated = [{"name": name, "type": "<f4", "shape": shape} for name, (shape, _) in given.items()]
    line = json.dumps({"version": 1, **entries, "arrays": stated}).encode() + b"\n"
    sys.stdout.buffer.write(line + b"".join(array.array("f", values).tobytes() for _, values in given.values()))
    sys.stdout.buffer.flush()


def wrong(what: str, shape: list[int], y: list[float]) -> None:
    """Do the one thing wrong."""
    if what == "late":
        time.sleep(60)
    elif what == "shape":
        say({}, {"y": ([shape[1], shape[0] + 1], y + y[: shape[1]])})
    elif what == "nan":
        say({}, {"y": (shape, [math.nan, *y[1:]])})
    elif what == "garbage":
        sys.stdout.buffer.write(b"ready.\n")
        sys.stdout.buffer.flush()
    elif what == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "exits":
        print("starting\n the lamp is broken", file=sys.stderr, flush=True)
        sys.exit(3)
    elif what == "refuses":
        say({"error": {"kind": "UsageError", "message": "the lamp is off"}})
    elif what == "missing":
        say({})
    elif what == "events":
        say({"events": {"counts": {"reads.cells": 0.5}}}, {"y": (shape, y)})
    elif what == "version":
        say({"version": 7})


def main(what: str, number: int) -> None:
    """Answer until standard input ends; "remembers" adds a memory of what came before, "noisy" one that is not saved."""
    asked, memory = 0, 0.0
    hello = {**HELLO, "save": what == "remembers", "repeatable": what != "noisy"}
    for line in sys.stdin.buffer:
        message = json.loads(line)
        arrays = {}
        for one in message["arrays"]:
            values = array.array("f")
            values.frombytes(sys.stdin.buffer.read(4 * math.prod(one["shape"])))
            arrays[one["name"]] = (one["shape"], values)
        if message["method"] == "hello":
            say({"value": hello})
        elif message["method"] == "fabricate":
            say({})
        elif message["method"] == "save":
            say({}, {"memory": ([1], [memory])})
        elif message["method"] == "restore":
            memory = arrays["memory"][1][0]
            say({})
        else:
            asked += 1
            shape, z = arrays["z"]
            y = [max(0.0, v) / (1.0 + 0.1 * (k % shape[1])) + memory for k, v in enumerate(z)]
            if what in ("remembers", "noisy"):
                memory = array.array("f", [0.9 * memory + 0.01 * max(0.0, z[-1])])[0]
            wrong(what, shape, y) if what in WRONG and asked >= number else say({}, {"y": (shape, y)})


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
