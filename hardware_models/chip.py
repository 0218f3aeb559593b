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

import copy
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hardware_models import pins
from hardware_models.check import UsageError, in_range, positive_int
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.crossbar import Crossbar
from hardware_models.devices.base import BaseDevice, Device
from hardware_models.devices.faults import with_faults
from hardware_models.devices.load import load_device
from hardware_models.events import Events
from hardware_models.inspection import Inspection, inspect_cells, pulse_noise, pulse_step
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import Neurons, Stateful, Timed, load_nonlinearity
from hardware_models.port import LayerSheet, MissingPinError, SealedChipError
from hardware_models.sensing import sense

PARTIAL_SUMS = ("digital", "analog")
SLOPE_STEP = 2.0**-8
"""Half the distance of the two points of a slope, in units of z, for |z| <= 16; beyond, |z|/16 times as much."""


class Oracle:
    """What no real chip offers: a look inside, for baselines that cheat and for tests.

    Looking changes nothing: no clock, no counter, no memory of a neuron.
    """

    def __init__(self, arrays: Sequence[Crossbar], neurons: Sequence[Neurons]) -> None:
        self._arrays = arrays
        self._neurons = neurons

    def weights(self, layer: int) -> np.ndarray:
        """Return the present weights (inputs, neurons)."""
        return self._arrays[layer].weights

    def conductances(self, layer: int) -> np.ndarray:
        """Return G+ and G-, (2, inputs, neurons) [S]."""
        return self._arrays[layer].conductances

    def neurons(self, layer: int, z: np.ndarray) -> np.ndarray:
        """Return f(z), (B, neurons) float32, before any converter; rows in order from the neurons' present state."""
        return self._copy(layer)(self._input(layer, z))

    def slope(self, layer: int, z: np.ndarray) -> np.ndarray:
        r"""Return the slopes of the fabricated neurons at their present state.

        .. math:: f'(z) \approx \frac{f(z + h) - f(z - h)}{2h}, \qquad h = 2^{-8} \max(1, |z|/16)

        The step balances the two errors in float32 for a curve that bends on the scale of z = 1.

        Parameters
        ----------
        layer : int
            Layer of the chip.
        z : (B, neurons) array
            Where the slopes are wanted, bias included, in units of z.

        Returns
        -------
        (B, neurons) float32
            Error: h²/6 times the third derivative, and rounding, about 2**-15 of abs(f). At a kink it is the average
            of the slopes of both sides, within h of a kink a weighted one. Of neurons that remember, row b is the
            slope of the output in row b by z of the same row, from the state that the rows before it leave.

        Raises
        ------
        UsageError
            If z has another shape or is not finite.
        """
        z = self._input(layer, z)
        box = self._copy(layer)
        if not isinstance(box, Stateful):
            return self._difference(box, box, z)
        slope = np.empty_like(z)
        for b in range(len(z)):  # rows follow one another: each is tried on copies of what was before it
            here = z[b : b + 1]
            slope[b : b + 1] = self._difference(copy.deepcopy(box), copy.deepcopy(box), here)
            box(here)
        return slope

    @staticmethod
    def _difference(above: Neurons, below: Neurons, z: np.ndarray) -> np.ndarray:
        h = np.float32(SLOPE_STEP) * np.maximum(np.abs(z) * np.float32(1 / 16), np.float32(1))
        high, low = z + h, z - h
        # Divided by the distance that float32 has really left between the points, in float64: no third rounding.
        rise = above(high).astype(np.float64) - below(low)
        return (rise / (high.astype(np.float64) - low)).astype(np.float32)

    def _copy(self, layer: int) -> Neurons:
        """Return the neurons of a layer, as a copy where calling them would move their state."""
        box = self._neurons[layer]
        return copy.deepcopy(box) if isinstance(box, Stateful) else box

    def _input(self, layer: int, z: np.ndarray) -> np.ndarray:
        z = np.array(z, np.float32, order="C")
        neurons = self._arrays[layer].shape[1]
        if z.ndim != 2 or z.shape[1] != neurons:
            raise UsageError(f"the oracle needs z of shape (B, {neurons}) for layer {layer}, got shape {z.shape}.")
        if not np.isfinite(z).all():
            raise UsageError(f"the oracle needs finite z for layer {layer}, got NaN or infinity.")
        return z


