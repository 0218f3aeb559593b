"""A chain of LIF layers as NumPy arrays, and its spikes: a reference for checking NIR files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class NirLayer(NamedTuple):
    """One Linear and one LIF node with the Scale and Delay before them, for n inputs and m cells."""

    weights: np.ndarray  # (n, m) float32, change of v per spike if r dt/tau = 1 [thresholds]
    gain: np.ndarray  # (n,) factor on the inputs (Scale) [1]
    delay: int  # number of steps from a spike to its arrival
    tau: np.ndarray  # (m,) [s]
    r: np.ndarray  # (m,) resistance [1]
    v_leak: np.ndarray  # (m,) [thresholds]
    threshold: np.ndarray  # (m,) [thresholds]
    v_reset: np.ndarray  # (m,) for the hard reset [thresholds]


class NirNetwork(NamedTuple):
    """The network in an NIR file, in the form in which this project can run it."""

    layers: tuple[NirLayer, ...]
    dt: float  # [s]
    reset: str  # subtract (the threshold) or hard (to v_reset)
    metadata: Mapping[str, object]


def spikes(network: NirNetwork, input_spikes: np.ndarray, dtype: DTypeLike = np.float64) -> list[np.ndarray]:
    r"""Run the network from rest (v = v_leak) and return the spikes (..., steps, cells) bool of each layer.

    input_spikes : (..., steps, inputs) number of spikes of each input in each step; the leading axes may hold
        presentations. The order of a step is: :math:`v \leftarrow v_{leak} + (v - v_{leak}) e^{-dt/\tau}`; spike if v exceeds
        the threshold; v rises by :math:`w R\,dt/\tau` for each spike that arrives; the cells that spiked are reset.
    """
    below = np.asarray(input_spikes)
    inputs = network.layers[0].weights.shape[0]
    if below.ndim < 2 or below.shape[-1] != inputs:
        raise UsageError(f"this network needs input spikes (..., steps, {inputs}), got the shape {below.shape}.")
    fired = []
    for layer in network.layers:
        weights = layer.weights.astype(dtype) * layer.gain.astype(dtype)[:, None]
        weights *= (layer.r * network.dt / layer.tau).astype(dtype)
        below = _run(layer, network, below.astype(dtype) @ weights)
        fired.append(below)
    return fired


def frozen_gains(config: SpikingConfig, rasters: Sequence[np.ndarray]) -> list[float]:
    r"""Return the mean gain of the divisive pool in front of each layer except the first, as seen by the spikes through it.

    rasters : spikes (presentations, steps, cells) bool of each layer; the last layer is not used. The pool's q decays with its
        time constant and rises by 1/cells at each spike; the gain is :math:`g/(\sigma + q)` with q after the previous step, and
        the mean is over all spikes. For other pools the list is empty. Raises UsageError if a layer never spikes.
    """
    if config.pool != "divisive":
        return []
    gains = []
    for n, raster in enumerate(rasters[: len(config.layers) - 1]):
        q, met, total = np.zeros(len(raster)), 0.0, raster.sum()
        if not total:
            raise UsageError(f"layer {n + 1} never spikes, so that its pool has no mean gain to export.")
        for now in np.moveaxis(raster.sum(axis=2), 1, 0):
            met += float((now * config.pool_gain / (config.sigma + q)).sum())
            q = q * np.exp(-config.step / config.pool_tau) + now / raster.shape[2]
        gains.append(met / float(total))
    return gains


def _run(layer: NirLayer, network: NirNetwork, drive: np.ndarray) -> np.ndarray:
    """Return the spikes of one layer; drive (..., steps, cells) is the change of v by its input spikes, before the delay."""
    kind = drive.dtype
    decay = np.exp(-network.dt / layer.tau).astype(kind)
    leak, threshold, v_reset = (a.astype(kind) for a in (layer.v_leak, layer.threshold, layer.v_reset))
    v = np.broadcast_to(leak, drive.shape[:-2] + drive.shape[-1:]).copy()
    out = np.zeros(drive.shape, bool)
    for k in range(drive.shape[-2]):
        v = leak + (v - leak) * decay
        fired = out[..., k, :] = v > threshold
        if k >= layer.delay:
            v += drive[..., k - layer.delay, :]
        v = np.where(fired, v - threshold if network.reset == "subtract" else v_reset, v)
    return out
