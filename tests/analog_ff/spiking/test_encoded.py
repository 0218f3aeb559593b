"""The encoders in NumPy follow the laws of their equations."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.spiking.encoded import NAMES, encoded
from analog_ff.spiking.encoders import ENCODERS
from hardware_models.check import UsageError


def test_every_encoder_has_both_forms() -> None:
    assert set(NAMES) == set(ENCODERS)


def test_regular_counts_differ_by_less_than_one_from_the_mean() -> None:
    """Between spikes lie 1/p steps: a count is floor or ceil of pT, its mean pT; the first spike is uniform in time."""
    p = np.tile(np.float32([0.0, 0.03, 0.2, 0.37, 0.9, 1.0]), (4000, 1))
    spikes = encoded("regular", p, 30, np.random.default_rng(0))
    counts = spikes.sum(axis=1)
    assert spikes.shape == (4000, 30, 6)
    assert (np.abs(counts - 30 * p) < 1 + 1e-4).all()
    # The variance of a count between n and n + 1 is at most 1/4: five standard errors of the mean of 4000.
    np.testing.assert_allclose(counts.mean(axis=0), 30 * p[0], atol=5 * 0.5 / np.sqrt(4000))
    gaps = np.diff(np.flatnonzero(spikes[0, :, 2]))
    assert set(gaps) <= {5, 6}  # 1/0.2 = 5, up to the rounding of float32


def test_poisson_is_independent_between_steps() -> None:
    p = np.full((2000, 2), 0.2, np.float32)
    spikes = encoded("poisson", p, 30, np.random.default_rng(1))
    n = spikes.size
    assert abs(spikes.mean() - 0.2) < 5 * np.sqrt(0.16 / n)
    pairs = spikes[:, 1:] & spikes[:, :-1]
    assert abs(pairs.mean() - 0.04) < 5 * np.sqrt(0.04 / (n / 4))
    counts = spikes.sum(axis=1)
    assert abs(counts.var() / (30 * 0.16) - 1) < 5 * np.sqrt(2 / counts.size)


def test_latency_is_one_spike_the_earlier_the_stronger() -> None:
    p = np.float32([[0.0, 0.05, 0.1, 0.15, 0.2]])
    spikes = encoded("latency", p, 20, np.random.default_rng(0))[0]
    assert spikes.sum(axis=0).tolist() == [0, 1, 1, 1, 1]
    assert [int(spikes[:, i].argmax()) for i in range(1, 5)] == [15, 10, 5, 0]
    later = encoded("latency", p, 20, np.random.default_rng(0), p_max=0.4)[0]
    assert int(later[:, 4].argmax()) == 10
    beyond = encoded("latency", p, 20, np.random.default_rng(0), p_max=0.1)[
        0
    ]  # brighter than anything that was trained on
    assert [int(beyond[:, i].argmax()) for i in range(1, 5)] == [10, 0, 0, 0] and beyond[0, 2:].all()
    assert not encoded("latency", np.zeros((1, 3)), 20, np.random.default_rng(0)).any()


def test_an_unknown_encoder_is_refused() -> None:
    with pytest.raises(UsageError, match="no encoder 'poison'.*poisson"):
        encoded("poison", np.zeros((1, 3)), 20, np.random.default_rng(0))
