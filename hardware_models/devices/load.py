"""From what a user names to a device: a name, a parameter file, or a class of the user's own.

A parameter file (TOML) holds one published device: ``model``, ``name``, a table ``[source]`` and one table for each
number, with ``value``, ``unit``, ``low`` and ``high`` (the range in which the source or common sense lets it lie),
``kind`` (measured, fitted, derived, assumption) and ``source``. Every figure is checked on loading and turned into SI.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

from hardware_models.check import UsageError
from hardware_models.devices import MODELS, PUBLISHED
from hardware_models.devices.base import BaseDevice, Device
from hardware_models.tables import closest, load_object, lookup
from hardware_models.units import dimension, to_si

KINDS = ("measured", "simulated", "fitted", "derived", "assumption")
_ENTRY = ("value", "unit", "low", "high", "kind", "source")


def load_device(spec: str | Device) -> Device:
    """Return the device that `spec` names: a name, ``*.toml``, ``file.py:Class``, ``package.module:Class``, or itself.

    Raises UsageError in one sentence for an unknown name, a file that does not exist, or a figure that lacks its unit
    or lies outside its range.
    """
    if not isinstance(spec, str):
        if isinstance(spec, Device):
            return spec
        raise UsageError(f"a device needs the methods fabricate and pulse; {type(spec).__name__} has not both.")
    if spec.endswith(".toml"):
        path = Path(spec).expanduser()
        if not path.is_file():
            raise UsageError(f"device file {spec} does not exist.")
        return device_from_toml(path.read_text(encoding="utf-8", errors="replace"), str(spec))
    if spec.endswith(".csv"):
        raise UsageError(
            f"device '{spec}': this version cannot fit measured pulse trains; give a name or a .toml file."
        )
    if ":" in spec:
        return _from_class(spec)
    if spec in PUBLISHED:
        name = PUBLISHED[spec]
        text = resources.files("hardware_models.parameters").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        return device_from_toml(text, f"parameters/{name}.toml", name=spec)
    known = {**PUBLISHED, "ideal": MODELS["ideal"]}
    return lookup("device", spec, {name: MODELS["ideal"] for name in known})()


def published() -> list[dict[str, Any]]:
    """Return what each published device is, for listing: one entry a file, in the order of `PUBLISHED`.

    Each has name, technology, model, states, on_off, v_up [V], t_up [s], v_down [V], t_down [s], doi.
    """
    listed = []
    for name in dict.fromkeys(PUBLISHED.values()):
        text = resources.files("hardware_models.parameters").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        table = tomllib.loads(text)
        device: Any = device_from_toml(text, f"parameters/{name}.toml")
        source = table["source"]
        listed.append(
            {
                "name": device.name,
                "technology": source.get("technology", ""),
                "model": table["model"],
                "states": device.states,
                "on_off": device.g_max / device.g_min if device.g_min else None,
                **{what: getattr(device, what) for what in ("v_up", "t_up", "v_down", "t_down")},
                "doi": source.get("doi", ""),
            }
        )
    return listed


def _from_class(spec: str) -> Device:
    made = load_object(spec, "device")
    if isinstance(made, type):
        try:
            made = made()
        except UsageError:
            raise
        except Exception as error:
            raise UsageError(
                f"device '{spec}' cannot be made without arguments: {type(error).__name__}: {error}."
            ) from error
    if not isinstance(made, Device):
        raise UsageError(f"device '{spec}' needs the methods fabricate and pulse.")
    if not isinstance(made, BaseDevice):
        raise UsageError(f"device '{spec}' should be a class derived from hardware_models.devices.base.BaseDevice.")
    return made


def device_from_toml(text: str, where: str, *, name: str | None = None) -> Device:
    """Return the device of a parameter file's text; `where` is named in errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not a valid TOML file: {error}.") from None
    for entry in ("model", "name", "source"):
        if entry not in table:
            raise UsageError(f"{where} lacks the entry '{entry}'.")
    model = lookup("device model", table["model"], MODELS)
    known = {f.name: f for f in fields(model)}
    values: dict[str, Any] = {"name": name or table["name"], "source": _citation(table["source"], where)}
    assumptions = []
    for entry, figure in table.items():
        if entry in ("model", "name", "source"):
            continue
        if entry not in known:
            raise UsageError(f"{where} has an unknown entry '{entry}'{closest(entry, known)}.")
        if not known[entry].metadata:
            values[entry] = _word(figure, entry, where)
            if figure["kind"] == "assumption":
                assumptions.append(f"{entry} = {figure['value']}: {figure['source']}")
            continue
        values[entry] = _number(figure, entry, known[entry].metadata["unit"], where)
        if figure["kind"] == "assumption":
            assumptions.append(f"{entry} = {figure['value']} {figure['unit']}: {figure['source']}")
    try:
        return model(**values, assumptions=tuple(assumptions))
    except TypeError as error:
        raise UsageError(f"{where} lacks a figure: {str(error).split('__init__()')[-1].strip()}.") from None


def _citation(source: Any, where: str) -> str:
    if not isinstance(source, dict) or not source.get("citation"):
        raise UsageError(f"{where} lacks the entry 'citation' in the table 'source'.")
    return source["citation"] + (f", doi:{source['doi']}" if source.get("doi") else "")


def _word(figure: Any, entry: str, where: str) -> Any:
    for part in ("value", "kind", "source"):
        if not isinstance(figure, dict) or part not in figure:
            raise UsageError(f"{where}: '{entry}' lacks its {part}.")
    return figure["value"]


def _number(figure: Any, entry: str, unit: str, where: str) -> float:
    """Return a figure in SI after checking that nothing is missing, the dimension fits and the range holds it."""
    if not isinstance(figure, dict):
        raise UsageError(f"{where}: '{entry}' should be a table with {', '.join(_ENTRY)}.")
    for part in _ENTRY:
        if part not in figure or figure[part] == "":
            raise UsageError(f"{where}: '{entry}' lacks its {part}.")
    for part in ("value", "low", "high"):
        if isinstance(figure[part], bool) or not isinstance(figure[part], int | float):
            raise UsageError(f"{where}: '{entry}' needs a number as its {part}, got {figure[part]!r}.")
    if figure["kind"] not in KINDS:
        raise UsageError(f"{where}: '{entry}' has kind '{figure['kind']}', should be one of {', '.join(KINDS)}.")
    try:
        wanted, got = dimension(unit), dimension(figure["unit"])
    except UsageError as error:
        raise UsageError(f"{where}: '{entry}': {error}") from None
    if wanted != got:
        raise UsageError(f"{where}: '{entry}' is a {wanted} [{unit}], but its unit '{figure['unit']}' is a {got}.")
    if not figure["low"] <= figure["value"] <= figure["high"]:
        raise UsageError(
            f"{where}: '{entry}' = {figure['value']} {figure['unit']} lies outside its range "
            f"[{figure['low']}, {figure['high']}] {figure['unit']}."
        )
    return to_si(float(figure["value"]), figure["unit"])
