"""A column of a table: its place, its unit, and which columns a table has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hardware_models.units import to_si


@dataclass(frozen=True)
class Column:
    """The column that holds a quantity, and its unit."""

    title: str  # as in the header
    index: int  # number of the column from 0; -1: one value for all rows
    unit: str = ""
    note: str = ""  # an assumption that the user should know
    value: float = 0.0  # [SI units], used if index is -1

    @property
    def scale(self) -> float:
        """Value of the column's unit in SI units."""
        return to_si(1.0, self.unit) if self.unit else 1.0


@dataclass(frozen=True)
class Member:
    """The columns of one cell, one cycle or one polarity in a wide table."""

    found: Mapping[str, Column]
    cell: str = ""  # "" if the titles name none
    cycle: str = ""
    polarity: int = 0


@dataclass(frozen=True)
class Columns:
    """The columns of a table by quantity, and notices about unused ones."""

    found: Mapping[str, Column]  # common to all rows
    unused: tuple[str, ...]  # notices
    skip: int  # number of rows below the header that hold units
    spare: tuple[str, ...] = ()  # titles of unused columns
    members: tuple[Member, ...] = ()  # of a wide table

    @property
    def all(self) -> Mapping[str, Column]:
        """Columns by quantity, of a wide table those of its first member."""
        return {**self.found, **self.members[0].found} if self.members else self.found
