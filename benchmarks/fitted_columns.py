"""Columns of the experiments that are `fitted`: the chip that a device asks for, and which limit binds."""

from __future__ import annotations

from typing import Any

from analog_ff.output.quantities import quantity

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
        binding(result),
    ]


def binding(result: dict[str, Any]) -> str:
    """Return the limits that shape the chip of a result: thermal noise, currents of reads, currents of writes; or "none".

    Noise binds where a read lasts longer than the device's own, currents of reads where a read goes in several steps, and
    currents of writes where a line at full load would exceed its limit, so that fewer cells are written at once.
    """
    currents = result["energy"]["line_currents"]
    found = {
        "Johnson noise": result["johnson_noise"]["read_time_from"] == "johnson-noise",
        "currents of reads": currents["steps_of_a_read"] > 1,
        "currents of writes": currents["worst_case_ratio"]["write"] > 1.0,
    }
    return ", ".join(name for name, binds in found.items() if binds) or "none"
