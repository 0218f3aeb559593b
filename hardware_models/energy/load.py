"""Load a `Technology` from its name or file: every price is checked once, on loading, and converted into SI units.

A technology file (TOML, schema 1) has a table ``[meta]`` (name, node_nm, temperature_K, omits),
``[sources.<key>]``, the figures ``[line.read_voltage]``, ``[line.supply]``, ``[line.drive_ratio]``, ``[static.power]`` and
``[digital.control]``, and ``[component.<event>]``. ``[line.current_limit]``, ``[line.resistance]``, areas ``[area.<part>]``,
times ``[time.<part>]`` and ``[static.leakage]`` are optional; without them the current ratios, the wires, the area and the time
of the whole chip are unknown. ``extends`` in ``[meta]`` names a technology whose entries are used where the file has none of its
own (of ``[meta]``: all but the name); no figure is scaled to another ``node_nm``.
A figure has the entries that `hardware_models.figures` names, and ``status``; ``low_source``, ``high_status`` and so on
if the ends of its range come from another source; ``item`` tells the place in the source. A component is one figure,
or a law with its figures, or ``carried_by``.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hardware_models import figures, files
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.energy.components import FIXED, LAWS, Component, Conditions, Figure
from hardware_models.energy.facts import limits
from hardware_models.energy.files import ARITHMETIC, TECHNOLOGIES, WHAT, number_formats, packaged, tables, unnoted
from hardware_models.events import COUNTS, INTEGRALS
from hardware_models.tables import closest

CARRIED: Mapping[str, str] = MappingProxyType({"write.further": "further.write"})
"""Event that the integral of another device prices in every technology -> that integral; files may leave it out."""
CONVERTERS = ("dac", "adc")
BITS = range(1, 17)
STATUSES = ("verified", "recalled")
AREAS: Mapping[str, str] = MappingProxyType(
    {"cell_1T1R": "number", "cell_passive": "number", "adc": "area", "dac": "area", "integrator": "area",
     "sample_and_hold": "area", "multiply_add_fp32": "area", "multiply_add_int8": "area", "memory_bit": "area"}
)  # fmt: skip
"""Parts with an area -> dimension; the area of a cell is in squares of the node's feature size."""
TIMES: Mapping[str, str] = MappingProxyType({"conversion": "time", "clock": "frequency"})
"""Figures of time -> dimension: of one conversion, and of the clock of the digital block."""
MOST_NUMBER = 1e15
"""Largest number that a price may have, in its own unit."""
MOST = 2**20
"""Largest size of a technology file [B]."""
_STATED = ("low_source", "high_source", "low_status", "high_status")
"""Optional entries of a figure about the ends of its range."""
_META = ("name", "node_nm", "temperature_K")
_ORIGINS = ("doi", "path", "url", "basis")


@dataclass(frozen=True)
class Technology:
    """Prices of one technology, in SI units."""

    name: str
    node_nm: float
    temperature: float  # [K]
    components: Mapping[str, Component]
    sources: Mapping[str, files.Table]
    read_voltage: Figure  # [V] at full scale of a read, used if the device gives none
    static_power: Figure  # [W] drawn during all the chip's time
    static_statement: str
    supply: Figure  # [V] of the drivers of a read
    drive_ratio: Figure  # full scale of a read over the mean of its voltage, weighted with the current
    control: Figure  # share [1] that clock and control add to the energy of digital work
    omits: tuple[str, ...]
    sha256: str  # of the file, and of the one that it extends
    line_current: Figure | None = None  # [A] that a line bears permanently (electromigration)
    line_resistance: Figure | None = None  # [Ohm] of a line from cell to cell
    times: Mapping[str, Figure] = field(default_factory=lambda: MappingProxyType({}))  # see `TIMES`
    leakage: Figure | None = None  # [W] of one byte of memory
    areas: Mapping[str, Figure] = field(default_factory=lambda: MappingProxyType({}))  # see `AREAS`


