"""A chip that lives in another process, behind the same port.

Nothing of the chip is in the learner's process: what crosses the pipe is what crosses the pins. It proves that a learner
needs nothing else, and it is the pattern for a laboratory instrument behind a driver.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from hardware_models import opened
from hardware_models.check import CommandError, DeviceRangeError, RunError, UsageError
from hardware_models.devices.base import Device
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.places import in_place, place_now
from hardware_models.port import ChipOracle, LayerSheet, MissingPinError, SealedChipError
from hardware_models.tables import import_files
from hardware_models.user_contract import GlobalDraws
from hardware_models.user_faults import described, guarded
from hardware_models.user_faults import files as user_files
from hardware_models.wires import Interconnect

if TYPE_CHECKING:
    from hardware_models.crossbar.given import Taken
    from hardware_models.crossbar.inspection import Inspection

_SENT = (UsageError, RunError, DeviceRangeError, CommandError, MissingPinError, SealedChipError)
"""Errors that cross the pipe as they are; another one may be of a class that only one side knows."""


def _serve(pipe: Connection, user_files: Sequence[str], user_modules: Sequence[str], here: str | None) -> None:
    """Build the chip that is sent and answer calls until the pipe is closed."""
    sys.stdout = (
        sys.stderr
    )  # standard output is the caller's: what a user's code prints here must not stand in its answer
    for module in user_modules:
        opened.expect(module)
    with opened.into({}) as noted, in_place(here):
        _answer_calls(pipe, user_files, noted)


def _answer_calls(pipe: Connection, user_files: Sequence[str], noted: dict[str, str]) -> None:
    """Serve; with each answer goes which files the user's own code has opened here since the one before."""

    def send(state: str, answer: object) -> None:
        news = dict(noted)
        pipe.send((state, answer, news))
        for entry in news:
            del noted[entry]

    try:
        with guarded(UsageError):
            import_files(user_files)
            device, layers, options = pipe.recv()
            from hardware_models.chip import Chip

            chip = Chip(device, layers, **options)
            about = (chip.shapes, chip.pins, chip.datasheet, chip.description)
        send("ok", about)
        draws = GlobalDraws()
        while True:
            method, args, kwargs = pipe.recv()
            try:
                with guarded(RunError):
                    if method == "save":  # at every checkpoint
                        draws.refuse("code of yours in the chip's process", RunError)
                    answer = getattr(chip, method)(*args, **kwargs)
                send("ok", answer)
            except (BrokenPipeError, ConnectionResetError):
                return
            except Exception as error:
                send("error", _sendable(error))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):  # the caller has gone
        return
    except Exception as error:  # the chip could not be built: the caller raises this
        send("error", _sendable(error))


def _sendable(error: Exception) -> Exception:
    known = type(error) in _SENT or type(error).__module__ == "builtins"
    return type(error)(*error.args) if known else RunError(f"the chip failed: {described(error)}.")


