"""The encoders in NumPy: input spikes of many presentations at once, to run a network without Brian2."""

from __future__ import annotations

import numpy as np

from hardware_models.check import UsageError
from hardware_models.tables import closest

NAMES = ("regular", "poisson", "latency")


def encoded(
    encoder: str, p: np.ndarray, steps: int, generator: np.random.Generator, *, p_max: float | None = None
) -> np.ndarray:
    r"""Return spikes (..., steps, inputs) bool for spike probabilities p (..., inputs) in one clock step.

    The laws are those of `analog_ff.spiking.encoders`: with a phase u uniform in [0, 1), ``regular`` fires in step k if
    :math:`\lfloor u + (k+1) p \rfloor > \lfloor u + k p \rfloor`; ``poisson`` fires with probability p in each step;
    ``latency`` fires once, in step :math:`\lfloor T (1 - p/p_{max}) \rfloor` (p_max is the largest p by default; a larger p
    fires at once).

    Raises UsageError for an unknown encoder.
    """
    if encoder not in NAMES:
        raise UsageError(f"no encoder '{encoder}'{closest(encoder, NAMES)}; known are {', '.join(NAMES)}.")
    p = np.asarray(p, np.float32)[..., None, :]
    k = np.arange(steps, dtype=np.float32)[:, None]
    if encoder == "poisson":
        return generator.random((*p.shape[:-2], steps, p.shape[-1]), dtype=np.float32) < p
    if encoder == "latency":
        top = float(p.max(initial=0.0)) if p_max is None else p_max
        return (p > 0) & (k == np.floor(steps * (1 - np.minimum(p / (top or 1.0), 1))))
    u = generator.random(p.shape, dtype=np.float32)
    return np.floor(u + (k + 1) * p) > np.floor(u + k * p)
