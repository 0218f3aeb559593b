"""Lines for a person on standard error: progress, warnings, errors. Nobody need be listening."""

from __future__ import annotations

import io
import sys


class Nowhere(io.TextIOBase):
    """A stream that takes everything and shows nothing."""

    def write(self, text: str) -> int:
        """Take a text."""
        return len(text)


def tell(line: str, end: str = "\n") -> None:
    """Print a line on standard error, if it is still open: that nobody reads must not stop a run."""
    if sys.stderr is None:  # closed before the program began; print would take standard output instead
        return
    try:
        print(line, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # the reader has gone; the stream was closed
        sys.stderr = Nowhere()  # or Python would end with a status of its own when it empties the stream


def on_terminal() -> bool:
    """Tell whether standard error is a terminal that is still there."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (OSError, ValueError):
        return False