def load_technology(spec: str | Path | Technology) -> Technology:
    """Return the technology of a name of `TECHNOLOGIES` or of a ``.toml`` file; a `Technology` is returned unchanged.

    Raises UsageError for an unknown name, a missing file, a figure without source, unit,
    range or kind, a value outside its range, or an event without a price.
    """
    if isinstance(spec, Technology):
        return spec
    text = str(spec)
    if text.endswith(".toml"):
        where = shown(text, 200, quoted=False)
        return technology_from_toml(files.text(files.contents(text, WHAT, most=MOST), where), where)
    if text not in TECHNOLOGIES:
        known = ", ".join(TECHNOLOGIES)
        raise UsageError(f"no technology {shown(text)}{closest(text, TECHNOLOGIES)} (known: {known}; or a .toml file).")
    return technology_from_toml(packaged(text), f"technologies/{TECHNOLOGIES[text]}.toml")


def technology_from_toml(text: str, where: str) -> Technology:
    """Return the technology that the text of a file describes; `where` is the file's name in error messages."""
    table, read = tables(text, where)
    for entry in ("meta", "sources", "line", "static", "digital", "component"):
        if not table[entry]:
            raise UsageError(f"{where} lacks the table '{entry}'.")
    meta = figures.parts(table["meta"], f"{where}: 'meta'", _META, ("omits", "extends"))
    omits = meta.get("omits", [])
    if not isinstance(omits, list):
        raise UsageError(f"{where}: 'meta' needs a list of texts as its omits, got {shown(omits)}.")
    for what in omits:
        figures.text(what, f"{where}: 'meta'", "omits")
    line = figures.parts(
        table["line"], f"{where}: 'line'", ("read_voltage", "supply", "drive_ratio"), ("current_limit", "resistance")
    )
    static = figures.parts(table["static"], f"{where}: 'static'", (), ("power", "statement", "leakage"))
    digital = figures.parts(table["digital"], f"{where}: 'digital'", ("control",))
    if "statement" in static:
        figures.text(static["statement"], f"{where}: 'static'", "statement")
    reader = _Reader(where, _sources(table["sources"], where))
    temperature = in_range(f"{where}: 'meta'", "temperature_K", meta["temperature_K"], 0.0, 1000.0, "K", low_open=True)
    given = {**{event: {"carried_by": integral} for event, integral in CARRIED.items()}, **table["component"]}
    components = {name: reader.component(name, entry) for name, entry in given.items()}
    _complete(components, where)
    name = figures.text(meta["name"], f"{where}: 'meta'", "name", most=1000)
    technology = Technology(
        name=name,
        node_nm=in_range(f"{where}: 'meta'", "node_nm", meta["node_nm"], 1.0, 1e4, "nm"),
        temperature=temperature,
        components=MappingProxyType(components),
        sources=MappingProxyType(reader.sources),
        read_voltage=reader.figure("line.read_voltage", line["read_voltage"], "voltage"),
        static_power=reader.figure("static.power", static.get("power"), "power"),
        static_statement=static.get("statement", ""),
        supply=reader.figure("line.supply", line["supply"], "voltage"),
        drive_ratio=reader.figure("line.drive_ratio", line["drive_ratio"], "number"),
        control=reader.figure("digital.control", digital["control"], "number"),
        omits=tuple(omits),
        sha256=hashlib.sha256(read.encode()).hexdigest(),
        line_current=_optional(reader, line, "current_limit", "current"),
        line_resistance=_optional(reader, line, "resistance", "resistance"),
        times=_table(reader, table["time"], "time", TIMES),
        leakage=reader.figure("static.leakage", static["leakage"], "power") if "leakage" in static else None,
        areas=_table(reader, table["area"], "area", AREAS),
    )
    _above_limits(technology, where)
    if name in TECHNOLOGIES and tomllib.loads(text) != tomllib.loads(unnoted(name)):
        raise UsageError(
            f"{where}: 'meta' has the name '{name}', which is that of a technology of this library; give it a name of its own."
        )
    return technology


