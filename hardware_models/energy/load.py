"""From a name or a file to a `Technology`: every price checked once, on loading, and turned into SI.

A technology file (TOML, schema 1) has a table ``[meta]`` (name, node_nm, temperature_K, omits),
``[sources.<key>]``, the figures ``[line.read_voltage]`` and ``[static.power]``, and
``[component.<event>]``; ``[line.current_limit]`` and areas ``[area.<part>]`` may be left out, what follows from
them is then unknown. ``extends`` in ``[meta]`` names a technology whose entries serve where the file has none of
its own. A figure has value, unit, low, high, kind, status and source; ``low_source``,
``high_status`` and so on where the ends of its range come from elsewhere; ``item`` says where in the source
it stands. A component is one figure, or a law with its figures, or ``carried_by``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hardware_models import files
from hardware_models.check import UsageError, in_range
from hardware_models.energy import limits
from hardware_models.energy.components import FIXED, LAWS, Component, Conditions, Figure
from hardware_models.energy.files import TECHNOLOGIES, packaged, tables
from hardware_models.events import COUNTS, INTEGRALS
from hardware_models.tables import closest
from hardware_models.units import dimension, to_si

CONVERTERS = ("dac", "adc")
FORMATS = ("mac", "add")
BITS = range(1, 17)
KINDS = ("measured", "simulated", "fitted", "estimate", "limit")
STATUSES = ("verified", "recalled")
AREAS: Mapping[str, str] = MappingProxyType(
    {"cell_1T1R": "number", "cell_passive": "number", "adc": "area", "dac": "area", "integrator": "area",
     "sample_and_hold": "area"}
)  # fmt: skip
"""Parts with an area -> dimension; cells in squares of the node's feature size."""
_NEEDED = ("value", "unit", "low", "high", "kind", "status", "source")
_OPTIONAL = ("item", "note", "low_source", "high_source", "low_status", "high_status")


@dataclass(frozen=True)
class Technology:
    """Prices of one technology, in SI units."""

    name: str
    node_nm: float
    temperature: float  # [K]
    components: Mapping[str, Component]
    sources: Mapping[str, Mapping[str, Any]]
    read_voltage: Figure  # [V] full scale of a read, where the device does not give it
    static_power: Figure  # [W] over the chip's clock
    static_statement: str
    omits: tuple[str, ...]
    sha256: str  # of the file, and of the one that it extends
    line_current: Figure | None = None  # [A] that a line bears for good (electromigration)
    areas: Mapping[str, Figure] = field(default_factory=lambda: MappingProxyType({}))  # see `AREAS`


def load_technology(spec: str | Path | Technology) -> Technology:
    """Return the technology that `spec` names: a name of `TECHNOLOGIES`, a ``.toml`` file, or itself.

    Raises UsageError in one sentence for an unknown name, a missing file, a figure without source, unit,
    range or kind, a value outside its range, or an event without a price.
    """
    if isinstance(spec, Technology):
        return spec
    text = str(spec)
    if text.endswith(".toml"):
        path = Path(text).expanduser()
        if not path.is_file():
            raise UsageError(f"technology file {text} does not exist.")
        files.contents(path, "technology file")
        return technology_from_toml(path.read_text(encoding="utf-8", errors="replace"), text)
    if text not in TECHNOLOGIES:
        known = ", ".join(TECHNOLOGIES)
        raise UsageError(f"no technology '{text}'{closest(text, TECHNOLOGIES)} (known: {known}; or a .toml file).")
    return technology_from_toml(packaged(text), f"technologies/{TECHNOLOGIES[text]}.toml")


