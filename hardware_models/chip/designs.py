"""Design of an array beside the main one of a layer: its cells, and how a weight stands on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from hardware_models.devices.base import BaseDevice

MAIN = "main"
"""Name of the array of a layer that is read and learned from."""


class Design(NamedTuple):
    """The cells of an array."""

    device: BaseDevice
    single_ended: bool = False  # a weight is one cell against a reference cell that is never pulsed
    pairs: int = 1  # of cells of a weight, read in parallel and written in turn


Arrays = Mapping[int, Sequence[str] | Mapping[str, Design]]
"""Further arrays by layer: names of arrays of the main device, or designs by name."""


def designs(arrays: Arrays | None, layer: int, main: BaseDevice, pairs: int = 1) -> dict[str, Design]:
    """Return the designs of all arrays of a layer, the main one first, whose weights have so many pairs each.

    All arrays of a chip share its drivers and its timing: a device of its own is read at the voltage and for the time of `main`.
    """
    given = (arrays or {}).get(layer, ())
    others = given if isinstance(given, Mapping) else {name: Design(main) for name in given}
    return {MAIN: Design(main, pairs=pairs)} | {name: _as_read(design, main) for name, design in others.items()}


def _as_read(design: Design, main: BaseDevice) -> Design:
    if design.device is main:
        return design
    return design._replace(device=replace(design.device.with_read_time(main.t_read), v_read=main.v_read))
