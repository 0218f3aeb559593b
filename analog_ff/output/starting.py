"""Let Ctrl-C end a command that is still being loaded, at once and without a Python traceback.

Python would raise KeyboardInterrupt in the middle of an import, where no code can catch it. The package, which is loaded before
the command, therefore lets the operating system handle the signal until the command begins: status 130 in a shell.
"""

from __future__ import annotations

import signal
import sys
import threading


def begin() -> None:
    """Let the operating system handle Ctrl-C if this process runs a command of this package (``python -m``)."""
    words = sys.orig_argv
    module = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "-m"), "")
    if module.partition(".")[0] != "analog_ff" or sys.argv[:1] != [
        "-m"
    ]:  # Python sets this while it searches the module
        return
    on_main = threading.current_thread() is threading.main_thread()
    if on_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _LEFT.append(True)


def done() -> None:
    """Let Python handle Ctrl-C again, if `begin` has given it to the operating system."""
    if _LEFT and threading.current_thread() is threading.main_thread():
        _LEFT.clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)


_LEFT: list[bool] = []
