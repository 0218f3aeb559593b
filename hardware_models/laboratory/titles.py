"""Read the quantity and the unit from a column's title, in all the ways in which laboratories write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hardware_models.units import UNITS


@dataclass(frozen=True)
class Quantity:
    """A quantity that a table may hold, and the names that titles use for it."""

    names: tuple[str, ...]  # names in headers, without blanks
    dimension: str = ""  # dimension of its unit; "" if it has no unit
    example: str = ""
    instrument: tuple[str, ...] = ()  # names that instruments write; such a column is in the unit `si`
    si: str = ""


QUANTITIES: Mapping[str, Quantity] = {
    "pulse": Quantity(("pulse", "pulsenumber", "pulseno", "pulseindex", "pulse#", "n")),
    "polarity": Quantity(("polarity", "sign", "direction", "pulsetype")),
    "voltage": Quantity(
        ("voltage", "pulsevoltage", "v", "vpulse", "vp", "pulseamplitude", "pulseheight", "amplitude", "writevoltage",
         "vwrite", "programmingvoltage", "programvoltage", "vprog", "appliedvoltage"), "voltage", "V",
        ("pulsev", "pulseamp", "forcev", "sourcev", "gatev"), "V",
    ),
    "cycle": Quantity(("cycle", "cyclenumber", "cycleno", "cycle#", "cycleindex", "cyc", "loop", "iteration", "repetition")),
    "cell": Quantity(
        ("cell", "device", "dut", "cellnumber", "devicenumber", "cellno", "deviceno", "cellid", "deviceid", "dutid")
    ),
    "word line": Quantity(("wordline", "word", "wl")),
    "bit line": Quantity(("bitline", "bit", "bl")),
    "width": Quantity(("width", "pulsewidth", "tpulse", "pulseduration", "pulselength"), "time", "ns", ("pulsew",), "s"),
    "time": Quantity(("time", "timestamp", "elapsedtime", "t")),
    "conductance": Quantity(("conductance", "g", "gread"), "conductance", "uS", ("measg",), "S"),
    "resistance": Quantity(("resistance", "r", "rread"), "resistance", "kohm", ("measr",), "ohm"),
    "current": Quantity(("current", "readcurrent", "i", "iread"), "current", "uA", ("measi", "imeas", "draini"), "A"),
    "read voltage": Quantity(("readvoltage", "vread", "readbias"), "voltage", "V", ("measv", "vmeas", "readv", "drainv"), "V"),
    "read time": Quantity(("readtime", "tread", "readwidth", "readpulsewidth", "integrationtime", "aperture"), "time", "us"),
}  # fmt: skip
"""Quantities that are searched in a header, by name."""
READINGS = ("conductance", "resistance", "current")
"""Quantities from which the conductance is computed; the first one present is used."""


_PREFIXES = {"femto": "f", "pico": "p", "nano": "n", "micro": "u", "milli": "m", "kilo": "k", "mega": "M", "giga": "G"}
_UNIT_WORDS = {"a/v": "S", "siemens": "S", "mho": "S", "mhos": "S", "ampere": "A", "amperes": "A", "amps": "A", "amp": "A",
               "volts": "V", "volt": "V", "ohm": "ohm", "ohms": "ohm", "seconds": "s", "second": "s", "sec": "s"}  # fmt: skip
_MISREAD = {"\xc2\xb5": "u", "\xce\xbc": "u", "\xe6": "u", "\u0192\xca": "u", "\xa6\xcc": "u",
            "\xe2\u201e\xa6": "ohm", "\xce\xa9": "ohm", "\xea": "ohm", "\xbd": "ohm", "\u0192\xb6": "ohm",
            "\xa6\xb8": "ohm"}  # fmt: skip
"""Misread forms of micro and ohm: a text written as UTF-8, for DOS, on a Macintosh or in Chinese or Japanese."""
_POWER = re.compile(r"[x*\xd7]?(?:10\^?|1[eE])([+-]?\d{1,2})[*\xb7]?([A-Za-z/]+)")
_POWERS = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
"""The prefix of a power of ten, for units such as 10^-6 S."""
NAMED = {name: q for q, known in QUANTITIES.items() for name in (*known.names, *known.instrument)}
"""Quantity by each of its names in the form of `plain`."""
_LETTER = re.compile("[a-z]", re.IGNORECASE)


def plain(name: str) -> str:
    """Return a name in lower case without blanks, points and hyphens."""
    return re.sub(r"[\s_.\-]+", "", name).lower()


def parts_of(title: str) -> tuple[str, str]:
    """Return the name and the unit in a header's cell; the unit is "" if there is none."""
    title = title.strip()
    if len(title) > 100:  # too long to be a name with a unit
        return title, ""
    opening = {"]": "[", ")": "(", "}": "{"}.get(title[-1:])
    if opening is not None and (at := title.rfind(opening)) > 0:
        return title[:at].rstrip(" /_,:"), title[at + 1 : -1].strip()
    if " / " in title:
        name, _, unit = title.rpartition(" / ")
        return name.strip(), unit.strip()
    return next(((name, unit) for name, unit, kind, wanted in readings_of(title) if kind == wanted), (title, ""))


