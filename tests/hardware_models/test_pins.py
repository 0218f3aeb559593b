"""What a user gives at the pins of a chip: wrong numbers are refused in one sentence, before anything has moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analog_ff.updates.accumulate import RANGES, Accumulate
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.chip.joined_port import JoinedPort
from hardware_models.chip.process_port import ProcessPort
from hardware_models.keys import Key
from hardware_models.port import MissingPinError

KEY = Key(0, "pins")
SHAPE = (4, 3)
NAN, INFINITE = float("nan"), float("inf")


def filled(value: Any, shape: tuple[int, ...] = SHAPE, kind: Any = None) -> np.ndarray:
    """Return ones with one entry of another value."""
    found = np.ones(shape, kind or np.asarray(value).dtype)
    found.flat[1] = value
    return found


WRONG: dict[str, Callable[[Any], Any]] = {
    "pulses beyond int32": lambda chip: chip.fire_cells(0, filled(2**31), key=KEY),
    "far beyond": lambda chip: chip.fire_cells(0, filled(-(2**40)), key=KEY),
    "unsigned": lambda chip: chip.fire_cells(0, filled(2**63, kind=np.uint64), key=KEY),
    "least int32": lambda chip: chip.fire_cells(0, filled(-(2**31), kind=np.int32), key=KEY),
    "half a pulse": lambda chip: chip.fire_cells(0, filled(0.5), key=KEY),
    "pulses NaN": lambda chip: chip.fire_cells(0, filled(NAN), key=KEY),
    "pulses infinite": lambda chip: chip.fire_cells(0, filled(INFINITE), key=KEY),
    "pulses complex": lambda chip: chip.fire_cells(0, filled(1j), key=KEY),
    "pulses of words": lambda chip: chip.fire_cells(0, np.full(SHAPE, "1"), key=KEY),
    "pulses of another shape": lambda chip: chip.fire_cells(0, np.ones((3, 4), int), key=KEY),
    "ragged": lambda chip: chip.fire_cells(0, [[1, 2], [3]], key=KEY),
    "negative wait": lambda chip: chip.wait(-1.0, key=KEY),
    "wait NaN": lambda chip: chip.wait(NAN, key=KEY),
    "endless wait": lambda chip: chip.wait(INFINITE, key=KEY),
    "wait in words": lambda chip: chip.wait("1 s", key=KEY),
    "huge wait": lambda chip: chip.wait(10**5000, key=KEY),
    "weights NaN": lambda chip: chip.program(0, filled(NAN), key=KEY),
    "weights of another shape": lambda chip: chip.program(0, np.ones(4), key=KEY),
    "sign 0": lambda chip: chip.fire(0, np.ones((2, 4)), np.ones((2, 3)), 0, key=KEY),
    "trains of halves": lambda chip: chip.fire(0, np.full((2, 4), 0.5), np.ones((2, 3)), 1, key=KEY),
    "trains NaN": lambda chip: chip.fire(0, np.ones((2, 4)), np.full((2, 3), NAN), 1, key=KEY),
    "slots that differ": lambda chip: chip.fire(0, np.ones((2, 4)), np.ones((1, 3)), 1, key=KEY),
    "inputs NaN": lambda chip: chip.observe(0, filled(NAN, (2, 4)), key=KEY),
    "inputs beyond float32": lambda chip: chip.read(0, filled(1e300, (2, 4)), key=KEY),
    "one row without its axis": lambda chip: chip.read(0, np.ones(4), key=KEY),
    "bias NaN": lambda chip: chip.observe(0, np.ones((2, 4)), bias=NAN, key=KEY),
    "bias of another shape": lambda chip: chip.observe(0, np.ones((2, 4)), bias=np.ones(4), key=KEY),
    "backwards infinite": lambda chip: chip.observe_transposed(0, filled(INFINITE, (2, 3)), key=KEY),
}  # fmt: skip


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "made", [lambda: Chip("memristor", (SHAPE,)), lambda: JoinedPort([Chip("memristor", (SHAPE,))])]
)
def test_wrong_numbers_are_refused_and_nothing_moves(made: Callable[[], Any]) -> None:
    chip = made()
    before = chip.save()
    for name, call in WRONG.items():
        with pytest.raises(UsageError) as error:
            call(chip)
        text = str(error.value)
        assert text.endswith(".") and "\n" not in text and len(text) < 200, (name, text)
        assert same(before, chip.save()), name


@pytest.mark.slow
def test_the_same_sentence_comes_out_of_another_process() -> None:
    with ProcessPort("ideal", (SHAPE,)) as port:
        for name in ("pulses beyond int32", "negative wait", "inputs NaN"):
            with pytest.raises(UsageError) as error:
                WRONG[name](port)
            with pytest.raises(UsageError) as local:
                WRONG[name](Chip("ideal", (SHAPE,)))
            assert str(error.value) == str(local.value)


def test_right_numbers_of_any_type_are_taken() -> None:
    """Whole floats, long integers, lists, a number or a row for a bias: the same as what they stand for."""
    first, second = Chip("memristor", (SHAPE,)), Chip("memristor", (SHAPE,))
    counts = np.arange(12).reshape(SHAPE) - 6
    first.fire_cells(0, counts.astype(np.int32), key=KEY)
    second.fire_cells(0, counts.astype(float).tolist(), key=KEY)
    first.fire(0, np.ones((2, 4), bool), np.ones((2, 3), bool), 1, key=KEY)
    second.fire(0, np.ones((2, 4), int), np.ones((2, 3)), np.int64(1), key=KEY)
    first.wait(0.0, key=KEY), second.wait(np.float32(0), key=KEY)
    assert same(first.save(), second.save())
    x = np.ones((2, 4), np.float32)
    rows = [made.observe(0, x, bias=b, key=KEY)[0] for made, b in ((first, 0.5), (second, np.full(3, 0.5)))]
    assert np.array_equal(*rows)


def test_a_joined_port_has_no_layer_before_the_first() -> None:
    port = JoinedPort([Chip("ideal", (SHAPE,)), Chip("ideal", (SHAPE,))])
    for layer in (-1, 2):
        with pytest.raises(MissingPinError, match=f"layer {layer}"):
            port.read(layer, np.ones((1, 4)), key=KEY)


def test_counters_of_pulses_stop_where_they_end() -> None:
    """Three times 2^31 - 1 pulses on a pair are more than its counters hold; they say so many, never fewer than none."""
    chip = Chip("ideal", (SHAPE,))
    for _ in range(3):
        chip.fire_cells(0, np.full(SHAPE, 2**31 - 1), key=KEY)
    assert (chip.cells(0).pulses == 2**31 - 1).all()


@pytest.mark.parametrize("device", ["ideal", "memristor"])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_update_that_has_diverged_ends_the_run(device: str, sign: int) -> None:
    """A hundred ranges of a weight are fired, and end at the bound on their own side; one that asks for more is refused."""
    chip = Chip(device, (SHAPE,))
    update = Accumulate(chip, 0, momentum=0.0)
    x, drive, sheet = np.ones((1, 4), np.float32), np.full((1, 3), sign, np.float32), chip.datasheet[0]
    update.apply(x, drive, 1, 0.99 * RANGES * 2.0 * sheet.weight_limit, 1.0, KEY)
    weights = chip.oracle.weights(0)
    assert update.most >= 0.99 * RANGES * 2.0 * sheet.weight_limit / sheet.weight_step
    assert (sign * weights > 0.5 * sheet.weight_limit).all()
    if device == "ideal":
        assert np.allclose(weights, sign * sheet.weight_limit, rtol=1e-3)
    before = chip.save()
    for rate in (1.01 * RANGES * 2.0 * sheet.weight_limit, 1e9, 1e30):
        with pytest.raises(
            RunError, match=f"layer 0 asks for more than {update.most} pulses .* lower the learning rate"
        ):
            update.apply(x, drive, 1, rate, 1.0, KEY)
    with pytest.raises(RunError, match="no longer a number, so the learning has diverged; lower the learning rate"):
        update.apply(x, np.full((1, 3), NAN, np.float32), 1, 1.0, 1.0, KEY)
    assert all(np.array_equal(array, chip.save()[name]) for name, array in before.items())  # nothing was fired
