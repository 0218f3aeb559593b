"""The line that shows the progress of a fit."""

from __future__ import annotations

from analog_ff.output.messages import on_terminal, tell


class ProgressLine:
    """A line on standard error: rewritten on a terminal with the time left, else one line a stage."""

    def __init__(self) -> None:
        import time

        self.clock, self.begin, self.stage = time.perf_counter, time.perf_counter(), ""

    def __call__(self, share: float, what: str) -> None:
        """Show the share of the work that is done."""
        if on_terminal():
            gone = self.clock() - self.begin
            left = f", {gone * (1 - share) / share:.0f} s left" if 0.02 < share < 1 else ""
            bar = "#" * round(20 * share)
            end = "\n" if share >= 1 else ""
            tell(f"\r[{bar:<20}] {100 * share:3.0f} % {what}{left}\033[K", end=end)
        elif what != self.stage:
            tell(f"{100 * share:3.0f} % {what}")
        self.stage = what