def _optional(reader: _Reader, line: files.Table, name: str, dimension: str) -> Figure | None:
    entry = line.get(name)
    return None if entry is None else reader.figure(f"line.{name}", entry, dimension)


def _table(reader: _Reader, table: files.Table, what: str, dimensions: Mapping[str, str]) -> Mapping[str, Figure]:
    """Return the figures of a table that may leave some out; what has another name is refused."""
    for name in table:
        if name not in dimensions:
            raise UsageError(
                f"{reader.where}: '{what}.{shown(name, quoted=False)}' is the {what} of no part{closest(name, dimensions)}."
            )
    return MappingProxyType({n: reader.figure(f"{what}.{n}", entry, dimensions[n]) for n, entry in table.items()})


class _Reader:
    """Read the figures of one file, and remember the value that each item of a source was quoted with."""

    def __init__(self, where: str, sources: Mapping[str, files.Table]) -> None:
        self.where = where
        self.sources = sources
        self._quoted: dict[tuple[str, str], tuple[float, str]] = {}

    def component(self, name: str, entry: object) -> Component:
        place = f"component.{shown(name, quoted=False)}"
        family, _, form = name.partition(".")
        if name not in (*COUNTS, *CONVERTERS) and (family not in ARITHMETIC or form not in number_formats()):
            raise UsageError(f"{self.where}: '{place}' prices no event that is counted{_nearest(name)}.")
        if not isinstance(entry, dict):
            raise UsageError(f"{self.where}: '{place}' should be a table, got {shown(entry)}.")
        if "carried_by" in entry:
            if set(entry) != {"carried_by"} or entry["carried_by"] not in (*INTEGRALS,):
                raise UsageError(
                    f"{self.where}: '{place}' should have carried_by alone, one of {', '.join(INTEGRALS)}."
                )
            return Component(name, FIXED, {}, entry["carried_by"])
        if "law" not in entry:
            figures: dict[str, Figure] = {"energy": self.figure(place, entry, "energy")}
            component = Component(name, FIXED, MappingProxyType(figures))
        else:
            component = self._by_law(name, place, entry)
        if LAWS[component.law].per_bits != (name in CONVERTERS):
            right = "a law of the bits b" if name in CONVERTERS else "a price without the bits b"
            raise UsageError(f"{self.where}: '{place}' needs {right}, got the law '{component.law}'.")
        return component

    def _by_law(self, name: str, place: str, entry: files.Table) -> Component:
        law = entry["law"]
        if law not in (*LAWS,):  # a tuple, because the file may hold a list here, which a mapping cannot look up
            raise UsageError(f"{self.where}: '{place}' has the unknown law {shown(law)} (known: {', '.join(LAWS)}).")
        wanted = LAWS[law].figures
        for part in entry:
            if part not in (*wanted, "law", "reference"):
                raise UsageError(f"{self.where}: '{place}' has an unknown entry {shown(part)}{closest(part, wanted)}.")
        figures = {part: self.figure(f"{place}.{part}", entry.get(part), kind) for part, kind in wanted.items()}
        component = Component(name, law, MappingProxyType(figures))
        if "reference" in entry:
            self._check_reference(component, place, entry["reference"])
        return component

    def _check_reference(self, component: Component, place: str, point: object) -> None:
        """Raise UsageError if a fitted law misses the published price at the number of bits of its reference."""
        where = f"{self.where}: '{place}.reference'"
        needed = ("bits", "value", "unit", "tolerance", "source")
        table = figures.parts(point, where, needed, figures.OPTIONAL)
        bits = positive_int(where, "its bits", table["bits"], BITS[0], BITS[-1])
        tolerance = in_range(where, "its tolerance", table["tolerance"], 0.0, 1.0)
        self._source(f"{place}.reference", table["source"])
        # A point without a range of its own is read as a figure whose ends are its value.
        ends = {"value": table["value"], "low": table["value"], "high": table["value"]}
        reference = {**ends, "unit": table["unit"], "kind": "measured", "source": table["source"]}
        published = figures.figure(reference, where, "energy", least=0.0, most=MOST_NUMBER).value
        got = component.joule("nominal", Conditions(0.0, 0.0, 0.0), bits)
        if not math.isclose(got, published, rel_tol=tolerance):
            raise UsageError(
                f"{self.where}: '{place}' gives {got:g} J at {bits} bits, but its reference "
                f"'{table['source']}' says {published:g} J."
            )

    def figure(self, place: str, entry: Any, wanted: str) -> Figure:
        """Return a figure in SI units; raise UsageError if an entry is missing or the value lies outside its range."""
        where = f"{self.where}: '{place}'"
        read = figures.figure(entry, where, wanted, least=0.0, most=MOST_NUMBER, needed=("status",), optional=_STATED)
        ends = ("low", "value", "high")
        statuses = tuple(entry.get(f"{end}_status", entry["status"]) for end in ends)
        sources = tuple(entry.get(f"{end}_source", entry["source"]) for end in ends)
        for status, source in zip(statuses, sources, strict=True):
            figures.one_of(where, "status", status, STATUSES)
            self._source(place, source)
        if entry.get("item"):
            self._quote(place, read.source, entry["item"], read.value)
        return Figure((read.low, read.value, read.high), wanted, read.kind, sources, statuses)  # type: ignore[arg-type]

    def _quote(self, place: str, source: str, item: str, value: float) -> None:
        first, earlier = self._quoted.setdefault((source, item), (value, place))
        if first != value:
            raise UsageError(
                f"{self.where}: the source '{source}' is quoted for '{item}' with two values, {first:g} in "
                f"'{earlier}' and {value:g} in '{place}' (SI units)."
            )

    def _source(self, place: str, source: str) -> None:
        if not isinstance(source, str) or source not in self.sources:
            raise UsageError(
                f"{self.where}: '{place}' names the unknown source {shown(source)}{closest(str(source), self.sources)}."
            )


