"""Compilation of a standalone program of Brian2: its some sixty small sources as a few units, one a core.

Most of the time of a compiler goes into reading the same headers for each source again; a unit reads them once. Each source
of a code object stands in a namespace of its own there, because all of them define the same helpers. Make compiles only the
units in which a source has changed.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from analog_ff.spiking.brian import StandaloneDevice

_MAKEFILE = "units.make"
# Read before Brian2's makefile, this one puts the units in the place of the sources. It says what depends on what, so that
# the compiler need not list it. What runs once, or calls once a step, is not worth much optimisation.
_MAKE = """all:
override SRCS := {units}
override DEPS :=
{rules}
objects.o frame.o: CXXFLAGS += -O1
"""


def build(device: StandaloneDevice, folder: Path) -> None:
    """Write the standalone program of a Brian2 device into a folder and compile it; RuntimeError if the compiler fails."""
    if sys.platform == "win32":
        device.build(directory=str(folder), compile=True, run=False, debug=False)
        return
    from brian2.codegen.cpp_prefs import get_compiler_and_args

    device.build(directory=str(folder), compile=False, run=False, debug=False)
    _gather(folder, sorted(device.writer.source_files), sorted(device.writer.header_files))
    device.compile_source(str(folder), get_compiler_and_args()[0], debug=False, clean=False)


def make_arguments() -> list[str]:
    """Return the arguments of make; Brian2's own default starts all compilers at once."""
    return [f"-j{_cores()}", "-f", _MAKEFILE, "-f", "makefile"]


def _cores() -> int:
    # Not every system can bind a process to cores, and Python's `os` lacks the function there.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gather(folder: Path, sources: list[str], headers: list[str]) -> None:
    """Write the units of a program's sources and the makefile for them."""
    own = [source for source in sources if source.startswith("code_objects/")]
    units = {f"unit_{n}": own[n :: _cores()] for n in range(min(_cores(), len(own)))}
    rest = [source for source in sources if source not in own]
    common = [header for header in headers if not header.startswith("code_objects/")]
    rules = [f"objects.o: {' '.join(common)}"]
    for name, parts in units.items():
        _write(folder / f"{name}.cpp", _unit(folder, parts))
        rules.append(f"{name}.o: {' '.join([*parts, *(_header(part) for part in parts), *common])}")
    frame = [source for source in rest if source != "objects.cpp"]
    _write(folder / "frame.cpp", "".join(f'#include "{source}"\n' for source in frame))
    rules.append(f"frame.o: {' '.join([*frame, *headers])}")
    # The units come first: of a function that all have, the linker takes the one that is optimised more.
    names = " ".join(f"{name}.cpp" for name in (*units, "objects", "frame"))
    _write(folder / _MAKEFILE, _MAKE.format(units=names, rules="\n".join(rules)))


def _header(source: str) -> str:
    return source.removesuffix(".cpp") + ".h"


def _unit(folder: Path, sources: list[str]) -> str:
    """Return a unit: what the sources include, once; each source in its namespace; its functions by their global names."""
    included: dict[str, None] = {}
    parts = []
    for n, source in enumerate(sources):
        included |= dict.fromkeys(
            re.findall(r'^#include\s*(?:<.*>|"(?!code_objects/).*")', _text(folder / source), re.M)
        )
        functions = re.findall(r"^void (\w+)\(\);", _text(folder / _header(source)), re.M)
        calls = "".join(f"void {function}() {{ part_{n}::{function}(); }}\n" for function in functions)
        parts.append(f'namespace part_{n} {{\n#include "{source}"\n}}\n{calls}')
    return "\n".join([*included, *parts])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write(path: Path, text: str) -> None:
    """Write a file where its text has changed: make compiles anew what is newer."""
    if not path.is_file() or _text(path) != text:
        path.write_text(text, encoding="utf-8")
