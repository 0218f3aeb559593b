r"""Synapses on the project's crossbars, pulsed exactly: each wanted change becomes pulses on the synapse's own devices.

.. math:: n_{ij} = \left\lfloor M_j x_i/\Delta W + u \right\rfloor, \quad u \sim U[0, 1), \qquad
          w_{ij} = (G^+_{ij} - G^-_{ij})/G_{unit}

After each presentation a Python function reads the traces M and x, gives the pulses n to `Crossbar.pulse`, and copies the new
weights of the devices back to Brian2; this needs one of Brian2's run-time targets. Any device of the project
can be used, with its bounds, steps, noise, spread and drift; its time passes at the pace of the presentations. Delta W is the
nominal change of a weight by one pulse. If the read noise depends on the cell, each synapse has its own variance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analog_ff.spiking import accounting
from analog_ff.spiking.brian import Brian, BrianObject, Clock, NeuronGroup, Synapses
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.base import CHANGE, LayerCells, arrival, delays, inhibition, presynaptic
from analog_ff.spiking.synapses.lines import HEARD, NOISE, TURNS, Lines, heard_gain, read_deviation, turns
from analog_ff.spiking.synapses.on_device import TILE, OnDevice, Wired
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.inspection import inspect_cells
from hardware_models.devices.base import BaseDevice, Device
from hardware_models.events import Ledger
from hardware_models.keys import Key


class CrossbarSynapses(OnDevice):
    """Synapses on crossbars of `config.device` (or the `device` given), one crossbar a layer, of the chip `config.chip_seed`."""

    def __init__(self, config: SpikingConfig, device: Device | None = None) -> None:
        super().__init__(config, device)
        self.arrays: list[Crossbar] = []
        # If the noise depends on the cell, it is added per synapse; otherwise it follows from the number of spikes.
        own = read_deviation(self.device, (1, 1), config.weight_range)
        self._by_cell = own is not None and np.isnan(own)
        self.target = "heard : 1" if self._by_cell else "" if own is None else HEARD
        self._ages = self.device.timed or type(self.device).wait is not BaseDevice.wait

    def attach(
        self, b2: Brian, config: SpikingConfig, n: int, below: NeuronGroup, layer: NeuronGroup, initial: np.ndarray,
        space: Mapping[str, object], dt: Clock, period: Clock, learn: bool,
    ) -> tuple[Synapses, list[BrianObject]]:  # fmt: skip
        """Return the synapses from `below` to layer n, programmed with first weights (inputs, cells), and further objects."""
        place = Key(config.chip_seed, "chip").child("layer", n).child("main")
        array = Crossbar(self.device, initial.shape, key=place, tile=TILE, weight_range=config.weight_range)
        self._ledger.book("program", array.program(initial, key=Key(config.seed, "program").child("layer", n)), n)
        self.arrays.append(array)
        effect = arrival(config, n) + ("\nheard_post += q" if self._by_cell else "")
        own = {**space, "inhibition": inhibition(config, n, initial.shape[0])}
        equations = "w : 1\nq : 1" if self._by_cell else "w : 1"
        synapses = b2.Synapses(
            below, layer, equations, on_pre={"arrive": effect}, namespace=own, clock=dt, name=f"synapses_{n}"
        )
        synapses.connect()
        if config.delay:
            delays(synapses, config)
        deviation = None if self._by_cell else read_deviation(self.device, array.shape, config.weight_range)
        lines = Lines(b2, config, n, (below, layer), array.tiling, deviation, dt, period)
        self._wired.append(Wired(array.tiling, array.g_unit, lines))
        if self._by_cell:
            code = f"v += {heard_gain(config, n)}sqrt(heard)*randn()\nheard = 0"
            layer.run_regularly(code, clock=dt, when="synapses", order=NOISE, name=f"read_noise_{n}")
        show = _Copy(array, synapses, below, self._by_cell)
        show()
        step = _Change(self._ledger, array, config, n, (below, layer), show, self._ages, learn, float(period.dt))
        function = b2.NetworkOperation(step, clock=period, when="start", order=CHANGE, name=f"change_{n}")
        return synapses, [function, *lines.objects]

    def cells(self) -> list[LayerCells]:
        """Return the cells of each layer after the run."""
        looks = [inspect_cells(array) for array in self.arrays]
        return [LayerCells(look.summary(), look.conductance, look.pulses) for look in looks]


class _Copy:
    """Copy the weights (and, per cell, the read noise) of the devices to Brian2's arrays, when called."""

    def __init__(self, array: Crossbar, synapses: Synapses, below: NeuronGroup, by_cell: bool) -> None:
        self._array, self._synapses, self._below, self._by_cell = array, synapses, below, by_cell

    def __call__(self) -> None:
        array = self._array
        # Synapses are numbered input by input, in the order of a matrix (inputs, cells).
        self._synapses.variables["w"].get_value()[:] = array.weights.ravel()
        self._below.variables["row"].get_value()[:] = array.row_sums / array.g_unit
        if self._by_cell:
            pairs, unit = array.noise_map()
            whole = np.concatenate(list(pairs), axis=1)[:, : array.shape[1]]
            self._synapses.variables["q"].get_value()[:] = (whole * (unit / array.g_unit**2)).ravel()


class _Change:
    """Update of the crossbar between two presentations: time passes, and pulses change the weights."""

    def __init__(
        self, ledger: Ledger, array: Crossbar, config: SpikingConfig, n: int,
        groups: tuple[NeuronGroup, NeuronGroup], show: _Copy, ages: bool, learn: bool, seconds: float,
    ) -> None:  # fmt: skip
        self._ledger, self._array, self._n, self._show = ledger, array, n, show
        self._below, self._layer = groups
        self._ages, self._learn, self._seconds = ages, learn, seconds
        self._trace = presynaptic(n)
        self._key = Key(config.seed, "pulses").child("layer", n)
        self._turns = turns(config, n)
        self._presentation = 0

    def __call__(self) -> None:
        k, self._presentation = self._presentation, self._presentation + 1
        if self._ages and k:
            self._array.wait(self._seconds, key=self._key.child("wait").at(k))
        pulsed = self._learn and self._pulse(k)
        if pulsed or (self._ages and k):
            self._show()

    def _pulse(self, k: int) -> bool:
        """Pulse the cells by the traces of presentation k; return False if nothing is learned from it."""
        factor = np.asarray(self._layer.variables["M"].get_value(), np.float64)
        active = np.flatnonzero(factor)
        if not active.size:
            return False
        x = np.asarray(self._below.variables[self._trace].get_value(), np.float64)
        rows = np.flatnonzero(x)
        wanted = np.outer(x[rows], factor[active]) / self._array.weight_step
        u = self._key.child("rounding").at(k).generator().random(wanted.shape)
        counts = np.zeros(self._array.shape, np.int32)
        counts[np.ix_(rows, active)] = np.floor(wanted + u).astype(np.int32)
        if self._turns[k % TURNS]:
            self._array.turn_over()
        events = self._array.pulse(counts, key=self._key.child("pulse").at(k))
        self._ledger.book("learn", events + accounting.wanted_events(wanted.size), self._n)
        return True
