r"""Encoders, which turn the intensities of an image into spikes of input cells.

With the probability :math:`p_i` of a spike in one clock step, the rate times the step:

- ``poisson``: a spike in each step with probability p, independent of all others;
- ``regular``: :math:`\dot\varphi = p/\Delta t`, a spike at :math:`\varphi = 1`, the phase uniform at the onset;
- ``latency``: one spike, after :math:`\lfloor T (1 - p/p_{max}) \rfloor` steps, at once for p above p_max; none at p = 0.

All three are written as equations of Brian2; T is the number of steps of a presentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Encoder(NamedTuple):
    """Brian2 code of an encoder, which may use p, p_max, T_steps and `since` (steps since the onset)."""

    equations: str
    threshold: str
    reset: str
    onset: str  # code that runs at the start of a presentation, after p is set


ENCODERS: Mapping[str, Encoder] = MappingProxyType(
    {
        "poisson": Encoder("", "rand() < p", "", ""),
        "regular": Encoder("dphi/dt = p/dt : 1", "phi >= 1", "phi -= 1", "phi = rand()"),
        "latency": Encoder(
            "spike_at : 1",
            "since == spike_at",
            "",
            "spike_at = int(p > 0)*floor(T_steps*(1 - clip(p/p_max, 0, 1))) - int(p <= 0)",
        ),
    }
)
