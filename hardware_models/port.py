"""The port: what a chip offers at its pins, and nothing else.

A learner sees a `ChipPort`. It carries no weights, no conductances, no derivative. The same protocol can stand before a
simulated chip, a chip in another process, or a laboratory instrument. Whoever owns the chip may do more: a `ChipBench` also
describes the device, looks at the cells of a chip that is not sealed, and ends what the chip needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike

from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.wires import Interconnect

if TYPE_CHECKING:
    from hardware_models.crossbar.given import Taken
    from hardware_models.crossbar.inspection import Inspection


class SealedChipError(RuntimeError):
    """Someone tried to look inside a sealed chip."""


class MissingPinError(RuntimeError):
    """A pin was called that the chip does not have."""


class LayerSheet(NamedTuple):
    """Data sheet of one layer: nominal figures that a maker prints, nothing measured on this chip."""

    inputs: int  # word lines, the bias row included
    neurons: int
    weight_step: float  # nominal change of a weight by one device pulse
    weight_limit: float  # largest |W|
    input_scale: float  # x at full scale; the bias row is driven at this value
    dac_bits: int | None
    adc_bits: int | None
    leak_time: float = 0.0  # time constant [s] with which the cells forget, 0: they do not


class ChipPort(Protocol):
    """The pins of a chip; every method returns the `Events` it caused, last."""

    shapes: tuple[tuple[int, int], ...]  # (inputs, neurons) of each layer, bias row included
    pins: frozenset[str]  # calling a missing pin raises MissingPinError in one sentence
    datasheet: tuple[LayerSheet, ...]

    def observe(
        self, layer: int, x: np.ndarray, *, bias: ArrayLike | None = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return y = f(z + bias), (B, neurons) float32, for inputs x (B, inputs)."""
        ...

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) before the nonlinearity, through a converter."""
        ...

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of an array of a layer."""
        ...

    def read_rows(
        self, layer: int, rows: np.ndarray, *, full_scale: float, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return the weights of some word lines (len(rows), neurons), driven one by one, through converters up to `full_scale`.

        full_scale : the largest weight that the converters tell, in units of a weight.
        """
        ...

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) for d (B, neurons), read backwards through the array."""
        ...

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Apply 0/1 pulse trains (slots, inputs) and (slots, neurons), one polarity a call."""
        ...

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Give each weight a signed number of device pulses, int32 (inputs, neurons)."""
        ...

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask for weights (inputs, neurons), open loop."""
        ...

    def wait(self, seconds: float, *, key: Key) -> Events:
        """Let the chip's clock run."""
        ...

    def calibrate(self, layer: int, *, kind: str, reads: int, key: Key, transposed: bool = False) -> Events:
        """Measure the converters of a layer with known inputs, and correct their offsets (and gains) from now on."""
        ...

    def save(self) -> dict[str, np.ndarray]:
        """Return the state as opaque arrays."""
        ...

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        ...


class ChipOracle(Protocol):
    """A look inside a chip, layer by layer; no pin offers it."""

    def weights(self, layer: int) -> np.ndarray:
        """Return the present weights (inputs, neurons)."""
        ...

    def conductances(self, layer: int) -> np.ndarray:
        """Return G+ and G-, (2, inputs, N neurons) [S], the N pairs of a weight side by side."""
        ...

    def neurons(self, layer: int, z: np.ndarray) -> np.ndarray:
        """Return f(z), (B, neurons) float32."""
        ...

    def slope(self, layer: int, z: np.ndarray) -> np.ndarray:
        """Return f'(z), (B, neurons) float32."""
        ...


class ChipBench(ChipPort, Protocol):
    """Members that the owner of a chip has beside its pins; a run asks here, a learner does not."""

    @property
    def sealed(self) -> bool:
        """True if every look inside raises SealedChipError."""
        ...

    @property
    def repeatable(self) -> bool:
        """True if `save` and `restore` carry all that later answers depend on, so that a run repeats to the bit."""
        ...

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state as opaque arrays; without `copy` the large ones are the chip's own and change with it."""
        ...

    @property
    def description(self) -> dict[str, object]:
        """The device's population figures as plain values, as on a data sheet."""
        ...

    @property
    def oracle(self) -> ChipOracle:
        """A look inside; SealedChipError on a sealed chip."""
        ...

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped, None where nothing was converted."""
        ...

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Give all arrays wires with resistance from now on, to see a chip that was trained without."""
        ...

    def wire_tracking(self) -> list[dict[str, float | None]]:
        """Return for each layer how its wires were followed; empty dictionaries for ideal wires."""
        ...

    def inspect(self) -> list[dict[str, float | None]] | None:
        """Return for each layer the summary of its inspection; None if the chip is sealed."""
        ...

    def cells(self, layer: int) -> Inspection:
        """Return a look at every cell of a layer; SealedChipError on a sealed chip."""
        ...

    def take(self, layer: int, conductances: ArrayLike, what: str) -> Taken:
        """Set the cells of a layer to conductances [S] from outside; `what` names it. SealedChipError on a sealed chip."""
        ...

    def fix_groups(self) -> None:
        """End the search for groups of lines that keep the limit of the lines; without a limit there is none."""
        ...

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return for each layer the groups of lines and the largest currents that flowed; None without a limit."""
        ...

    def close(self) -> None:
        """End what the chip needs, such as its process."""
        ...
