"""A chip of this project that lives in another process, behind the same port.

Nothing of the chip is in the learner's process: what crosses the line is what crosses the pins, in the messages of the line
protocol. It proves that a learner needs nothing else. The chip's process begins with the device and the options of the chip,
as Python hands them to a process that it starts; after that no object of Python crosses.
"""

from __future__ import annotations

import multiprocessing
import pickle
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from hardware_models import opened
from hardware_models.check import RunError, UsageError
from hardware_models.chip.line_port import LinePort, sheet_of
from hardware_models.chip.served import CHIP_ERRORS, answer_of
from hardware_models.devices.base import Device
from hardware_models.places import in_place, place_now
from hardware_models.protocol.frames import Frame
from hardware_models.protocol.line import Line
from hardware_models.protocol.links import GRACE, SocketLink, ended
from hardware_models.protocol.server import answer_all
from hardware_models.protocol.values import error_entry
from hardware_models.tables import import_files
from hardware_models.user_contract import GlobalDraws
from hardware_models.user_faults import described, guarded
from hardware_models.user_faults import files as user_files
from hardware_models.wires import Interconnect

if TYPE_CHECKING:
    from hardware_models.chip.chip import Chip

FILES = "files"
"""Entry of an answer: {entry of the record: SHA-256} of files that a user's own code has opened in the chip's process."""


def _serve(
    made: socket.socket, chip: bytes, user_files: Sequence[str], user_modules: Sequence[str], here: str | None
) -> None:
    """Build the chip that is sent and answer messages until the line is closed."""
    sys.stdout = (
        sys.stderr
    )  # standard output is the caller's: what a user's code prints here must not stand in its answer
    for module in user_modules:
        opened.expect(module)
    with made, opened.into({}) as noted, in_place(here):
        served = _Served(chip, user_files, noted)
        with made.makefile("rb") as coming, made.makefile("wb") as going, suppress(OSError):
            answer_all(served.answer, coming, going, CHIP_ERRORS)
        served.close()


class _Served:
    """The chip in its process: it is built when the first message comes, so that its errors have a way to go."""

    def __init__(self, sent: bytes, user_files: Sequence[str], noted: dict[str, str]) -> None:
        self._sent, self._files, self._noted = sent, user_files, noted
        self._chip: Chip | None = None

    def answer(self, message: Frame) -> Frame:
        """Return the answer, with the files that the user's own code has opened since the one before."""
        try:
            chip = self._chip or self._built()
            with guarded(RunError):
                if message.entries["method"] == "save":  # at every checkpoint
                    self._draws.refuse("code of yours in the chip's process", RunError)
                about = {"repeatable": chip.repeatable, "description": chip.description}
                entries, arrays = answer_of(chip, message, about)
        except Exception as error:
            entries, arrays = {"error": _told(error)}, {}
        news = dict(self._noted)
        for entry in news:
            del self._noted[entry]
        return Frame({**entries, FILES: news}, arrays)

    def _built(self) -> Chip:
        with guarded(UsageError):
            import_files(self._files)
            device, layers, options = pickle.loads(self._sent)  # what this process was started with, by its parent
            from hardware_models.chip import Chip

            self._chip = Chip(device, layers, **options)
        self._draws = GlobalDraws()
        return self._chip

    def close(self) -> None:
        """End what the chip needs."""
        if self._chip is not None:
            self._chip.close()


def _told(error: Exception) -> dict[str, object]:
    return error_entry(error, f"the chip failed: {described(error)}.", CHIP_ERRORS)


class _OfProcess(SocketLink):
    """A socket to a process that Python has started."""

    def __init__(self, name: str, made: socket.socket, process: SpawnProcess) -> None:
        super().__init__(name, made)
        self._process = process

    def why(self) -> str:
        """Return the way in which the process has ended."""
        self._process.join(GRACE)
        return ended(self._process.exitcode)


def _noted(entries: Mapping[str, object]) -> None:
    """Note the files that the user's own code has opened in the chip's process."""
    files = entries.get(FILES)
    if isinstance(files, dict):
        opened.take(files)


class ProcessPort(LinePort):
    """A sealed `Chip` in a process of its own; takes the arguments of `Chip`. Close it, or use it in a ``with``."""

    def __init__(self, device: str | Device, layers: Sequence[tuple[int, int]], **options: object) -> None:
        try:
            chip = bytes(ForkingPickler.dumps((device, layers, {**options, "sealed": True})))
        except Exception as error:
            raise UsageError(f"this device cannot be sent to another process ({described(error)}).") from error
        here, there = socket.socketpair()
        given = there, chip, user_files(chip), opened.expected(), place_now()
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=given, daemon=True)
        self._line = Line(_OfProcess("the chip's process", here, self._process), None, CHIP_ERRORS, _noted)
        try:
            with there:
                self._process.start()
            said = self._call("hello", arguments={"what": "chip"}).value
        except BaseException:
            self._line.close()
            raise
        self._believe(said)

    def _believe(self, said: object) -> None:
        """Note what the chip has said of itself."""
        if not isinstance(said, dict):
            raise RunError("the chip's process has answered wrongly.")
        self.shapes = tuple((n, m) for n, m in said["shapes"])
        self.pins, self.description = frozenset(said["pins"]), said["description"]
        self.datasheet = tuple(sheet_of(sheet) for sheet in said["datasheet"])
        self.repeatable = said["repeatable"]

    # --- the bench ---

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped, None where nothing was converted."""
        answer: list[dict[str, float | None]] = self._asked("clipped_share")
        return answer

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Give all arrays wires with resistance from now on."""
        self._call("lay_wires", arguments={"interconnect": asdict(interconnect)})

    def wire_tracking(self) -> list[dict[str, float | None]]:
        """Return for each layer how its wires were followed."""
        answer: list[dict[str, float | None]] = self._asked("wire_tracking")
        return answer

    def fix_groups(self) -> None:
        """End the search for groups of lines."""
        self._call("fix_groups")

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return for each layer the groups of lines and the largest currents that flowed; None without a limit."""
        answer: list[dict[str, object]] | None = self._asked("line_groups")
        return answer

    def _asked(self, method: str) -> Any:
        """Return the plain values with which the chip's process answers a method of this project."""
        return self._call(method).value

    def close(self) -> None:
        """End the chip's process."""
        super().close()
        self._process.join(timeout=10)
