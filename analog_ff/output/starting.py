"""Ctrl-C while a command is still being loaded ends it at once, without Python's account of where it was.

Python raises KeyboardInterrupt in the middle of an import, where nothing can take it. So the package, which is loaded before the
command, leaves the signal to the system until the command begins: status 130 in a shell.
"""

from __future__ import annotations

import signal
import sys
import threading


def begin() -> None:
    """Leave Ctrl-C to the system if this process was started to run a command of this package (``python -m``)."""
    words = sys.orig_argv
    module = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "-m"), "")
    if module.partition(".")[0] != "analog_ff" or sys.argv[:1] != [
        "-m"
    ]:  # Python's own mark while it looks for the module
        return
    on_main = threading.current_thread() is threading.main_thread()
    if on_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _LEFT.append(True)


def done() -> None:
    """Take Ctrl-C as Python does from now on, if `begin` has left it to the system."""
    if _LEFT and threading.current_thread() is threading.main_thread():
        _LEFT.clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)


_LEFT: list[bool] = []
