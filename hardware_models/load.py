"""From what a user names to a device: a name, a parameter file, a measured pulse train, or a class of the user's own.

Four doors: a name, of this library or of an installed package that registers it in the entry-point group
``hardware_models.devices``; a ``.toml``; a ``.csv``; ``file.py:Class`` or ``package.module:Class``. Behind all of them
waits the same quick examination (`hardware_models.examination`).

A parameter file (TOML) holds one published device: ``model``, ``name``, a table ``[source]`` and one table for each
number, with ``value``, ``unit``, ``low`` and ``high`` (the range in which the source or common sense lets it lie),
``kind`` (measured, fitted, derived, assumption, ...) and ``source``; `hardware_models.figures` has the whole grammar.
Every figure is checked on loading and turned into SI.
The entries of `hardware_models.devices.ageing` (``endurance``, ``retention``, ...) put wear and retention around any model
that has no number of that name itself.
"""

from __future__ import annotations

import logging
from dataclasses import MISSING, fields
from importlib.metadata import EntryPoint, entry_points
from os.path import exists, expanduser, isdir
from pathlib import Path
from types import MappingProxyType

from hardware_models import figures, files, opened, user_code
from hardware_models.check import UsageError, shown
from hardware_models.devices import MODELS, PUBLISHED, ageing, provenance
from hardware_models.devices.adapted import adapted
from hardware_models.devices.base import BaseDevice, Device, declared
from hardware_models.examination.examine import examined
from hardware_models.places import placed
from hardware_models.tables import closest, load_object, lookup
from hardware_models.units import dimension
from hardware_models.user_devices import checked, pulsed, without_class

WHAT = "device file"
MOST = 2**20
"""Most bytes of a parameter file [B]."""
SOURCE = ("technology", "doi", "url", "path", "title", "authors", "year", "note", "checked", "endurance", "retention")
"""Optional entries of ``[source]`` beside the citation."""
TOLD = MappingProxyType({"endurance": "pulses", "retention": "s"})
"""Entries of ``[source]`` that may be a figure instead of a sentence, with their unit: reports read them, no device does."""
UNCERTAIN = ("assumption", "estimate")
"""Kinds of figures that stand among the device's assumptions."""
GROUP = "hardware_models.devices"
"""Entry-point group of devices in installed packages: name = "package.module:Class"."""


def load_device(spec: str | Device) -> BaseDevice:
    """Return the device that `spec` names: a name, ``*.toml``, ``*.csv``, ``file.py:Class``, ``package.module:Class``.

    A device is returned as it is, but for one that is not derived from `BaseDevice`: that one is put behind the same contract
    (`adapted`), here and once. Raises UsageError in one sentence for an unknown name, a file that does not exist, a
    figure that lacks its unit or lies outside its range, or a device that fails its quick examination.
    """
    if not isinstance(spec, str):
        if isinstance(spec, Device) and pulsed(spec):
            return adapted(spec)
        raise UsageError(f"a device needs the methods fabricate and pulse; {type(spec).__name__} has not both.")
    device = named_device(spec)
    if spec in PUBLISHED or spec in MODELS:  # the tests have examined these
        return device
    examined(device, quick=True).raise_if_failed()
    return device


def named_device(spec: str) -> BaseDevice:
    """Return the device that `spec` names, unexamined."""
    if spec.endswith(".toml"):
        return _device(*read_table(spec))
    if spec.endswith(".csv"):
        return _fitted(spec)
    if ":" in spec and not spec.endswith(":"):
        return checked(spec, load_object(spec, "device"))
    if spec in PUBLISHED:
        return _device(*read_table(spec), name=spec)
    if spec.endswith((".py", ".py:")):
        raise without_class(spec.rstrip(":"))
    if spec in MODELS and spec != "ideal":
        raise UsageError(
            f'{spec!r} is a model, not a device: write its figures to a file with model = "{spec}" and give --device file.toml '
            "(docs/how-to/plug-in.md)."
        )
    installed = installed_devices()
    known = {**dict.fromkeys(PUBLISHED, ""), "ideal": MODELS["ideal"], **installed}
    path = placed(Path(expanduser(spec)))
    if spec not in known and exists(path):  # False, not an error, for a text that no path can be
        what = "a folder" if isdir(path) else "a file of another kind"
        raise UsageError(f"device {shown(spec, 200)} is {what}; name a file.toml, a file.csv or file.py:Class.")
    found = lookup("device", spec, known)
    return checked(spec, _load_entry(spec, found) if spec in installed else found)


def installed_devices() -> dict[str, EntryPoint]:
    """Return the devices that installed packages register; names of this library cannot be taken."""
    taken = {*PUBLISHED, "ideal"}
    return {e.name: e for e in entry_points(group=GROUP) if e.name not in taken}


def _load_entry(spec: str, entry: EntryPoint) -> object:
    try:
        opened.expect(entry.module)
        made: object = entry.load()
        user_code.note_module(entry.module, "device")
        return made
    except Exception as error:
        place = f"{entry.value}, which an installed package registers"
        raise UsageError(f"device '{spec}' ({place}) cannot be loaded: {type(error).__name__}: {error}.") from error


def _fitted(spec: str) -> BaseDevice:
    """Fit a measured pulse train; what was chosen is said aloud and stands among the device's assumptions."""
    from hardware_models.fitting import fit_file

    fitted = fit_file(spec)
    assumed = [f"assumed: {stand.said}" for stand in fitted.stands if stand.kind == "assumption"]
    for notice in (*assumed, *fitted.notices):
        logging.getLogger("hardware_models").warning("%s: %s", spec, notice)
    return fitted.device


