"""The side that answers, for boxes in Python: a loop over messages at standard input and output, or at a socket."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import IO, Protocol

import numpy as np

from hardware_models.check import UsageError
from hardware_models.protocol import frames
from hardware_models.protocol.links import address_of
from hardware_models.protocol.values import ERRORS, error_entry
from hardware_models.user_faults import described

Answering = Callable[[frames.Frame], frames.Frame]
"""A function from a message to the entries and arrays of its answer."""


class Remembering(Protocol):
    """A box that remembers."""

    def save(self) -> Mapping[str, np.ndarray]:
        """Return the state as arrays."""
        ...

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        ...


class _Stream:
    """Incoming bytes of a file; EOFError at its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def line(self, most: int) -> bytes:
        line = self._file.readline(most + 1)
        if not line:
            raise EOFError
        if not line.endswith(b"\n"):
            raise frames.FrameError(f"sent {most} bytes without the end of a line")
        return line[:-1]

    def exactly(self, number: int) -> bytearray:
        found = bytearray(number)
        view, done = memoryview(found), 0
        while done < number:
            piece = self._file.read(number - done)
            if not piece:
                raise EOFError
            view[done : done + len(piece)] = piece
            done += len(piece)
        return found


def answer_all(
    answer: Answering, coming: IO[bytes], going: IO[bytes], errors: Mapping[str, type[Exception]] = ERRORS
) -> None:
    """Answer messages until the other side closes; an exception of `answer` becomes the entry ``error`` of its answer."""
    source = _Stream(coming)
    try:
        while True:
            try:
                entries, arrays = answer(frames.read(source))
                message = frames.written({"version": frames.VERSION, **entries}, arrays)
            except (EOFError, BrokenPipeError, ConnectionError, KeyboardInterrupt):
                return
            except Exception as error:
                said = error_entry(error, described(error), errors)
                message = frames.written({"version": frames.VERSION, "error": said})
                if isinstance(error, frames.FrameError):  # what follows cannot be told apart
                    going.write(b"".join(message))
                    return
            going.writelines(message)
            going.flush()
    except (BrokenPipeError, ConnectionError, KeyboardInterrupt):
        return


def serve(answer: Answering, at: str = "stdio", errors: Mapping[str, type[Exception]] = ERRORS) -> None:
    """Answer messages at standard input and output, or at ``tcp://127.0.0.1:PORT``, one caller after the other, for ever.

    What the answering code prints goes to standard error, so that it does not stand between the answers.
    """
    if at == "stdio":
        sys.stdout.flush()
        with open(os.dup(0), "rb") as coming, open(os.dup(1), "wb") as going:
            os.dup2(2, 1)
            answer_all(answer, coming, going, errors)
        return
    with socket.create_server(address_of(at)) as server:
        print(f"serving at {at}", file=sys.stderr, flush=True)
        try:
            while True:
                made, _ = server.accept()
                with made, made.makefile("rb") as coming, made.makefile("wb") as going:
                    answer_all(answer, coming, going, errors)
        except KeyboardInterrupt:
            return


def serve_neurons(
    function: Callable[[np.ndarray, int], np.ndarray], *, state: Remembering | None = None, at: str = "stdio",
    repeats: bool = True,
) -> None:  # fmt: skip
    """Serve neurons: y = f(z) of a layer.

    Parameters
    ----------
    function : maps z (B, neurons) float32 and the number of the layer to y of the same shape.
    state : what remembers from call to call, with `save` and `restore`; by default nothing does.
    at : "stdio", for ``--nonlinearity process:COMMAND``, or ``tcp://127.0.0.1:PORT``.
    repeats : False for neurons with a memory or noise that `state` does not carry; a run with them is resumed, but not to the
        same bits.

    Raises
    ------
    UsageError : for a socket that is not on this machine.
    """
    about = {"what": "neurons", "save": state is not None, "repeatable": repeats}

    def answer(message: frames.Frame) -> frames.Frame:
        method, layer = message.entries.get("method"), message.entries.get("layer")
        if method == "hello":
            return frames.Frame({"value": about}, {})
        if method == "fabricate":
            return frames.Frame({"value": None}, {})
        if method == "neurons" and isinstance(layer, int):
            return frames.Frame({"value": None}, {"y": np.asarray(function(message.arrays["z"], layer))})
        if method == "save" and state is not None:
            return frames.Frame({"value": None}, dict(state.save()))
        if method == "restore" and state is not None:
            state.restore(message.arrays)
            return frames.Frame({"value": None}, {})
        raise UsageError(f"neurons answer hello, fabricate, neurons, save and restore, not {method!r}.")

    serve(answer, at)
