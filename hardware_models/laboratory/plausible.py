"""Tell what is unlikely of a measured train: sizes that point to a wrong unit, readings of exactly 0, a file given twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hardware_models.check import shown

USUAL: Mapping[str, tuple[float, float, str]] = {
    "largest conductance": (1e-10, 1e-2, "S"),
    "voltage of the pulses": (0.05, 50.0, "V"),
    "width of the pulses": (1e-11, 10.0, "s"),
}
"""Least and largest usual value of a figure, and its unit."""
FEW_ZEROS = 0.002
"""Share of readings of exactly zero up to which nothing is said."""


def doubts(
    g: np.ndarray, cell: np.ndarray, names: tuple[str, ...], voltage: tuple[float, float] | None,
    width: tuple[float, float] | None, file: np.ndarray,
) -> list[str]:  # fmt: skip
    """Return notices about what is unlikely; the figures are read as they stand.

    `g` are the readings (n,) [S], NaN where there is none; `cell` (n,) is the index of the cell in `names`; `voltage` [V] and
    `width` [s] are the sizes of the up and of the down pulse, None if they are not known; `file` (n,) is the number of the file.
    """
    sizes = {"voltage of the pulses": voltage, "width of the pulses": width}
    known = g[np.isfinite(g)]
    figures = [("largest conductance", float(known.max(initial=0.0)))]
    figures += [(name, size) for name, both in sizes.items() if both is not None for size in dict.fromkeys(both)]
    found = []
    for name, size in figures:
        least, most, unit = USUAL[name]
        if size > 0.0 and not least <= size <= most:
            found.append(
                f"the {name}, {size:.3g} {unit}, is unusual (usual: {least:g} to {most:g} {unit}); check the unit"
            )
    zeros = int((known == 0.0).sum())
    if zeros > FEW_ZEROS * len(known):
        share = f"{zeros} of {len(known)} readings ({100 * zeros / len(known):.2g} %) are exactly 0"
        found.append(f"{share}: below the resolution of the instrument, or no contact; they count as they stand")
    first: dict[bytes, tuple[str, int]] = {}
    copies = []
    for index, name in enumerate(names):
        own = cell == index
        other, where = first.setdefault(g[own].tobytes(), (name, int(file[own][0])))
        if other != name and where != int(file[own][0]):
            copies.append(f"{shown(other, quoted=False)} and {shown(name, quoted=False)}")
    if copies:
        more = f" (and {len(copies) - 1} more such pairs)" if len(copies) > 1 else ""
        found.append(
            f"cells {copies[0]}{more} of two files have the same readings to the last digit, as a copy has; both count"
        )
    return found