def technology_from_toml(text: str, where: str) -> Technology:
    """Return the technology of a file's text; `where` is named in errors."""
    table, read = tables(text, where)
    for entry in ("meta", "sources", "line", "static", "component"):
        if not isinstance(table.get(entry), dict):
            raise UsageError(f"{where} lacks the table '{entry}'.")
    meta = table["meta"]
    for entry in ("name", "node_nm", "temperature_K"):
        if entry not in meta:
            raise UsageError(f"{where}: 'meta' lacks its {entry}.")
    reader = _Reader(where, _sources(table["sources"], where))
    temperature = in_range(f"{where}: 'meta'", "temperature_K", meta["temperature_K"], 0.0, 1000.0, "K", low_open=True)
    components = {name: reader.component(name, entry) for name, entry in table["component"].items()}
    _complete(components, where)
    technology = Technology(
        name=str(meta["name"]),
        node_nm=in_range(f"{where}: 'meta'", "node_nm", meta["node_nm"], 1.0, 1e4, "nm"),
        temperature=temperature,
        components=MappingProxyType(components),
        sources=MappingProxyType(reader.sources),
        read_voltage=reader.figure("line.read_voltage", table["line"].get("read_voltage"), "voltage"),
        static_power=reader.figure("static.power", table["static"].get("power"), "power"),
        static_statement=str(table["static"].get("statement", "")),
        omits=tuple(meta.get("omits", ())),
        sha256=hashlib.sha256(read.encode()).hexdigest(),
        line_current=_line_current(reader, table["line"]),
        areas=_areas(reader, table.get("area", {})),
    )
    _above_limits(technology, where)
    return technology


def _line_current(reader: _Reader, line: Mapping[str, Any]) -> Figure | None:
    entry = line.get("current_limit")
    return None if entry is None else reader.figure("line.current_limit", entry, "current")


def _areas(reader: _Reader, table: Mapping[str, Any]) -> Mapping[str, Figure]:
    for name in table:
        if name not in AREAS:
            raise UsageError(f"{reader.where}: 'area.{name}' is the area of no part{closest(name, AREAS)}.")
    return MappingProxyType({n: reader.figure(f"area.{n}", entry, AREAS[n]) for n, entry in table.items()})


