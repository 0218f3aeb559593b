"""The shape of a JSON document, declared as types, and one sentence for a document that has another one.

A table is declared as a ``TypedDict``, a list as ``list[...]``, a table of any names as ``dict[str, ...]``, a list that cannot be
empty as ``Annotated[list[...], SOME]``, and a value that may be missing in earlier versions as ``NotRequired[...]``. So the
declaration that the type checker reads is the one that files are held against.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

from hardware_models.check import UsageError, shown

SOME = "some"
"""Mark of a list with one entry or more."""
PLAIN: Mapping[object, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    type(None): ((type(None),), "null"),
}
"""Type of a plain value -> types that a JSON reader gives for it, and its name in messages."""


def shaped(value: object, kind: object, where: str, of: str = "") -> None:
    """Raise UsageError unless a value that was read from JSON has the shape of a type; entries that it does not name are free.

    Parameters
    ----------
    value : plain values, as `json_object` returns them.
    kind : the type, see above; ``object`` is any value.
    where : name of the file in messages.
    of : place of the value in the file, such as "rows[0]"; "" for the whole document.
    """
    if kind is object:
        return
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Required, NotRequired):
        shaped(value, inner[0], where, of)
    elif origin in (Union, types.UnionType):
        _one_of(value, inner, where, of)
    elif origin is Annotated:
        shaped(value, inner[0], where, of)
        if SOME in inner and not value:
            raise UsageError(f"{where}: {_at(of)} should have one entry or more, but it is empty.")
    elif is_typeddict(kind):
        _table(value, kind, where, of)
    elif origin is list and isinstance(value, list):
        for number, one in enumerate(value):
            shaped(one, inner[0], where, f"{of}[{number}]")
    elif origin is dict and isinstance(value, dict):
        for name, one in value.items():
            shaped(one, inner[1], where, _inside(of, name))
    elif not _plain(value, kind):
        raise UsageError(f"{where}: {_at(of)} should be {described(kind)}, got {shown(value)}.")


def described(kind: object) -> str:
    """Return a type in words, such as "a list" or "a number or null"."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Required, NotRequired, Annotated):
        return described(inner[0])
    if origin in (Union, types.UnionType):
        return " or ".join(described(one) for one in inner)
    if is_typeddict(kind) or origin is dict:
        return "an object {...}"
    return "a list [...]" if origin is list else PLAIN[kind][1] if kind in PLAIN else "a value"


def _table(value: object, kind: object, where: str, of: str) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"{where}: {_at(of)} should be {described(kind)}, got {shown(value)}.")
    for name, declared in _entries(kind):
        if name in value:
            shaped(value[name], declared, where, _inside(of, name))
        elif get_origin(declared) is not NotRequired:
            raise UsageError(f"{where}: {_at(of)} lacks the entry '{name}', which should be {described(declared)}.")


@cache
def _entries(kind: object) -> tuple[tuple[str, object], ...]:
    """Return the entries that a ``TypedDict`` declares with their types; kept, because a document has many tables of one kind."""
    return tuple(get_type_hints(kind, include_extras=True).items())


def _one_of(value: object, kinds: tuple[object, ...], where: str, of: str) -> None:
    """Hold a value against the kinds that it may have: against the one that is no plain value unless a plain one fits."""
    if any(_plain(value, kind) for kind in kinds):
        return
    parts = [kind for kind in kinds if kind not in PLAIN]
    if len(parts) != 1 or not isinstance(value, dict | list):
        right = " or ".join(described(kind) for kind in kinds)
        raise UsageError(f"{where}: {_at(of)} should be {right}, got {shown(value)}.")
    shaped(value, parts[0], where, of)


def _plain(value: object, kind: object) -> bool:
    """Tell whether a value is of a plain type; true and false are no numbers."""
    accepted = PLAIN.get(kind, ((), ""))[0]
    return isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))


def _at(of: str) -> str:
    return f"'{shown(of, 100, quoted=False)}'" if of else "the document"


def _inside(of: str, name: str) -> str:
    return f"{of}.{name}" if of else name
