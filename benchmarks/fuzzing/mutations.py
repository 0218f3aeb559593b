"""Changes to valid files: to bytes, fields of a table, cells of a CSV file, arrays in an archive.

Every change is drawn from one `random.Random`, so that reader, seed and number determine an input.
"""

from __future__ import annotations

import copy
import gzip
import io
import json
import math
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

DEEP: Any = 0
for _ in range(40):
    DEEP = [DEEP]
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3.5, -0.0, 1e-300, 1e300, -1e300, 5e-324, math.nan, math.inf, -math.inf, 2**31, 2**63, 2**64,
    -(2**63), 10**400, 9 * 10**4299, "", " ", "x", "0", "1", "nan", "true", "false", "None", "uS", "V", "1e5", "../../x", "~",
    "/dev/zero", "[bold]x[/]", "a:b", "os:getcwd", "x.py:y", "é" * 10, "\x00", "\x1b[31m", "\n", "\ud7ff", "a" * 300, "9" * 5000,
    "µS", [], [[]], [1], ["a"], [None], [True, "x"], [1e308, 1e308], list(range(500)), {}, {"x": 1}, {"": ""}, {"value": 1}, DEEP,
]  # fmt: skip
"""Values that are put in place of expected ones."""
NAMES = ["", "x", "value", "unit", "name", "é", "a" * 300, "a.b", "a b", "0", "\x1b[0m", "__class__", "model", "-"]


def of_bytes(random: random.Random, data: bytes) -> bytes:
    """Return bytes after one to four changes: flipped, cut, inserted, repeated or overwritten bytes."""
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(made) + 1)
        kind = random.randrange(7)
        length = random.choice((1, 2, 4, 8, 64, 512))
        if kind == 0 and made:
            made[at % len(made)] ^= 1 << random.randrange(8)
        elif kind == 1:
            del made[at:]
        elif kind == 2:
            del made[at : at + length]
        elif kind == 3:
            made[at:at] = random.randbytes(length)
        elif kind == 4:
            made[at:at] = made[at : at + length]
        elif kind == 5:
            made[at : at + length] = random.choice((b"\x00", b"\xff", b"9", b"[", b'"')) * length
        else:
            width = random.choice((1, 2, 4, 8))
            number = random.choice((0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63)) % 256**width
            made[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))
    return bytes(made)


def of_text(random: random.Random, data: bytes) -> bytes:
    """Return a text with changes like those of a person or program: lines repeated, lost or swapped; words replaced."""
    lines = data.decode("utf-8", "replace").split("\n")
    for _ in range(random.choice((1, 1, 2, 3))):
        at = random.randrange(len(lines))
        kind = random.randrange(9)
        if kind == 0:
            lines.insert(random.randrange(len(lines) + 1), lines[at])
        elif kind == 1 and len(lines) > 1:
            del lines[at]
        elif kind == 2:
            other = random.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = lines[at][: random.randrange(len(lines[at]) + 1)]
        elif kind == 4:
            numbers = ("9" * 5000, "nan", "inf", "-1", "1e999", "0x10", "1_0", "", "٣", "[" * 2000, "1979-05-27", '"x"')
            # The replacement is a function, because a text would be searched for group numbers.
            word = random.choice(numbers)
            lines[at] = re.sub(r"\d[\d.e+-]*", lambda match, word=word: word, lines[at], count=1)
        elif kind == 5:
            lines[at] = lines[at].replace(
                *random.choice((("=", " "), ('"', "'"), ("[", "[["), (",", ";"), (".", ","), ("u", "µ")))
            )
        elif kind == 6:
            lines[at] = (
                random.choice(("\x00", "\ufeff", "[" * 500, "a." * 2000 + "b = 1", "=", "#" * 1000, "\r")) + lines[at]
            )
        elif kind == 7:
            lines[at] = lines[at] + random.choice((",", ",,,,", " x", "\t", "}", "]]]", "\x85", "\r", " " * 1000))
        else:
            lines[at] = re.sub(r"\w+", lambda match: random.choice(NAMES), lines[at], count=1)
    text = "\n".join(lines)
    return text.encode(random.choice(("utf-8",) * 8 + ("utf-16", "latin-1")), "replace")


def of_tree(random: random.Random, tree: Any) -> Any:
    """Return a copy of nested dictionaries and lists with one to three fields changed."""
    made = copy.deepcopy(tree)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(made))
        if not places:
            return made
        holder, key = random.choice(places)
        kind = random.randrange(8)
        if kind < 4:
            holder[key] = _value(random)
        elif kind == 4:
            del holder[key]
        elif kind == 5:
            other, name = random.choice(places)
            holder[key] = copy.deepcopy(other[name])
        elif isinstance(holder, dict):
            name = random.choice(NAMES)
            holder[name] = holder.pop(key) if kind == 6 else _value(random)
        else:
            holder.insert(key, _value(random))
    return made


def _value(random: random.Random) -> Any:
    """Return a copy of one of `VALUES`, because later changes may alter it."""
    return copy.deepcopy(random.choice(VALUES))


def _places(tree: Any) -> Any:
    names = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for name in names:
        yield tree, name
        yield from _places(tree[name])


