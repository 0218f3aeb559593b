"""The process that reads an HDF5 file of others: its question, its limits, and its answer.

The question is one line of JSON and the bytes of the file; the answer is one line of JSON that describes the tree and the bytes
of its arrays, one after the other. Nothing in the answer is ever executed.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from hardware_models.check import UsageError, shown
from hardware_models.files import reading

Walk = Callable[[bytes, str, int], dict[str, Any]]

SECONDS = 120
"""Time limit for one file [s]."""
MOST_CHUNK = 2**27
"""Largest size of an unpacked chunk of an array [B]."""
SLACK = 2**26
"""Memory besides the file and its numbers, for objects of Python and tables of the library [B]."""
START = "import sys; sys.path[:] = sys.argv[1:]; from hardware_models.hdf5.process import serve; serve()"


def ask(image: bytes, where: str, left: int) -> dict[str, Any]:
    """Read a file in another process and return its tree.

    Parameters
    ----------
    image : the bytes of the file.
    where : name of the file, for messages.
    left : largest size of the numbers in the file [B].

    Raises UsageError if the walk or the library refuses the file, or if time or memory do not suffice.
    """
    asked = json.dumps({"where": where, "left": left, "size": len(image)}).encode()
    status, answer, said = run(asked + b"\n" + image)
    if status or not answer:
        raise UsageError(f"{where} cannot be read as an HDF5 file ({_end(status, said)}).")
    head, _, numbers = answer.partition(b"\n")
    described = json.loads(head)
    if "refused" in described:
        raise UsageError(shown(described["refused"], 1000, quoted=False))
    return dict(_unpacked(described, memoryview(numbers)))


def run(question: bytes) -> tuple[int, bytes, bytes]:
    """Ask a new process, and return its exit status and the bytes of its standard output and standard error.

    The process is not started by `multiprocessing`, which would run the user's own script a second time.
    """
    root = str(Path(__file__).resolve().parents[2])
    places = [place for place in sys.path if place]  # without "", the user's working folder
    if not sys.executable:
        raise UsageError(
            "an HDF5 file is read in a process of its own, and this Python cannot say which program it is."
        )
    command = [sys.executable, "-I", "-B", "-c", START, *places, root]
    try:
        done = subprocess.run(command, input=question, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"the HDF5 library takes more than {SECONDS} s") from None
    return done.returncode, done.stdout, done.stderr


def _end(status: int, said: bytes) -> str:
    """Return a few words on how the reading process ended."""
    if status == 1 and (lines := said.decode("utf-8", "replace").split("\n")[:-1]):
        return f"the process that reads it ended: {shown(lines[-1], 160, quoted=False).rstrip('.')}"
    with suppress(ValueError):
        return f"it ends the HDF5 library by the signal {signal.Signals(-status).name}"
    return f"it ends the HDF5 library with the status {status}"


def serve(source: BinaryIO | None = None, sink: BinaryIO | None = None) -> None:
    """Answer one question, from standard input to standard output; this process keeps the limits that it sets."""
    source, sink = source or sys.stdin.buffer, sink or sys.stdout.buffer
    asked = json.loads(source.readline())
    from hardware_models.hdf5.walk import walk  # imported before memory is limited, because libraries need memory too

    confine(asked["size"], asked["left"])
    for part in answer(walk, source.read(), asked["where"], asked["left"]):
        sink.write(part)
    sink.flush()


def confine(size: int, left: int) -> None:
    """Limit the memory of this process for a file of `size` bytes with at most `left` bytes of numbers.

    The limit adds to the present memory three times the file (its bytes and the library's two copies), its numbers, four forms
    of a chunk and `SLACK`. Only Linux tells the present memory: on macOS and Windows the user's process is protected, but
    memory is not limited.
    """
    if sys.platform == "win32":
        return
    import resource

    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: SECONDS}
    with suppress(OSError):
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limits[resource.RLIMIT_AS] = now + 3 * size + left + 4 * min(left, MOST_CHUNK) + SLACK
    for which, most in limits.items():
        with suppress(OSError, ValueError):  # a lower limit may be set already
            resource.setrlimit(which, (most, resource.getrlimit(which)[1]))


def answer(walk: Walk, image: bytes, where: str, left: int) -> Iterator[bytes | memoryview]:
    """Yield the answer for a file: the line that describes its tree, then the bytes of each array; or a line that refuses it."""
    numbers: list[np.ndarray] = []
    try:
        with reading(where, "an HDF5 file"):
            described = _packed(walk(image, where, left), numbers)
    except UsageError as error:
        described, numbers = {"refused": str(error)}, []
    yield json.dumps(described).encode() + b"\n"
    for array in numbers:
        if array.size:
            yield np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _packed(item: Any, numbers: list[np.ndarray]) -> dict[str, Any]:
    """Return the description of a tree, and append its arrays of numbers to `numbers` in the same order."""
    if isinstance(item, dict):
        return {"group": {name: _packed(part, numbers) for name, part in item.items()}}
    if isinstance(item, str):
        return {"text": item}
    array = np.asarray(item)
    if array.dtype == object:
        return {"texts": array.ravel().tolist(), "shape": array.shape}
    numbers.append(array)
    return {"numbers": array.dtype.str, "shape": array.shape}


def _unpacked(described: dict[str, Any], numbers: memoryview) -> Any:
    """Return the tree of a description; `numbers` holds exactly the bytes of all its arrays."""
    at = 0

    def made(part: dict[str, Any]) -> Any:
        nonlocal at
        if "group" in part:
            return {name: made(inner) for name, inner in part["group"].items()}
        if "text" in part:
            return part["text"]
        if "texts" in part:
            return np.array(part["texts"], object).reshape(part["shape"])
        kind, count = np.dtype(part["numbers"]), int(np.prod(part["shape"], dtype=object))
        array = (
            np.frombuffer(numbers, kind, count, at).reshape(part["shape"]) if count else np.empty(part["shape"], kind)
        )
        at += count * kind.itemsize
        return array.copy()[()]  # a writable copy; an array without dimensions becomes a number

    found = made(described)
    if at != len(numbers):
        raise ValueError(f"its reader answered {len(numbers)} bytes; expected {at}")
    return found
