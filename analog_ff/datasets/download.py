"""Download one file and show its progress: a counting line on a terminal, one plain line elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import TextIO


def download(url: str, path: Path) -> None:
    """Download the file at `url` to `path`, which appears only when it is complete.

    Progress goes to standard error, so that standard output stays one JSON document. Raises OSError (also for the
    errors of the network client) if the file cannot be fetched or written. The caller checks the contents.
    """
    import pooch

    logger = pooch.get_logger()
    level = logger.level
    # Without a checksum of the compressed file, pooch would print one and advise its use.
    logger.setLevel(logging.WARNING)
    progress = Progress(path.name, sys.stderr)
    try:
        pooch.retrieve(
            url,
            known_hash=None,
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(progressbar=progress, timeout=30),
        )
    except OSError as error:
        response = getattr(error, "response", None)
        if response is not None:
            response.close()  # the client leaves the connection of a refused request open
        raise
    finally:
        progress.close()
        logger.setLevel(level)


def reason(error: OSError) -> str:
    """Return the reason of a failed download in a few words."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    return error.strerror or type(error).__name__


class Progress:
    """Progress line in the form that pooch expects: pooch sets `total` [B] and calls update, reset and close."""

    def __init__(self, name: str, stream: TextIO):
        self.name = name
        self.stream = stream
        self.total = 0
        self._done = 0
        self._start = time.monotonic()
        self._shown = -1.0
        self._open = True

    def update(self, count: int) -> None:
        """Add `count` bytes, and show the sum unless it was shown within the last 0.2 s."""
        self._done += count
        now = time.monotonic()
        if not self.stream.isatty():
            if self._shown < 0:
                self.stream.write(f"downloading {self.name} ({self.total / 1e6:.1f} MB)\n")
                self._shown = now
        elif now - self._shown > 0.2 or self._done >= self.total:
            done = min(self._done, self.total)
            left = (now - self._start) * (self.total - done) / max(done, 1)
            self.stream.write(f"\r{self.name}: {done / 1e6:.1f} of {self.total / 1e6:.1f} MB, {left:.0f} s left  ")
            self.stream.flush()
            self._shown = now

    def reset(self) -> None:
        """Count from zero again."""
        self._done = 0

    def close(self) -> None:
        """End the line on a terminal; a second call does nothing."""
        if self._open and self.stream.isatty() and self._shown >= 0:
            self.stream.write("\n")
        self._open = False
