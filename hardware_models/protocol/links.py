"""Links: a process or a socket as a stream of bytes with a time limit, closed in every case.

``process:COMMAND`` is a command whose standard input and output carry the messages; the last lines of its standard error are
quoted where it fails. ``tcp://127.0.0.1:PORT`` is a server on the loopback of this machine.
"""

from __future__ import annotations

import os
import selectors
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from hardware_models.check import RunError, UsageError, shown
from hardware_models.files import contents
from hardware_models.places import place_now, placed
from hardware_models.protocol.frames import FrameError

PROCESS, TCP = "process:", "tcp://"
FORMS = "process:COMMAND or tcp://127.0.0.1:PORT"
LOOPBACK = ("127.0.0.1", "localhost")
PIECE = 2**18
"""Most bytes that are moved at once [B]."""
GRACE = 2.0
"""Time in which a process may end by itself when its standard input is closed [s]."""
LAST = 2000
"""Characters of standard error that are kept."""
MOST_PROGRAM = 2**26
"""Largest file that a command names and whose contents belong to the run [B]."""


class EndError(RunError):
    """The other side has ended, or says nothing; the message continues "it ...", without a full stop."""


class Link:
    """Bytes to and from the other side, by two file descriptors that may be the same one."""

    def __init__(self, name: str, into: int, out: int, errors: int | None = None) -> None:
        self.name = name
        self._into, self._out, self._errors = into, out, errors
        self._kept = bytearray()
        self._said = ""
        self._until: float | None = None
        self._within: float | None = None
        self.closed = False
        for descriptor in {into, out} | ({errors} if errors is not None else set()):
            os.set_blocking(descriptor, False)

    def limit(self, seconds: float | None) -> None:
        """Begin a time limit [s] for all that follows, None: without one."""
        self._within, self._until = seconds, None if seconds is None else time.monotonic() + seconds

    def send(self, pieces: Iterable[bytes]) -> None:
        """Write bytes; raise EndError if the other side has ended or takes them too slowly."""
        for piece in pieces:
            left = memoryview(piece)
            while left.nbytes:
                self._wait(writing=True)
                try:
                    left = left[self._write(left[:PIECE]) :]
                except BlockingIOError:
                    continue
                except OSError:
                    raise EndError(self.why()) from None

    def line(self, most: int) -> bytes:
        """Return the bytes up to the next line end; raise FrameError after `most` bytes without one."""
        searched = 0
        while (end := self._kept.find(b"\n", searched)) < 0:
            searched = len(self._kept)
            if searched >= most:
                raise FrameError(f"sent {most} bytes without the end of a line")
            self._more(PIECE)
        found = bytes(self._kept[:end])
        del self._kept[: end + 1]
        return found

    def exactly(self, number: int) -> bytearray:
        """Return the next `number` bytes."""
        while len(self._kept) < number:
            self._more(max(PIECE, number - len(self._kept)))
        found = self._kept[:number]
        del self._kept[:number]
        return found

    def why(self) -> str:
        """Return why nothing comes any more: "has ended (...)"."""
        return "has closed the connection"

    def close(self) -> None:
        """Close the link."""
        self.closed = True

    def _write(self, piece: memoryview) -> int:
        return os.write(self._into, piece)

    def _read(self, most: int) -> bytes:
        return os.read(self._out, most)

    def _more(self, most: int) -> None:
        """Append what has come to the kept bytes, at least one."""
        while True:
            self._wait(writing=False)
            try:
                piece = self._read(min(most, 16 * PIECE))
            except BlockingIOError:
                continue
            except OSError:
                piece = b""
            if not piece:
                raise EndError(self.why())
            self._kept += piece
            return

    def _wait(self, *, writing: bool) -> None:
        """Wait until bytes can be moved, and keep the end of what the other side says on its standard error meanwhile."""
        with selectors.DefaultSelector() as chosen:
            if writing:
                chosen.register(self._into, selectors.EVENT_WRITE)
            else:
                chosen.register(self._out, selectors.EVENT_READ)
            if self._errors is not None:
                chosen.register(self._errors, selectors.EVENT_READ)
            while True:
                left = None if self._until is None else self._until - time.monotonic()
                if left is not None and left <= 0:
                    raise EndError(f"has given no answer within {self._within:g} s")
                ready = [key.fd for key, _ in chosen.select(left)]
                if self._errors in ready and not self._hear():
                    chosen.unregister(self._errors or 0)
                    self._errors = None
                if any(fd != self._errors for fd in ready if fd in (self._into, self._out)):
                    return

    def _hear(self) -> bool:
        """Keep the end of what standard error has; return False at its end."""
        try:
            piece = os.read(self._errors or 0, PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._said = (self._said + piece.decode("utf-8", "replace"))[-LAST:]
        return bool(piece)

    def last_words(self) -> str:
        """Return the last lines that the other side wrote to its standard error, as one short text; "" if there are none."""
        while self._errors is not None:
            before = self._said
            if not self._hear():
                self._errors = None
            elif self._said == before:
                break
        lines = [line.strip() for line in self._said.splitlines() if line.strip()]
        return shown(" / ".join(lines[-3:])[-200:], 200, quoted=False) if lines else ""


class SocketLink(Link):
    """A socket."""

    def __init__(self, name: str, made: socket.socket) -> None:
        self._socket = made
        super().__init__(name, made.fileno(), made.fileno())

    def _write(self, piece: memoryview) -> int:
        return self._socket.send(piece)

    def _read(self, most: int) -> bytes:
        return self._socket.recv(most)

    def close(self) -> None:
        """Close the socket."""
        super().close()
        self._socket.close()  # again and again: nothing happens


class ProcessLink(Link):
    """A command's standard input and output."""

    def __init__(self, name: str, words: list[str]) -> None:
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, cwd=place_now(),
                start_new_session=True,  # Ctrl-C is for the run, which then ends its process in good order
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"{name} cannot be started ({error.strerror or error}).") from None
        streams = self._process.stdin, self._process.stdout, self._process.stderr
        self._streams = [stream for stream in streams if stream is not None]
        super().__init__(name, *(stream.fileno() for stream in self._streams))

    def why(self) -> str:
        """Return the way in which the process has ended, and its last words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        words = self.last_words()
        return ended(self._process.returncode) + (f", after it had written: {words}" if words else "")

    def close(self) -> None:
        """Close the streams and end the process, by force after a while."""
        if self.closed:
            return
        super().close()
        with suppress(OSError):
            self._streams[0].close()
        for end in (lambda: None, self._process.terminate, self._process.kill):
            with suppress(OSError):
                end()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
                break
        for stream in self._streams[1:]:
            stream.close()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid


def ended(code: int | None) -> str:
    """Return the way in which a process has ended, from its status; None: it lives."""
    if code is None:
        return "has closed its end of the line"
    with suppress(ValueError):
        if code < 0:
            return f"has ended, killed by {signal.Signals(-code).name}"
    return f"has ended with status {code}"


def is_link(spec: str) -> bool:
    """Tell whether a text names a process or a socket."""
    return spec.startswith((PROCESS, TCP))


def opened_link(spec: str, what: str, within: float | None) -> Link:
    """Return the link that a text names, for the `what` ("neurons", "chip"); raise UsageError if there is none.

    Files that the command of a process names are noted as inputs of the run.
    """
    box = "box of neurons" if what == "neurons" else what
    name = f"the {box} at {shown(spec, 100, quoted=False)}"
    if spec.startswith(TCP):
        return SocketLink(name, _connected(spec, name, within))
    if os.name != "posix":
        raise UsageError(f"{name} needs a POSIX system: serve it at {TCP}127.0.0.1:PORT.")
    note_program(spec)
    return ProcessLink(name, command_of(spec))


def note_program(spec: str) -> None:
    """Note the files that the command of ``process:COMMAND`` names as inputs of the run."""
    for path in programs(spec):
        contents(path, "program", most=MOST_PROGRAM)


def programs(spec: str) -> list[Path]:
    """Return the files that the command of ``process:COMMAND`` names; none of another text."""
    paths = [placed(Path(word)) for word in (command_of(spec) if spec.startswith(PROCESS) else ())]
    return [path for path in paths if path.is_file() and path.stat().st_size <= MOST_PROGRAM]


def command_of(spec: str) -> list[str]:
    """Return the words of the command of ``process:COMMAND``; raise UsageError if there are none."""
    try:
        words = shlex.split(spec.removeprefix(PROCESS))
    except ValueError as error:
        raise UsageError(f"'{shown(spec, quoted=False)}' holds no command ({error}).") from None
    if not words:
        raise UsageError("'process:' needs a command behind it, such as process:'perl neurons.pl'.")
    return words


def address_of(spec: str) -> tuple[str, int]:
    """Return host and port of ``tcp://127.0.0.1:PORT``; raise UsageError for another host, and without a port."""
    host, _, port = spec.removeprefix(TCP).rpartition(":")
    if host not in LOOPBACK or not (port.isdecimal() and port.isascii() and 0 < int(port) < 2**16):
        raise UsageError(
            f"a socket is named tcp://127.0.0.1:PORT, on this machine alone (messages carry no password), got "
            f"{shown(spec)}."
        )
    return "127.0.0.1", int(port)


def _connected(spec: str, name: str, within: float | None) -> socket.socket:
    address = address_of(spec)
    try:
        made = socket.create_connection(address, timeout=within)
    except OSError as error:
        raise UsageError(f"{name} cannot be reached ({error.strerror or error}): start its server first.") from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
