"""The shape of a JSON document, declared as types, and one sentence for a document that has another one.

A table is declared as a ``TypedDict``, a list as ``list[...]``, a table of any names as ``dict[str, ...]``, a list that cannot be
empty as ``Annotated[list[...], SOME]``, and a value that may be missing in earlier versions as ``NotRequired[...]``. So the
declaration that the type checker reads is the one that msgspec holds files against.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from hardware_models.check import UsageError, shown

SOME = msgspec.Meta(min_length=1)
"""Mark of a list with one entry or more."""
WORDS: Mapping[str, str] = {
    "str": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "null": "null",
    "object": "an object {...}",
    "array": "a list [...]",
}
"""Names of types in messages of msgspec, and here."""


def shaped(value: object, kind: object, where: str) -> None:
    """Raise UsageError unless a value that was read from JSON has the shape of a type; entries that it does not name are free.

    Parameters
    ----------
    value : plain values, as `json_object` returns them.
    kind : the type, see above; ``object`` is any value.
    where : name of the file in messages.
    """
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_sentence(str(error))}.") from None


def _sentence(said: str) -> str:
    """Return a message of msgspec, such as "Expected `int`, got `str` - at `$.rows[0].seeds`", in words."""
    problem, _, place = said.partition(" - at `$")
    at = f"'{shown(place.rstrip('`').lstrip('.'), 100, quoted=False)}'" if place else "the document"
    if missing := re.fullmatch("Object missing required field `(.+)`", problem):
        return f"{at} lacks the entry '{missing[1]}'"
    if re.fullmatch("Expected `array` of length >= 1", problem):
        return f"{at} should have one entry or more, but it is empty"
    if other := re.fullmatch("Expected `(.+)`, got `(.+)`", problem):
        right, wrong = (" or ".join(WORDS.get(name, name) for name in names.split(" | ")) for names in other.groups())
        return f"{at} should be {right}, got {wrong}"
    return f"{at} is wrong ({problem})"
