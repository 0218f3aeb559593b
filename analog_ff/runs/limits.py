"""Limits that shape the chip of a finished run: thermal noise, currents of reads, currents of writes."""

from __future__ import annotations

from analog_ff.plain import Facts


def binding(result: Facts) -> list[str] | None:
    """Return the limits that shape the chip of a result; None for a run without line groups or Johnson noise, which has none.

    Johnson noise binds where a read lasts longer than the device's own; currents of reads bind where a read is made in several
    steps, one after the other; currents of writes bind where a line at full load would exceed its limit, so that fewer cells are
    written at once.
    """
    noise, currents = result.get("johnson_noise"), result["energy"].get("line_currents")
    if noise is None or currents is None or "worst_case_ratio" not in currents:
        return None
    found = {
        "Johnson noise": noise["read_time_from"] == "johnson-noise",
        "currents of reads": currents["steps_of_a_read"] > 1,
        "currents of writes": currents["worst_case_ratio"]["write"] > 1.0,
    }
    return [name for name, binds in found.items() if binds]
