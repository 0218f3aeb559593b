"""Base class of the configurations: types of the choices, plain values, a hash, and the file ``config.toml``."""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from analog_ff.config.earlier import another_version, not_of_this_version
from analog_ff.plain import Document, Facts
from hardware_models import figures, files
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.devices.base import Device
from hardware_models.tables import closest, entry

SCHEMA = 1
LONGEST = 4096
"""Most characters of a text, as of a path, and most numbers of a list."""
MOST = 2**20
"""Most bytes of a config.toml [B]."""
FEW = 5
"""Most missing entries that a message lists."""
WIDEST = 2**63
"""Whole numbers stay below it in magnitude."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Base of the configurations; a subclass is a frozen dataclass whose fields are the choices."""

    not_in_hash: ClassVar[tuple[str, ...]] = ()
    """Choices that may differ between two runs with the same result: places, not physics."""
    what: ClassVar[str] = "a run"
    """Name of the configured thing, for messages."""
    telling: ClassVar[tuple[str, ...]] = ()
    """Entries that tell this kind of run: a config.toml without them belongs to another kind."""
    tables: ClassVar[tuple[str, ...]] = ("versions",)
    """Tables of a config.toml that tell of the run and are no choices."""
    objects: ClassVar[tuple[str, ...]] = ()
    """Choices that may be a Python object instead of a name: the classifier takes a device itself."""

    usual: ClassVar[Facts] = {}
    """Values that options have where a command gives none, if they differ from the default of the field."""
    plainly: ClassVar[Mapping[str, str]] = {}
    """Name of an option in `usual` -> when the default of its field holds, such as "--preset plain"."""
    recipes: ClassVar[Mapping[str, Facts]] = {}
    """Name of a device or learner -> choices that are at other defaults with it."""

    def __post_init__(self) -> None:
        """Check type and range of every choice, so that later code need not check them; a subclass calls this first."""
        for f in fields(self):
            value = getattr(self, f.name)
            if not (f.name in self.objects and isinstance(value, Device)):
                checked = of_type(str(f.type), value, self.what, f"--{f.name.replace('_', '-')}")
                object.__setattr__(self, f.name, checked)
        for f in fields(self):
            within(f, getattr(self, f.name), self.what)

    def at_rest(self, name: str) -> bool:
        """Tell whether an option is at its default, as if it had not been given; a subclass may know other such values."""
        return bool(getattr(self, name) == self.__dataclass_fields__[name].default)

    def as_dict(self) -> Document:
        """Return the choices as plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def came_later(cls) -> Document:
        """Return the defaults of the options that earlier versions did not have; their runs were what the defaults are."""
        return {f.name: f.default for f in fields(cls) if f.metadata.get("later")}

    def digest(self) -> str:
        """Return a hash of everything that decides the result; it is the same without an option that came later, at rest."""
        rest = {name for name, default in self.came_later().items() if getattr(self, name) == default}
        kept = {k: v for k, v in self.as_dict().items() if k not in self.not_in_hash and k not in rest}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def to_toml(self, versions: dict[str, str]) -> str:
        """Return config.toml: everything needed to repeat the run. An entry that is off is written as "none"."""
        lines = [f"schema = {SCHEMA}", ""]
        lines += [f"{k} = {_toml('none' if v is None else v)}" for k, v in self.as_dict().items()]
        lines += ["", "[versions]", *(f'"{k}" = {_toml(v)}' for k, v in versions.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def table(cls, path: Path) -> Document:
        """Return the choices in a run folder's config.toml by name, each of its type.

        Raise UsageError for a file that cannot be read, is of another schema or of another kind of run, has an entry that
        is no choice, or a value of another type, or lacks a choice: its default might be another than that of the run.
        """
        where = shown(str(path), 200, quoted=False)
        table = files.toml(files.contents(path, "configuration", most=MOST), where, "a run's configuration")
        figures.schema(table, where)
        if any(name not in table for name in cls.telling):
            raise UsageError(f"{where} is not the configuration of {cls.what}.")
        known = {f.name: str(f.type) for f in fields(cls)}
        said = table.get("versions")
        versions: Facts = said if isinstance(said, dict) else {}
        values: Document = {}
        for name, value in table.items():
            if name == "schema":
                continue
            if name in cls.tables:
                if not isinstance(value, dict):
                    raise UsageError(f"{where}: '{name}' should be a table, got {shown(value)}.")
            elif name not in known:
                wrote = another_version(versions)
                end = closest(name, known) if wrote is None else f"; {not_of_this_version(versions)}"
                raise UsageError(f"{where} has an unknown entry {shown(name)}{end}.")
            else:
                off = value == "none" and "None" in known[name]
                values[name] = of_type(known[name], None if off else value, where, name)
        values = cls.came_later() | values
        if missing := [name for name in known if name not in values]:
            several = f" and {len(missing) - FEW} more" if len(missing) > FEW else ""
            raise UsageError(
                f"{where} lacks the {'entry' if len(missing) == 1 else 'entries'} {', '.join(missing[:FEW])}{several}: "
                f"{not_of_this_version(versions)}."
            )
        return values

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Return the configuration in a run folder's config.toml; an error names the file."""
        values = cls.table(path)
        try:
            return cls(**values)
        except UsageError as error:
            raise UsageError(f"{shown(str(path), 200, quoted=False)}: {error}") from None