class _Reader:
    """Reads the figures of one file; remembers what each source was quoted for."""

    def __init__(self, where: str, sources: dict[str, Mapping[str, Any]]) -> None:
        self.where = where
        self.sources = sources
        self._quoted: dict[tuple[str, str], tuple[float, str]] = {}

    def component(self, name: str, entry: Any) -> Component:
        place = f"component.{name}"
        family = name.partition(".")[0]
        if name not in (*COUNTS, *CONVERTERS) and not (family in FORMATS and name != family):
            known = (*COUNTS, *CONVERTERS)
            raise UsageError(f"{self.where}: '{place}' prices no event that is counted{closest(name, known)}.")
        if not isinstance(entry, dict):
            raise UsageError(f"{self.where}: '{place}' should be a table.")
        if "carried_by" in entry:
            if set(entry) != {"carried_by"} or entry["carried_by"] not in INTEGRALS:
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

    def _by_law(self, name: str, place: str, entry: dict[str, Any]) -> Component:
        law = entry["law"]
        if law not in LAWS:
            raise UsageError(f"{self.where}: '{place}' has the unknown law '{law}' (known: {', '.join(LAWS)}).")
        wanted = LAWS[law].figures
        for part in entry:
            if part not in (*wanted, "law", "reference"):
                raise UsageError(f"{self.where}: '{place}' has an unknown entry '{part}'{closest(part, wanted)}.")
        figures = {part: self.figure(f"{place}.{part}", entry.get(part), kind) for part, kind in wanted.items()}
        component = Component(name, law, MappingProxyType(figures))
        if "reference" in entry:
            self._check_reference(component, place, entry["reference"])
        return component

    def _check_reference(self, component: Component, place: str, point: Any) -> None:
        """Refuse a fitted law that misses the published price at one number of bits."""
        needed = ("bits", "value", "unit", "tolerance", "source")
        for part in needed:
            if not isinstance(point, dict) or part not in point:
                raise UsageError(f"{self.where}: '{place}.reference' lacks its {part}.")
        self._source(f"{place}.reference", point["source"])
        published = self._si(f"{place}.reference", point["value"], point["unit"], "energy")
        got = component.joule("nominal", Conditions(0.0, 0.0, 0.0), point["bits"])
        if not math.isclose(got, published, rel_tol=point["tolerance"]):
            raise UsageError(
                f"{self.where}: '{place}' gives {got:g} J at {point['bits']} bits, but its reference "
                f"'{point['source']}' says {published:g} J."
            )

    def figure(self, place: str, entry: Any, wanted: str) -> Figure:
        """Return a figure in SI after checking that nothing is missing and that its range holds it."""
        if not isinstance(entry, dict):
            raise UsageError(f"{self.where}: '{place}' should be a table with {', '.join(_NEEDED)}.")
        for part in _NEEDED:
            if part not in entry or entry[part] == "":
                raise UsageError(f"{self.where}: '{place}' lacks its {part}.")
        for part in entry:
            if part not in (*_NEEDED, *_OPTIONAL):
                known = (*_NEEDED, *_OPTIONAL)
                raise UsageError(f"{self.where}: '{place}' has an unknown entry '{part}'{closest(part, known)}.")
        ends = ("low", "value", "high")
        unit = entry["unit"]
        values = tuple(self._si(place, entry[end], unit, wanted) for end in ends)
        if not values[0] <= values[1] <= values[2]:
            raise UsageError(
                f"{self.where}: '{place}' = {entry['value']} {unit} lies outside its range "
                f"[{entry['low']}, {entry['high']}] {unit}."
            )
        self._one_of(place, "kind", entry["kind"], KINDS)
        statuses = tuple(entry.get(f"{end}_status", entry["status"]) for end in ends)
        sources = tuple(entry.get(f"{end}_source", entry["source"]) for end in ends)
        for status, source in zip(statuses, sources, strict=True):
            self._one_of(place, "status", status, STATUSES)
            self._source(place, source)
        if entry.get("item"):
            self._quote(place, entry["source"], entry["item"], values[1])
        return Figure(values, wanted, entry["kind"], sources, statuses)  # type: ignore[arg-type]

    def _quote(self, place: str, source: str, item: str, value: float) -> None:
        first, earlier = self._quoted.setdefault((source, item), (value, place))
        if first != value:
            raise UsageError(
                f"{self.where}: the source '{source}' is quoted for '{item}' with two values, {first:g} in "
                f"'{earlier}' and {value:g} in '{place}' (SI units)."
            )

    def _source(self, place: str, source: Any) -> None:
        if source not in self.sources:
            raise UsageError(
                f"{self.where}: '{place}' names the unknown source '{source}'{closest(source, self.sources)}."
            )

    def _one_of(self, place: str, part: str, got: Any, known: tuple[str, ...]) -> None:
        if got not in known:
            raise UsageError(f"{self.where}: '{place}' has {part} '{got}', should be one of {', '.join(known)}.")

    def _si(self, place: str, value: Any, unit: Any, wanted: str) -> float:
        number = in_range(f"{self.where}: '{place}'", "each of its numbers", value, 0.0, 1e15)
        try:
            got = dimension(unit)
        except UsageError as error:
            raise UsageError(f"{self.where}: '{place}': {error}") from None
        if got != wanted:
            raise UsageError(
                f"{self.where}: '{place}' should be of the dimension {wanted}, but its unit '{unit}' is "
                f"of the dimension {got}."
            )
        return to_si(number, unit)


def _sources(entries: dict[str, Any], where: str) -> dict[str, Mapping[str, Any]]:
    for key, source in entries.items():
        if not isinstance(source, dict) or not source.get("title"):
            raise UsageError(f"{where}: 'sources.{key}' lacks its title.")
        if not any(source.get(origin) for origin in ("doi", "path", "url", "basis")):
            raise UsageError(f"{where}: 'sources.{key}' needs a doi, path, url or basis.")
    return dict(entries)


def _complete(components: Mapping[str, Component], where: str) -> None:
    for name in (*COUNTS, *CONVERTERS):
        if name not in components:
            raise UsageError(f"{where} has no price for the counted event '{name}'.")


def _above_limits(technology: Technology, where: str) -> None:
    """Refuse a price that beats physics: the low end of each range lies above the bound of `limits`."""
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