class Chip:
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
        Name of the neurons, or ``file.py:function``.
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
    arrays : dict, optional
        More arrays by layer, ``{layer: names}``; every layer has the array "main".
    """

    pins = frozenset({"observe", "read", "transposed", "fire", "fire_cells", "program", "wait"})

    def __init__(
        self,
        device: str | Device,
        layers: Sequence[tuple[int, int]],
        *,
        chip_seed: int = 0,
        nonlinearity: str = "relu",
        dac: int | None = 8,
        adc: int | None = 8,
        tile: tuple[int, int] = (256, 256),
        arrays: dict[int, Sequence[str]] | None = None,
        read_noise: bool = True,
        sealed: bool = False,
        weight_range: float = 4.0,
        input_scale: float = 6.0,
        adc_range: float = 8.0,
        partial_sums: str = "digital",
        faults: Mapping[str, object] | None = None,
    ) -> None:
        self._device = load_device(device)
        if not read_noise:
            self._device = self._device.without(read_noise=True)
        if not layers:
            raise UsageError("a chip needs at least one layer.")
        self.shapes = tuple(
            (positive_int("a layer", "inputs", n), positive_int("a layer", "neurons", m)) for n, m in layers
        )
        if partial_sums not in PARTIAL_SUMS:
            raise UsageError(f"partial sums are one of {', '.join(PARTIAL_SUMS)}, got {partial_sums!r}.")
        self._digital_sums = partial_sums == "digital"
        self._scale = in_range("a chip", "input_scale", input_scale, 1e-6, 1e6)
        self._dac, self._adc = Dac(dac), Adc(adc, adc_range)
        self._perfect = Adc(None, adc_range)
        self._sealed = sealed
        key = Key(chip_seed, "chip")
        neurons = load_nonlinearity(nonlinearity)
        self._analog = neurons.analog
        self._arrays: dict[tuple[int, str], Crossbar] = {}
        self._neurons: list[Neurons] = []
        for layer, shape in enumerate(self.shapes):
            cells = with_faults(self._device, faults, layer, len(self.shapes))
            for name in ("main", *(arrays or {}).get(layer, ())):
                place = key.child("layer", layer).child(name)
                self._arrays[layer, name] = Crossbar(cells, shape, key=place, tile=tile, weight_range=weight_range)
            self._neurons.append(neurons.fabricate(shape[1], key.child("neurons", layer)))
        self._timed = [box for box in self._neurons if isinstance(box, Timed)]
        self.datasheet = tuple(
            LayerSheet(n, m, a.weight_step, a.weight_limit, self._scale, dac, adc)
            for (n, m), a in zip(self.shapes, self._main(), strict=True)
        )
        self._time = 0.0
        # Converted and clipped values of each layer: DAC converted, DAC clipped, ADC converted, ADC clipped.
        self._conversions = np.zeros((len(self.shapes), 4), np.int64)

    def _main(self) -> list[Crossbar]:
        return [self._arrays[layer, "main"] for layer in range(len(self.shapes))]

    def _array(self, layer: int, name: str) -> Crossbar:
        try:
            return self._arrays[layer, name]
        except KeyError:
            raise MissingPinError(f"layer {layer} of this chip has no array '{name}'.") from None

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
        z, events = self._sense(layer, x, key, array, convert=self._digital_sums)
        if offset is not None:
            z = z + offset
        y = self._neurons[layer](z)
        count = {"nonlinearity": y.size}
        if self._analog or not self._digital_sums:
            y, clipped = self._adc.convert(np.ascontiguousarray(y)[None], 1.0, None, key)
            self._conversions[layer, 2:] += (y.size, clipped)
            count |= self._converter("adc", self._adc.bits, y.size)
            if self._digital_sums:
                count |= self._converter("dac", self._dac.bits, y.size)
        return y, events + Events(count)

    def read(self, layer: int, x: np.ndarray, *, key: Key, array: str = "main") -> tuple[np.ndarray, Events]:
        """Return z (B, neurons) through the converter, and the events."""
        return self._sense(layer, self._driven(layer, x, array), key, array, convert=True)

    def observe_transposed(
        self, layer: int, d: np.ndarray, *, key: Key, array: str = "main"
    ) -> tuple[np.ndarray, Events]:
        """Return d W^T (B, inputs) for d (B, neurons), driven at the scale of its largest value, and the events."""
        crossbar = self._array(layer, array)
        d = pins.finite("what drives the columns", d, (None, crossbar.shape[1]))
        scale = float(np.abs(d).max(initial=0.0)) or 1.0
        v, _ = self._dac.convert(d, scale)
        v_fs = self._device.v_read
        current, events = crossbar.read_transposed(v * np.float32(v_fs), key=key)
        self._clock(events)
        back = current * np.float32(scale / (crossbar.g_unit * v_fs))
        converted, _ = self._adc.convert(back[None] / np.float32(scale), 1.0, None, key)
        columns = crossbar.tiling.column_tiles
        count = self._converter("dac", self._dac.bits, 2 * d.size)
        count |= self._converter("adc", self._adc.bits, columns * back.size)
        return converted * np.float32(scale), events + Events(count)

    def fire(
        self, layer: int, rows: np.ndarray, columns: np.ndarray, sign: int, *, key: Key, array: str = "main"
    ) -> Events:
        """Apply 0/1 pulse trains (slots, inputs) and (slots, neurons), one polarity a call."""
        events = self._array(layer, array).fire(rows, columns, sign, key=key)
        self._clock(events)
        return events

    def fire_cells(self, layer: int, counts: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Give each weight a signed number of device pulses, int32 (inputs, neurons), addressed row by row."""
        events = self._array(layer, array).pulse(counts, key=key)
        self._clock(events)
        return events

    def program(self, layer: int, weights: np.ndarray, *, key: Key, array: str = "main") -> Events:
        """Ask for weights (inputs, neurons), open loop."""
        events = self._array(layer, array).program(weights, key=key)
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

    def _driven(self, layer: int, x: np.ndarray, array: str) -> np.ndarray:
        """Return the inputs of a read, checked before anything moves."""
        return pins.finite("inputs", x, (None, self._array(layer, array).shape[0]))

    def _sense(self, layer: int, x: np.ndarray, key: Key, array: str, *, convert: bool) -> tuple[np.ndarray, Events]:
        """Return z (B, neurons): converted tile by tile, or the analog sum with its noise."""
        crossbar = self._array(layer, array)
        # The array is linear: it is read in units of the full-scale voltage, which only the energy sees.
        v_fs, read_key = float(self._device.v_read), key.child("read")
        if self._digital_sums:
            z, clipped, events = sense(crossbar, x, self._dac, self._adc, self._scale, v_fs, read_key)
            converted = z.size * crossbar.tiling.row_tiles
        else:
            v, dac_clipped = self._dac.convert(x, self._scale)
            v *= np.float32(v_fs)
            partial, events = crossbar.partial_currents(v)
            to_z = self._scale / (crossbar.g_unit * v_fs)
            sigma = crossbar.noise_deviation(v)
            if sigma is not None:
                sigma = np.sqrt(np.square(sigma * np.float32(to_z)).sum(axis=0, keepdims=True))
            adc = self._adc if convert else self._perfect
            z, adc_clipped = adc.convert(partial.sum(axis=0, keepdims=True), to_z, sigma, read_key)
            clipped, converted = np.array((dac_clipped, adc_clipped)), z.size
        self._clock(events)
        phases = events["reads.cells"] // max(1, x.size * 2 * crossbar.shape[1])
        count = self._converter("dac", self._dac.bits, phases * x.size)
        self._conversions[layer, :2] += (x.size, clipped[0])
        if convert:
            count |= self._converter("adc", self._adc.bits, converted)
            self._conversions[layer, 2:] += (converted, clipped[1])
        return z, events + Events(count)

    @staticmethod
    def _converter(kind: str, bits: int | None, number: int) -> dict[str, int]:
        return {} if bits is None else {f"{kind}.{bits}": number}

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
        """Whether every look inside raises."""
        return self._sealed

    def close(self) -> None:
        """Do nothing: this chip lives in the caller's process."""

    def __repr__(self) -> str:
        layers = " + ".join(f"{n} x {m}" for n, m in self.shapes)
        bits = ", ".join(f"{name} {'perfect' if n is None else f'{n} bits'}" for name, n in self._bits())
        sealed = ", sealed" if self._sealed else ""
        return f"<Chip of device '{self._device.name}': layers of {layers} (inputs x neurons), {bits}{sealed}>"

    def _bits(self) -> tuple[tuple[str, int | None], tuple[str, int | None]]:
        return ("DAC", self._dac.bits), ("ADC", self._adc.bits)

    @property
    def oracle(self) -> Oracle:
        """A look inside; SealedChipError on a sealed chip."""
        if self._sealed:
            raise SealedChipError("this chip is sealed: its weights, conductances and curves cannot be looked at.")
        return Oracle(self._main(), self._neurons)

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped, None where nothing was converted."""
        return [
            {"dac": int(c[1]) / int(c[0]) if c[0] else None, "adc": int(c[3]) / int(c[2]) if c[2] else None}
            for c in self._conversions
        ]

    def inspect(self) -> list[dict[str, float | None]] | None:
        """Return for each layer the summary of `hardware_models.inspection` and the spread of W; None if sealed."""
        if self._sealed:
            return None
        noise, size = pulse_noise(self._device), pulse_step(self._device)
        return [
            self.cells(layer).summary()
            | {
                "pulse_noise": noise,
                "pulse_step": size,
                "weight_spread": float(crossbar.weights.std(dtype=np.float64) * np.sqrt(crossbar.shape[0])),
            }
            for layer, crossbar in enumerate(self._main())
        ]

    def cells(self, layer: int) -> Inspection:
        """Return a look at every cell of a layer; SealedChipError on a sealed chip."""
        if self._sealed:
            raise SealedChipError("this chip is sealed: its cells cannot be looked at.")
        return inspect_cells(self._arrays[layer, "main"])

    def save(self) -> dict[str, np.ndarray]:
        """Return the state of every array and of neurons that have one, the clock and the counters."""
        saved = {"chip.time": np.array(self._time), "chip.conversions": self._conversions.copy()}
        for (layer, name), array in self._arrays.items():
            saved |= {f"layer{layer}.{name}.{entry}": value for entry, value in array.save().items()}
        for layer, box in self._stateful():
            saved |= {f"neurons{layer}.{entry}": value for entry, value in box.save().items()}
        return saved

    def _stateful(self) -> list[tuple[int, Stateful]]:
        return [(layer, box) for layer, box in enumerate(self._neurons) if isinstance(box, Stateful)]

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take up a state that `save` returned; UsageError if it lacks the memory of this chip's neurons."""
        memories = [(layer, box, _entries(state, f"neurons{layer}.")) for layer, box in self._stateful()]
        for layer, _, memory in memories:
            if not memory:
                raise UsageError(f"the saved state holds nothing of the neurons of layer {layer}, which remember.")
        self._time = float(state["chip.time"])
        self._conversions = np.array(state["chip.conversions"])
        for (layer, name), array in self._arrays.items():
            array.restore(_entries(state, f"layer{layer}.{name}."))
        for _, box, memory in memories:
            box.restore(memory)


def _entries(state: Mapping[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    """Return the entries of a saved state whose names begin with `start`, without it."""
    return {name[len(start) :]: value for name, value in state.items() if name.startswith(start)}
