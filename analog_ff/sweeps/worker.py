"""The process that carries out runs: it reads tasks and writes outcomes, one JSON document a line.

    python -m analog_ff.sweeps.worker

A run needs a process of its own (threads, BLAS, working directory, a user's code are those of the process). The process ends as
soon as its standard input is closed: no run goes on whose client has gone.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from analog_ff.output import folders
from analog_ff.plain import Document
from analog_ff.runs.model import MODEL
from analog_ff.sweeps.points import COMMANDS
from hardware_models.check import CommandError, RunError, UsageError

Execute = Callable[..., tuple[Document, Path]]


def main() -> None:
    """Carry out tasks until standard input is closed."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a user's code prints goes to standard error
    tasks: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    while True:
        outcome = carried_out(json.loads(tasks.get()))
        answers.write(json.dumps(outcome) + "\n")
        answers.flush()


def _listen(tasks: queue.Queue[str]) -> None:
    """Hand on the lines of standard input; end the process when there are no more."""
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)


def carried_out(task: Document) -> Document:
    """Return the outcome of a task: {"state": "done", "result", ...}, "failed" with its reason, or "died" for lack of memory."""
    start, outcome = time.monotonic(), {"worker": f"{socket.gethostname()} {os.getpid()}"}
    if task["model"] != MODEL:
        reason = f"the worker {outcome['worker']} has version {MODEL} of the model's rules, the sweep {task['model']}."
        return {**outcome, "state": "failed", "reason": reason}
    with suppress(OSError):  # a machine that has no such folder takes the absolute paths of a task alone
        os.chdir(task["here"])
    try:
        result = _result(task)
    except MemoryError:
        return {**outcome, "state": "died", "reason": "the run asked for more memory than there is"}
    except (UsageError, RunError, CommandError) as error:
        return {**outcome, "state": "failed", "reason": " ".join(str(error).split())}
    except Exception as error:
        import traceback

        traceback.print_exc()
        return {**outcome, "state": "failed", "reason": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    return {**outcome, "state": "done", "result": result, "seconds": time.monotonic() - start}


def _result(task: Document) -> Document:
    """Return the result of the run of a task; a run that was begun before goes on from its last checkpoint."""
    folder = Path(task["folder"])
    config = COMMANDS[task["command"]](**{**task["config"], "out": str(folder)})
    begun = folder.exists()
    if begun:
        with folders.held(folder, wait=True):  # a worker that has lost its client may still be at it
            pass
    return _execute(task["command"], task["keep"])(config, resume=begun, quiet=True)[0]


def _execute(command: str, keep: str) -> Execute:
    if command == "spiking":
        from analog_ff.spiking.execute import execute as spiking

        return spiking
    from functools import partial

    from analog_ff.runs.execute import execute

    return partial(execute, keep=keep, pictures=keep != "none")


if __name__ == "__main__":
    main()
