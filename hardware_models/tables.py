"""Tables of named choices, whose entries are imported on first use, and functions that load a user's own object.

A table maps a name to an object, to a string ``"package.module:attribute"`` or to a `Row`; what the last two name is imported
on demand, so that reading a table costs nothing.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os.path import expanduser, isdir
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from hardware_models import opened, user_code, user_faults
from hardware_models.check import UsageError, shown
from hardware_models.files import home
from hardware_models.places import placed
from hardware_models.user_contract import no_global_draws

T = TypeVar("T")
LONGEST = 100
"""Number of characters of a name that are compared with known names; the time grows with the square of the length."""


@dataclass(frozen=True)
class Row:
    """One line of a table: where the object stands, and what the help says of it."""

    place: str  # "package.module:attribute"
    about: str = ""  # follows the name in the help, such as "noisy copies, no negatives"


def closest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'"`` for the most similar known name, or an empty string, without a full stop."""
    near = difflib.get_close_matches(str(name)[:LONGEST], list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'" if near else ""


def entry(kind: str, name: str, table: Mapping[str, T]) -> T:
    """Return the entry of `table` under `name`, not imported; raise UsageError with a suggestion if there is none."""
    if not isinstance(name, str):  # a list or a number of a file
        raise UsageError(f"a {kind} is named by a text, got {shown(name)} (known: {', '.join(sorted(table))}).")
    if name not in table:
        raise UsageError(f"no {kind} {shown(name)}{closest(name, table)} (known: {', '.join(sorted(table))}).")
    return table[name]


def lookup(kind: str, name: str, table: Mapping[str, object]) -> Any:
    """Import and return the object of `table` under `name`; raise UsageError with a suggestion if there is none."""
    found = entry(kind, name, table)
    place = found.place if isinstance(found, Row) else found
    return resolve(place) if isinstance(place, str) else place


def resolve(path: str) -> Any:
    """Import and return ``"package.module:attribute"``, a path in this project's own tables."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def load_object(spec: str, kind: str) -> Any:
    """Return the object that a user names as ``file.py:name`` or ``package.module:name``.

    Raises UsageError if the file, the module or the name does not exist, or if its code fails.
    """
    place, _, attribute = spec.rpartition(":")
    if not place or not attribute:
        raise UsageError(f"{kind} '{spec}' should read file.py:name or package.module:name.")
    if isdir(placed(Path(expanduser(place)))):
        raise UsageError(f"{kind} '{spec}': {place} is a folder; name a file in it, as in {place}/file.py:{attribute}.")
    try:
        module = _import_file(Path(place), kind) if place.endswith(".py") else _import_module(place, kind)
    except (UsageError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a user's file that calls exit() must not end the command without a message
        said = user_faults.where(error, place) + user_faults.described(error) + _remedy(error)
        raise UsageError(f"{kind} '{spec}' cannot be loaded: {said}.") from error
    user_faults.watch(module.__name__)
    try:
        return getattr(module, attribute)
    except AttributeError:
        known = [n for n in vars(module) if not n.startswith("_")]
        raise UsageError(f"{place} has no '{attribute}'{closest(attribute, known)} ({_defined(module)}).") from None


def _defined(module: ModuleType) -> str:
    """Return, for a message, the names of the classes and functions that a module defines itself."""
    own = [(n, v) for n, v in vars(module).items() if getattr(v, "__module__", None) == module.__name__ and callable(v)]
    classes = [n for n, v in own if isinstance(v, type)]
    functions = [n for n, v in own if not isinstance(v, type)]
    told = [f"{what}: {', '.join(found)}" for what, found in (("classes", classes), ("functions", functions)) if found]
    return "it defines " + "; ".join(told) if told else "it defines no class and no function"


def _remedy(error: BaseException) -> str:
    """Return the line that mends a fault of a dataclass, for a message, where Python's own does not say it; else nothing."""
    text = str(error)
    if isinstance(error, TypeError) and ("frozen" in text or "non-default argument" in text):
        return "; write @dataclass(frozen=True, kw_only=True) above the class"
    return ""


def _import_module(name: str, kind: str) -> ModuleType:
    _expect(name)
    module = importlib.import_module(name)
    user_code.note_module(name, kind)
    return module


def _expect(module: str) -> None:
    """Prepare for code of the user's: what it opens is noted, what it compiles is not kept."""
    from hardware_models.user_caches import keep_none

    opened.expect(module)
    keep_none()


def import_files(paths: Iterable[str]) -> None:
    """Run user files that another process has named, so that this process can restore objects of their classes."""
    for path in paths:
        user_faults.watch(_import_file(Path(path), "user's").__name__)


def _import_file(path: Path, kind: str) -> ModuleType:
    path = placed(home(path)).resolve()
    if not path.is_file():
        raise UsageError(f"{kind} file {path} does not exist.")
    # The module's name holds a hash of the full path: two files of one name are two modules, and their classes stay picklable.
    # The name is the same in every process: a chip in another process finds the class of an object that is sent to it.
    name = f"_user_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    _expect(name)
    try:
        # This runs exactly the noted source; Python's own loader might use a compiled file of the same second and size.
        with no_global_draws(f"{kind} file {path.name}, while it is loaded,"):
            exec(compile(user_code.source(path, kind), str(path), "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module
