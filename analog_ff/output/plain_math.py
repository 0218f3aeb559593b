r"""Equations for a terminal: convert the LaTeX of a docstring into lines of plain text.

``\sigma\sqrt{|n|}\,\xi`` becomes ``sigma sqrt(|n|) xi``. Letters keep their names and fractions become quotients, so that the
line can be read aloud and typed; commands for spacing and size are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[A-Za-z]+|[{}^_]|\s+|.", re.S)
_MATH = re.compile(r"^( *)\.\. math:: ?(.*(?:\n+?\1 +.*)*)$", re.M)
_APART = r"\qquad"
_ESCAPED = re.compile(r"\\([|*`_])")
_NOTHING = frozenset({r"\right", r"\bigl", r"\bigr", r"\Bigr", r"\mathrm"})
_SIGNS = {
    r"\,": " ", r"\;": " ", r"\:": " ", r"\!": "", r"\quad": "  ", r"\leftarrow": "<-", r"\pm": "+-", r"\sim": "~",
    r"\cdot": "*", r"\left": " ", r"\Bigl": " ", r"\mid": "|", r"\lceil": "ceil(", r"\rceil": ")",
}  # fmt: skip
_ACCENTS = {r"\bar": "bar", r"\hat": "hat"}


def readable(text: str) -> str:
    """Return a text in which each ``.. math::`` block is replaced by indented lines of plain text, one for each equation."""

    def block(found: re.Match[str]) -> str:
        equations = (plain(part).strip().rstrip(",").strip() for part in found[2].split(_APART))
        return "\n".join(f"{found[1]}    {equation}" for equation in equations if equation)

    return _ESCAPED.sub(r"\1", _MATH.sub(block, text))


def plain(latex: str) -> str:
    """Return an equation in LaTeX as plain text."""
    return re.sub(r"(?<=\() +| +(?= )", "", _sequence(iter(_TOKEN.findall(latex))))


def _sequence(tokens: Iterator[str]) -> str:
    """Return the plain text of the tokens before the closing brace or the end."""
    text = ""
    for token in tokens:
        if token == "}":
            break
        text = _joined(text, _one(token, tokens))
    return text


def _one(token: str, tokens: Iterator[str]) -> str:
    """Return the plain text of a token and of its arguments."""
    if token == "{":
        return _sequence(tokens)
    if token in "^_":
        power = _argument(tokens)
        return f"{token}{power}" if re.fullmatch(r"[A-Za-z]\w*|\d+|\*|\+-|[+-]", power) else f"{token}({power})"
    if token == r"\frac":
        return f"{_whole(_argument(tokens))}/{_whole(_argument(tokens))}"
    if token == r"\sqrt":
        return f"sqrt({_argument(tokens)})"
    if token in _ACCENTS:
        return f"{_argument(tokens)}_{_ACCENTS[token]}"
    if token in _NOTHING:
        return ""
    if token.isspace():
        return " "
    return _SIGNS.get(token, token.removeprefix("\\"))


def _argument(tokens: Iterator[str]) -> str:
    return _one(next((token for token in tokens if not token.isspace()), ""), tokens).strip()


def _whole(part: str) -> str:
    """Return one side of a quotient, in brackets if it is more than one name or number."""
    return part if re.fullmatch(r"[\w']+", part) else f"({part})"


def _joined(before: str, after: str) -> str:
    """Return two pieces of text joined, with a space if their names would run into one another."""
    named = after[:1].isalpha() and before[-1:].isalnum() and (after[1:2].isalpha() or before[-2:].isalpha())
    signed = re.search(r"\^(\+|-|\+-)$", before) is not None
    closed = after[:1].isalnum() and (signed or before.endswith((")", "'")))
    quotient = re.match(r"\(.*\)/", after) is not None and (signed or before[-1:].isalnum())
    return f"{before} {after}" if named or closed or quotient else before + after
