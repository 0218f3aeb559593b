"""State of the parts of a chip under the names of a saved state: its arrays, what is known of their converters, its neurons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hardware_models.check import UsageError
from hardware_models.chip.periphery import Periphery
from hardware_models.crossbar import Crossbar
from hardware_models.nonlinearities.base import Neurons, Stateful

Arrays = Mapping[tuple[int, str], Crossbar]
"""Crossbars by layer and name."""


Peripheries = Mapping[tuple[int, str], Periphery]
"""The circuits around them by layer and name."""


def saved(arrays: Arrays, peripheries: Peripheries, neurons: Sequence[Neurons], *, copy: bool) -> dict[str, np.ndarray]:
    """Return the state of every array, the corrections of its converters, and the state of neurons that have one.

    Without `copy` the arrays (rows, bit lines) are those of the crossbars.
    """
    found: dict[str, np.ndarray] = {}
    for (layer, name), array in arrays.items():
        found |= {f"layer{layer}.{name}.{entry}": value for entry, value in array.save(copy=copy).items()}
    for (layer, name), around in peripheries.items():
        found |= {f"converters{layer}.{name}.{entry}": value for entry, value in around.save().items()}
    for layer, box in _stateful(neurons):
        found |= {f"neurons{layer}.{entry}": value for entry, value in box.save().items()}
    return found


def check(state: Mapping[str, np.ndarray], neurons: Sequence[Neurons]) -> None:
    """Raise UsageError if a state holds nothing of neurons that remember."""
    for layer, _ in _stateful(neurons):
        if not _entries(state, f"neurons{layer}."):
            raise UsageError(f"the saved state holds nothing of the neurons of layer {layer}, which remember.")


def restore(
    state: Mapping[str, np.ndarray], arrays: Arrays, peripheries: Peripheries, neurons: Sequence[Neurons]
) -> None:
    """Restore arrays, corrections and neurons from a state returned by `saved`."""
    for (layer, name), around in peripheries.items():
        around.restore(_entries(state, f"converters{layer}.{name}."))
    for (layer, name), array in arrays.items():
        array.restore(_entries(state, f"layer{layer}.{name}."))
    for layer, box in _stateful(neurons):
        box.restore(_entries(state, f"neurons{layer}."))


def _stateful(neurons: Sequence[Neurons]) -> Iterator[tuple[int, Stateful]]:
    return ((layer, box) for layer, box in enumerate(neurons) if isinstance(box, Stateful))


def _entries(state: Mapping[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    """Return the entries of a saved state whose names begin with `start`, without it."""
    return {name[len(start) :]: value for name, value in state.items() if name.startswith(start)}
