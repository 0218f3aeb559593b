"""Measure which share of a training step is spent outside compiled kernels, and which kernels take the rest.

    python benchmarks/speed/outside.py [--threads 1] [--steps 100] [--most 8]

Two steps are looked at: that of `benchmarks/speed/epoch.py` (784-1000-1000-1000, tile 1024) and that of the main job. Every
kernel that Python calls is timed by its calls; what is left of the step is NumPy, Python and the products of the read-out. The
clock is read twice a kernel, which adds less than a microsecond to each of some forty calls. Kernels hold their own matrix
products.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any  # kernels have no types

import numpy as np
from steps import Step, main_job, ours
from timing import now, positive, set_threads, thread_count, warn

from hardware_models.kernels.products import one_blas_thread

PACKAGES = ("analog_ff", "hardware_models")
WARM = 40
"""Steps before the first one that counts: weights and groups of lines settle."""


class Kernels:
    """The time spent in kernels [s], by name; making one replaces every kernel that Python calls by a timed call."""

    def __init__(self, threads: int) -> None:
        self.seconds: dict[str, float] = {}
        self._threads = threads
        timed: dict[int, Any] = {}
        for module in [module for name, module in sys.modules.items() if name.startswith(PACKAGES)]:
            for name, found in list(vars(module).items()):
                if called_by_python(found):
                    setattr(module, name, timed.setdefault(id(found), self._timed(name, found)))

    def _timed(self, name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            start = now(self._threads)
            try:
                return kernel(*args, **named)
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + now(self._threads) - start

        return call


def called_by_python(found: object) -> bool:
    """Tell whether an object is a kernel: a parallel one, before its dispatcher, or a serial one that has been compiled."""
    return hasattr(found, "dispatcher") or bool(getattr(found, "nopython_signatures", ()))


def looked_at(step: Step, kernels: Kernels, threads: int, steps: int) -> tuple[float, float, dict[str, float]]:
    """Return the median time of a step [s], the median share outside kernels, and the time of each kernel in a step [s]."""
    kernels.seconds.clear()
    whole, share = [], []
    with one_blas_thread():
        for number in range(WARM, WARM + steps):
            before, start = sum(kernels.seconds.values()), now(threads)
            step(number)
            whole.append(now(threads) - start)
            share.append(1.0 - (sum(kernels.seconds.values()) - before) / whole[-1])
    each = {name: seconds / steps for name, seconds in kernels.seconds.items()}
    return float(np.median(whole)), float(np.median(share)), each


def main() -> None:
    """Measure both steps, and print the share outside kernels and the kernels that take most."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=thread_count, default=1)
    parser.add_argument("--steps", type=positive, default=100)
    parser.add_argument("--most", type=positive, default=8, help="kernels that are listed")
    given = parser.parse_args()
    warn([given.threads])
    set_threads(given.threads)
    steps = {"784-1000-1000-1000": ours(1024), "main job": main_job()[0]}
    with one_blas_thread():
        for step in steps.values():
            for number in range(WARM):
                step(number)
    kernels = Kernels(given.threads)
    for name, step in steps.items():
        whole, share, each = looked_at(step, kernels, given.threads, given.steps)
        outside = f"{100.0 * share:.0f} % of it outside kernels ({1e3 * share * whole:.1f} ms)"
        print(f"{name}: {1e3 * whole:.1f} ms a step, {outside}")
        for kernel, seconds in sorted(each.items(), key=lambda entry: -entry[1])[: given.most]:
            print(f"{kernel:>28} {1e3 * seconds:7.2f} ms")


if __name__ == "__main__":
    main()
