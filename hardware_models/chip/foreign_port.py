"""A whole chip from outside: a program or an instrument behind the line protocol, of which nothing is known but its pins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from hardware_models import pins
from hardware_models.check import RunError, UsageError, shown
from hardware_models.chip.line_port import LinePort, carried, sheet_of
from hardware_models.devices.base import Device
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.port import LayerSheet
from hardware_models.protocol.frames import NO_ARRAYS
from hardware_models.protocol.line import ANSWER_WITHIN, NOTHING, Answer, Line

FORMS: Mapping[str, type[np.generic]] = MappingProxyType(
    {"x": np.float32, "bias": np.float32, "d": np.float32, "weights": np.float32, "counts": np.int32, "rows": np.int32,
     "columns": np.int32}
)  # fmt: skip
"""Types in which a chip from outside is sent its arrays, so that it needs to read items of 4 bytes alone."""
NEEDED = ("observe", "program")
"""Pins without which no network can be made of a chip."""


class ForeignPort(LinePort):
    """A chip behind ``process:COMMAND`` or ``tcp://127.0.0.1:PORT``.

    Every answer is checked: its shape, its numbers, its events. A chip without `save` and `restore` keeps its state itself: a run
    goes on with the chip as it is then, and does not repeat.

    Parameters
    ----------
    place : where the chip is.
    device : what `load_device` takes; the cells by whose figures a run prices what the chip counts.
    layers : (inputs, neurons) of each layer that is wanted.
    wishes : what the chip is told of the run, plain values by name; it may heed them.
    answer_within : time for every answer [s].

    Raises
    ------
    UsageError : the chip cannot be reached, has other layers, lacks a pin that every network needs, or says what is no hello.
    """

    def __init__(
        self,
        place: str,
        device: str | Device,
        layers: Sequence[tuple[int, int]],
        *,
        answer_within: float | None = None,
        wishes: Mapping[str, object] = NOTHING,
    ) -> None:
        self.description = load_device(device).describe()
        within = ANSWER_WITHIN if answer_within is None else answer_within
        self._line = Line.to(place, "chip", within)
        wanted = tuple((int(n), int(m)) for n, m in layers)
        said = self._line.hello("chip", {"shapes": wanted, **wishes})
        try:
            self._believe(said, wanted)
        except RunError as error:
            raise UsageError(str(error)) from None
        except BaseException:
            self._line.close()
            raise

    def _believe(self, said: Mapping[str, object], wanted: tuple[tuple[int, int], ...]) -> None:
        """Note what the chip has said of itself; raise RunError if it does not fit."""
        if said.get("shapes") != [list(shape) for shape in wanted]:
            asked = " + ".join(f"{n} x {m}" for n, m in wanted)
            raise self._line.refuse(
                f"has layers {shown(said.get('shapes'))}, this run needs {asked} (inputs with the bias row, neurons)"
            )
        named, sheets = said.get("pins"), said.get("datasheet")
        if not isinstance(named, list) or not set(NEEDED) <= {str(pin) for pin in named}:
            raise self._line.refuse(
                f"should have at least the pins {' and '.join(NEEDED)}, it named {shown(said.get('pins'))}"
            )
        if not isinstance(sheets, list) or len(sheets) != len(wanted):
            raise self._line.refuse(f"should send a data sheet for each layer, it sent {shown(sheets)}")
        try:
            self.datasheet = tuple(sheet_of(sheet) for sheet in sheets)
        except ValueError as error:
            raise self._line.refuse(f"sent no data sheet ({error})") from None
        self.shapes, self.pins = wanted, frozenset(str(pin) for pin in named)
        self._saves = bool(said["save"])
        self.repeatable = self._saves and bool(said["repeatable"])

    def _call(
        self,
        method: str,
        *,
        layer: int | None = None,
        key: Key | None = None,
        arguments: Mapping[str, object] = NOTHING,
        arrays: Mapping[str, ArrayLike | None] = NO_ARRAYS,
    ) -> Answer:
        """Return the answer of the chip to a method, whose arrays are sent in the types of `FORMS`."""
        sent = carried(arrays)
        if layer is not None and "bias" in sent:
            whole = (len(sent["x"]), self.shapes[layer][1])
            sent["bias"] = np.broadcast_to(pins.offsets("the bias", sent["bias"], whole), whole)
        for name, kind in FORMS.items() if method != "restore" else ():
            if name in sent:
                shape = (None,) * sent[name].ndim
                sent[name] = pins.finite(name, sent[name], shape) if kind is np.float32 else sent[name].astype(kind)
        return super()._call(method, layer=layer, key=key, arguments=arguments, arrays=sent)

    def _output(self, answer: Answer, shape: tuple[int, int]) -> tuple[np.ndarray, Events]:
        """Return the outputs in an answer, of the right shape and finite, and the events."""
        return self._line.array(answer, "y", shape), answer.events

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of the one array of a layer."""
        self._only(layer, array)
        return self.datasheet[layer]

    def _shape(self, layer: int, array: str) -> tuple[int, int]:
        self._only(layer, array)
        return self.shapes[layer]

    def _only(self, layer: int, array: str) -> None:
        if array != "main" or layer not in range(len(self.shapes)):
            raise UsageError(f"{self._line.name} has no array '{array}' in layer {layer}.")

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state as opaque arrays, none of a chip that keeps its state itself."""
        if not self._saves:
            return {}
        state = super().save(copy=copy)
        if not state:
            raise self._line.refuse("should send its state for 'save', it sent no array")
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`; a chip that keeps its state itself goes on as it is."""
        if self._saves:
            super().restore(state)
