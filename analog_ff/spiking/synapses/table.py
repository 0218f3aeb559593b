r"""Synapses on step tables: device pulses as equations of Brian2, for any of its targets, C++ standalone included.

Each synapse is a pair of devices of random kinds of `StepTables`, with states s+ and s- in shares of their own range. At
the end of a presentation, as on the crossbar,

.. math:: n = \lfloor M_j x_i/\Delta W + u \rfloor, \qquad
          s' = \mathrm{clip}\bigl(s + |n|\,\mu^\pm(s) + \sqrt{|n|}\,\sigma^\pm(s)\,\xi,\; 0,\; 1\bigr), \qquad
          w = g^+ - g^-

n is split by the rule of `Crossbar.pulse`: G+ and G- get half each, and an odd pulse is assigned by a chequerboard pattern that
is inverted at random. mu is interpolated between the levels of the table, sigma is that of the nearest level. For the prices,
each cell of the layer adds up the pulses on its synapses, and each row its conductance.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from analog_ff.spiking import accounting
from analog_ff.spiking.brian import Brian, BrianObject, Clock, NeuronGroup, Synapses, TimedArray
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.synapses.base import CHANGE, LayerCells, arrival, delays, inhibition, presynaptic
from analog_ff.spiking.synapses.lines import HEARD, TURNS, Lines, read_deviation, turns
from analog_ff.spiking.synapses.on_device import TILE, OnDevice, Wired
from analog_ff.spiking.synapses.step_tables import StepTables
from hardware_models.crossbar import write_costs
from hardware_models.devices.base import Device
from hardware_models.events import Ledger
from hardware_models.kernels.pulses import write_sums
from hardware_models.keys import Key
from hardware_models.tiles import Tiling

SUMS = "up : 1\ndown : 1\nup_g : 1\ndown_g : 1\nmade : 1"
"""Equations of the cells of a layer: sums over synapses of pulses, of pulses times mean conductance [G_unit], of changes."""
_DEVICE = """
at_{d} = s_{d}*(levels - 1)
first_{d} = int(clip(floor(at_{d}), 0, levels - 2))
falls_{d} = int(n_{d} < 0)
here_{d} = STEPS((k_{d} + 0.5)*ms, first_{d} + levels*falls_{d})
there_{d} = STEPS((k_{d} + 0.5)*ms, first_{d} + 1 + levels*falls_{d})
sigma_{d} = STEPS((k_{d} + 0.5)*ms, int(at_{d} + 0.5) + levels*(2 + falls_{d}))
mu_{d} = here_{d} + (at_{d} - first_{d})*(there_{d} - here_{d})
low_{d} = STEPS((k_{d} + 0.5)*ms, 4*levels)*per_unit
span_{d} = STEPS((k_{d} + 0.5)*ms, 4*levels + 1)*per_unit
new_{d} = clip(s_{d} + abs(n_{d})*mu_{d} + sqrt(abs(n_{d}))*sigma_{d}*randn(), 0, 1)
mean_{d} = low_{d} + 0.5*span_{d}*(s_{d} + new_{d})
"""
_CHANGE = """
wanted = floor(M_post*x_seen/pulse_step + rand())
half = floor(0.5*wanted)
odd = wanted - 2*half
mine = 1 - (i + j + int(TURN((timestep(t, step_time) // period_steps % turns + 0.5)*ms))) % 2
n_p = half + mine*odd
n_m = -half - (1 - mine)*odd
{plus}{minus}
up_post += clip(n_p, 0, inf) + clip(n_m, 0, inf)
down_post += clip(-n_p, 0, inf) + clip(-n_m, 0, inf)
up_g_post += clip(n_p, 0, inf)*mean_p + clip(n_m, 0, inf)*mean_m
down_g_post += clip(-n_p, 0, inf)*mean_p + clip(-n_m, 0, inf)*mean_m
made_post += int(x_seen != 0)
row_pre += span_p*(new_p - s_p) + span_m*(new_m - s_m)
w = low_p + span_p*new_p - low_m - span_m*new_m
s_p = new_p
s_m = new_m
"""


class _Array(NamedTuple):
    """The array of one layer."""

    unit: float  # G_unit [S]
    layer: NeuronGroup
    synapses: Synapses
    kind: np.ndarray  # (rows, 2 columns) kind of each device


class TableSynapses(OnDevice):
    """Synapses on step tables of `config.device` (or the `device` given), of the chip `config.chip_seed`.

    Raises UsageError if tables cannot describe the device.
    """

    types: Mapping[str, type[np.generic]] = MappingProxyType({name.split()[0]: np.float64 for name in SUMS.split("\n")})

    def __init__(self, config: SpikingConfig, device: Device | None = None) -> None:
        super().__init__(config, device)
        self.tables = StepTables.of(self.device, Key(config.chip_seed, "chip").child("tables"))
        self._arrays: list[_Array] = []
        noisy = read_deviation(self.device, (1, 1), config.weight_range) is not None
        self.target = f"{SUMS}\n{HEARD}" if noisy else SUMS

    def attach(
        self, b2: Brian, config: SpikingConfig, n: int, below: NeuronGroup, layer: NeuronGroup, initial: np.ndarray,
        space: Mapping[str, object], dt: Clock, period: Clock, learn: bool,
    ) -> tuple[Synapses, list[BrianObject]]:  # fmt: skip
        """Return the synapses from `below` to layer n, programmed with first weights (inputs, cells), and further objects."""
        rows, columns = initial.shape
        d, tables = self.device, self.tables
        tiling = Tiling(rows, 2 * columns, *TILE)
        limit = config.weight_range / np.sqrt(rows)
        unit, pulse_step = d.g_range / limit, limit / d.states
        kind, share = self._program(initial, n, tiling, limit, pulse_step)
        g = tables.conductance(share, kind) / unit

        def table(name: str, values: np.ndarray) -> TimedArray:
            return b2.TimedArray(np.asarray(values, float), dt=1 * b2.ms, name=f"table_{name}_{n}")

        steps = np.concatenate(
            [tables.mean.reshape(tables.kinds, -1), tables.deviation.reshape(tables.kinds, -1),
             tables.low[:, None] / d.g_range, tables.span[:, None] / d.g_range], axis=1
        )  # fmt: skip
        own = {
            **space, "STEPS": table("steps", steps), "TURN": table("turn", turns(config, n)), "turns": TURNS,
            "levels": tables.levels, "per_unit": d.g_range / unit, "pulse_step": pulse_step,
            "step_time": dt.dt, "inhibition": inhibition(config, n, rows),
            **{name: table(name.lower(), values) for name, values in (
                ("STATE_P", share[:, 0::2]), ("STATE_M", share[:, 1::2]), ("KIND_P", kind[:, 0::2]),
                ("KIND_M", kind[:, 1::2]), ("FIRST", g[:, 0::2] - g[:, 1::2]))},
        }  # fmt: skip
        # Because of the random numbers Brian2 warns about the order of synapses; it does not matter, as all have one law.
        b2.BrianLogger.suppress_hierarchy("brian2.codegen.generators.base")
        change = _CHANGE.format(plus=_DEVICE.format(d="p"), minus=_DEVICE.format(d="m"))
        change = change.replace("x_seen", f"{presynaptic(n)}_pre")
        synapses = b2.Synapses(
            below, layer, "w : 1\ns_p : 1\ns_m : 1\nk_p : integer\nk_m : integer",
            on_pre={"arrive": arrival(config, n)}, on_post={"change": change} if learn else None,
            on_event={"arrive": "spike", "change": "learn"} if learn else "spike",
            namespace=own, clock=dt, name=f"synapses_{n}",
        )  # fmt: skip
        synapses.connect()
        if config.delay:
            delays(synapses, config)
        for variable, name in (
            ("w", "FIRST"),
            ("s_p", "STATE_P"),
            ("s_m", "STATE_M"),
            ("k_p", "KIND_P"),
            ("k_m", "KIND_M"),
        ):
            whole = f"int({name}((i + 0.5)*ms, j) + 0.5)" if variable.startswith("k") else f"{name}((i + 0.5)*ms, j)"
            setattr(synapses, variable, whole)
        below.row = g.sum(axis=1)
        if learn:
            synapses.change.when, synapses.change.order = "start", CHANGE
        deviation = read_deviation(d, initial.shape, config.weight_range)
        lines = Lines(b2, config, n, (below, layer), tiling, deviation, dt, period)
        self._wired.append(Wired(tiling, unit, lines))
        self._arrays.append(_Array(unit, layer, synapses, kind))
        return synapses, lines.objects

    def _program(
        self, initial: np.ndarray, n: int, tiling: Tiling, limit: float, pulse_step: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return kind and state of each device after programming, and book the events of programming."""
        counts = np.rint(np.clip(initial, -limit, limit) / pulse_step).astype(np.int32)
        generator = Key(self._config.chip_seed, "chip").child("layer", n).child("main").generator()
        kind, pulses, share = self.tables.programmed(counts, generator)
        fresh = self.tables.conductance(self.tables.fresh[kind], kind).astype(np.float32)
        now = self.tables.conductance(share, kind).astype(np.float32)
        sums, slots = write_sums(fresh, now, pulses, tiling.tile_columns)
        self._ledger.book("program", write_costs.priced(self.device, tiling, sums, slots), n)
        return kind, share

    def _book_pulses(self, total: Ledger) -> None:
        for n, (unit, layer, *_) in enumerate(self._arrays):
            sums = (layer.up, layer.down, layer.up_g, layer.down_g, layer.made)
            up, down, up_g, down_g, made = (float(np.sum(np.asarray(cells[:], np.float64))) for cells in sums)
            pulses = accounting.write_events(self.device, up, down, up_g * unit, down_g * unit)
            total.book("learn", pulses + accounting.wanted_events(round(made)), n)

    def shares(self, n: int) -> np.ndarray:
        """Return the states (rows, 2 columns) of layer n's devices after the run, with G+ and G- alternating."""
        array = self._arrays[n]
        states = np.empty(array.kind.shape)
        for side, held in enumerate((array.synapses.s_p, array.synapses.s_m)):
            states[:, side::2] = np.asarray(held[:]).reshape(states[:, side::2].shape)
        return states

    def cells(self) -> list[LayerCells]:
        """Return the cells of each layer after the run, without their pulses."""
        looks = []
        for n, array in enumerate(self._arrays):
            share = self.shares(n)
            conductance = self.tables.conductance(share, array.kind)
            g = (conductance - self.device.g_min) / self.device.g_range
            low, high = float((share <= 0.0).mean()), float((share >= 1.0).mean())
            figures: Mapping[str, float | None] = {
                "share_at_bound": low + high, "share_at_low": low, "share_at_high": high,
                "conductance_spread": float(g.std()), "common_mode": float(g.mean()),
            }  # fmt: skip
            looks.append(LayerCells(figures, conductance, None))
        return looks
