"""Tests that docstrings stand on their own: a sentence with its subject, readable by a newcomer without the code.

The rules need no list of words of the project. They find forms of sentence that a reader has to solve like a riddle: a
relative clause without a noun ("Return what the layer sends on"), an idiom ("nobody's business"), a beginning in lower case,
a first line that does not end.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLAUSE = r"(?:what|whatever|who|whom|whose|which|where|when|how|whether)"
RULES = {
    "begins with a relative clause; name the subject": re.compile(rf"(?i)^{CLAUSE}\b"),
    "returns a relative clause; name the thing, or begin with 'Tell whether'": re.compile(
        rf"^(?:Return|Yield|Write|Get|Give)s? (?:into |by |of |from )?{CLAUSE}\b"
    ),
    "begins with a lower-case letter": re.compile(r"^[a-z]"),
    "uses an idiom; say it plainly": re.compile(
        r"\b(?:[Tt]ak(?:es?|en|ing) up|[Bb]ring(?:s|ing)? (?:\S+ ){1,9}(?:into|to|onto|up)\b|hangs? on|'s business\b"
        r"|go(?:es)? astray|[Nn]obody need)"
    ),
    "names no verb for its error; write 'raise UsageError if ...'": re.compile(r"; (?:UsageError|RunError)\b"),
}
OF_FUNCTIONS = {
    "begins with no verb": re.compile(r"^(?:The|An?|Its?|This|That|These|Those|Of|By|For|In|On|At|With|Same|Also)\b"),
    "is in the third person; write 'Return', not 'Returns'": re.compile(
        r"^(?:Returns|Yields|Writes|Raises|Gives|Gets|Makes)\b"
    ),
}


def documented(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield line, text and kind (True: a function) of the docstrings in a module, those after an assignment included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text, is_plain_function(node)
        body = getattr(node, "body", None)
        for before, after in zip(body, body[1:], strict=False) if isinstance(body, list) else ():
            if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                value = after.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield after.lineno, value.value, False


def is_plain_function(node: ast.AST) -> bool:
    """Tell whether a node is a function that is no property: a property names a thing, a function does one."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    names = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in node.decorator_list}
    return not names & {"property", "cached_property"}


def faults_of(text: str, *, function: bool) -> list[str]:
    """Return the rules that a docstring breaks."""
    rules = RULES | OF_FUNCTIONS if function else RULES
    found = [name for name, rule in rules.items() if rule.search(text)]
    first = text.strip().split("\n\n")[0].rstrip()
    return found if first.endswith((".", ":", "?", "!", ")", "`")) else [*found, "has a first sentence without an end"]


def faults() -> dict[str, list[str]]:
    """Return {room: faults with their places} of the packages and the benchmarks."""
    found: dict[str, list[str]] = {}
    for top in ("hardware_models", "analog_ff", "benchmarks"):
        for file in sorted((ROOT / top).rglob("*.py")):
            room = file.parent.relative_to(ROOT).as_posix()
            for line, text, function in documented(ast.parse(file.read_text(encoding="utf-8"))):
                for fault in faults_of(text, function=function):
                    place = f"{file.relative_to(ROOT).as_posix()}:{line}"
                    found.setdefault(room, []).append(f"{place}: {fault}: {text.splitlines()[0]}")
    return found


def test_every_docstring_stands_on_its_own() -> None:
    """No docstring of the packages and the benchmarks breaks a rule."""
    found = faults()
    assert not found, "\n".join(line for lines in found.values() for line in lines)


@pytest.mark.parametrize(
    ("text", "function", "number"),
    [
        ("Return what the layer sends on.", True, 1),
        ("Return which rows are kept.", True, 1),
        ("What one pass leaves at one layer.", False, 1),
        ("Take up a state that `save` returned.", True, 1),
        ("Bring what hangs on the listed cells up to date.", True, 1),
        ("return the sum.", True, 1),
        ("The sum of all counts.", True, 1),
        ("The sum of all counts.", False, 0),
        ("Returns the sum.", True, 1),
        ("Return the sum", True, 1),
        ("Return the array; UsageError if it is none.", True, 1),
        ("Return the array; raise UsageError if it is none.", True, 0),
        ("Restore a state returned by `save`.", True, 0),
    ],
)
def test_the_rules_find_riddles_and_leave_plain_sentences(text: str, function: bool, number: int) -> None:
    """Each rule finds its own kind of sentence and no other."""
    assert len(faults_of(text, function=function)) == number