def published() -> list[dict[str, object]]:
    """Return a summary of each published device, for listing: one entry a file, in the order of `PUBLISHED`.

    Each has name, technology, model, states, on_off, v_up [V], t_up [s], v_down [V], t_down [s], doi, citation,
    figures (how many of its numbers are checked, not_read, assumptions), law_of_time, and in words what its source says of
    endurance and retention.
    """
    listed = []
    names: dict[str, str] = {}
    for name, file in PUBLISHED.items():
        names.setdefault(file, name)
    for name in names.values():
        table, where = read_table(name)
        device = _device(table, where)
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
                "citation": source["citation"],
                "figures": provenance.counts(table),
                "law_of_time": provenance.law_of_time(table),
                **{part: provenance.told(source[part]) for part in TOLD},
            }
        )
    return listed


def published_endurance(name: str) -> float | None:
    """Return the endurance [pulses] that the source of a published device gives; None where none is known.

    A device without a parameter file of this package has none. Nothing but the report of a run's wear reads it: the cells of a
    run wear out by the entry ``endurance`` of a file's own (`hardware_models.devices.ageing`).
    """
    said = read_table(name)[0]["source"].get("endurance") if name in PUBLISHED else None
    return figures.figure(said, name, dimension(TOLD["endurance"])).value if isinstance(said, dict) else None


def has_table(spec: str) -> bool:
    """Tell whether a device is described by a parameter file: a published name, or a ``.toml`` of the user's."""
    return spec in PUBLISHED or spec.endswith(".toml")


def read_table(spec: str) -> tuple[files.Table, str]:
    """Return the tables of a device's parameter file, unchecked, and where they stand, for messages."""
    if spec in PUBLISHED:
        name = f"{PUBLISHED[spec]}.toml"
        where = f"parameters/{name}"
        return files.toml(files.packaged("hardware_models.parameters", name, WHAT), where), where
    where = shown(spec, 200, quoted=False)
    return files.toml(files.contents(spec, WHAT, most=MOST), where), where


def device_from_toml(text: str, where: str, *, name: str | None = None) -> BaseDevice:
    """Return the device of a parameter file's text; `where` is named in errors."""
    return _device(files.toml(text, where), where, name=name)


def _device(table: files.Table, where: str, *, name: str | None = None) -> BaseDevice:
    """Return the device of a parameter file's tables."""
    for entry in ("model", "name", "source"):
        if entry not in table:
            raise UsageError(f"{where} lacks the entry '{entry}'.")
    try:
        model = lookup("device model", table["model"], MODELS)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    known = {f.name: f for f in fields(model) if f.name != "assumptions"}
    units = declared(model)
    values: dict[str, object] = {
        "name": name or _name(table["name"], where),
        "source": _citation(table["source"], where),
    }
    assumptions = []
    around: dict[str, float] = {}
    for entry, given in table.items():
        if entry in ("model", "name", "source"):
            continue
        place = f"{where}: '{entry}'"
        if entry not in known and entry not in ageing.ENTRIES:
            near = closest(entry, {**known, **ageing.ENTRIES})
            raise UsageError(f"{where} has an unknown entry {shown(entry)}{near}.")
        if entry in known and not units[entry]:
            values[entry], kind, source = figures.choice(given, place)
            values[entry] = _choice(values[entry], str(known[entry].type), place)
            said = f"{entry} = {given['value']}: {source}"
        else:
            unit = units[entry]["unit"] if entry in known else ageing.unit(entry)
            # Shares may have ends beyond what a model takes (a fit's interval); volts, seconds and siemens keep their sign.
            signed = unit == "1" or entry not in known or units[entry]["low"] < 0.0
            figure = figures.figure(given, place, dimension(unit), least=-figures.LARGEST if signed else 0.0)
            (values if entry in known else around)[entry] = figure.value
            kind, said = figure.kind, f"{entry} = {figure.text}: {figure.source}"
        if kind in UNCERTAIN:
            assumptions.append(said)
    for entry, f in known.items():
        if entry not in values and f.default is MISSING and f.default_factory is MISSING:
            raise UsageError(f"{where} lacks a figure: '{entry}', which the model '{table['model']}' needs.")
    with files.reading(where, "a device"):
        try:
            device = model(**values, assumptions=tuple(assumptions))
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None
    return ageing.aged(device, around, where) if around else device


def _name(name: object, where: str) -> str:
    if not figures.text(name, where, "name", most=1000).isprintable():
        raise UsageError(f"{where} needs a name of letters and signs that can be printed, got {shown(name)}.")
    return str(name)


def _citation(source: object, where: str) -> str:
    place = f"{where}: 'source'"
    table = figures.parts(source, place, ("citation",), SOURCE)
    for part, said in table.items():
        if part in TOLD and isinstance(said, dict):
            figures.figure(said, f"{place}, '{part}'", dimension(TOLD[part]), least=0.0)
        elif part != "year" or isinstance(said, str):
            figures.text(said, place, part)
    return str(table["citation"]) + (f", doi:{table['doi']}" if table.get("doi") else "")


def _choice(value: object, kind: str, place: str) -> object:
    """Return a value without a unit after checking that it is of the kind that the model declares."""
    if kind == "str":
        return figures.text(value, place, "value")
    if kind == "bool":
        if not isinstance(value, bool):
            raise UsageError(f"{place} needs true or false as its value, got {shown(value)}.")
        return value
    return figures.numbers(value, place, deep=1 if kind.startswith("tuple") else 2)
