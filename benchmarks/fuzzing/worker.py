"""A process that reads inputs, and reports the outcome of each, the reached lines of the reader and the used memory."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import mmap
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from fuzzing.readers import READERS, Bench
from hardware_models.check import UsageError

SECONDS = 10.0
"""Largest time [s] for reading one small input."""
MEMORY = 300_000
"""Largest additional memory [kB] for reading one small input."""
ADDRESS_SPACE = 3 * 2**30
"""Memory limit of the process [B], so that no input uses up the machine's memory."""
TRACED = 10
"""Interval of inputs whose reached lines are traced; tracing takes several times as long as reading."""


class OutOfTime(BaseException):
    """An input takes too long. It is a BaseException, so that no reader mistakes it for a fault of the file."""


def read_inputs(name: str, seed: int, first: int, last: int, pipe: Any) -> None:
    """Read inputs `first` to `last` - 1 of a reader and send (number, verdict, words, bytes or None) for each, then a summary."""
    warnings.simplefilter("ignore")
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with _quiet():
            bench = reader.begin(folder)
            for valid in bench.valid:  # compiles the kernels, and shows at once if the harness is wrong
                (folder / f"valid{bench.suffix}").write_bytes(valid)
                bench.read(folder / f"valid{bench.suffix}")
        _limit_memory()
        start, before = time.monotonic(), _peak()
        lines = Lines(reader.modules)
        for number in range(first, last):
            pipe.send(("begin", number))
            data = input_of(name, seed, number, bench)
            (folder / f"input{bench.suffix}").write_bytes(data)
            with lines.traced() if number % TRACED == 0 else contextlib.nullcontext():
                verdict, words = verdict_of(bench, folder / f"input{bench.suffix}")
            pipe.send(("end", (number, verdict, words, data if verdict == "not clean" else None)))
        after = _peak()
        pipe.send(("summary", (time.monotonic() - start, before, after, lines.reached(), lines.number)))


def input_of(name: str, seed: int, number: int, bench: Bench) -> bytes:
    """Return the input that reader, seed and number determine."""
    draw = random.Random(f"{name} {seed} {number}")
    while True:
        try:
            return bench.change(draw, draw.choice(bench.valid))
        except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError):
            continue  # this change is impossible for these values, so another one is drawn


def verdict_of(bench: Bench, path: Path) -> tuple[str, str]:
    """Read one input and return its verdict (read, refused or not clean) and the message."""
    before = _peak()
    signal.signal(signal.SIGALRM, _out_of_time)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        with _quiet():
            bench.read(path)
        verdict, words = "read", ""
    except UsageError as error:
        words = str(error)
        one_sentence = words.endswith(".") and words.isprintable() and len(words) <= 1000
        verdict, words = ("refused", words) if one_sentence else ("not clean", f"no one sentence: {words[:200]!r}")
    except OutOfTime:
        verdict, words = "not clean", f"more than {SECONDS:g} s"
    except BaseException as error:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else ""
        verdict, words = "not clean", f"{type(error).__name__} at {where}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if (grown := _peak() - before) > MEMORY:
        return "not clean", f"{grown // 1000} MB of memory"
    return verdict, words


def _out_of_time(number: int, frame: FrameType | None) -> None:
    raise OutOfTime


def _peak() -> int:
    """Return the peak memory [kB] of this process or of any of its finished children, whichever is larger."""
    kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kilobytes // 1024 if sys.platform == "darwin" else kilobytes


def _limit_memory() -> None:
    with contextlib.suppress(OSError, ValueError):  # some systems cannot read or limit the address space
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESS_SPACE, resource.getrlimit(resource.RLIMIT_AS)[1]))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


class Lines:
    """Recorder of reached lines inside the functions of some modules, or only inside functions named after a colon."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        known: dict[str, set[int]] = {}
        for name in modules:
            module, _, functions = name.partition(":")
            file = str(importlib.import_module(module).__file__)
            whole = compile(Path(file).read_text(encoding="utf-8"), file, "exec")
            found = [f for f in _functions(whole) if not functions or f.co_name in functions.split(",")]
            known[file] = set().union(*map(_lines, found))
        places = itertools.count()
        self._known = {file: {line: next(places) for line in sorted(lines)} for file, lines in known.items()}
        self.number = next(places)
        self._reached = mmap.mmap(-1, max(self.number, 1))  # memory shared with a forked reader

    def reached(self) -> list[tuple[str, int]]:
        """Return the file and the number of every reached line."""
        lines = ((file, line, place) for file, places in self._known.items() for line, place in places.items())
        return sorted((Path(file).name, line) for file, line, place in lines if self._reached[place])

    @contextlib.contextmanager
    def traced(self) -> Iterator[None]:
        """Record the lines that are reached inside the ``with``."""
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(None)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._known else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        place = self._known[frame.f_code.co_filename].get(frame.f_lineno)
        if place is not None:
            self._reached[place] = 1
        return self._line


def _functions(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & 2:  # only functions; bodies of classes run at import
                yield constant
            yield from _functions(constant)


def _lines(code: CodeType) -> set[int]:
    return {line for *_, line in code.co_lines() if line is not None} - {code.co_firstlineno}
