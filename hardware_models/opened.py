"""Find the files that a user's own code reads, so that a run notes their digests like those of all other files.

Python calls its audit hooks for every file that Python code opens, by `open`, `pathlib`, `numpy.load`, `numpy.memmap` and
others, and for libraries that `ctypes` loads. A file counts as the user's if one of the calls on the stack is in a module that
the user named, or in a module that it imports, with no call of this project in between. Not counted are files that Python and
installed packages open for themselves, files of packages, of the system and of caches, and temporary files that the user's
code has written itself. A thread, such as one of a pool, works for those who started it, even if no call on its own stack is.
The hooks do not see files opened in C (h5py, SQLite) or by another program or process, the network, and the names in a folder.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import site
import stat
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from weakref import WeakKeyDictionary

from hardware_models.files import noted_as

WHAT = "opened file"
"""Kind of such a file among the inputs of a run; its name is its path, relative to the working folder if it lies inside."""
_OWN = ("hardware_models", "analog_ff")
_TOPS: set[str] = set()
"""Names of the user's packages, and of the user's modules without a package."""
_OPEN: list[tuple[dict[str, str], str]] = []
"""Open records, each with a folder whose files do not count."""
_SEEN: dict[str, tuple[tuple[int, ...], str]] = {}
"""Path -> (size and times of the file by the system, SHA-256)."""
_BY_TOP: dict[str, dict[str, str]] = {}
"""Package or module -> {path: SHA-256} of the files that its code has opened in this process."""
_WRITTEN: set[str] = set()
"""Files that the user's code has opened for writing: logs, and caches, of which the first contents that it reads count."""
_FOR_LINES = ("linecache", "tokenize")
"""Modules that open source files to show the lines of a warning."""
_IMPORTS = "importlib._bootstrap_external"
_IMPORTED: set[str] = set()
"""Sources of modules that the user's code has imported although none could be found before it ran: it has changed `sys.path`."""
_STARTED: WeakKeyDictionary[threading.Thread, set[str]] = WeakKeyDictionary()
"""Thread that the user's code has started -> packages on the stack at that moment."""
_CACHES = (".pyc", ".nbi", ".nbc")


def expect(module: str) -> None:
    """Watch a module of the user, or one that it imports, from now on; called before its code runs."""
    top = module.partition(".")[0]
    if top in _OWN or top in sys.stdlib_module_names:
        return
    if not _TOPS:
        sys.addaudithook(_heard)  # a hook cannot be removed, so it first checks that a record is open
        _follow_threads()
    _TOPS.add(top)


def expected() -> tuple[str, ...]:
    """Return the names of the watched packages and modules, to be watched in another process."""
    return tuple(sorted(_TOPS))


def is_users(module: str, file: str) -> bool:
    """Tell whether a module in `file` is one that is watched, or lies in none of the folders of Python, packages and caches."""
    top = module.partition(".")[0]
    return top in _TOPS or (top not in _OWN and not file.startswith(_APART))


def again(module: str) -> None:
    """Note the files that an already loaded module has opened before, because it will not read them again."""
    for path, digest in _BY_TOP.get(module.partition(".")[0], {}).items():
        _note(path, digest)


@contextmanager
def into(noted: dict[str, str], apart_from: Path | None = None) -> Iterator[dict[str, str]]:
    """Note in `noted`, within the ``with``, the files that a user's code opens in any thread, except in `apart_from`."""
    record = (noted, os.path.join(os.path.abspath(apart_from), "") if apart_from is not None else "")
    _OPEN.append(record)
    try:
        yield noted
    finally:
        _OPEN[:] = [other for other in _OPEN if other is not record]


def take(found: Mapping[str, str]) -> None:
    """Note the entries that a chip's own process has noted, under the same names."""
    for entry, digest in found.items():
        _enter(_name(entry), digest)


