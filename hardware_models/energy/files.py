"""Which text a technology's name stands for, and the tables in it with those of the technology that it extends."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any

from hardware_models.check import UsageError
from hardware_models.files import note
from hardware_models.tables import closest

TECHNOLOGIES: Mapping[str, str] = MappingProxyType({f"cmos-{nm}nm": f"cmos_{nm}nm" for nm in (130, 45, 32, 22, 7)})
"""Technologies by name -> file in hardware_models/energy/technologies."""


def packaged(name: str) -> str:
    """Return the text of a named technology."""
    file = f"{TECHNOLOGIES[name]}.toml"
    data = resources.files("hardware_models.energy.technologies").joinpath(file).read_bytes()
    note("technology file", file, data)
    return data.decode("utf-8")


def tables(text: str, where: str) -> tuple[dict[str, Any], str]:
    """Return the tables of a file, with those of the technology that it extends, and all the text that was read."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not a valid TOML file: {error}.") from None
    if table.get("schema") != 1:
        raise UsageError(f"{where} should have schema = 1, got {table.get('schema')!r}.")
    base = table["meta"].get("extends") if isinstance(table.get("meta"), dict) else None
    if base is None:
        return table, text
    if base not in TECHNOLOGIES:
        known = ", ".join(TECHNOLOGIES)
        raise UsageError(
            f"{where} extends the unknown technology '{base}'{closest(str(base), TECHNOLOGIES)} ({known})."
        )
    below, read = tables(packaged(base), f"technologies/{TECHNOLOGIES[base]}.toml")
    for key, source in table.get("sources", {}).items():
        if below["sources"].get(key, source) != source:
            raise UsageError(f"{where}: 'sources.{key}' conflicts with the source of the same name in '{base}'.")
    merged = {name: {**below.get(name, {}), **table.get(name, {})} for name in {**below, **table} if name != "schema"}
    merged["meta"] = {"omits": below["meta"].get("omits", []), **table["meta"]}
    return merged, text + read
