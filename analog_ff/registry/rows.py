"""A row of a table of named choices: everything known of a kind before its module is imported.

A learner, update, slope, network, schedule or maker of negatives is one `Kind`. Its row holds the options that it reads, its
recipe and the choices that it works with; the command's help, the refusal of an option that would do nothing and the tables of
the docs are computed from the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from analog_ff.plain import Facts
from hardware_models.tables import Row

C = TypeVar("C")


@dataclass(frozen=True)
class Only:
    """The values of another choice that a kind works with, the recommended one first."""

    values: tuple[str, ...]
    because: str  # continues a sentence that begins with the kind's name, such as "trains a stack"


@dataclass(frozen=True)
class Kind(Row):
    """One named choice.

    Attributes
    ----------
    options : the options that it reads: dataclasses of `option` fields, or single names of fields declared elsewhere.
        An option that no chosen kind reads is refused. A dataclass may have a static method ``check(config)`` that raises
        UsageError for values that do not go together.
    recipe : option -> its default with this kind.
    only : option -> the values with which this kind works; others are refused.
    """

    options: tuple[type | str, ...] = ()
    recipe: Facts = field(default_factory=dict)
    only: Mapping[str, Only] = field(default_factory=dict)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the options that the kind reads."""
        return tuple(name for one in self.options for name in ([one] if isinstance(one, str) else names(one)))

    @property
    def declared(self) -> Iterator[type]:
        """The dataclasses of options among `options`."""
        return (one for one in self.options if isinstance(one, type))


@dataclass(frozen=True)
class LearnerKind(Kind):
    """A learner.

    Attributes
    ----------
    streaming : place of its form for a stream of frames (schedule pipelined), or "".
    looks_inside : whether it looks up the chip's weights, which a sealed chip refuses.
    output_layer : whether one more layer, with a neuron a class, stands on the chip.
    goodness : the goodness of its layers where that is no choice.
    memory_bits : bits of digital memory a weight that it keeps itself, beside those of its update.
    """

    streaming: str = ""
    looks_inside: bool = False
    output_layer: bool = False
    goodness: str = ""
    memory_bits: int = 0


@dataclass(frozen=True)
class UpdateKind(Kind):
    """An update scheme.

    Attributes
    ----------
    rows_together : whether it drives many word lines at once.
    memory_bits : bits of digital memory that it keeps a weight.
    arrays : names of the arrays that it needs in each layer beside the main one.
    fast_device : device of the cells of the array "fast" where none is chosen; "" is that of the run.
    """

    rows_together: bool = False
    memory_bits: int = 0
    arrays: tuple[str, ...] = ()
    fast_device: str = ""


@dataclass(frozen=True)
class FinalKind(Kind):
    """Weights that a network ends with.

    Attributes
    ----------
    memory_bits : bits of digital memory that it keeps a weight, of the arrays and of the read-out.
    """

    memory_bits: int = 0


def names(declared: type) -> tuple[str, ...]:
    """Return the names of the options that a dataclass declares."""
    return tuple(f.name for f in fields(declared))


def kinds(table: Facts | None) -> Mapping[str, Kind]:
    """Return the rows of a table that are kinds."""
    return {name: row for name, row in (table or {}).items() if isinstance(row, Kind)}


def carrying(*tables: Mapping[str, Kind]) -> Any:
    """Return a class decorator that adds the options which rows of these tables declare and the class has not yet.

    It stands below ``@dataclass``: the command knows a new row's own options without another line.
    """

    def add(kind: type[C]) -> type[C]:
        for declared in options_of(tables):
            for f in fields(declared):  # type: ignore[arg-type]
                if not issubclass(kind, declared):
                    kind.__annotations__[f.name] = f.type.__name__ if isinstance(f.type, type) else str(f.type)
                    title = (declared.__doc__ or "").partition("\n")[0].rstrip(".")
                    setattr(kind, f.name, field(default=f.default, metadata={**f.metadata, "group": title}))
        return kind

    return add


def options_of(tables: Iterable[Mapping[str, Kind]]) -> dict[type, None]:
    """Return the dataclasses of options that the rows of tables declare, each once, in the order of the rows."""
    return {declared: None for table in tables for row in table.values() for declared in row.declared}
