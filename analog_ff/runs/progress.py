"""Progress of long work: a bar with the time left on a terminal, plain lines otherwise; always on standard error."""

from __future__ import annotations

import time
from contextlib import suppress
from types import TracebackType

from analog_ff.output.messages import on_terminal, tell


class Progress:
    """Counts the batches of a run; says every tenth of it in plain lines when there is no terminal."""

    def __init__(self, batches: int, done: int = 0, *, quiet: bool = False) -> None:
        self._total, self._done, self._begun = batches, done, done
        self._start = time.monotonic()
        self._quiet = quiet
        self._bar = None
        self._told = int(10 * done / max(batches, 1))
        if not quiet and on_terminal():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("batches"),
                TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=Console(stderr=True),
            )  # fmt: skip
            self._task = self._bar.add_task("training", total=batches, completed=done)
            self._bar.start()

    def advance(self, words: str) -> None:
        """Tell that one more batch is done."""
        self._done += 1
        if self._bar is not None:
            with suppress(OSError, ValueError):  # the terminal may go away
                self._bar.update(self._task, completed=self._done, description=words)
            return
        tenth = int(10 * self._done / self._total)
        if tenth > self._told and not self._quiet:
            self._told = tenth
            seconds = time.monotonic() - self._start
            left = seconds / (self._done - self._begun) * (self._total - self._done)
            tell(f"{words}: {self._done}/{self._total} batches, {left:.0f} s left")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.stop()
