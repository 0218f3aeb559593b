"""A chip that answers the line protocol: messages become calls of its pins."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from hardware_models.check import UsageError
from hardware_models.events import Events
from hardware_models.port import ChipPort, LayerSheet, MissingPinError, SealedChipError
from hardware_models.protocol.frames import Frame
from hardware_models.protocol.server import serve
from hardware_models.protocol.values import ERRORS, events_entry, key_of
from hardware_models.wires import Interconnect

PINS: Mapping[str, str] = MappingProxyType(
    {
        "observe": "observe", "read": "read", "sheet": "", "read_rows": "read_rows", "observe_transposed": "transposed",
        "fire": "fire", "fire_cells": "fire_cells", "program": "program", "wait": "wait", "calibrate": "calibrate",
    }
)  # fmt: skip
"""Method of a port -> the pin that it needs, "" for none; its arguments are those of `hardware_models.port.ChipPort`."""
BENCH = ("clipped_share", "lay_wires", "wire_tracking", "fix_groups", "line_groups")
"""Methods of a simulated chip's owner beside its pins; no other chip needs them."""
CHIP_ERRORS: Mapping[str, type[Exception]] = MappingProxyType(
    {**ERRORS, "MissingPinError": MissingPinError, "SealedChipError": SealedChipError}
)
"""Errors that keep their class between a simulated chip and its port."""


def hello_of(port: ChipPort, about: Mapping[str, object]) -> dict[str, object]:
    """Return the hello of a chip; `about` adds entries."""
    return {
        "what": "chip", "shapes": port.shapes, "pins": sorted(port.pins),
        "datasheet": [sheet._asdict() for sheet in port.datasheet], "save": True, **about,
    }  # fmt: skip


def answer_of(port: ChipPort, message: Frame, about: Mapping[str, object]) -> Frame:
    """Return the answer of a chip to one message; raise what the chip raises, UsageError for another method."""
    entries, arrays = message
    method, arguments = str(entries.get("method")), entries.get("arguments") or {}
    if method == "hello":
        return Frame({"value": hello_of(port, about)}, {})
    if method == "save":
        return Frame({"value": None}, port.save())
    if method == "restore":
        port.restore(arrays)
        return Frame({"value": None}, {})
    if method not in (*PINS, *BENCH) or not isinstance(arguments, dict):
        raise UsageError(f"a chip answers hello, save, restore, {', '.join(PINS)}, not {method!r}.")
    named: dict[str, object] = {**arguments, **arrays}
    if method == "lay_wires":
        named["interconnect"] = Interconnect(**arguments["interconnect"])
    if entries.get("layer") is not None:
        named["layer"] = entries["layer"]
    if (key := key_of(entries)) is not None:
        named["key"] = key
    return _answered(getattr(port, method)(**named))  # a method of the two tables above, none that a caller invents


def _answered(result: object) -> Frame:
    """Return the result of a call as an answer: values, one array "y", and events."""
    if isinstance(result, Events):
        return Frame({"value": None, "events": events_entry(result)}, {})
    if isinstance(result, LayerSheet):
        return Frame({"value": result._asdict()}, {})
    if isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], np.ndarray):
        return Frame({"value": None, "events": events_entry(result[1])}, {"y": result[0]})
    return Frame({"value": result}, {})


def serve_chip(port: ChipPort, *, at: str = "stdio", repeatable: bool = True) -> None:
    """Serve a chip, for ``--port process:COMMAND`` or ``--port tcp://127.0.0.1:PORT``.

    Parameters
    ----------
    port : any object with the members of `ChipPort`; `save` and `restore` included.
    at : "stdio", or ``tcp://127.0.0.1:PORT``.
    repeatable : False for a chip whose `save` does not carry all that later answers depend on.

    Raises
    ------
    UsageError : for a socket that is not on this machine.
    """
    about = {"repeatable": repeatable}
    serve(lambda message: answer_of(port, message, about), at, CHIP_ERRORS)
