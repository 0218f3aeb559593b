"""Several chips behind one port: the layers of the first, then those of the second, and so on.

Each chip has its own fabrication and its own clock, which its own reads and writes and every wait move on. To whoever sees
the port there is one chip with all layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hardware_models import pins
from hardware_models.check import UsageError
from hardware_models.chip.designs import Arrays
from hardware_models.devices.base import BaseDevice, Device
from hardware_models.devices.faults import fault_maps
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipBench, LayerSheet, MissingPinError, SealedChipError
from hardware_models.wires import Interconnect

if TYPE_CHECKING:
    from hardware_models.crossbar.given import Taken
    from hardware_models.crossbar.inspection import Inspection

SEEDS = 2**31
"""Chip seeds of the single chips are drawn below this."""


class JoinedOracle:
    """The look inside of every chip, by the joined number of the layer."""

    def __init__(self, places: Sequence[tuple[ChipBench, int]]) -> None:
        self._places = places

    def weights(self, layer: int) -> np.ndarray:
        """Return the present weights (inputs, neurons)."""
        chip, own = self._places[layer]
        return chip.oracle.weights(own)

    def conductances(self, layer: int) -> np.ndarray:
        """Return G+ and G-, (2, inputs, neurons) [S]."""
        chip, own = self._places[layer]
        return chip.oracle.conductances(own)

    def neurons(self, layer: int, z: np.ndarray) -> np.ndarray:
        """Return f(z), (B, neurons) float32."""
        chip, own = self._places[layer]
        return chip.oracle.neurons(own, z)

    def slope(self, layer: int, z: np.ndarray) -> np.ndarray:
        """Return f'(z), (B, neurons) float32."""
        chip, own = self._places[layer]
        return chip.oracle.slope(own, z)