class ProcessPort:
    """A sealed `Chip` in a process of its own; takes the arguments of `Chip`. Close it, or use it in a ``with``."""

    def __init__(self, device: str | Device, layers: Sequence[tuple[int, int]], **options: object) -> None:
        try:
            chip = ForkingPickler.dumps((device, layers, {**options, "sealed": True}))
        except Exception as error:
            raise UsageError(f"this device cannot be sent to another process ({described(error)}).") from error
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        users = user_files(bytes(chip)), opened.expected(), place_now()
        self._process = context.Process(target=_serve, args=(other, *users), daemon=True)
        self._process.start()
        other.close()
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer says why it has ended already
            self._pipe.send_bytes(chip)
        self.shapes: tuple[tuple[int, int], ...]
        self.pins: frozenset[str]
        self.datasheet: tuple[LayerSheet, ...]
        self.description: dict[str, object]
        self.shapes, self.pins, self.datasheet, self.description = self._answer()
        self.sealed = True

    def _answer(self) -> Any:
        try:
            state, value, noted = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            raise RunError("the chip's process ended unexpectedly.") from None
        opened.take(noted)
        if state == "error":
            raise value
        return value

    def _call(self, pin: str, *args: object, **named: object) -> Any:
        """Call a method of the chip and return its answer."""
        if not self._process.is_alive():
            raise MissingPinError("the chip's process has ended: none of its pins answers.")
        try:
            self._pipe.send((pin, args, named))
        except (BrokenPipeError, ConnectionResetError):
            raise RunError("the chip's process ended unexpectedly.") from None
        return self._answer()

    # --- pins ---

    def observe(
        self, layer: int, x: np.ndarray, *, bias: ArrayLike | None = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return y = f(z + bias), (B, neurons) float32, and the events."""
        answer: tuple[np.ndarray, Events] = self._call("observe", layer, x, bias=bias, key=key, array=array)
        return answer

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) through the converter, and the events."""
        answer: tuple[np.ndarray, Events] = self._call("read", layer, x, key=key, array=array)
        return answer

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of an array of a layer."""
        answer: LayerSheet = self._call("sheet", layer, array)
        return answer

    def read_rows(
        self, layer: int, rows: np.ndarray, *, full_scale: float, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return the weights of word lines (len(rows), neurons), driven one by one, and the events."""
        answer: tuple[np.ndarray, Events] = self._call(
            "read_rows", layer, rows, full_scale=full_scale, key=key, array=array
        )
        return answer

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) for d (B, neurons), and the events."""
        answer: tuple[np.ndarray, Events] = self._call("observe_transposed", layer, d, key=key, array=array)
        return answer

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Apply 0/1 pulse trains (slots, inputs) and (slots, neurons), one polarity a call."""
        answer: Events = self._call("fire", layer, rows, columns, sign, key=key, array=array)
        return answer

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Give each weight a signed number of device pulses, int32 (inputs, neurons)."""
        answer: Events = self._call("fire_cells", layer, counts, key=key, array=array)
        return answer

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask for weights (inputs, neurons), open loop."""
        answer: Events = self._call("program", layer, weights, key=key, array=array)
        return answer

    def wait(self, seconds: float, *, key: Key) -> Events:
        """Let the chip's clock run."""
        answer: Events = self._call("wait", seconds, key=key)
        return answer

    def calibrate(self, layer: int, *, kind: str, reads: int, key: Key, transposed: bool = False) -> Events:
        """Measure the converters of a layer with known inputs and correct them."""
        answer: Events = self._call("calibrate", layer, kind=kind, reads=reads, key=key, transposed=transposed)
        return answer

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state as opaque arrays; what comes through the pipe is always a copy."""
        del copy
        answer: dict[str, np.ndarray] = self._call("save")
        return answer

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._call("restore", state)

    # --- the bench: this chip is sealed ---

    @property
    def oracle(self) -> ChipOracle:
        """Nothing: SealedChipError."""
        raise SealedChipError("this chip lives in another process: it cannot be looked at.")

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped, None where nothing was converted."""
        answer: list[dict[str, float | None]] = self._call("clipped_share")
        return answer

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Give all arrays wires with resistance from now on."""
        self._call("lay_wires", interconnect)

    def wire_tracking(self) -> list[dict[str, float | None]]:
        """Return for each layer how its wires were followed."""
        answer: list[dict[str, float | None]] = self._call("wire_tracking")
        return answer

    def inspect(self) -> list[dict[str, float | None]] | None:
        """Return None, as every sealed chip does."""
        answer: list[dict[str, float | None]] | None = self._call("inspect")
        return answer

    def fix_groups(self) -> None:
        """End the search for groups of lines."""
        self._call("fix_groups")

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return for each layer the groups of lines and the largest currents that flowed; None without a limit."""
        answer: list[dict[str, object]] | None = self._call("line_groups")
        return answer

    def cells(self, layer: int) -> Inspection:
        """Raise SealedChipError."""
        del layer
        raise SealedChipError("this chip lives in another process: its cells cannot be looked at.")

    def take(self, layer: int, conductances: ArrayLike, what: str) -> Taken:
        """Raise SealedChipError."""
        del layer, conductances, what
        raise SealedChipError("this chip lives in another process: its cells cannot be set.")

    def close(self) -> None:
        """End the chip's process."""
        self._pipe.close()
        self._process.join(timeout=10)

    def __enter__(self) -> ProcessPort:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()
