"""Documents of which reports are made: each entry that a page takes is declared, and one that is missing or wrong is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from analog_ff.report import comparison, improvement, kinds, mortality
from analog_ff.report.shapes.comparison import Comparison
from analog_ff.report.shapes.improvement import Improvement, Specification
from analog_ff.report.shapes.mortality import Mortality
from hardware_models.check import UsageError
from hardware_models.files import SOME, shaped
from tests.conftest import REPORT

RESULTS = Path(__file__).resolve().parents[3] / "benchmarks" / "results"
DOCUMENTS = [
    (Comparison, comparison.page, "compare.json", RESULTS / "learners" / "compare.json"),
    (Improvement, improvement.page, "improve.json", RESULTS / "improve" / "memristor.json"),
    (Specification, improvement.page, "specification.json", RESULTS / "improve" / "specification.json"),
    (Mortality, mortality.page, "mortal.json", RESULTS / "mortal" / "pcm.json"),
]
NAMES = [name for _, _, name, _ in DOCUMENTS]


def bare(kind: object) -> object:
    """Return a declaration without its marks, and of a value that may be null the other part."""
    while get_origin(kind) in (NotRequired, Annotated):
        kind = get_args(kind)[0]
    parts = [part for part in get_args(kind) if part is not type(None)] if type(None) in get_args(kind) else [kind]
    return parts[0] if len(parts) == 1 else kind


def pruned(value: Any, kind: object, *, optional: bool) -> Any:
    """Return a document without all that its type does not declare, and without what may be missing unless `optional`."""
    kind = bare(kind)
    if isinstance(value, list) and get_origin(kind) is list:
        return [pruned(one, get_args(kind)[0], optional=optional) for one in value]
    if isinstance(value, dict) and get_origin(kind) is dict:
        return {name: pruned(one, get_args(kind)[1], optional=optional) for name, one in value.items()}
    if isinstance(value, dict) and is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        kept = {name: of for name, of in hints.items() if optional or get_origin(of) is not NotRequired}
        return {name: pruned(value[name], of, optional=optional) for name, of in kept.items() if name in value}
    return value


def declared(value: Any, kind: object, place: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield each table with the name of each entry that it must have and the entry's place, one of each list and kind.

    Of a table whose names are free, such as those of seeds, it takes the first one.
    """
    kind = bare(kind)
    if isinstance(value, list) and get_origin(kind) is list and value:
        yield from declared(value[0], get_args(kind)[0], f"{place}[0]")
    elif isinstance(value, dict) and get_origin(kind) is dict and value:
        yield from declared(next(iter(value.values())), get_args(kind)[1], f"{place}[...]")
    elif isinstance(value, dict) and is_typeddict(kind):
        for name, of in get_type_hints(kind, include_extras=True).items():
            inside = f"{place}.{name}" if place else name
            if name in value and get_origin(of) is not NotRequired:
                yield value, name, inside
            yield from declared(value.get(name), of, inside)


@pytest.mark.parametrize(("kind", "page", "name", "place"), DOCUMENTS, ids=NAMES)
@pytest.mark.parametrize("optional", [True, False])
def test_a_page_takes_no_entry_that_is_not_declared(
    kind: object, page: Any, name: str, place: Path, optional: bool, tmp_path: Path
) -> None:
    """The page of the declared entries alone has the sections of the whole document, so nothing else is read."""
    whole = json.loads(place.read_text(encoding="utf-8"))
    (tmp_path / name).write_text(json.dumps({"schema": 1, **pruned(whole, kind, optional=optional)}))
    made = page(tmp_path)
    (tmp_path / name).write_text(json.dumps(whole))
    of_whole = page(tmp_path)
    titles, all_titles = ([section.title for section in one.sections] for one in (made, of_whole))
    assert made.tiles == of_whole.tiles and set(titles) <= set(all_titles) and (titles == all_titles or not optional)


