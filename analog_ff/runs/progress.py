"""Progress of long work: a bar with the time left on a terminal, plain lines otherwise; always on standard error."""

from __future__ import annotations

import time
from contextlib import suppress
from types import TracebackType

from analog_ff.output.messages import on_terminal, tell
from hardware_models.kernels import compiling

EARLY = 1.0
"""Time of batches after which a plain line tells how much is left, if no tenth is done yet [s]."""

UNKNOWN = "time left unknown yet"
"""Stands in place of the time left until the first batch is done."""


class Progress:
    """Counts the batches of a run; says every tenth of it in plain lines when there is no terminal.

    The time left is that of the batches so far without the time that kernels took to compile, which happens once. In plain
    lines it is told as soon as the batches have taken a second, and then at every tenth.
    """

    def __init__(self, batches: int, done: int = 0, *, quiet: bool = False) -> None:
        self._total, self._done, self._begun = batches, done, done
        self._start, self._compiled = time.monotonic(), compiling.seconds()
        self._quiet, self._early = quiet, False  # the second: whether the early line is still to come
        self._bar = None
        self._told = int(10 * done / max(batches, 1))
        if not quiet and on_terminal():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"), BarColumn(None), MofNCompleteColumn(), TextColumn("batches"),
                TimeElapsedColumn(), TextColumn("{task.fields[left]}"), console=Console(stderr=True), expand=True,
            )  # fmt: skip
            self._task = self._bar.add_task("programming the chip", total=batches, completed=done, left=UNKNOWN)
            self._bar.start()

    def begin(self) -> None:
        """Begin with the batches: the time until now says nothing of theirs."""
        self._start, self._compiled = time.monotonic(), compiling.seconds()
        self._early = True
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.update(self._task, description="training", left=UNKNOWN)

    def advance(self, words: str) -> None:
        """Tell that one more batch is done."""
        self._done += 1
        if self._bar is not None:
            with suppress(OSError, ValueError):  # the terminal may go away
                self._bar.update(self._task, completed=self._done, description=words, left=f"{self._left():.0f} s left")
            return
        tenth = int(10 * self._done / self._total)
        early = self._early and self._taken() >= EARLY
        if (tenth > self._told or early) and not self._quiet:
            self._told, self._early = tenth, False
            tell(f"{words}: {self._done}/{self._total} batches, {self._left():.0f} s left")

    def _taken(self) -> float:
        """Return the time of the batches so far, without that of compiling [s]."""
        return time.monotonic() - self._start - (compiling.seconds() - self._compiled)

    def _left(self) -> float:
        """Return the time left after at least one batch [s]."""
        return self._taken() / (self._done - self._begun) * (self._total - self._done)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with suppress(OSError, ValueError):
                self._bar.stop()
