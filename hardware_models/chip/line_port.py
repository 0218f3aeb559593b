"""The pins of a chip that answers the line protocol, wherever it is: what crosses the line is what crosses the pins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.check import UsageError
from hardware_models.chip.served import PINS
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipOracle, LayerSheet, MissingPinError, SealedChipError
from hardware_models.protocol.frames import NO_ARRAYS, FrameError, sendable
from hardware_models.protocol.line import NOTHING, Answer, Line
from hardware_models.user_contract import unmasked
from hardware_models.wires import Interconnect

if TYPE_CHECKING:
    from hardware_models.crossbar.given import Taken
    from hardware_models.crossbar.inspection import Inspection


def carried(values: Mapping[str, ArrayLike | None]) -> dict[str, np.ndarray]:
    """Return the arrays of a message, those that are None left out; raise UsageError for what is no array of real numbers."""
    ready: dict[str, np.ndarray] = {}
    for name, value in values.items():
        if value is not None:
            unmasked(f"what goes to the pin as {name}", value)
            try:
                ready[name] = sendable(name, value)
            except FrameError as error:
                raise UsageError(f"a line to a chip {error}.") from None
    return ready


class LinePort:
    """A chip behind a line, as a `hardware_models.port.ChipBench`; close it, or use it in a ``with``.

    Nothing of the chip is in this process, so it is sealed. Subclasses open the line and read the hello of the chip.
    """

    _line: Line
    shapes: tuple[tuple[int, int], ...]
    pins: frozenset[str]
    datasheet: tuple[LayerSheet, ...]
    description: dict[str, object]
    sealed = True
    repeatable: bool

    def _call(
        self,
        method: str,
        *,
        layer: int | None = None,
        key: Key | None = None,
        arguments: Mapping[str, object] = NOTHING,
        arrays: Mapping[str, ArrayLike | None] = NO_ARRAYS,
    ) -> Answer:
        """Return the answer of the chip to a method."""
        if (pin := PINS.get(method)) and pin not in self.pins:
            raise MissingPinError(f"this chip has no pin '{pin}'.")
        return self._line.call(method, layer=layer, key=key, arguments=arguments, arrays=carried(arrays))

    def _output(self, answer: Answer, shape: tuple[int, int]) -> tuple[np.ndarray, Events]:
        """Return the outputs in an answer, and the events."""
        del shape  # a chip of this project keeps its promises; one from outside is checked
        return answer.arrays["y"], answer.events

    def _shape(self, layer: int, array: str) -> tuple[int, int]:
        """Return (inputs, neurons) of an array of a layer."""
        del array
        return self.shapes[layer]

    # --- pins ---

    def observe(
        self, layer: int, x: np.ndarray, *, bias: ArrayLike | None = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return y = f(z + bias), (B, neurons) float32, and the events."""
        answer = self._call("observe", layer=layer, key=key, arguments={"array": array}, arrays={"x": x, "bias": bias})
        return self._output(answer, (len(x), self._shape(layer, array)[1]))

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) through the converter, and the events."""
        answer = self._call("read", layer=layer, key=key, arguments={"array": array}, arrays={"x": x})
        return self._output(answer, (len(x), self._shape(layer, array)[1]))

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of an array of a layer."""
        return sheet_of(self._call("sheet", layer=layer, arguments={"array": array}).value)

    def read_rows(
        self, layer: int, rows: np.ndarray, *, full_scale: float, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return the weights of word lines (len(rows), neurons), driven one by one, and the events."""
        given = {"full_scale": full_scale, "array": array}
        answer = self._call("read_rows", layer=layer, key=key, arguments=given, arrays={"rows": rows})
        return self._output(answer, (len(rows), self._shape(layer, array)[1]))

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) for d (B, neurons), and the events."""
        answer = self._call("observe_transposed", layer=layer, key=key, arguments={"array": array}, arrays={"d": d})
        return self._output(answer, (len(d), self._shape(layer, array)[0]))

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Apply 0/1 pulse trains (slots, inputs) and (slots, neurons), one polarity a call."""
        given = {"sign": sign, "array": array}
        return self._call(
            "fire", layer=layer, key=key, arguments=given, arrays={"rows": rows, "columns": columns}
        ).events

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Give each weight a signed number of device pulses, int32 (inputs, neurons)."""
        return self._call(
            "fire_cells", layer=layer, key=key, arguments={"array": array}, arrays={"counts": counts}
        ).events

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask for weights (inputs, neurons), open loop."""
        return self._call(
            "program", layer=layer, key=key, arguments={"array": array}, arrays={"weights": weights}
        ).events

    def wait(self, seconds: float, *, key: Key) -> Events:
        """Let the chip's clock run."""
        return self._call("wait", key=key, arguments={"seconds": seconds}).events

    def calibrate(self, layer: int, *, kind: str, reads: int, key: Key, transposed: bool = False) -> Events:
        """Measure the converters of a layer with known inputs and correct them."""
        given = {"kind": kind, "reads": reads, "transposed": transposed}
        return self._call("calibrate", layer=layer, key=key, arguments=given).events

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state as opaque arrays; what comes through the line is always a copy."""
        del copy
        return self._call("save").arrays

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._call("restore", arrays=state)

    # --- the bench: this chip is sealed ---

    @property
    def oracle(self) -> ChipOracle:
        """Nothing: SealedChipError."""
        raise SealedChipError("this chip lives in another process: it cannot be looked at.")

    def inspect(self) -> list[dict[str, float | None]] | None:
        """Return None, as every sealed chip does."""
        return None

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped; None: it is not known."""
        return [{"dac": None, "adc": None} for _ in self.shapes]

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Raise MissingPinError: the wires of a chip from outside are its own."""
        del interconnect
        raise MissingPinError("the wires of this chip are its own and cannot be laid.")

    def wire_tracking(self) -> list[dict[str, float | None]]:
        """Return for each layer how its wires were followed; empty dictionaries where that is not known."""
        return [{} for _ in self.shapes]

    def fix_groups(self) -> None:
        """End the search for groups of lines, of which a chip from outside has none."""

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return None: a chip from outside tells nothing of its lines."""
        return None

    def cells(self, layer: int) -> Inspection:
        """Raise SealedChipError."""
        del layer
        raise SealedChipError("this chip lives in another process: its cells cannot be looked at.")

    def take(self, layer: int, conductances: ArrayLike, what: str) -> Taken:
        """Raise SealedChipError."""
        del layer, conductances, what
        raise SealedChipError("this chip lives in another process: its cells cannot be set.")

    def close(self) -> None:
        """Close the line."""
        self._line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()


def sheet_of(value: object) -> LayerSheet:
    """Return the data sheet of a message; raise ValueError if it is none."""
    if not isinstance(value, dict) or not set(value) <= set(LayerSheet._fields):
        raise ValueError(f"a data sheet is an object of {', '.join(LayerSheet._fields)}, got {value!r}")
    for name in LayerSheet._fields:
        whole = name in ("inputs", "neurons", "dac_bits", "adc_bits")
        one = value.get(name, 0.0 if name == "leak_time" else None)
        if one is None and name.endswith("_bits"):
            continue
        if isinstance(one, bool) or not isinstance(one, int if whole else int | float) or one < 0:
            raise ValueError(f"a data sheet needs {'a whole' if whole else 'a'} number for {name}, got {one!r}")
    return LayerSheet(**value)
