"""The equations of single cells as Brian2 code: LIF cells, and the cell that holds the goodness of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from analog_ff.spiking.config import SpikingConfig


class Goodness(NamedTuple):
    """A function phi as Brian2 code: the increase of G by a spike as a function of the count before it, and phi'/2."""

    increment: str
    half_slope: str


GOODNESS: Mapping[str, Goodness] = MappingProxyType(
    {
        "squared": Goodness("2*r_pre + 1", "r"),
        "saturating": Goodness(
            "(r_pre + 1)**2/(1 + (r_pre + 1)/r_s) - r_pre**2/(1 + r_pre/r_s)",
            "0.5*r*(2 + r/r_s)/(1 + r/r_s)**2",
        ),
        "linear": Goodness("1", "int(r > 0)"),
    }
)


def goodness_equations(config: SpikingConfig) -> str:
    """Return the equation of the cell that holds the goodness of a layer."""
    if not config.online:
        return "G : 1"
    # The counts decay with tau_trace, so the sum of their squares decays twice as fast.
    return f"dG/dt = -{2 if config.goodness == 'squared' else 1}*G/tau_trace : 1"


def cell_equations(config: SpikingConfig) -> tuple[str, str, str]:
    """Return the equations, the threshold and the reset of a LIF cell as Brian2 code."""
    noise = " + noise*sqrt(2/tau)*xi" if config.noise else ""
    refractory = " (unless refractory)" if config.refractory else ""
    lines = [
        f"dv/dt = -v/tau{noise} : 1{refractory}",
        "dr/dt = -r/tau_trace : 1" if config.online else "r : 1",
        "fired : integer",
        "M : 1",
        "xn : 1",
        "G : 1 (linked)",
    ]
    threshold, reset = "v > 1", ("v -= 1" if config.reset == "subtract" else "v = 0") + "\nr += 1\nfired += 1"
    if config.adaptation:
        lines.append("da/dt = -a/tau_a : 1")
        threshold, reset = "v > 1 + a", reset + "\na += a_step"
    return "\n".join(lines), threshold, reset
