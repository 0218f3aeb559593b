"""What the owner of a chip asks of its lines: the end of the search for groups, and the currents that flowed."""

from __future__ import annotations

from collections.abc import Mapping

from hardware_models.crossbar import Crossbar


class WatchedLines:
    """Base of a chip whose arrays, by layer and name, may watch the currents of their lines."""

    _arrays: Mapping[tuple[int, str], Crossbar]

    def fix_groups(self) -> None:
        """End the search for groups of lines; reads and writes may from now on use up the margin before they are repeated."""
        for array in self._arrays.values():
            if array.cells.watch is not None:
                array.cells.watch.fix()

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return for each layer the groups of lines and the largest currents; None without a limit. See `LineWatch.report`."""
        watches = [array.cells.watch for (_, name), array in self._arrays.items() if name == "main"]
        return [watch.report() for watch in watches if watch is not None] or None
