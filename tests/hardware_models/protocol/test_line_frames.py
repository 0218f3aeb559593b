"""Frames: what is written is read again, and what is no frame is refused in one sentence before memory is taken for it."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.protocol import frames
from hardware_models.protocol.server import _Stream
from hardware_models.protocol.values import events_entry, events_of, key_entries, key_of

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5).filter(lambda k: k != "number"), inner)
    ),
    max_leaves=8,
)


def again(entries: dict[str, object], arrays: dict[str, np.ndarray]) -> frames.Frame:
    """Return a frame after it was written and read."""
    return frames.read(_Stream(io.BytesIO(b"".join(frames.written({"version": frames.VERSION, **entries}, arrays)))))


def equal(a: object, b: object) -> bool:
    """Compare plain values; NaN equals NaN, and the sign of zero counts."""
    return repr(a) == repr(b)


@settings(max_examples=60, deadline=None)
@given(
    value=PLAIN,
    kind=st.sampled_from(frames.TYPES),
    shape=st.lists(st.integers(0, 4), max_size=4),
    seed=st.integers(0, 9),
)
def test_a_frame_is_read_as_it_was_written(value: object, kind: str, shape: list[int], seed: int) -> None:
    """Values, types, shapes and every byte, those of NaN included."""
    raw = np.random.default_rng(seed).integers(0, 256, math.prod(shape) * np.dtype(kind).itemsize, np.uint8)
    raw = raw & 1 if kind == "|b1" else raw
    array = np.frombuffer(raw.tobytes(), kind).reshape(shape)
    got = again({"value": value}, {"a": array, "b": np.array(array, order="F")})
    assert equal(got.entries["value"], value)
    for name in ("a", "b"):
        found = got.arrays[name]
        assert found.dtype == array.dtype and found.shape == array.shape and found.tobytes() == array.tobytes()


def test_big_endian_arrays_keep_their_values() -> None:
    array = np.arange(5, dtype=">f8")
    assert np.array_equal(again({}, {"a": array}).arrays["a"], array)


@pytest.mark.parametrize(
    "value", [np.array(["text"]), np.array([1j]), np.array([None]), [[1], [2, 3]], np.longdouble(1)]
)
def test_what_is_no_array_of_real_numbers_is_refused(value: object) -> None:
    with pytest.raises(frames.FrameError, match="cannot carry a"):
        frames.sendable("a", value)


def line(**entries: object) -> bytes:
    """Return the line of a frame."""
    return json.dumps({"version": 1, **entries}).encode() + b"\n"


def stated(**parts: object) -> bytes:
    """Return a line that states one array."""
    return line(arrays=[{"name": "a", "type": "<f4", "shape": [1], **parts}])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"Hello, world\n", "where a line of JSON should stand"),
        (b"[1, 2]\n", "where an object of JSON should stand"),
        (b"\xff\xfe\n", "where a line of JSON should stand"),
        (b"[" * 100_000 + b"\n", "where a line of JSON should stand"),
        (b"{}\n", "version None of the protocol, not 1"),
        (b'{"version": 2}\n', "version 2 of the protocol, not 1"),
        (b"x" * (frames.MOST_LINE + 5), "without the end of a line"),
        (line(arrays=3), "states its arrays as 3"),
        (line(arrays=[1]), "states an array as 1"),
        (stated(type="object"), "not as a new name, a type and a shape"),
        (stated(type="|O"), "not as a new name, a type and a shape"),
        (stated(shape=[-1]), "not as a new name, a type and a shape"),
        (stated(shape=[1.5]), "not as a new name, a type and a shape"),
        (stated(shape=[1] * 9), "not as a new name, a type and a shape"),
        (stated(shape=[2**20, 2**20]), "more than the"),
        (line(arrays=[{"name": "a", "type": "<f4", "shape": [0]}] * 2), "not as a new name, a type and a shape"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(frames.FrameError) as caught:
        frames.read(_Stream(io.BytesIO(data)))
    assert said in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_an_end_within_the_arrays_is_an_end() -> None:
    with pytest.raises(EOFError):
        frames.read(_Stream(io.BytesIO(stated() + b"\0\0")))


def test_keys_and_events_come_back() -> None:
    """A key of a large seed, no key, events with both parts, and no events."""
    for key in (Key(2**62 + 1, "train/read.3", 17), None):
        assert key_of(again(key_entries(key), {}).entries) == key
    events = Events({"reads.cells": 2**60, "adc.8": 5}, {"time": 0.1})
    assert events_of(again({"events": events_entry(events)}, {}).entries["events"]) == events
    assert events_of(None) == Events()


@pytest.mark.parametrize(
    "entry",
    [3, {"counts": {"reads.cells": 1.5}}, {"counts": {"reads.cells": -1}}, {"counts": {"nothing": 1}}, {"counts": [1]},
     {"integrals": {"time": -1.0}}, {"integrals": {"time": math.inf}}, {"integrals": {"time": "1"}}, {"integrals": {"x": 1}}],
)  # fmt: skip
def test_wrong_events_are_refused(entry: object) -> None:
    with pytest.raises(ValueError):
        events_of(entry)
