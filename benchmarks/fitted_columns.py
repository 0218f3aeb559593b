"""Columns of the experiments that are `fitted`: the chip that a device asks for, and which limit binds."""

from __future__ import annotations

from typing import Any

from analog_ff.output.quantities import quantity
from analog_ff.runs.limits import binding

COLUMNS = ("read time", "reads in place of one", "largest current over the limit, reads / writes", "chip time per update",
           "area mm²", "what binds")  # fmt: skip
"""Titles of the columns."""


def cells(result: dict[str, Any]) -> list[str]:
    """Return the entries of a result in these columns."""
    currents, chip = result["energy"]["line_currents"], result["energy"]["chip"]["learn"]
    ratio = currents["line_current_ratio"]
    return [
        quantity(result["johnson_noise"]["read_time"]["value"], "s", most=""),
        str(currents["steps_of_a_read"]),
        f"{ratio['read']:.2f} / {ratio['write']:.2f}",
        quantity(chip["seconds_per_image"], "s", most=""),
        f"{chip['area_m2'] * 1e6:.1f}",
        ", ".join(binding(result) or []) or "none",
    ]