def agree(entry: str, kept: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Tell whether an entry that only one of two records holds may stand for the same contents in both.

    A run may open its files late, or in a module that was loaded before; the entry in `kept` is compared with the present file.
    A file that was moved, or is named from another folder, is recognised by its file name and its contents.
    """
    if not entry.startswith(f"{WHAT} ") or (entry in kept and entry in now):
        return False
    digest, others = (kept[entry], now) if entry in kept else (now[entry], kept)
    file = os.path.basename(_name(entry))
    if any(d == digest and e.startswith(f"{WHAT} ") and os.path.basename(_name(e)) == file for e, d in others.items()):
        return True
    try:
        return entry in kept and _digest(os.path.join(_START, _name(entry))) == digest
    except (OSError, ValueError):
        return False


def goes_on(kept: Mapping[str, str], now: dict[str, str]) -> None:
    """Copy into the record `now` the entries of opened files in `kept`, with which it agrees, under the same names."""
    for entry in [e for e in now if e.startswith(f"{WHAT} ") and e not in kept]:
        del now[entry]
    now.update({e: digest for e, digest in kept.items() if e.startswith(f"{WHAT} ")})


def _name(entry: str) -> str:
    return entry.removeprefix(f"{WHAT} ")


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    """Note an opened file (an audit hook); a failure here must not stop the code that opens the file."""
    if not _OPEN or event not in ("open", "ctypes.dlopen"):
        return
    try:
        given = arguments[0]
        if not isinstance(given, str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(given))
        tops, imports = _askers(sys._getframe(1))
        if imports:
            path = importlib.util.source_from_cache(path) if path.endswith(".pyc") else path
            if tops and not path.startswith(_APART):
                _IMPORTED.add(path)
        if tops and event == "open" and _writes(arguments[2]):
            _WRITTEN.add(path)
        elif tops and _counts(path, tops) and (path not in _WRITTEN or _kept_by_the_user(path)):
            digest = _digest(path)
            for top in tops:
                _BY_TOP.setdefault(top, {})[path] = digest
            _note(path, digest)
    except Exception:
        return


def _follow_threads() -> None:
    """Note from now on for whom a thread is started. Python's audit hooks tell it from version 3.12 on only."""
    start = threading.Thread.start

    def noted(self: threading.Thread) -> None:
        with suppress(Exception):  # a failure here must not stop the code that starts the thread
            if tops := _askers(sys._getframe(1))[0]:
                _STARTED[self] = tops
        start(self)

    functools.update_wrapper(noted, start)
    threading.Thread.start = noted  # type: ignore[method-assign]


def _kept_by_the_user(path: str) -> bool:
    """Tell whether a file written by the user's code lasts until the next run (is not temporary) and is not noted yet."""
    return not path.startswith(os.path.join(tempfile.gettempdir(), "")) and path not in _SEEN


def _writes(flags: object) -> bool:
    """Tell whether a file is opened for new contents; `r+`, the default of `numpy.memmap`, finds contents and reads them, too."""
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    return isinstance(flags, int) and bool(flags & new)


def _askers(frame: FrameType | None) -> tuple[set[str], bool]:
    """Return the user's packages among the calls on the stack, up to the first call of this project, and whether it is an import.

    Modules that are expected are noted by `user_code`: their import belongs to no package.
    """
    found: set[str] = set()
    imports = False
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        top = module.partition(".")[0]
        if top in _OWN or module in _FOR_LINES:
            break
        if module == _IMPORTS and frame.f_code.co_name == "get_data" and not found:
            if str(frame.f_locals["self"].name).partition(".")[0] in {*_TOPS, *_OWN}:
                break
            imports = True
        if top in _TOPS or frame.f_code.co_filename in _IMPORTED:
            found.add(top)
        elif not found and frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(_APART):
            break  # an installed package reads a file during its import
        frame = frame.f_back
    else:  # the stack's end was reached: nothing on it says that the file is not the user's
        found |= _STARTED.get(threading.current_thread(), set()) if _STARTED else set()
    return found, imports


def _counts(path: str, tops: set[str]) -> bool:
    """Tell whether a run depends on a file that the user's code opens."""
    if path.endswith(_CACHES) or not stat.S_ISREG(os.stat(path).st_mode):
        return False
    return not path.startswith(_APART) or any(path.startswith(place) for top in tops for place in _places(top))


def _places(top: str) -> list[str]:
    """Return the folders of an installed package that the user named, whose own files count."""
    return [os.path.join(place, "") for place in getattr(sys.modules.get(top), "__path__", ())]


def _digest(path: str) -> str:
    """Return the SHA-256 of a file; an unchanged file is not read again."""
    state = os.stat(path)
    signature = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    before = _SEEN.get(path)
    if before is not None and before[0] == signature:
        return before[1]
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _SEEN[path] = (signature, digest)
    return digest


def _note(path: str, digest: str) -> None:
    beneath = path.startswith(os.path.join(_START, ""))
    _enter(Path(os.path.relpath(path, _START) if beneath else path).as_posix(), digest)


def _enter(name: str, digest: str) -> None:
    for noted, apart in _OPEN:
        if not (apart and os.path.join(_START, name).startswith(apart)):
            noted_as(noted, WHAT, name, digest)


def _apart() -> tuple[str, ...]:
    """Return the folders whose files do not count: Python's, the system's, caches."""
    paths = sysconfig.get_paths()
    places = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    places += [*site.getsitepackages(), site.getusersitepackages(), os.path.expanduser("~/.cache")]
    places += [
        os.environ[name] for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR") if os.environ.get(name)
    ]
    if os.name == "posix":
        places += ["/proc", "/sys", "/dev", "/etc", "/run", "/usr/lib", "/usr/lib64", "/usr/share", "/lib", "/lib64"]
    return tuple(os.path.join(os.path.abspath(place), "") for place in places)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed
        return os.sep


_START = _here()
_APART = _apart()
