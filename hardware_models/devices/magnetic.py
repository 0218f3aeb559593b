r"""Magnetic tunnel junctions: binary, stochastic, in groups.

A cell is a group of m parallel junctions, k of them in the low-resistance state:

.. math:: G = G_{low} + (G_{high} - G_{low})\,k/m

Each junction that is not yet in the wanted state switches with probability p per pulse, independently, so that n
pulses switch

.. math:: \Delta k \sim \mathrm{Binomial}\left(m - k,\; 1 - (1-p)^n\right) \quad (n > 0)

and correspondingly k junctions back for n < 0: exactly, and n pulses at once are n times one. m = 1 is one binary bit.
A cell's spread is log-normal on its switching rate -ln(1-p), so that its probability stays below one. Stochastic
switching as a synapse: Vincent et al., IEEE Trans. Biomed. Circuits Syst. 9, 166 (2015), doi:10.1109/TBCAS.2015.2414423.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, si
from hardware_models.devices.drawn import cell_bounds, log_normal
from hardware_models.devices.state import in_one_row
from hardware_models.devices.windows import Window, crossings
from hardware_models.kernels import switching
from hardware_models.kernels.bursts import Burst, crossing, listing
from hardware_models.keys import Key


class MagneticState(NamedTuple):
    """State of an array of groups of junctions, (rows, columns)."""

    g: np.ndarray  # conductance [S]
    switched: np.ndarray  # junctions in the low-resistance state, int32
    rate_up: np.ndarray  # -ln(1 - p) of the cell, up [1/pulse]
    rate_down: np.ndarray  # -ln(1 - p) of the cell, down [1/pulse]
    low: np.ndarray  # conductance of no junction switched [S]
    high: np.ndarray  # conductance of all junctions switched [S]


@dataclass(frozen=True, kw_only=True)
class Magnetic(BaseDevice[MagneticState]):
    """Groups of stochastic binary junctions; see the module for the equation."""

    name: str = "magnetic"
    junctions: float = si("1", 1.0, 4096.0, 1.0)  # m, a whole number
    probability_up: float = si("1", 0.0, 1.0, 0.5, low_open=True)  # p of one up pulse
    probability_down: float = si("1", 0.0, 1.0, 0.5, low_open=True)  # p of one down pulse
    rate_spread: float = si("1", 0.0, 2.0, 0.0)  # log-normal spread of the switching rate
    bound_spread: float = si("1", 0.0, 0.3, 0.0)  # spread of each bound in units of the range

    def __post_init__(self) -> None:
        """Check that the junctions can be counted."""
        super().__post_init__()
        if self.junctions != int(self.junctions):
            raise UsageError(f"device {self.name} needs a whole number of junctions, got {self.junctions:g}.")

    def imperfections(self) -> dict[str, list[str]]:
        """Return the names of the numbers that are read noise and spread; the switching itself cannot be switched off."""
        return super().imperfections() | {"spread": ["rate_spread", "bound_spread"]}

    def fabricate(self, shape: tuple[int, int], key: Key) -> MagneticState:
        """Draw each cell's rates and bounds; fresh cells hold the nearest whole number of switched junctions."""
        low, high = cell_bounds(self, self.bound_spread, shape, key)
        share = (self.fresh_conductance(shape, key) - np.float32(self.g_min)) / np.float32(self.g_range)
        switched = np.rint(share * np.float32(self.junctions)).astype(np.int32)
        if self.junctions == 1 and self.fresh == "mid":  # a single bit has no middle: heads or tails
            switched[:] = key.child("fresh").generator().integers(0, 2, shape)
        rates = (-math.log1p(-min(p, 1.0 - 1e-15)) for p in (self.probability_up, self.probability_down))
        names = ("up", "down")
        up, down = (
            np.float32(r) * log_normal(shape, self.rate_spread, key.child(w)) for r, w in zip(rates, names, strict=True)
        )
        g = low + (high - low) * (switched.astype(np.float32) / np.float32(self.junctions))
        return MagneticState(g, switched, up, down, low, high)

    def pulse(self, state: MagneticState, pulses: np.ndarray, key: Key, window: Window | None = None) -> None:
        """Switch each junction by a draw of its own."""
        self._switch(state, crossing(pulses, *crossings(state.g.shape, window), window is None), key)

    def pulse_some(self, state: MagneticState, where: np.ndarray, pulses: np.ndarray, key: Key) -> None:
        """Do what `pulse` does with the cells at flat positions `where` (k,) int64, each once."""
        with in_one_row(state) as rows:
            self._switch(MagneticState(*rows), listing(pulses, where), key)

    def _switch(self, state: MagneticState, burst: Burst, key: Key) -> None:
        w0, w1, _, _ = key.words
        switching.binomial_switching(state, burst, int(self.junctions), (w0, w1))