def within(declared: Field[Any], value: Any, owner: str) -> None:
    """Raise UsageError for a value outside the range, or not among the choices, that its field declares.

    None stands for a choice that is not made, a text beside numbers (``--regions positions``) is no number.
    """
    name, said = f"--{declared.name.replace('_', '-')}", declared.metadata
    known = said.get("choices", ())
    if known and value not in known:
        raise UsageError(f"{name} is one of {', '.join(known)}, got {shown(value)}{closest(value, known)}.")
    if said.get("table") and not said["or_own"]:  # a user's own file or function is checked where it is loaded
        entry(declared.name, value, said["table"])
    if value == () and "low" in said:
        raise UsageError(f"{name} needs at least one number, such as {name} 500,500.")
    if "low" not in said or value is None or isinstance(value, str):
        return
    if isinstance(value, tuple):
        for one in value:
            positive_int(name, "every number", one, said["low"], said["high"])
        return
    if str(declared.type).startswith("int"):
        unit = f" [{said['unit']}]" if said["unit"] else ""
        positive_int(owner, name + unit, value, said["low"], said["high"])
    else:
        in_range(owner, name, value, said["low"], said["high"], said["unit"], low_open=said["low_open"])


def of_type(annotation: str, value: object, owner: str, name: str) -> Any:
    """Return `value` as a plain value if it is of the type that a field's annotation names, else raise UsageError.

    NumPy's numbers become Python's, a list becomes a tuple; nothing else is converted: "false" is no switch, 1 no True.
    """
    kinds = annotation.split(" | ")
    for kind in kinds:
        if (found := TYPES[kind][0](value)) is not None:
            return found
    if value is None and "None" in kinds:
        return None
    right = " or ".join(TYPES[kind][1] for kind in kinds if kind != "None") + (", or none" if "None" in kinds else "")
    raise UsageError(f"{owner} needs {right} for {name}, got {shown(value)}.")


def _text(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > LONGEST or "\0" in value:
        return None
    # A lone half of a surrogate pair, as in a path that is not UTF-8, can be written to no file.
    return None if any("\ud800" <= c <= "\udfff" for c in value) else value


def _whole(value: object) -> int | None:
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return int(value) if whole and -WIDEST < int(value) < WIDEST else None  # type: ignore[call-overload]


def _real(value: object) -> float | None:
    if (found := _whole(value)) is not None:
        return found
    real = isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)
    return float(value) if real and math.isfinite(value) else None  # type: ignore[arg-type]


def _switch(value: object) -> bool | None:
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _wholes(value: object, number: int | None = None) -> tuple[int, ...] | None:
    if not isinstance(value, list | tuple) or len(value) > LONGEST or number not in (None, len(value)):
        return None
    found = tuple(whole for part in value if (whole := _whole(part)) is not None)
    return found if len(found) == len(value) else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list | tuple) or len(value) > LONGEST:
        return None
    found = tuple(text for part in value if (text := _text(part)) is not None)
    return found if len(found) == len(value) else None


TYPES: Mapping[str, tuple[Callable[[object], Any], str]] = {
    "None": (lambda value: None, "none"),
    "str": (_text, f"a text of at most {LONGEST} characters"),
    "int": (_whole, "a whole number"),
    "float": (_real, "a finite number"),
    "bool": (_switch, "true or false"),
    "tuple[int, ...]": (_wholes, "a list of whole numbers, such as [500, 500],"),
    "tuple[str, ...]": (_texts, 'a list of texts, such as ["states=64"],'),
    "tuple[int, int]": (lambda value: _wholes(value, 2), "two whole numbers, such as [256, 256],"),
}
"""Annotation of a field -> a function that returns a value of that type, or None, and the type's name in messages."""


def _toml(value: Any) -> str:
    """Return a value as TOML text."""
    from hardware_models.files import toml_value

    return toml_value(value)