class JoinedPort:
    """The layers of several chips as one `hardware_models.port.ChipPort`; close it if the chips need closing.

    Parameters
    ----------
    chips : the chips, at least one, all of one device; their layers are numbered through.
    """

    def __init__(self, chips: Sequence[ChipBench]) -> None:
        if not chips:
            raise UsageError("a joined port needs at least one chip.")
        self._chips = tuple(chips)
        self._places = tuple((chip, own) for chip in self._chips for own in range(len(chip.shapes)))
        self.shapes = tuple(shape for chip in self._chips for shape in chip.shapes)
        self.datasheet = tuple(sheet for chip in self._chips for sheet in chip.datasheet)
        self.pins = frozenset.intersection(*(frozenset(chip.pins) for chip in self._chips))
        self.sealed = any(chip.sealed for chip in self._chips)
        self.repeatable = all(chip.repeatable for chip in self._chips)

    def _place(self, layer: int) -> tuple[ChipBench, int]:
        if layer not in range(len(self._places)):  # -1 would be the last chip
            raise MissingPinError(f"layer {layer} of these chips has no array.")
        return self._places[layer]

    # --- pins of one layer ---

    def observe(
        self, layer: int, x: np.ndarray, *, bias: ArrayLike | None = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return y = f(z + bias), (B, neurons) float32, and the events."""
        chip, own = self._place(layer)
        return chip.observe(own, x, bias=bias, key=key, array=array)

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) through the converter, and the events."""
        chip, own = self._place(layer)
        return chip.read(own, x, key=key, array=array)

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of an array of a layer."""
        chip, own = self._place(layer)
        return chip.sheet(own, array)

    def read_rows(
        self, layer: int, rows: np.ndarray, *, full_scale: float, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return the weights of word lines (len(rows), neurons), driven one by one, and the events."""
        chip, own = self._place(layer)
        return chip.read_rows(own, rows, full_scale=full_scale, key=key, array=array)

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) for d (B, neurons), and the events."""
        chip, own = self._place(layer)
        return chip.observe_transposed(own, d, key=key, array=array)

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Apply 0/1 pulse trains (slots, inputs) and (slots, neurons), one polarity a call."""
        chip, own = self._place(layer)
        return chip.fire(own, rows, columns, sign, key=key, array=array)

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Give each weight a signed number of device pulses, int32 (inputs, neurons)."""
        chip, own = self._place(layer)
        return chip.fire_cells(own, counts, key=key, array=array)

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask for weights (inputs, neurons), open loop."""
        chip, own = self._place(layer)
        return chip.program(own, weights, key=key, array=array)

    def calibrate(self, layer: int, *, kind: str, reads: int, key: Key, transposed: bool = False) -> Events:
        """Measure the converters of a layer with known inputs and correct them."""
        chip, own = self._place(layer)
        return chip.calibrate(own, kind=kind, reads=reads, key=key, transposed=transposed)

    # --- pins of all chips ---

    def wait(self, seconds: float, *, key: Key) -> Events:
        """Let every chip's clock run; the integral `time` is that of all chips together, each of which draws its power."""
        seconds = pins.seconds(seconds)
        waited = (chip.wait(seconds, key=key.child("chip", number)) for number, chip in enumerate(self._chips))
        return sum(waited, Events())

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state of every chip; without `copy` the large arrays are the chips' own and change with them."""
        return {
            f"chip{number}.{name}": value
            for number, chip in enumerate(self._chips)
            for name, value in chip.save(copy=copy).items()
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        for number, chip in enumerate(self._chips):
            start = f"chip{number}."
            chip.restore({name[len(start) :]: value for name, value in state.items() if name.startswith(start)})

    def close(self) -> None:
        """End the processes of chips that have one."""
        with ExitStack() as closing:
            for chip in self._chips:
                closing.callback(chip.close)

    # --- inside, and what is known of the chips ---

    @property
    def oracle(self) -> JoinedOracle:
        """A look inside; SealedChipError if one of the chips is sealed."""
        if self.sealed:
            raise SealedChipError("one of these chips is sealed: its weights and conductances cannot be looked at.")
        return JoinedOracle(self._places)

    @property
    def device(self) -> BaseDevice:
        """The model of the device, that of the first chip; SealedChipError if that one lives in another process."""
        from hardware_models.chip import Chip  # brings the compiled loops with it

        first = self._chips[0]
        if not isinstance(first, Chip):
            raise SealedChipError("a chip in another process does not show its device; ask for its description.")
        return first.device

    @property
    def description(self) -> dict[str, object]:
        """The device's population figures."""
        return self._chips[0].description

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped."""
        return [layer for chip in self._chips for layer in chip.clipped_share()]

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Give all arrays wires with resistance from now on."""
        for chip in self._chips:
            chip.lay_wires(interconnect)

    def wire_tracking(self) -> list[dict[str, float | None]]:
        """Return for each layer how its wires were followed."""
        return [layer for chip in self._chips for layer in chip.wire_tracking()]

    def take(self, layer: int, conductances: ArrayLike, what: str) -> Taken:
        """Set the cells of a layer to conductances [S] from outside."""
        chip, own = self._place(layer)
        return chip.take(own, conductances, what)

    def fix_groups(self) -> None:
        """End the search for groups of lines on every chip."""
        for chip in self._chips:
            chip.fix_groups()

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return for each layer the groups of lines and the largest currents that flowed; None without a limit."""
        return [layer for chip in self._chips for layer in chip.line_groups() or ()] or None

    def inspect(self) -> list[dict[str, float | None]] | None:
        """Return for each layer the summary of its inspection; None if a chip is sealed."""
        if self.sealed:
            return None
        return [layer for chip in self._chips for layer in chip.inspect() or ()]

    def cells(self, layer: int) -> Inspection:
        """Return a look at every cell of a layer; SealedChipError on a sealed chip."""
        chip, own = self._place(layer)
        return chip.cells(own)


def a_chip_a_layer(
    kind: Callable[..., ChipBench],
    device: str | Device,
    layers: Sequence[tuple[int, int]],
    *,
    chip_seed: int = 0,
    faults: Mapping[str, object] | None = None,
    arrays: Arrays | None = None,
    **options: object,
) -> JoinedPort:
    """Return chips of one layer each, made by `kind` (`Chip` or `ProcessPort`), with unrelated seeds from `chip_seed`.

    Entries of a fault map keep the number of the layer; every other option is the same for all chips.
    """
    made: list[ChipBench] = []
    try:
        for layer, shape in enumerate(layers):
            seed = int(Key(chip_seed, "chips").child("layer", layer).generator().integers(SEEDS))
            own = dict(options)
            if arrays and layer in arrays:
                own["arrays"] = {0: arrays[layer]}
            if faults:
                maps = {f"0.{name}": array for name, array in fault_maps(faults, layer, len(layers)).items()}
                own["faults"] = {**faults, "map": maps}
            made.append(kind(device, (shape,), chip_seed=seed, **own))
    except BaseException:
        for chip in made:
            chip.close()
        raise
    return JoinedPort(made)
