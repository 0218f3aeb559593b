"""What every configuration does with its choices: plain values, a hash, and the file ``config.toml``."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from hardware_models.check import UsageError, shown

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Base of the configurations; a subclass is a frozen dataclass whose fields are the choices."""

    not_in_hash: ClassVar[tuple[str, ...]] = ()
    """What may differ between two runs with the same result: places, not physics."""

    def as_dict(self) -> dict[str, Any]:
        """Return the choices as plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    def digest(self) -> str:
        """Return a hash of everything that decides the result."""
        kept = {k: v for k, v in self.as_dict().items() if k not in self.not_in_hash}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]

    def to_toml(self, versions: dict[str, str]) -> str:
        """Return config.toml: everything needed to repeat the run. An entry that is off is written as "none"."""
        lines = [f"schema = {SCHEMA}", ""]
        lines += [f"{k} = {_toml('none' if v is None else v)}" for k, v in self.as_dict().items()]
        lines += ["", "[versions]", *(f'"{k}" = {_toml(v)}' for k, v in versions.items())]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a run folder's config.toml."""
        return cls(**cls.table(path))

    @classmethod
    def table(cls, path: Path) -> dict[str, Any]:
        """Return the choices in a run folder's config.toml by name; UsageError if it cannot be read."""
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path} cannot be read as a run's configuration: {error}.") from None
        if table.get("schema") != SCHEMA:
            raise UsageError(f"{path} should have schema = {SCHEMA}, got {shown(table.get('schema'))}.")
        values: dict[str, Any] = {}
        for f in fields(cls):
            if f.name in table:
                value = table[f.name]
                off = value == "none" and "None" in str(f.type)
                values[f.name] = None if off else tuple(value) if isinstance(value, list) else value
        return values


def _toml(value: Any) -> str:
    """Return a value in TOML; JSON's strings, numbers and lists are TOML's, but for two things.

    TOML knows no escaped surrogate pairs, so letters stand as they are, and no bare DEL.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
