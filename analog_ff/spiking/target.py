"""Targets of a Brian2 network: C++ standalone in float32, or Cython or NumPy in float64; compiled code is kept.

A standalone project lives in a folder that depends on the structure of the network alone. Brian2 writes a source file only
where its text has changed, and make compiles only the units that hold it, so a second run of the same model compiles next to
nothing, and a wrong folder could cost time but no correctness. A lock keeps two processes out of one folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeVar

from analog_ff.output.messages import tell
from analog_ff.spiking import units
from analog_ff.spiking.brian import Brian, Network, Quantity
from hardware_models.check import RunError, UsageError

T = TypeVar("T")

CACHE = "ANALOG_FF_CACHE"
SLOTS = 64
REPORT_SECONDS = 5.0
_REPORT = """
    if (completed > 0.0 && completed < 1.0)
        std::cerr << "spiking network: " << (int)(100*completed) << " %, " << (int)((1 - completed)/completed*elapsed + 0.5)
                  << " s left" << std::endl << std::flush;
"""


def check_compiler(target: str) -> None:
    """Raise UsageError if the target needs a C++ compiler and none is installed."""
    if target == "numpy":
        return
    compiler = os.environ.get("CXX", "c++" if shutil.which("c++") else "g++").split()[0]
    tools = (compiler, "make") if target == "standalone" else (compiler,)
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing and sys.platform != "win32":
        raise UsageError(
            f"--target {target} needs a C++ compiler and {' and '.join(missing)} was not found: install one, or give "
            "--target numpy, which needs none and is far slower."
        )


@contextmanager
def prepared(target: str, seed: int) -> Iterator[Brian]:
    """Yield Brian2 with device, precision and seed set for a target; restore its settings afterwards."""
    check_compiler(target)
    with warnings.catch_warnings():
        # Brian2 compares float32 values with 1e50, and uses deprecated parts of NumPy, SymPy and pyparsing: both warn.
        warnings.filterwarnings("ignore", message="overflow encountered in cast", category=RuntimeWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        import brian2 as b2
        import numpy as np

        b2.BrianLogger.suppress_hierarchy("brian2.groups.group.Group.resolve")
        core = b2.prefs.core
        before = b2.prefs.codegen.target, core.default_float_dtype, core.stop_on_keyboard_interrupt
        try:
            # At Ctrl-C Brian2 would end the simulation but let the program continue with an incomplete result.
            core.stop_on_keyboard_interrupt = False
            if target == "standalone":
                b2.set_device("cpp_standalone", build_on_run=False)
                core.default_float_dtype = np.float32
                b2.prefs.devices.cpp_standalone.extra_make_args_unix = units.make_arguments()
            else:
                b2.set_device("runtime")
                b2.prefs.codegen.target = target
                core.default_float_dtype = np.float64
            b2.start_scope()
            b2.seed(seed)
            yield b2
        finally:
            if target == "standalone":
                b2.device.reinit()
            b2.set_device("runtime")
            b2.prefs.codegen.target, core.default_float_dtype, core.stop_on_keyboard_interrupt = before


class Runs:
    """Successive runs of one network; for a standalone target they are collected, and `finish` carries them out."""

    def __init__(self, b2: Brian, target: str, network: Network, *, quiet: bool = False) -> None:
        self._b2, self._standalone, self._network, self._quiet = b2, target == "standalone", network, quiet
        self.seconds: float | None = None  # time [s] of a standalone program on one core, with its reading and writing

    def run(self, duration: Quantity, what: str) -> None:
        """Run the network for a duration (with unit); `what` is the name of the run in the lines of progress."""
        if duration <= 0 * self._b2.second:
            return
        report: str | _Spoken | None = None
        if not self._quiet:
            report = _REPORT if self._standalone else _Spoken(what)
        self._network.run(duration, report=report, report_period=REPORT_SECONDS * self._b2.second, namespace={})

    def finish(self, structure: Sequence[object], take: Callable[[], T]) -> T:
        """Carry out the collected runs and return the result of `take`; raise RunError if the program fails.

        The results of a standalone program are files in its folder, so `take` reads them before the folder is released.
        """
        if not self._standalone:
            return take()
        with _folder(structure) as folder:
            try:
                units.build(self._b2.device, folder)
                before = _children_seconds()
                self._b2.device.run(with_output=False)
                self.seconds = _children_seconds() - before
            except RuntimeError as error:
                raise RunError(f"the standalone program in {folder} failed ({error})") from error
            return take()


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


class _Spoken:
    def __init__(self, what: str) -> None:
        self._what = what

    def __call__(self, elapsed: Quantity, completed: float, start: Quantity, duration: Quantity) -> None:
        if 0.0 < completed < 1.0:
            left = float(elapsed) * (1.0 - completed) / completed
            tell(f"{self._what}: {100 * completed:.0f} %, {left:.0f} s left")


def cache_root() -> Path:
    """Return the folder for compiled code: that of the variable ANALOG_FF_CACHE, or the user's cache folder."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE]) / "brian2"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "analog_ff" / "brian2"


@contextmanager
def _folder(structure: Sequence[object]) -> Iterator[Path]:
    """Yield a folder for this structure that no other process uses."""
    name = hashlib.sha256(repr(tuple(structure)).encode()).hexdigest()[:16]
    root = cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder {root} for compiled code cannot be made ({error.strerror}); set {CACHE}."
        ) from None
    lock: Callable[[TextIO], bool] = _try_lock
    for slot in range(SLOTS):
        folder = root / f"{name}-{slot}"
        folder.mkdir(exist_ok=True)
        with open(folder / ".lock", "w") as file:
            if lock(file):
                yield folder
                return
    raise RunError(f"all {SLOTS} folders for this network in {root} are in use")


def _try_lock(file: TextIO) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