def short(value: Any) -> Any:
    """Return a document with one entry of each list, which makes many looks at it quick."""
    if isinstance(value, list):
        return [short(one) for one in value[:1]]
    return {name: short(one) for name, one in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(("kind", "page", "name", "place"), DOCUMENTS, ids=NAMES)
def test_every_entry_that_is_missing_or_wrong_is_named(kind: object, page: Any, name: str, place: Path) -> None:
    """The sentence has the file, the place of the entry and what it should be, and no word of Python."""
    found = short(json.loads(place.read_text(encoding="utf-8")))
    entries = list(declared(found, kind))
    assert len(entries) > 20
    for table, entry, inside in entries:
        kept = table.pop(entry)
        with pytest.raises(UsageError, match=f"lacks the entry '{entry}'") as missing:
            shaped(found, kind, name)
        assert str(missing.value).startswith(f"{name}: ")
        table[entry] = {"a": [1]} if not isinstance(kept, dict) else 3
        if get_type_hints(kind).get(inside) != list[object]:
            with pytest.raises(UsageError, match=re.escape(f"{name}: '{inside}")) as wrong:
                shaped(found, kind, name)
            assert "Error" not in str(wrong.value)
        table[entry] = kept
    shaped(found, kind, name)


def test_the_sentence_of_a_broken_comparison(tmp_path: Path) -> None:
    """As the issue asks: the file, what is wrong with it, and what would be right."""
    found = json.loads(DOCUMENTS[0][3].read_text(encoding="utf-8"))
    del found["rows"][1]["curve"]
    (tmp_path / "compare.json").write_text(json.dumps(found))
    with pytest.raises(UsageError) as refusal:
        comparison.page(tmp_path)
    right = f"{tmp_path / 'compare.json'}: 'rows[1]' lacks the entry 'curve'."
    assert str(refusal.value) == right


PARTS = "lists that belong together have different lengths"


@pytest.mark.parametrize(
    ("name", "stored", "change", "said"),
    [
        ("compare.json", "learners/compare.json", lambda found: found["rows"][0]["curve"]["error_percent"].pop(), PARTS),
        ("mortal.json", "mortal/pcm.json", lambda found: found["lives"]["seed 2"]["days"].append(31), PARTS),
        ("improve.json", "improve/memristor.json", lambda found: found["as_given"].update(high=None),
         "its entries do not fit together"),
        ("mortal.json", "mortal/pcm.json", lambda found: found["walked"].pop("seed 1, chip 0"),
         "one part of it names 'seed 1, chip 0', another part lacks it"),
    ],
)  # fmt: skip
def test_entries_that_do_not_fit_together_are_one_sentence(
    name: str, stored: str, change: Any, said: str, tmp_path: Path
) -> None:
    """Each of them has its shape."""
    found = json.loads((RESULTS / stored).read_text(encoding="utf-8"))
    change(found)
    (tmp_path / name).write_text(json.dumps({"schema": 1, **found}))
    with pytest.raises(UsageError) as refusal:
        REPORT(tmp_path)
    assert str(refusal.value).startswith(f"{tmp_path / name} cannot be read as ")
    assert str(refusal.value).endswith(f": {said}.") and not (tmp_path / kinds.NAME).exists()


class _Inner(TypedDict):
    size: float
    name: NotRequired[str | None]


class _Outer(TypedDict):
    parts: Annotated[list[_Inner], SOME]
    by: dict[str, int | None]
    on: bool


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"parts": [{"size": 1}], "by": {"a": None, "b": 2}, "on": True, "more": 3}, ""),
        ({"parts": [{"size": 1.5, "name": None}], "by": {}, "on": False}, ""),
        ([], "the document should be an object {...}, got a list [...]."),
        ({"parts": [], "by": {}, "on": True}, "'parts' should have one entry or more, but it is empty."),
        ({"parts": 3, "by": {}, "on": True}, "'parts' should be a list [...], got a whole number."),
        ({"parts": [{"size": True}], "by": {}, "on": True}, "'parts[0].size' should be a number, got true or false."),
        (
            {"parts": [{"size": 1, "name": 2}], "by": {}, "on": True},
            "'parts[0].name' should be a text or null, got a whole number.",
        ),  # fmt: skip
        (
            {"parts": [{"size": 1}], "by": {"a": 0.5}, "on": True},
            "'by[...]' should be a whole number or null, got a number.",
        ),
        ({"parts": [{"size": 1}], "by": {}, "on": 1}, "'on' should be true or false, got a whole number."),
        ({"parts": [{"size": 1}], "by": {}}, "the document lacks the entry 'on'."),
    ],
)
def test_shapes_are_told_apart(value: object, said: str) -> None:
    if not said:
        shaped(value, _Outer, "file")
        return
    with pytest.raises(UsageError) as refusal:
        shaped(value, _Outer, "file")
    assert str(refusal.value) == f"file: {said}"