def to_toml(tree: Any) -> bytes:
    """Return nested dictionaries as TOML; a value without a form in TOML becomes a text."""
    lines: list[str] = []

    def value(v: Any) -> str:
        if isinstance(v, bool):
            return str(v).lower()
        if isinstance(v, int):
            return hex(v) if v.bit_length() > 4000 else str(v)
        if isinstance(v, float):
            return repr(v) if math.isfinite(v) else {"inf": "inf", "-inf": "-inf"}.get(str(v), "nan")
        if isinstance(v, list | tuple):
            return "[" + ", ".join(map(value, v)) + "]"
        if isinstance(v, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {value(w)}" for k, w in v.items()) + "}"
        return json.dumps(str(v))

    def table(t: dict[str, Any], path: str) -> None:
        for k, v in t.items():
            if not isinstance(v, dict):
                lines.append(f"{json.dumps(k)} = {value(v)}")
        for k, v in t.items():
            if isinstance(v, dict):
                name = f"{path}.{json.dumps(k)}" if path else json.dumps(k)
                lines.append(f"[{name}]")
                table(v, name)

    if not isinstance(tree, dict):
        return value(tree).encode()
    table(tree, "")
    return "\n".join(lines).encode() + b"\n"


def to_json(tree: Any) -> bytes:
    """Return a value as JSON, including integers of thousands of digits."""
    for holder, key in list(_places(tree)):
        if isinstance(holder[key], int) and holder[key].bit_length() > 10_000:
            holder[key] = "@" + "9" * 5000 + "@"
    return json.dumps(tree, default=str).replace('"@', "").replace('@"', "").encode()


def of_npz(random: random.Random, data: bytes) -> bytes:
    """Return an archive with changed arrays or headers, and with right checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(list(members))
    kind = random.randrange(6)
    if kind == 0:
        members[name] = of_bytes(random, members[name])
    elif kind == 1:
        members[name] = _of_header(random, members[name])
    elif kind == 2:
        del members[name]
    elif kind == 3:
        members[random.choice([*NAMES, "7.stuck_low", "0.stuck_low.npy", "x_train", "../x"])] = members.pop(name)
    else:
        array = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.save(array, _of_array(random, np.load(io.BytesIO(members[name]))), allow_pickle=True)
        members[name] = array.getvalue()
    made = io.BytesIO()
    how = random.choice(
        (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    )
    with zipfile.ZipFile(made, "w", how) as archive:
        for member, content in members.items():
            archive.writestr(
                zipfile.ZipInfo(member or "?"), content, how
            )  # with a fixed time, so that bytes are reproducible
    return made.getvalue()


def _of_header(random: random.Random, data: bytes) -> bytes:
    length = int.from_bytes(data[8:10], "little")
    header, rest = data[10 : 10 + length].decode("latin-1"), data[10 + length :]
    kinds = ("|O", "<f2", "<U9999999", "V8", "<c16", "x", "S1", "<M8[s]", "(9,)f8", "U0", "i4,i4")
    shapes = (
        "()",
        "(-1,)",
        "(9999999999,)",
        "(1,)",
        "(0,)",
        "(3, 0)",
        "3",
        "(True,)",
        str((1,) * 33),
        f"({'9' * 5000},)",
        "(1.0,)",
    )
    words: dict[str, tuple[str, ...]] = {
        r"'descr': '[^']*'": (*(f"'descr': '{k}'" for k in kinds), "'descr': [('a', '<f8')]", "'descr': 7"),
        r"\([^)]*\)": shapes,
        "False|True": ("True", "False", "None", "1"),
        "fortran_order": ("order",),
        r"\{": ("{{", "[", ""),
        r"\}": ("", "} + {}", "}, 1"),
        r"'shape'": ("'shape': 1, 'shape'", "shape"),
    }
    pattern = random.choice(list(words))
    word = random.choice(words[pattern])
    header = re.sub(pattern, lambda match: word, header, count=1)
    return data[:8] + len(header).to_bytes(2, "little") + header.encode("latin-1") + rest


def _of_array(random: random.Random, array: np.ndarray) -> np.ndarray:
    kind = random.randrange(6)
    if kind == 0:
        return array.astype(random.choice(("?", "i1", "u8", "f2", "c8", "U3", "S2", ">f4", "O", "f8")))
    if kind == 1:
        return array.reshape(random.choice(((-1,), (1, *array.shape), (*array.shape, 1), array.shape[::-1])))
    if kind == 2:
        return array[: random.choice((0, 1, -1))]
    if kind == 3:
        return np.full(array.shape, random.choice((math.nan, math.inf, -1.0, 1e300, 2.0, 5e-324)))
    if kind == 4:
        return np.full(
            array.shape, random.choice((2**63, -1, 0, 255, 1)), np.uint64 if random.random() < 0.3 else np.float64
        )
    return np.full(array.shape, 0x110000 if random.random() < 0.5 else 0xD800, np.uint32).view("<U1")


def of_gzip(random: random.Random, data: bytes, change: Callable[[random.Random, bytes], bytes]) -> bytes:
    """Return a gzip file with changed contents and a right checksum."""
    made = gzip.compress(change(random, gzip.decompress(data)), mtime=0)
    kind = random.randrange(6)
    return made + (made if kind == 0 else bytes(9) if kind == 1 else gzip.compress(bytes(10**6)) if kind == 2 else b"")


def of_idx(random: random.Random, data: bytes) -> bytes:
    """Return an IDX file with a changed header or changed bytes."""
    if random.random() < 0.4:
        return of_bytes(random, data)
    made = bytearray(data)
    at = random.choice((2, 3, *range(4, 16)))
    made[at] = random.choice((0, 1, 2, 3, 4, 8, 9, 11, 12, 13, 14, 127, 128, 255))
    return bytes(made) + (b"" if random.random() < 0.7 else random.randbytes(random.randrange(40)))
