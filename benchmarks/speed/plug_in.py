"""Compare the speed of the guide's device with @njit and with NumPy.

    python benchmarks/speed/plug_in.py [--cells 512] [--json]

Both devices come from the code blocks of docs/how-to/plug-in.md and pulse the same array: one pulse a cell, 0 to 3 of either
sign, and one pulse on one cell in a hundred, as an update of learning makes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from timing import burst

from hardware_models.keys import Key
from hardware_models.load import load_device

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "plug-in.md"


def seconds(device: Any, pulses: np.ndarray, runs: int = 9) -> float:
    """Return the median time of one burst."""
    state = device.fabricate(pulses.shape, Key(0, "speed"))
    number = itertools.count()
    return burst(lambda: device.pulse(state, pulses, Key(0, "speed").at(next(number))), runs=runs)


def main() -> None:
    """Measure both devices and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=512, help="rows and columns of the array")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    shape = (options.cells, options.cells)
    bursts = {
        "one pulse": np.ones(shape, np.int32),
        "0 to 3 pulses": np.random.default_rng(0).integers(-3, 4, shape, dtype=np.int32),
        "a pulse on one cell in a hundred": (np.random.default_rng(0).random(shape) < 0.01).astype(np.int32),
    }
    with tempfile.TemporaryDirectory() as folder:
        devices = []
        blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
        for name, text in zip(("sluggish", "compiled"), blocks, strict=False):
            file = Path(folder) / f"{name}.py"
            file.write_text(text)
            devices.append(load_device(f"{file}:Sluggish"))
        rows = []
        for burst, pulses in bursts.items():
            plain, compiled = (seconds(d, pulses) for d in devices)
            rows.append({"burst": burst, "numpy_ms": plain * 1e3, "njit_ms": compiled * 1e3, "ratio": plain / compiled})
    if options.json:
        print(json.dumps({"cells": options.cells**2, "rows": rows}))
        return
    for r in rows:
        print(
            f"{r['burst']:>14}: NumPy {r['numpy_ms']:.1f} ms, @njit {r['njit_ms']:.1f} ms, {r['ratio']:.1f} times faster"
        )


if __name__ == "__main__":
    main()