def readings_of(title: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield each way to split a title without brackets: name, unit, dimension of the unit ("" if unknown), dimension wanted.

    ``V_read`` is only a name, ``I_read_nA`` a name and a unit: only text after the complete name of a quantity can be its unit.
    """
    for match in re.finditer(r"\s+in\s+|\s*[\s_/,:;\-]\s*", title, re.IGNORECASE):
        name, unit = title[: match.start()], title[match.end() :].strip("_ ")
        quantity = NAMED.get(plain(name))
        if quantity is not None and unit:
            wanted = QUANTITIES[quantity].dimension or ("time" if quantity == "time" else "")
            if wanted:
                yield name.strip(), unit, UNITS.get(written(unit), (0.0, ""))[1], wanted


def quantity_of(title: str) -> str | None:
    """Return the quantity that a header's cell names, or None; most cells of a table are numbers, which name none."""
    if not _LETTER.search(title):
        return None
    name, unit = parts_of(title)
    named = NAMED.get(plain(name))
    # A number in brackets, such as I(2), is a label: that of a cell or a run.
    return None if named and QUANTITIES[named].dimension and unit.isdigit() else named


def written(unit: str) -> str:
    """Return a unit in the spelling of this library: u for any micro sign, ohm for any ohm sign, S for A/V."""
    for sign, letters in _MISREAD.items():
        unit = unit.replace(sign, letters)
    # One sign for those that look alike (micro and mu, ohm and Omega), raised figures as figures.
    unit = unicodedata.normalize("NFKC", unit).replace("\u03bc", "u").replace("\u03a9", "ohm").replace("\u2212", "-")
    unit = re.sub(r"\s+", "", unit)
    if (power := _POWER.fullmatch(unit)) is not None and int(power.group(1)) in _POWERS:
        unit = _POWERS[int(power.group(1))] + power.group(2)
    if (match := re.fullmatch(r"([afpnumkKMG]?)ohms?", unit, re.IGNORECASE)) is not None:
        unit = match.group(1).replace("K", "k") + "ohm"
    match = re.fullmatch(rf"([afpnumkMG]?|{'|'.join(_PREFIXES)})({'|'.join(_UNIT_WORDS)})", unit, re.IGNORECASE)
    if match is not None and unit not in UNITS:
        prefix, word = match.groups()
        unit = _PREFIXES.get(prefix.lower(), prefix) + _UNIT_WORDS[word.lower()]
    return unit


def ending(title: str, wanted: str) -> str:
    """Return the unit at the end of any title, such as ``Gmean_uS``, if its dimension is `wanted`; else ""."""
    for match in re.finditer(r"\s+in\s+|\s*[\s_/,:;\-]\s*", title, re.IGNORECASE):
        unit = written(title[match.end() :])
        if UNITS.get(unit, (0.0, ""))[1] == wanted:
            return unit
    return ""
