"""Recognise wide tables, in which each cell, each cycle or each polarity has a column of readings of its own.

A title of such a column holds a label beside the name of the quantity or its unit: ``G_C1 [uS]``, ``I(2)``, ``C3 (uS)``,
``cycle 4 [uS]``, ``LTP (uS)``. A label ``cycle 4`` (or run, sweep, loop) names a cycle, a word for a polarity the polarity;
anything else names a cell. Columns of other quantities with the same label belong to the same cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hardware_models.laboratory.titles import NAMED, QUANTITIES, READINGS, ending, parts_of, plain, written
from hardware_models.units import UNITS

POLARITIES = {"up": 1, "set": 1, "potentiation": 1, "pot": 1, "ltp": 1, "positive": 1, "pos": 1, "p": 1, "program": 1, "+": 1,
              "down": -1, "reset": -1, "depression": -1, "dep": -1, "ltd": -1, "negative": -1, "neg": -1, "n": -1, "d": -1,
              "erase": -1, "-": -1}  # fmt: skip
"""Words for the polarity of a pulse."""
_CYCLE = re.compile(r"(?:cycle|cyc|run|loop|sweep|repetition|iteration)[\s_#.-]*(\d+)", re.IGNORECASE)
_STATISTICS = re.compile(
    r"(?:mean|average|avg|median|std|stdev|sd|sem|stderr|error|err|sigma|variance|var|min|minimum|max|maximum|range|delta|diff"
    r"|difference|before|after|initial|final|start|end|old|new|target|goal|norm|normali[sz]ed|ratio|fit|fitted|model|simulated)",
    re.IGNORECASE,
)
"""Words that say what was computed or when it was read, and name no cell."""
_OWN = ("voltage", "read voltage", "polarity", *READINGS)
"""Quantities of which each cell may have its own column."""
_DIMENSIONS = {QUANTITIES[name].dimension: name for name in READINGS}


@dataclass(frozen=True)
class Label:
    """A title of a wide table: quantity, unit, and what its column belongs to."""

    quantity: str
    unit: str
    text: str  # the label as written
    cell: str  # "" if the label names none
    cycle: str
    polarity: int  # 0 if the label names none


def label_of(title: str, unit: str) -> Label | None:
    """Return the parts of a title of a wide table, or None if it names no quantity or has no label.

    `unit` is the unit of the column by the row of units, "" without one.
    """
    name, own = parts_of(title)
    if own and (own.isdigit() or written(own) not in UNITS):  # a number or a name in brackets, such as I(2)
        name, own = f"{name} {own}", ""
    end = "" if own else next((e for wanted in _DIMENSIONS if (e := ending(title, wanted))), "")
    if end:
        name = re.split(r"[\s_/,:;\-]+(?=[^\s_/,:;\-]*$)", title)[0]
    unit = written(own or unit or end)
    words = re.findall(r"[^\W_]+|[+-]", name)
    quantity, rest = _named(words)
    if quantity is None:
        quantity = _DIMENSIONS.get(UNITS.get(unit, (0.0, ""))[1])
    text = " ".join(rest)
    if quantity is None or not text or (unit and UNITS[unit][1] != QUANTITIES[quantity].dimension):
        return None
    cycle = _CYCLE.search(text)
    cell = " ".join(_CYCLE.sub(" ", text).split())
    polarity = 0
    kept = []
    for word in cell.split():
        if polarity == 0 and len(word) > 1 and word.lower() in POLARITIES:
            polarity = POLARITIES[word.lower()]
        else:
            kept.append(word)
    return Label(quantity, unit, text, " ".join(kept), cycle.group(1) if cycle else "", polarity)


def _named(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the quantity among the words of a title, and the other words: ``read voltage C1``, ``G12``, ``C1 MeasI``."""
    for length in (2, 1):
        for at in range(len(words) - length + 1):
            name = plain("".join(words[at : at + length]))
            if (quantity := NAMED.get(name)) in _OWN:
                return quantity, words[:at] + words[at + length :]
    for at, word in enumerate(words):
        match = re.fullmatch(r"([A-Za-z]+)(\d+)", word)
        if match and (quantity := NAMED.get(plain(match.group(1)))) in _OWN:
            return quantity, [*words[:at], match.group(2), *words[at + 1 :]]
    return None, words


def statistics_of(labels: Mapping[int, Label]) -> list[int]:
    """Return the columns whose label says what was computed or when it was read, such as ``G mean`` or ``G before``."""
    return [i for i, label in labels.items() if any(_STATISTICS.fullmatch(word) for word in label.cell.split())]


def labels_of(
    header: tuple[str, ...], units: list[str], free: Callable[[int], bool]
) -> tuple[str, Mapping[int, Label]]:
    """Return the reading that a table has in labelled columns, and the labels by column; "" if there is none.

    Two labels make a wide table, and so does one that is a number. `free` tells whether a column may be taken. Each label
    occurs once for each quantity.
    """
    found: dict[int, Label] = {}
    for index, title in enumerate(header):
        if title and free(index) and (label := label_of(title, units[index] if index < len(units) else "")):
            found[index] = label
    for reading in READINGS:
        texts = [label.text for label in found.values() if label.quantity == reading]
        several = len(texts) > 1 or (len(texts) == 1 and texts[0].isdigit())
        if several and len(set(texts)) == len(texts):
            own = {
                i: label for i, label in found.items() if label.quantity == reading or label.quantity not in READINGS
            }
            return reading, {i: label for i, label in own.items() if label.text in texts}
    return "", {}
