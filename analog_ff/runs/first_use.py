"""The first run on a machine compiles its kernels: on two cores at once, and it says so.

A rehearsal (`analog_ff.runs.rehearsal`) finds out in another process which kernels the run will call, and hands them to a third
one (`hardware_models.kernels.ahead`), which compiles them from the last to the first while the run compiles from the first on.
Nothing is begun where all kernels are in the cache already. ``ANALOG_FF_COMPILE_AHEAD=0`` does nothing of this.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from subprocess import DEVNULL, PIPE, Popen

from analog_ff.config.config import Config
from analog_ff.output.messages import tell
from analog_ff.runs.rehearsal import can_be_rehearsed
from hardware_models.kernels import compiling

SWITCH = "ANALOG_FF_COMPILE_AHEAD"
"""Environment variable that switches this module off with 0."""
SAYS = "compiling kernels, first use on this machine (later runs load them)"


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def compiling_ahead(config: Config) -> Iterator[None]:
    """Compile kernels beside the run within the ``with``, from the moment on in which the run has to compile one."""
    if os.environ.get(SWITCH) == "0":
        yield
        return
    with ExitStack() as closing:

        def begin() -> None:
            tell(SAYS)
            if can_be_rehearsed(config) and cores() > 1:
                with suppress(OSError):  # this system starts no more processes: the run compiles alone
                    _begin(config, closing)

        closing.enter_context(compiling.at_first(begin))
        yield


def _begin(config: Config, closing: ExitStack) -> None:
    """Start both processes, which `closing` ends; the second one reads what the first one writes."""
    folder = closing.enter_context(tempfile.TemporaryDirectory())
    own = {**os.environ, SWITCH: "0", "TMPDIR": folder}
    python = [sys.executable, "-m"]
    interpreted = own | {"NUMBA_DISABLE_JIT": "1"}
    rehearsal = Popen([*python, "analog_ff.runs.rehearsal"], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=interpreted)
    closing.callback(_end, rehearsal)
    assert rehearsal.stdin is not None and rehearsal.stdout is not None  # they are pipes
    with rehearsal.stdin as given, rehearsal.stdout as found, suppress(BrokenPipeError):
        ahead = [*python, "hardware_models.kernels.ahead"]
        closing.callback(_end, Popen(ahead, stdin=found, stdout=DEVNULL, stderr=DEVNULL, env=own))
        given.write(config.to_toml({}).encode())


def _end(process: Popen[bytes]) -> None:
    process.kill()
    process.wait()
