"""What a title says: the quantity that it names, and its unit, in all the ways in which laboratories write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hardware_models.units import UNITS


@dataclass(frozen=True)
class Quantity:
    """A quantity that a table may hold."""

    names: tuple[str, ...]  # what a header may call it, without blanks
    dimension: str = ""  # of its unit; "" without one
    example: str = ""
    instrument: tuple[str, ...] = ()  # names that instruments give it, in `si`
    si: str = ""


QUANTITIES: Mapping[str, Quantity] = {
    "pulse": Quantity(("pulse", "pulsenumber", "pulseno", "pulseindex", "pulse#", "n")),
    "polarity": Quantity(("polarity", "sign")),
    "voltage": Quantity(
        ("voltage", "pulsevoltage", "v", "vpulse", "vp", "pulseamplitude", "pulseheight", "amplitude", "writevoltage",
         "vwrite", "programmingvoltage", "programvoltage", "vprog", "appliedvoltage"), "voltage", "V",
        ("pulsev", "pulseamp", "forcev", "sourcev", "gatev"), "V",
    ),
    "cycle": Quantity(("cycle", "cyclenumber", "cycleno", "cycle#")),
    "cell": Quantity(
        ("cell", "device", "dut", "cellnumber", "devicenumber", "cellno", "deviceno", "cellid", "deviceid", "dutid")
    ),
    "width": Quantity(("width", "pulsewidth"), "time", "ns", ("pulsew",), "s"),
    "time": Quantity(("time", "timestamp", "elapsedtime", "t")),
    "conductance": Quantity(("conductance", "g", "gread"), "conductance", "uS", ("measg",), "S"),
    "resistance": Quantity(("resistance", "r", "rread"), "resistance", "kohm", ("measr",), "ohm"),
    "current": Quantity(("current", "readcurrent", "i", "iread"), "current", "uA", ("measi", "imeas", "draini"), "A"),
    "read voltage": Quantity(("readvoltage", "vread", "readbias"), "voltage", "V", ("measv", "vmeas", "readv", "drainv"), "V"),
}  # fmt: skip
"""What is looked for in a header."""
READINGS = ("conductance", "resistance", "current")
"""Quantities of which one gives the conductance, the first that is there."""


_PREFIXES = {"femto": "f", "pico": "p", "nano": "n", "micro": "u", "milli": "m", "kilo": "k", "mega": "M", "giga": "G"}
_UNIT_WORDS = {"a/v": "S", "siemens": "S", "mho": "S", "mhos": "S", "ampere": "A", "amperes": "A", "amps": "A", "amp": "A",
               "volts": "V", "volt": "V", "ohm": "ohm", "ohms": "ohm", "seconds": "s", "second": "s", "sec": "s"}  # fmt: skip
_MISREAD = {"\xc2\xb5": "u", "\xce\xbc": "u", "\xe6": "u", "\u0192\xca": "u", "\xa6\xcc": "u",
            "\xe2\u201e\xa6": "ohm", "\xce\xa9": "ohm", "\xea": "ohm", "\xbd": "ohm", "\u0192\xb6": "ohm",
            "\xa6\xb8": "ohm"}  # fmt: skip
"""What micro and ohm become where the text was written as UTF-8, for DOS, on a Macintosh or in Chinese or Japanese."""
_POWER = re.compile(r"[x*\xd7]?(?:10\^?|1[eE])([+-]?\d{1,2})[*\xb7]?([A-Za-z/]+)")
_POWERS = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
"""The prefix of a power of ten, for units such as 10^-6 S."""
NAMED = {name: q for q, known in QUANTITIES.items() for name in (*known.names, *known.instrument)}
"""The quantity of each plain name."""


def plain(name: str) -> str:
    """Return a name without blanks, points and hyphens, in small letters."""
    return re.sub(r"[\s_.\-]+", "", name).lower()


def parts_of(title: str) -> tuple[str, str]:
    """Return name and unit of a header's cell; the unit is "" if it has none."""
    title = title.strip()
    if len(title) > 100:  # no name
        return title, ""
    opening = {"]": "[", ")": "(", "}": "{"}.get(title[-1:])
    if opening is not None and (at := title.rfind(opening)) > 0:
        return title[:at].rstrip(" /_,:"), title[at + 1 : -1].strip()
    if " / " in title:
        name, _, unit = title.rpartition(" / ")
        return name.strip(), unit.strip()
    return next(((name, unit) for name, unit, kind, wanted in readings_of(title) if kind == wanted), (title, ""))


def readings_of(title: str) -> Iterator[tuple[str, str, str, str]]:
    """Return each way to read a title without brackets as name and unit, the unit's kind ("" for none), and the kind wanted.

    ``V_read`` is a name alone, ``I_read_nA`` a name and a unit: only what stands after the name of a quantity can be its unit.
    """
    for match in re.finditer(r"\s+in\s+|\s*[\s_/,:;\-]\s*", title, re.IGNORECASE):
        name, unit = title[: match.start()], title[match.end() :].strip("_ ")
        quantity = NAMED.get(plain(name))
        if quantity is not None and unit:
            wanted = QUANTITIES[quantity].dimension or ("time" if quantity == "time" else "")
            if wanted:
                yield name.strip(), unit, UNITS.get(written(unit), (0.0, ""))[1], wanted


def quantity_of(title: str) -> str | None:
    """Return the quantity that a header's cell names, or None."""
    return NAMED.get(plain(parts_of(title)[0]))


def written(unit: str) -> str:
    """Return a unit as this library writes it: u for the micro sign however it was encoded, ohm, S for A/V."""
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
    """Return the unit at the end of a title of any name, such as ``Gmean_uS``, if it is one of the dimension `wanted`."""
    for match in re.finditer(r"\s+in\s+|\s*[\s_/,:;\-]\s*", title, re.IGNORECASE):
        unit = written(title[match.end() :])
        if UNITS.get(unit, (0.0, ""))[1] == wanted:
            return unit
    return ""
