"""Units of parameter and technology files, whose figures are converted into SI units once, on loading.

Inside the package every number is in SI units: siemens, volts, seconds, joules.
"""

from __future__ import annotations

import re

from hardware_models.check import UsageError, shown

BOLTZMANN = 1.380649e-23
"""Boltzmann constant [J/K], exact in SI."""
ELECTRON = 1.602176634e-19
"""Elementary charge [C], exact in SI."""
_PREFIXES = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_BASES = {"S": "conductance", "ohm": "resistance", "V": "voltage", "A": "current", "s": "time", "J": "energy",
          "F": "capacitance", "W": "power", "Hz": "frequency", "m": "length"}  # fmt: skip
_PLAIN = {"1": (1.0, "number"), "%": (1e-2, "number"), "K": (1.0, "temperature"), "bit": (1.0, "number"),
          "pulses": (1.0, "number"), "eV": (ELECTRON, "energy"), "meV": (1.602176634e-22, "energy"),
          "m2": (1.0, "area"), "um2": (1e-12, "area")}  # fmt: skip
UNITS: dict[str, tuple[float, str]] = {
    **{prefix + base: (factor, kind) for base, kind in _BASES.items() for prefix, factor in _PREFIXES.items()},
    **_PLAIN,
}


def _entry(unit: str) -> tuple[float, str]:
    if not isinstance(unit, str):  # a list or a number of a file
        raise UsageError(f"a unit is a text such as 'uS', got {shown(unit)}.")
    if unit not in UNITS:
        raise UsageError(f"unknown unit {shown(unit)}{_alike(unit)}.")
    return UNITS[unit]


def _alike(unit: str) -> str:
    """Return, for a message, known units that differ from `unit` only in capitals; other guesses could be wrong by 1000."""
    plain = unit.replace("\u00b5", "u").replace("\u03bc", "u").strip().lower()
    near = [known for known in UNITS if known.lower() == plain]
    if near and len({UNITS[known][0] for known in near}) == 1:
        return f"; did you mean {' or '.join(repr(known) for known in near)}"
    return f" (a prefix a, f, p, n, u, m, k, M or G, and {', '.join(_BASES)}; or {', '.join(_PLAIN)})"


def to_si(value: float, unit: str) -> float:
    """Convert `value` from `unit` into SI units; raise UsageError for an unknown unit."""
    factor, _ = _entry(unit)
    # Dividing by the exact power of ten keeps 50 ns at the float nearest to 5e-8.
    return value / round(1.0 / factor) if factor < 1.0 else value * factor


def in_si(text: str, unit: str = "") -> str | None:
    """Return the number that a text such as ``10 ns`` or ``5%`` means in an SI unit, as it is typed; None if it means none.

    unit : the SI unit that is wanted; "" for a plain number.
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)\s*([A-Za-z%]+)\s*", text)
    wanted = {"": "1", "Ohm": "ohm"}.get(unit, unit)
    if found is None or not {found[2], wanted} <= UNITS.keys() or dimension(found[2]) != dimension(wanted):
        return None
    try:
        return f"{to_si(float(found[1]), found[2]):g}"
    except ValueError:  # as 1.2.3
        return None


def dimension(unit: str) -> str:
    """Return the dimension of `unit` in words (``"conductance"``, ``"energy"``, ``"number"``, ...)."""
    return _entry(unit)[1]