def _nearest(name: str) -> str:
    """Return the most similar name of a component as the end of a message; of the same family, if `name` has a known one."""
    known = [*COUNTS, *CONVERTERS, *(f"{family}.{form}" for family in ARITHMETIC for form in number_formats())]
    same = [other for other in known if "." in name and other.startswith(f"{name.partition('.')[0]}.")]
    return closest(name, same or known) or (f" (known: {', '.join(same)})" if same else "")


def _sources(entries: files.Table, where: str) -> dict[str, files.Table]:
    for key, source in entries.items():
        place = f"{where}: 'sources.{shown(key, quoted=False)}'"
        for part, said in figures.parts(source, place, ("title",), (*_ORIGINS, "note", "checked")).items():
            figures.text(said, place, part)
        if not any(origin in source for origin in _ORIGINS):
            raise UsageError(f"{place} needs a doi, path, url or basis.")
    return dict(entries)


def _complete(components: Mapping[str, Component], where: str) -> None:
    for name in (*COUNTS, *CONVERTERS):
        if name not in components:
            raise UsageError(f"{where} has no price for the counted event '{name}'.")


def _above_limits(technology: Technology, where: str) -> None:
    """Raise UsageError if the low end of a price's range lies below its physical bound in `limits`."""
    at = Conditions(0.0, 0.0, 0.0)
    for name, component in technology.components.items():
        for bits in BITS if name in CONVERTERS else (0,):
            least = limits.floor(name, technology.temperature, bits or None)
            if component.joule("low", at, bits) < least:
                shown = f" at {bits} bits" if bits else ""
                raise UsageError(
                    f"{where}: 'component.{name}'{shown} costs {component.joule('low', at, bits):g} J in its "
                    f"low case, below the physical limit of {least:g} J."
                )
