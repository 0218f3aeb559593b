"""Bursts on few cells of classes that a user derives from a device of the library."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from hardware_models.crossbar import Crossbar
from hardware_models.devices.base import BaseDevice, Window
from hardware_models.devices.state import CellState, remade
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(0, "test")


def derived(name: str, **methods: object) -> BaseDevice:
    """Return a device of the parameter file, of a class of a user's with some methods of its own."""
    dev = load_device(name)
    kind = type("Own", (type(dev),), methods)
    own: BaseDevice = kind(**{f.name: getattr(dev, f.name) for f in fields(dev)})
    return own


@pytest.mark.parametrize("name", ["memristor", "rasch2019_idealized", "jerry2017_hzo_fefet"])
def test_own_methods_of_a_derived_device_count_once(name: str) -> None:
    """A class that doubles pulses in `pulse` and in `pulse_some`, and calls those of its base, doubles them once."""
    kind = type(load_device(name))

    def pulse(self: BaseDevice, state: CellState, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        kind.pulse(self, state, 2 * pulses, key, window)

    def pulse_some(self: BaseDevice, state: CellState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        kind.pulse_some(self, state, where, 2 * pulses, key)

    both, one, counts = (
        derived(name, pulse=pulse, pulse_some=pulse_some),
        derived(name, pulse=pulse),
        np.full((9, 20), 3),
    )
    for listed in (False, True):
        arrays = [Crossbar(own, (9, 20), key=KEY) for own in (both, one)]
        for array in arrays:
            array.pulse(np.where(np.arange(20) < (2 if listed else 20), counts, 0))
        assert np.array_equal(arrays[0].state.g, arrays[1].state.g)


@pytest.mark.parametrize("name", ["memristor", "rasch2019_idealized", "jerry2017_hzo_fefet"])
def test_few_pulses_leave_what_a_read_sees_to_the_device(name: str) -> None:
    """Where a read sees more than the stored g, the weights after a burst on few cells are those of a look at all cells."""
    own = derived(name, conductance=lambda self, state, time: np.float32(1.1) * state.g)  # noqa: ARG005
    array = Crossbar(own, (9, 20), key=KEY)
    array.pulse(np.where(np.arange(20) < 2, np.full((9, 20), 3), 0))
    after = array.weights.copy()
    array.cells.look()
    assert after.any()
    assert np.array_equal(after, array.weights)


def readable_alone(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Return the arrays, of which all but the first can only be read."""
    for array in arrays[1:]:
        array.flags.writeable = False
    return arrays


LAYOUTS = {
    "column by column": lambda arrays: [np.asfortranarray(a) for a in arrays],
    "one of them column by column": lambda arrays: [arrays[0], np.asfortranarray(arrays[1]), *arrays[2:]],
    "every other column": lambda arrays: [np.repeat(a, 2, axis=1)[:, ::2] for a in arrays],
    "only to be read": readable_alone,
}


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("memristor", "one of them column by column"),
        ("memristor", "only to be read"),
        *(
            # Each compiles the kernels for one more layout.
            pytest.param(name, layout, marks=[pytest.mark.slow, pytest.mark.longest])
            for name, layout in (
                ("memristor", "column by column"),
                ("memristor", "every other column"),
                ("rasch2019_idealized", "column by column"),
                ("jerry2017_hzo_fefet", "column by column"),
            )
        ),
    ],
)
def test_cells_move_alike_however_they_lie_in_memory(name: str, layout: str) -> None:
    """A device may fabricate arrays of any layout; bursts on few cells, on all, and trains then give the same bits."""
    dev, rng = load_device(name), np.random.default_rng(0)

    def fabricate(self: BaseDevice, shape: tuple[int, int], key: Key) -> CellState:
        state = type(dev).fabricate(self, shape, key)
        return remade(state, LAYOUTS[layout](list(state)))

    arrays = [Crossbar(kind, (9, 20), key=KEY) for kind in (dev, derived(name, fabricate=fabricate))]
    fresh = arrays[0].state.g.copy()
    for share, most in ((0.1, 1), (0.1, 3), (0.9, 3)):
        counts = np.where(rng.random((9, 20)) < share, rng.integers(-most, most + 1, (9, 20)), 0)
        for array in arrays:
            array.pulse(counts)
    trains = rng.random((3, 9)) < 0.5, rng.random((3, 20)) < 0.5
    for array in arrays:
        array.fire(*trains, 1)
    assert not np.array_equal(fresh, arrays[0].state.g)
    for own, other in zip(arrays[0].state, arrays[1].state, strict=True):
        assert np.array_equal(own, other)
    assert np.array_equal(arrays[0].weights, arrays[1].weights)
