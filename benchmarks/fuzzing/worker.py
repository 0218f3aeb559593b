"""One process that reads inputs: what each of them did, the lines of the reader that were reached, the memory taken."""

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
"""Most time that reading one small input may take [s]."""
MEMORY = 300_000
"""Most memory that reading one small input may take beyond what was taken before [kB]."""
ADDRESS_SPACE = 3 * 2**30
"""Memory beyond which the system refuses more, so that no input takes the machine's [B]."""
TRACED = 10
"""Of so many inputs the lines of one are traced: tracing takes several times as long as reading."""


class OutOfTime(BaseException):
    """An input takes too long; no reader may take this for a fault of the file."""


def read_inputs(name: str, seed: int, first: int, last: int, pipe: Any) -> None:
    """Read inputs `first` to `last` - 1 of a reader and send (number, verdict, words, bytes or None) of each, then a summary."""
    warnings.simplefilter("ignore")
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with _quiet():
            bench = reader.begin(folder)
            for valid in bench.valid:  # compiles what is compiled, and says at once if the harness is wrong
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
    """Return an input, the same at every call: it is known by its reader, the seed and its number."""
    draw = random.Random(f"{name} {seed} {number}")
    while True:
        try:
            return bench.change(draw, draw.choice(bench.valid))
        except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError):
            continue  # a change that cannot be made of these values: the next is drawn


def verdict_of(bench: Bench, path: Path) -> tuple[str, str]:
    """Read one input and say what came of it: read, refused or not clean, and in which words."""
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
    """Return the most memory that this process, or one that it has begun and that has ended, has taken [kB]."""
    kilobytes = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kilobytes // 1024 if sys.platform == "darwin" else kilobytes


def _limit_memory() -> None:
    with contextlib.suppress(OSError, ValueError):  # not every system can tell, or limit, the address space
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESS_SPACE, resource.getrlimit(resource.RLIMIT_AS)[1]))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


class Lines:
    """Which lines inside the functions of some modules, or of those named behind a colon, were reached."""

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
        self._reached = mmap.mmap(-1, max(self.number, 1))  # shared with a fork that reads

    def reached(self) -> list[tuple[str, int]]:
        """Return file and number of every line that was reached."""
        lines = ((file, line, place) for file, places in self._known.items() for line, place in places.items())
        return sorted((Path(file).name, line) for file, line, place in lines if self._reached[place])

    @contextlib.contextmanager
    def traced(self) -> Iterator[None]:
        """Note the lines that are reached inside the ``with``."""
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
            if constant.co_flags & 2:  # functions, and not the bodies of classes, which run when they are imported
                yield constant
            yield from _functions(constant)


def _lines(code: CodeType) -> set[int]:
    return {line for *_, line in code.co_lines() if line is not None} - {code.co_firstlineno}
