r"""A slow and simple copy of the network in NumPy and float64, which must give the same spikes from the same input spikes.

One clock step follows Brian2's order: decay of all membranes; spikes where the membrane is above the threshold; arrival of the
spikes of this step (of the input, and of each layer in the next); resets. Goodness is counted by events. At the end of a
presentation the weights change by the outer product of the third factor and the presynaptic counts, for active cells only.

It covers the plain network: LIF cells with either reset, all three goodness functions, the divisive pool; but no delays,
noise, adaptation, refractory period or online stream.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analog_ff.spiking.config import SpikingConfig
from hardware_models.check import UsageError


class Twin:
    """The network of a configuration with given weights.

    Parameters
    ----------
    config : SpikingConfig
    weights : sequence of (inputs, cells) arrays
        First weights, copied as float64.

    Raises
    ------
    UsageError
        If the configuration has options that the twin does not cover.
    """

    def __init__(self, config: SpikingConfig, weights: Sequence[np.ndarray]) -> None:
        asked = {
            "refractory": config.refractory, "adaptation": config.adaptation, "noise": config.noise,
            "delay": config.delay, "dale": config.dale, "online": config.online,
        }  # fmt: skip
        beyond = [name for name, value in asked.items() if value]
        if beyond or config.eligibility != "rank-1" or config.pool == "subtractive":
            raise UsageError(
                f"the twin knows the plain network only, not {', '.join(beyond) or 'this synapse or pool'}."
            )
        self.config = config
        self.weights = [np.array(w, np.float64) for w in weights]
        self._decay = np.exp(-config.step / config.tau)
        self._pool_decay = np.exp(-config.step / config.pool_tau)

    def _phi(self, r: np.ndarray) -> np.ndarray:
        kind, limit = self.config.goodness, self.config.saturation
        return r**2 if kind == "squared" else r if kind == "linear" else r**2 / (1 + r / limit)

    def _half_slope(self, r: np.ndarray) -> np.ndarray:
        kind, limit = self.config.goodness, self.config.saturation
        if kind == "squared":
            return r
        return (r > 0) * 1.0 if kind == "linear" else 0.5 * r * (2 + r / limit) / (1 + r / limit) ** 2

    def present(self, spikes: np.ndarray, rate: float) -> tuple[list[np.ndarray], np.ndarray]:
        """Show one presentation and learn from it.

        Parameters
        ----------
        spikes : (steps, inputs) bool
            Input spikes.
        rate : float
            Learning rate with the sign of the learning signal; with 0 nothing is learned.

        Returns
        -------
        (spikes of each layer, (steps, cells) bool), goodness of each layer (layers,)
        """
        layers = range(len(self.weights))
        v = [np.zeros(w.shape[1]) for w in self.weights]
        r = [np.zeros(w.shape[1]) for w in self.weights]
        q, good = np.zeros(len(self.weights)), np.zeros(len(self.weights))
        fired = [np.zeros((len(spikes), w.shape[1]), bool) for w in self.weights]
        for step, arriving in enumerate(spikes):
            gain = self.config.pool_gain / (self.config.sigma + q)  # gain of the pool after the previous step
            q *= self._pool_decay
            sending = arriving
            now = []
            for n in layers:
                v[n] *= self._decay
                now.append(v[n] > 1.0)
            for n in layers:
                effect = self.weights[n][np.flatnonzero(sending)].sum(axis=0)
                v[n] += effect * gain[n] if n and self.config.pool == "divisive" else effect
                if n:
                    q[n] += sending.sum() / sending.size
                good[n] += (self._phi(r[n] + 1) - self._phi(r[n]))[now[n]].sum()
                sending = now[n]
            for n in layers:
                v[n][now[n]] = v[n][now[n]] - 1.0 if self.config.reset == "subtract" else 0.0
                r[n][now[n]] += 1.0
                fired[n][step] = now[n]
        if rate:
            self._learn(spikes.sum(axis=0).astype(np.float64), r, good, rate)
        return fired, good

    def _learn(self, counts: np.ndarray, r: Sequence[np.ndarray], good: np.ndarray, rate: float) -> None:
        x = counts
        for n, w in enumerate(self.weights):
            signal = good[n] / len(r[n]) if self.config.third_factor == "layer" else self._phi(r[n])
            drive = np.sign(rate) * (signal - self.config.theta) / self.config.temperature
            m = rate * self._half_slope(r[n]) / (1.0 + np.exp(drive))
            active = np.flatnonzero(m)
            w[:, active] += np.outer(x, m[active])
            x = r[n] / (np.sqrt(good[n]) + 0.1)
