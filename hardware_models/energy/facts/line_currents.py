r"""Currents in the lines of the array against their limit by electromigration.

.. math:: I = n\,V\,G_{max}, \qquad ratio = I/I_{max}, \qquad n_{parallel} = \lfloor I_{max}/(V G_{max}) \rfloor,
          \qquad slower = \lceil n_w/n_{parallel}\rceil \lceil n_b/n_{parallel}\rceil

n is the largest number of devices whose current one line carries at once. A read drives all rows of a tile, so n is the longer
side of the tile; a burst addressed row by row drives one device of each pair on a word line; coinciding pulse trains also
drive all rows at once. G_max as the worst case is how M. Marinella et al. (JETCAS 2018, doi:10.1109/JETCAS.2018.2796379)
size a device: 33 uA a line and 1024 devices at once ask for R_on = 31 MOhm at 1 V. A run above 1 is not physical as
drawn: only `parallel_lines` of the lines may be driven at a time. A word line feeds n_w cells at once and a bit line collects
from n_b, and both must keep the limit: reads and writes go block by block, and take as many times longer as there are blocks.
A pulse on a gate (``c_gate``) draws C_gate V/t instead of V G_max, see `hardware_models.crossbar.pulse_currents`.

A run with groups of lines (`hardware_models.crossbar.groups`) knows the currents that flowed. Its ratio is that of the largest of
them, and the worst case stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hardware_models.devices.gate import charging
from hardware_models.energy.load import Technology
from hardware_models.tiles import Tiling

NOT_PHYSICAL = "not physical as drawn"
STAGES = ("calibration", "run")
"""Before and after the groups of lines were fixed."""
LINES = ("word_lines", "bit_lines")


def line_currents(
    shapes: Sequence[tuple[int, int]],
    tile: tuple[int, int],
    device: Mapping[str, Any],
    technology: Technology,
    *,
    rows_together: bool,
    groups: Sequence[Mapping[str, Any]] | None = None,
    access_transistor: bool = False,
    pairs: int = 1,
) -> dict[str, Any] | None:
    """Return the current ratios, the number of lines that may be driven at once and the verdict; None without a current limit.

    Parameters
    ----------
    shapes : ((inputs, neurons), ...)
        Shapes of the chip's layers.
    tile : (rows, columns)
        Largest tile [cells].
    device : mapping
        The device's description: v_read, v_up, v_down [V], g_max [S], r_access [Ohm]; t_up, t_down [s] with a gate, c_gate [F].
    rows_together : bool
        True if a write drives several rows in one slot (update coincidence), False if it goes row by row.
    groups : sequence of mapping, optional
        Of each layer, what `LineWatch.report` says of its groups and currents.
    access_transistor : bool
        True if cells are in series with the access transistor of the device, r_access [Ohm].
    pairs : int
        Pairs of cells of a weight; a write addresses one of them.

    Returns
    -------
    dict
        ``limit`` [A]; ``line_current_ratio`` {"read", "write"}; ``lines`` {"read", "write"} that the run drives at once, and
        ``parallel_lines`` {"read", "write"} that it may drive within the limit; ``slower`` {"read", "write"}, the factor by
        which reads and writes take longer within the limit, None if one device alone is above it; ``physical``; ``label``,
        empty or "not physical as drawn". With `groups` the ratio and the verdict are those of the largest currents that flowed;
        ``worst_case_ratio`` {"read", "write"} is that of all lines at once with all cells at g_max, ``largest`` {"calibration",
        "run"} {"read", "write"} are the largest currents [A] before and since the groups were fixed, and ``steps_of_a_read`` is
        the largest number of reads one after the other in place of one.
    """
    if technology.line_current is None:
        return None
    limit = technology.line_current.at("nominal")
    blocks: dict[str, list[tuple[int, int]]] = {
        "read": [],
        "write": [],
    }  # cells on a word line and on a bit line at once
    for inputs, neurons in shapes:
        tiling = Tiling.of_weights(inputs, neurons, tile, pairs)
        rows, bit_lines = min(inputs, tiling.tile_rows), min(tiling.bit_lines, tiling.tile_columns)
        blocks["read"].append((bit_lines, rows))
        blocks["write"].append((bit_lines // tiling.unit, rows if rows_together else 1))
    lines = {what: max(map(max, sides)) for what, sides in blocks.items()}
    behind = device.get("r_access", 0.0) if access_transistor and device.get("access") == "1T1R" else 0.0
    g_max = device["g_max"] / (1.0 + device["g_max"] * behind)
    one = {"read": device["v_read"] * g_max, "write": _pulsed(device, g_max)}
    ratio = {what: lines[what] * one[what] / limit for what in lines}
    # The small tolerance keeps rounding from refusing the exact case I = I_max.
    parallel = {
        what: min(lines[what], math.floor(limit / one[what] * (1 + 1e-9))) if one[what] else lines[what]
        for what in lines
    }
    found: dict[str, Any] = {}
    if groups is not None:
        largest = {stage: {what: _largest(groups, stage, what) for what in lines} for stage in STAGES}
        found = {
            "worst_case_ratio": ratio,
            "largest": largest,
            "steps_of_a_read": max(layer["read"]["row_groups"] * layer["read"]["column_groups"] for layer in groups),
        }
        ratio = {what: max(of[what] for of in largest.values()) / limit for what in lines}
    physical = all(value <= 1.0 + 1e-9 for value in ratio.values())
    return found | {
        "limit": {"value": limit, "unit": "A"},
        "line_current_ratio": ratio,
        "parallel_lines": parallel,
        "lines": lines,
        "slower": {
            what: max(-(-word // n) * -(-bit // n) for word, bit in blocks[what]) if n else None
            for what, n in parallel.items()
        },
        "physical": physical,
        "label": "" if physical else NOT_PHYSICAL,
    }


def _pulsed(device: Mapping[str, Any], g_max: float) -> float:
    """Return the largest nominal current of a pulsed cell [A]: through its channel, or into the gate of one that has a gate."""
    gate = device.get("c_gate", 0.0)  # earlier versions described none
    return max(device[f"v_{way}"] * (charging(gate, device[f"t_{way}"]) if gate else g_max) for way in ("up", "down"))


def _largest(groups: Sequence[Mapping[str, Any]], stage: str, what: str) -> float:
    """Return the largest current [A] of a stage in reads or writes, over all layers, lines and tiles."""
    tables = (layer["ampere"][stage][f"{what}_{lines}"] for layer in groups for lines in LINES)
    return max((float(value) for table in tables for row in table for value in row), default=0.0)
