"""From what a user names to a device: a name, a parameter file, a measured pulse train, or a class of the user's own.

Four doors: a name, of this library or of an installed package that registers it in the entry-point group
``hardware_models.devices``; a ``.toml``; a ``.csv``; ``file.py:Class`` or ``package.module:Class``. Behind all of them
waits the same quick examination (`hardware_models.testing`).

A parameter file (TOML) holds one published device: ``model``, ``name``, a table ``[source]`` and one table for each
number, with ``value``, ``unit``, ``low`` and ``high`` (the range in which the source or common sense lets it lie),
``kind`` (measured, fitted, derived, assumption) and ``source``. Every figure is checked on loading and turned into SI.
The entries of `hardware_models.devices.ageing` (``endurance``, ``retention``, ...) put wear and retention around any model
that has no number of that name itself.
"""

from __future__ import annotations

import logging
import tomllib
from dataclasses import fields
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from hardware_models import files, user_code
from hardware_models.check import UsageError
from hardware_models.devices import MODELS, PUBLISHED, ageing
from hardware_models.devices.base import Device, declared
from hardware_models.tables import closest, load_object, lookup
from hardware_models.units import dimension, to_si

KINDS = ("measured", "simulated", "fitted", "derived", "assumption")
GROUP = "hardware_models.devices"
"""Entry-point group of devices in installed packages: name = "package.module:Class"."""
_USED = ("name", "g_min", "g_max", "g_range", "states", "v_read", "t_read", "v_up", "t_up", "v_down", "t_down", "access",
         "conductance", "read_variance", "wait", "without", "describe")  # fmt: skip
_ENTRY = ("value", "unit", "low", "high", "kind", "source")


def load_device(spec: str | Device) -> Device:
    """Return the device that `spec` names: a name, ``*.toml``, ``*.csv``, ``file.py:Class``, ``package.module:Class``.

    A device is returned as it is. Raises UsageError in one sentence for an unknown name, a file that does not exist, a
    figure that lacks its unit or lies outside its range, or a device that fails its quick examination.
    """
    if not isinstance(spec, str):
        if isinstance(spec, Device):
            return spec
        raise UsageError(f"a device needs the methods fabricate and pulse; {type(spec).__name__} has not both.")
    from hardware_models.testing import examine_device

    device = named_device(spec)
    if spec in PUBLISHED or spec in MODELS:  # the tests have examined these
        return device
    examine_device(device, quick=True).raise_if_failed()
    return device


def named_device(spec: str) -> Device:
    """Return the device that `spec` names, unexamined."""
    if spec.endswith(".toml"):
        path = Path(spec).expanduser()
        if not path.is_file():
            raise UsageError(f"device file {spec} does not exist.")
        files.contents(path, "device file")
        return device_from_toml(path.read_text(encoding="utf-8", errors="replace"), str(spec))
    if spec.endswith(".csv"):
        return _fitted(spec)
    if ":" in spec:
        return _from_class(spec)
    if spec in PUBLISHED:
        name = PUBLISHED[spec]
        text = resources.files("hardware_models.parameters").joinpath(f"{name}.toml").read_text(encoding="utf-8")
        files.note("device file", f"{name}.toml", text.encode())
        return device_from_toml(text, f"parameters/{name}.toml", name=spec)
    installed = installed_devices()
    known = {**dict.fromkeys(PUBLISHED, ""), "ideal": MODELS["ideal"], **installed}
    found = lookup("device", spec, known)
    return found() if spec not in installed else _checked(spec, _load_entry(spec, found))


def installed_devices() -> dict[str, EntryPoint]:
    """Return the devices that installed packages register; names of this library cannot be taken."""
    taken = {*PUBLISHED, "ideal"}
    return {e.name: e for e in entry_points(group=GROUP) if e.name not in taken}


def _load_entry(spec: str, entry: EntryPoint) -> Any:
    try:
        made = entry.load()
        user_code.note_module(entry.module, "device")
        return made
    except Exception as error:
        place = f"{entry.value}, which an installed package registers"
        raise UsageError(f"device '{spec}' ({place}) cannot be loaded: {type(error).__name__}: {error}.") from error


def _fitted(spec: str) -> Device:
    """Fit a measured pulse train; what was chosen is said aloud and stands among the device's assumptions."""
    from hardware_models.fitting import fit_file

    files.contents(spec, "pulse train", most=files.LARGE)
    fitted = fit_file(spec)
    for notice in fitted.notices:
        logging.getLogger("hardware_models").warning("%s: %s", spec, notice)
    return fitted.device


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
    return _checked(spec, load_object(spec, "device"))


def _checked(spec: str, made: Any) -> Device:
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
    missing = [name for name in _USED if not hasattr(made, name)]
    if missing:
        raise UsageError(
            f"device '{spec}' lacks {', '.join(missing)}; derive it from hardware_models.devices.base.BaseDevice, which "
            "has them."
        )
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
    units = declared(model)
    values: dict[str, Any] = {"name": name or table["name"], "source": _citation(table["source"], where)}
    assumptions = []
    around: dict[str, float] = {}
    for entry, figure in table.items():
        if entry in ("model", "name", "source"):
            continue
        outside = entry not in known and entry in ageing.ENTRIES
        if entry not in known and not outside:
            raise UsageError(f"{where} has an unknown entry '{entry}'{closest(entry, {**known, **ageing.ENTRIES})}.")
        if not outside and not units[entry]:
            values[entry] = _word(figure, entry, where)
            if figure["kind"] == "assumption":
                assumptions.append(f"{entry} = {figure['value']}: {figure['source']}")
            continue
        if outside:
            around[entry] = _number(figure, entry, ageing.unit(entry), where)
        else:
            values[entry] = _number(figure, entry, units[entry]["unit"], where)
        if figure["kind"] == "assumption":
            assumptions.append(f"{entry} = {figure['value']} {figure['unit']}: {figure['source']}")
    try:
        device = model(**values, assumptions=tuple(assumptions))
    except TypeError as error:
        raise UsageError(f"{where} lacks a figure: {str(error).split('__init__()')[-1].strip()}.") from None
    return ageing.aged(device, around, where) if around else device


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
