r"""A chip: layers of crossbars, converters and neurons, fabricated from one chip seed.

One layer computes, from x (B, inputs) in units of its `input_scale` s,

.. math:: v = V_{fs}\,DAC(x/s), \quad z_j = \frac{s}{G_{unit} V_{fs}} \sum_i v_i (G^+_{ij} - G^-_{ij}) + noise, \quad
          y_j = f_j(ADC(z_j) + b_j)

with one conversion per row tile and neuron when partial sums are digital. With analog partial sums the currents of the
tiles add on one line, f works on the analog sum, and its output is converted once. Behind digital partial sums, an
analog neuron (any but `relu`, `linear` and `sigmoid`) is driven by a DAC and its output is converted. `Chip` composes and
counts: there is no loop over cells here and no word of learning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hardware_models import pins
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.chip import calibration, memory
from hardware_models.chip.conversions import Conversions
from hardware_models.chip.designs import MAIN, Arrays, designs
from hardware_models.chip.layers import Layers
from hardware_models.chip.oracle import Oracle
from hardware_models.chip.periphery import Circuit, Periphery
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.converters.faults import NO_ADC_FAULTS, NO_DAC_FAULTS, AdcFaults, DacFaults
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.given import Taken
from hardware_models.crossbar.inspection import Inspection, inspect_cells, inspected
from hardware_models.crossbar.line_noise import NO_LINE_NOISE, LineNoise
from hardware_models.crossbar.line_watch import LineLimit
from hardware_models.devices.base import BaseDevice, Device
from hardware_models.devices.faults import with_faults
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.nonlinearities.base import Foreign, Neurons, Timed, answer, load_nonlinearity
from hardware_models.port import LayerSheet, SealedChipError
from hardware_models.wires import Interconnect

PARTIAL_SUMS = ("digital", "analog")


class Chip(Layers):
    """Layers of one chip behind the pins of `hardware_models.port.ChipPort`.

    Parameters
    ----------
    device : str or Device
        What `load_device` takes.
    layers : ((inputs, neurons), ...)
        Word lines (bias row included) and neurons of each layer.
    chip_seed : int
        The physical chip: fabrication spread and the neurons' curves.
    nonlinearity : str
        Name of the neurons, or another text that `hardware_models.nonlinearities.base.load_nonlinearity` takes.
    strength : float
        Share of these neurons' curve beside that of a rectifier, see `hardware_models.nonlinearities.blended`; 1: it alone.
    dac, adc : int or None
        Bits of the converters; None is a perfect converter.
    tile : (rows, columns)
        Largest tile in cells.
    read_noise : bool
        False switches the read noise off.
    sealed : bool
        Any look inside raises SealedChipError.
    weight_range, input_scale, adc_range : float
        k of |W| <= k/sqrt(inputs); x at full scale; full scale of one conversion in units of z.
    partial_sums : "digital" or "analog"
        Where the sums over row tiles are formed.
    faults : dict, optional
        Rates ``stuck_low``, ``stuck_high`` of cells and ``dead_rows``, ``dead_columns`` of lines, and ``map``, a .npz
        file or a dictionary of arrays; see `hardware_models.devices.faults`. Default: none.
    wires : Interconnect, optional
        Resistance of the wires of each tile, and how it is followed; default: ideal wires.
    arrays : dict, optional
        More arrays by layer, ``{layer: names}`` or ``{layer: {name: design}}``, see `hardware_models.chip.designs`; every layer
        has the array "main".
    noise : LineNoise
        Johnson and shot noise of the lines, beside the device's own read noise; by default none.
    dac_faults, adc_faults : DacFaults, AdcFaults
        Spreads of the errors of the converters; by default none.
    line_current, current_margin : float
        Current that a line of the arrays bears [A], None: any, else lines are driven in groups; the factor by which currents
        stay below it until `fix_groups` is called.
    access_transistor : bool
        Whether lines see each cell in series with the transistor of its device (`r_access`); by default the cell alone.
    pairs : int
        Pairs of cells of a weight on the main arrays, see `hardware_models.crossbar.turns`.
    answer_within : float, optional
        Time for every answer of neurons outside of this process [s]; close a chip that has such neurons.
    """

    pins = frozenset(
        {"observe", "read", "read_rows", "transposed", "fire", "fire_cells", "program", "wait", "calibrate"}
    )

    def __init__(
        self,
        device: str | Device,
        layers: Sequence[tuple[int, int]],
        *,
        chip_seed: int = 0,
        nonlinearity: str = "relu",
        strength: float = 1.0,
        dac: int | None = 8,
        adc: int | None = 8,
        tile: tuple[int, int] = (256, 256),
        arrays: Arrays | None = None,
        read_noise: bool = True,
        sealed: bool = False,
        weight_range: float = 4.0,
        input_scale: float = 6.0,
        adc_range: float = 8.0,
        partial_sums: str = "digital",
        faults: Mapping[str, object] | None = None,
        noise: LineNoise = NO_LINE_NOISE,
        dac_faults: DacFaults = NO_DAC_FAULTS,
        adc_faults: AdcFaults = NO_ADC_FAULTS,
        wires: Interconnect | None = None,
        line_current: float | None = None,
        current_margin: float = 1.0,
        access_transistor: bool = False,
        pairs: int = 1,
        answer_within: float | None = None,
    ) -> None:
        made = load_device(device)
        self._device = made if read_noise else made.without(read_noise=True)
        if not layers:
            raise UsageError("a chip needs at least one layer.")
        self.shapes = tuple(
            (positive_int("a layer", "inputs", n), positive_int("a layer", "neurons", m)) for n, m in layers
        )
        if partial_sums not in PARTIAL_SUMS:
            raise UsageError(f"partial sums are one of {', '.join(PARTIAL_SUMS)}, got {partial_sums!r}.")
        scale = in_range("a chip", "input_scale", input_scale, 1e-6, 1e6)
        self._sealed = sealed
        limit = None if line_current is None else LineLimit(line_current, current_margin, partial_sums == "analog")
        key = Key(chip_seed, "chip")
        neurons = load_nonlinearity(nonlinearity, strength, within=answer_within)
        self._circuit = Circuit(
            Dac(dac), Adc(adc, adc_range), dac_faults, adc_faults, scale, partial_sums == "digital", neurons.analog
        )
        self._arrays: dict[tuple[int, str], Crossbar] = {}
        self._peripheries: dict[tuple[int, str], Periphery] = {}
        self._conversions = Conversions(len(self.shapes))
        for layer, shape in enumerate(self.shapes):
            for name, design in designs(arrays, layer, self._device, pairs).items():
                cells = with_faults(design.device, faults, layer, len(self.shapes))
                place = key.child("layer", layer).child(name)
                array = Crossbar(
                    cells, shape, key=place, tile=tile, weight_range=weight_range, noise=noise, wires=wires, limit=limit,
                    access_transistor=access_transistor, single_ended=design.single_ended, pairs=design.pairs,
                )  # fmt: skip
                self._arrays[layer, name] = array
                around = Periphery(array, layer, self._circuit, self._conversions, place.child("converters"))
                self._peripheries[layer, name] = around
        # Last of all: neurons outside of this process, once they are reached, must not be left open by another fault.
        self._neurons: list[Neurons] = [
            neurons.fabricate(shape[1], key.child("neurons", layer)) for layer, shape in enumerate(self.shapes)
        ]
        self._timed = [box for box in self._neurons if isinstance(box, Timed)]
        self.datasheet = tuple(self.sheet(layer) for layer in range(len(self.shapes)))
        self._time = 0.0

    def _clock(self, events: Events) -> None:
        self._time += events.integrals.get("time", 0.0)
        for array in self._arrays.values():
            array.time = self._time
        self._age_neurons()

    def _age_neurons(self) -> None:
        for box in self._timed:
            box.advance(self._time)

    # --- pins ---

    def observe(
        self, layer: int, x: np.ndarray, *, bias: ArrayLike | None = None, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return y = f(z + bias), (B, neurons) float32, and the events."""
        x = self._driven(layer, x, array)
        offset = None if bias is None else pins.offsets("the bias", bias, (len(x), self.shapes[layer][1]))
        z, events = self._read(layer, x, key, array, convert=self._circuit.digital_sums)
        if offset is not None:
            z = z + offset
        y = answer(self._neurons[layer], z, key)
        events += Events({"nonlinearity": y.size})
        if self._circuit.analog_neurons or not self._circuit.digital_sums:
            y, converted = self._peripheries[layer, array].convert_outputs(y, key)
            events += converted
        return y, events

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) through the converter, and the events."""
        return self._read(layer, self._driven(layer, x, array), key, array, convert=True)

    def sheet(self, layer: int, array: str = "main") -> LayerSheet:
        """Return the data sheet of an array of a layer."""
        a, circuit = self._array(layer, array), self._circuit
        bits = circuit.dac.bits, circuit.adc.bits
        return LayerSheet(*a.shape, a.weight_step, a.weight_limit, circuit.scale, *bits, a.device.leak_time)

    def read_rows(
        self, layer: int, rows: np.ndarray, *, full_scale: float, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return the weights of word lines (len(rows), neurons), driven one by one, through converters up to `full_scale`."""
        rows = pins.lines("word lines", rows, self._array(layer, array).shape[0])
        weights, events = self._peripheries[layer, array].read_rows(rows, full_scale, key)
        self._clock(events)
        return weights, events

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) for d (B, neurons), driven at the scale of its largest value, and the events."""
        crossbar = self._array(layer, array)
        d = pins.finite("what drives the columns", d, (None, crossbar.shape[1]))
        z, events = self._peripheries[layer, array].read_back(d, key)
        self._clock(events)
        return z, events

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Apply 0/1 pulse trains (slots, inputs) and (slots, neurons), one polarity a call."""
        events = self._written(self._array(layer, array).fire(rows, columns, sign, key=key), array)
        self._clock(events)
        return events

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Give each weight a signed number of device pulses, int32 (inputs, neurons), addressed row by row."""
        events = self._written(self._array(layer, array).pulse(counts, key=key), array)
        self._clock(events)
        return events

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask for weights (inputs, neurons), open loop."""
        events = self._written(self._array(layer, array).program(weights, key=key), array)
        self._clock(events)
        return events

    def wait(self, seconds: float, *, key: Key) -> Events:
        """Let the chip's clock run for `seconds`."""
        seconds = pins.seconds(seconds)
        for (layer, name), array in self._arrays.items():
            array.wait(seconds, key=key.child(name, layer))
        self._time += seconds
        self._age_neurons()
        return Events({}, {"time": seconds})

    def calibrate(self, layer: int, *, kind: str, reads: int, key: Key, transposed: bool = False) -> Events:
        """Measure a layer's converters with known inputs and correct what is found, see `hardware_models.chip.calibration`."""
        calibration.check(kind, reads)
        self._array(layer, "main")
        every = {name: around for (own, name), around in self._peripheries.items() if own == layer}
        done = (each.calibrate(kind, reads, key.child(name), transposed=transposed) for name, each in every.items())
        events = sum(done, Events())
        self._clock(events)
        return events

    def _driven(self, layer: int, x: np.ndarray, array: str) -> np.ndarray:
        """Return the inputs of a read, checked before anything moves."""
        return pins.finite("inputs", x, (None, self._array(layer, array).shape[0]))

    def _written(self, events: Events, array: str) -> Events:
        """Return the events of a write as they are counted for the array."""
        return events if array == MAIN else events.further()

    def _read(self, layer: int, x: np.ndarray, key: Key, array: str, *, convert: bool) -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) of an array through its periphery, and let the clock run."""
        z, events = self._peripheries[layer, array].read(x, key, convert=convert)
        self._clock(events)
        return z, events

    # --- inside ---

    @property
    def device(self) -> BaseDevice:
        """The model of the device; population figures, as on a data sheet."""
        return self._device

    @property
    def description(self) -> dict[str, object]:
        """The device's population figures as plain values."""
        return self._device.describe()

    @property
    def sealed(self) -> bool:
        """True if every look inside raises SealedChipError."""
        return self._sealed

    @property
    def repeatable(self) -> bool:
        """False if neurons outside of this process have a memory or noise that `save` cannot carry."""
        return all(box.repeatable for box in self._neurons if isinstance(box, Foreign))

    def close(self) -> None:
        """End the neurons outside of this process; the rest of this chip needs no end."""
        for box in self._neurons:
            if isinstance(box, Foreign):
                box.close()

    def __repr__(self) -> str:
        layers = " + ".join(f"{n} x {m}" for n, m in self.shapes)
        converters = (("DAC", self._circuit.dac.bits), ("ADC", self._circuit.adc.bits))
        bits = ", ".join(f"{name} {'perfect' if n is None else f'{n} bits'}" for name, n in converters)
        sealed = ", sealed" if self._sealed else ""
        return f"<Chip of device '{self._device.name}': layers of {layers} (inputs x neurons), {bits}{sealed}>"

    @property
    def oracle(self) -> Oracle:
        """A look inside; SealedChipError on a sealed chip."""
        if self._sealed:
            raise SealedChipError("this chip is sealed: its weights, conductances and curves cannot be looked at.")
        return Oracle(self._main(), self._neurons)

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped, None where nothing was converted."""
        return self._conversions.clipped_share()

    def inspect(self) -> list[dict[str, float | None]] | None:
        """Return for each layer the summary of `hardware_models.crossbar.inspection` and the spread of W; None if sealed."""
        if self._sealed:
            return None
        return [inspected(array, self._device) for array in self._main()]

    def cells(self, layer: int) -> Inspection:
        """Return a look at every cell of a layer; SealedChipError on a sealed chip."""
        if self._sealed:
            raise SealedChipError("this chip is sealed: its cells cannot be looked at.")
        return inspect_cells(self._arrays[layer, "main"])

    def take(self, layer: int, conductances: ArrayLike, what: str) -> Taken:
        """Set the cells of a layer to conductances [S] from outside, which costs no events; SealedChipError on a sealed chip.

        See `hardware_models.crossbar.given.take`.
        """
        if self._sealed:
            raise SealedChipError("this chip is sealed: its cells cannot be set.")
        return self._array(layer, "main").take(conductances, what)

    def save(self, *, copy: bool = True) -> dict[str, np.ndarray]:
        """Return the state of every array and of neurons that have one, the clock and the counters.

        Without `copy` the large arrays are the chip's own and change with it.
        """
        own = {"chip.time": np.array(self._time), "chip.conversions": self._conversions.counts.copy()}
        return own | memory.saved(self._arrays, self._peripheries, self._neurons, copy=copy)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`; raise UsageError if it lacks the memory of this chip's neurons."""
        memory.check(state, self._neurons)
        self._time = float(state["chip.time"])
        self._conversions.counts[:] = state["chip.conversions"]
        memory.restore(state, self._arrays, self._peripheries, self._neurons)
