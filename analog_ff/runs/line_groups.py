"""The groups of lines of a stored run: the part of result.json that an account takes from them, checked."""

from __future__ import annotations

from collections.abc import Sequence

from analog_ff.plain import Facts
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.energy.facts.line_currents import LINES, STAGES

NUMBERS = ("row_groups", "column_groups")
MOST = 2**31
LARGEST = 1e3
"""Largest current of a line [A]."""


def check(groups: object, where: str, layers: int) -> None:
    """Raise UsageError unless `groups` has the groups of reads and the largest currents of each layer, stage and tile."""
    place = f"{where}: 'line_groups'"
    if not isinstance(groups, list) or len(groups) != layers:
        raise UsageError(f"{place} should be a list with an entry for each layer ({layers}), got {shown(groups)}.")
    for layer in groups:
        back = _entry(layer, "transposed_read", place)
        for read in ("read",) if back is None else ("read", "transposed_read"):
            for name in NUMBERS:
                positive_int(place, f"{read}.{name}", _entry(_entry(layer, read, place), name, place), 1, MOST)
        positive_int(place, "added_word_lines", _entry(layer, "added_word_lines", place), 0, MOST)
        for stage in STAGES:
            currents = _entry(_entry(layer, "ampere", place), stage, place)
            for lines in (f"{what}_{kind}" for what in ("read", "write") for kind in LINES):
                table = _entry(currents, lines, place)
                if not isinstance(table, list) or not table or not all(isinstance(row, list) and row for row in table):
                    raise UsageError(f"{place} should hold {stage}.{lines} as rows of tiles, got {shown(table)}.")
                for current in (one for row in table for one in row):
                    in_range(place, f"{stage}.{lines}", current, 0.0, LARGEST, "A")


def steps(groups: Sequence[Facts]) -> list[tuple[int, int]]:
    """Return of each layer the reads of groups of lines in place of one read, and in place of one transposed read."""
    return [(_steps(layer["read"]), _steps(layer["transposed_read"])) for layer in groups]


def _steps(read: Facts | None) -> int:
    return 1 if read is None else read["row_groups"] * read["column_groups"]


def _entry(table: object, name: str, place: str) -> object:
    if not isinstance(table, dict) or name not in table:
        raise UsageError(f"{place} should have an entry '{name}', got {shown(table)}.")
    return table[name]
