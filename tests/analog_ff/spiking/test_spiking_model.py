"""The spiking network in Brian2: encoders, cells, plasticity, and the twin in NumPy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analog_ff.datasets import load
from analog_ff.spiking import model as models
from analog_ff.spiking import presentations as plans
from analog_ff.spiking import simulation
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.simulation import first_weights
from analog_ff.spiking.target import Runs, prepared
from analog_ff.spiking.twin import Twin
from hardware_models.check import UsageError
from hardware_models.keys import Key

SMALL = SpikingConfig(layers=(12,), data="digits", target="numpy", label_cells=2, initial=1.5, theta=2.0, shift=0)


class Seen:
    """What a short simulation leaves: spikes (presentations, steps, cells) of all groups, goodness, weights."""

    def __init__(
        self, config: SpikingConfig, shown: models.Shown, show: plans.Presentations, weights: list[np.ndarray]
    ):
        with prepared(config.target, config.seed) as b2:
            model = models.build(config, shown, show, weights)
            monitors = [b2.SpikeMonitor(g) for g in (model.inputs, *model.layers)]
            model.network.add(monitors)
            runs = Runs(b2, config.target, model.network, quiet=True)
            runs.run(len(show) * model.period + config.step * b2.ms, "all")
            runs.finish((), lambda: None)
            steps = config.period_steps
            self.spikes = []
            for group, monitor in zip((model.inputs, *model.layers), monitors, strict=True):
                train = np.zeros(((len(show) + 1) * steps, group.N), bool)
                train[np.rint(np.asarray(monitor.t / b2.ms) / config.step).astype(int), np.asarray(monitor.i)] = True
                self.spikes.append(train.reshape(len(show) + 1, steps, -1)[:-1])
            self.goodness = np.array([np.asarray(m.G[0])[1 : len(show) + 1] for m in model.recorded])
            sizes = models.sizes(config, shown)
            pairs = zip(model.synapses, sizes[:-1], sizes[1:], strict=True)
            self.weights = [np.array(s.w[:]).reshape(i, j) for s, i, j in pairs]


def images(n: int = 6, pixels: int = 20) -> models.Shown:
    """Return a few random images of three classes."""
    return models.Shown(models.scaled(Key(1, "images").generator().random((n, pixels), np.float32)), 3)


def shows(k: int, rate: float = 0.01) -> plans.Presentations:
    """Return k presentations, awake and asleep in turn."""
    n = np.arange(k)
    return plans.Presentations.of(n % 6, n % 3, rate * (1 - 2 * (n % 2)))


def run(config: SpikingConfig, show: plans.Presentations, shown: models.Shown | None = None) -> tuple[Seen, list]:
    """Simulate and return what was seen and the first weights."""
    shown = shown or images()
    weights = first_weights(config, models.sizes(config, shown))
    return Seen(config, shown, show, weights), weights


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"layers": (12, 9), "pool_gain": 0.6},
        {"goodness": "saturating", "reset": "hard"},
        {"goodness": "linear", "third_factor": "own-rate", "theta": 1.0},
        {"encoder": "poisson", "layers": (10, 8), "pool": "none"},
        {"encoder": "latency", "peak_rate": 1000.0, "initial": 3.0},
    ],
)
def test_twin_agrees_spike_for_spike(changes: dict) -> None:
    """20 presentations with learning: the same spikes, goodness to rounding, the same weights to rounding."""
    config = replace(SMALL, **changes)
    seen, weights = run(config, shows(20))
    twin = Twin(config, weights)
    fired = 0
    for k, rate in enumerate(shows(20).rate):
        spikes, good = twin.present(seen.spikes[0][k], float(rate))
        for n, layer in enumerate(spikes):
            assert np.array_equal(layer, seen.spikes[n + 1][k]), f"presentation {k}, layer {n}"
            fired += int(layer.sum())
        np.testing.assert_allclose(good, seen.goodness[:, k], rtol=1e-9, atol=1e-9)
    assert fired > 100
    for mine, theirs, first in zip(twin.weights, seen.weights, weights, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
        assert np.abs(theirs - first).max() > 1e-3  # something was learned


def test_goodness_is_the_sum_over_cells_and_learning_moves_it_as_told() -> None:
    """G = sum r^2 of the spikes of the presentation; what is learned awake raises it, asleep lowers it."""
    for sign in (1.0, -1.0):
        show = plans.Presentations.of([0] * 30, [1] * 30, [sign * 0.003] * 30)
        seen, _ = run(replace(SMALL, theta=8.0 if sign > 0 else 0.0), show)
        counts = seen.spikes[1].sum(axis=1)
        np.testing.assert_allclose(seen.goodness[0], (counts.astype(float) ** 2).sum(axis=1))
        first, last = seen.goodness[0][:5].mean(), seen.goodness[0][-5:].mean()
        assert sign * (last - first) > 0.2 * first


@pytest.mark.slow
def test_encoders_keep_their_laws() -> None:
    """Poisson: mean and variance p T; regular: floor or ceil of p T; latency: one spike, earlier for more."""
    shown = models.Shown(np.tile(np.linspace(0.0, 1.0, 50, dtype=np.float32), (1, 1)), 2)
    k = 60
    show = plans.Presentations.of([0] * k, [-1] * k, [0.0] * k)
    means = 0.2 * shown.pixels[0] * 30  # spikes expected of each pixel
    counts = {}
    for encoder in ("poisson", "regular", "latency"):
        seen, _ = run(replace(SMALL, encoder=encoder, label_rate=100.0), show, shown)
        train = seen.spikes[0][:, :, :50]
        counts[encoder] = train.sum(axis=1)
        assert not seen.spikes[0][:, :, 50:].any()  # no label, no spikes of its cells
        if encoder == "latency":
            bright = np.flatnonzero(shown.pixels[0] > 0)
            assert (counts[encoder][:, bright] == 1).all() and not counts[encoder][:, 0].any()
            first = train.argmax(axis=1)[0, bright]
            assert (np.diff(first) <= 0).all() and first[-1] == 0
    # The mean of k x 50 independent counts: 5 deviations; a count has the variance p(1-p) T.
    p = means / 30
    error = 5 * math.sqrt((30 * p * (1 - p)).sum() / k)
    assert abs(counts["poisson"].mean(axis=0).sum() - means.sum()) < error
    assert abs(counts["regular"].mean(axis=0).sum() - means.sum()) < error
    assert (np.abs(counts["regular"] - means) < 1.0 + 1e-6).all()
    variance = counts["poisson"].var(axis=0, ddof=1).sum() / (30 * p * (1 - p)).sum()
    assert abs(variance - 1) < 5 * math.sqrt(2 / (50 * (k - 1))) * 1.5


def test_label_cells_fire_for_their_class_alone() -> None:
    """Ten input cells a class at most, silent for any other label and for none."""
    seen, _ = run(SMALL, plans.Presentations.of([0, 0, 0, 0], [0, 1, 2, -1], [0.0] * 4))
    counts = seen.spikes[0].sum(axis=1)[:, 20:].reshape(4, 3, 2)
    assert (counts[np.arange(3), np.arange(3)] >= 11).all()  # 400 Hz for 30 ms: 12, with a random phase
    counts[np.arange(3), np.arange(3)] = 0
    assert not counts.any()


def test_refractory_period_bounds_the_rate_and_adaptation_lowers_it() -> None:
    """No two spikes of a cell within the period; a rising threshold costs spikes."""
    strong = replace(SMALL, initial=4.0)
    plain, _ = run(strong, shows(10, 0.0))
    held, _ = run(replace(strong, refractory=5.0), shows(10, 0.0))
    tired, _ = run(replace(strong, adaptation=0.5), shows(10, 0.0))
    for train in np.moveaxis(held.spikes[1], 2, 0).reshape(12, 10, 30):
        for presentation in train:
            assert (np.diff(np.flatnonzero(presentation)) >= 5).all()
    # Presentations follow one another without a pause: the period may reach into the next one.
    assert held.spikes[1].sum() < plain.spikes[1].sum()
    assert tired.spikes[1].sum() < 0.8 * plain.spikes[1].sum()


def test_dale_keeps_every_synapse_excitatory() -> None:
    """Without the law most input cells have synapses of both signs; with it no weight is below zero."""
    free, _ = run(replace(SMALL, learning_rate=0.01), shows(20, 0.02))
    held, first = run(replace(SMALL, dale=True), shows(20, 0.02))
    assert ((free.weights[0] < 0).any(axis=1) & (free.weights[0] > 0).any(axis=1)).mean() > 0.9
    assert (held.weights[0] >= 0).all() and (held.weights[0] == 0).any() and (first[0] >= 0).all()


def test_delays_move_the_arrival() -> None:
    """With d ms of delay and a gap the layer's spikes are those without, d steps later."""
    plain, _ = run(replace(SMALL, gap=10.0, target="numpy"), shows(4, 0.0))
    late, _ = run(replace(SMALL, gap=10.0, delay=3.0), shows(4, 0.0))
    assert np.array_equal(plain.spikes[0], late.spikes[0])
    assert plain.spikes[1][:, :-3].any()
    assert np.array_equal(plain.spikes[1][:, :-3], late.spikes[1][:, 3:])
    assert not plain.spikes[0][:, 30:].any()  # the gap is silent


def test_synaptic_eligibility_counts_pairs_pre_before_post() -> None:
    """w changes by 2 M/r times the sum over the cell's spikes of the input's spikes until then."""
    config = replace(SMALL, eligibility="synaptic", theta=5.0)
    show = plans.Presentations.of([0], [1], [0.01])
    seen, weights = run(config, show)
    trains = seen.spikes[0][0].astype(float)
    before = np.cumsum(trains, axis=0) - trains
    post = seen.spikes[1][0].astype(float)
    pairs = before.T @ post  # a spike of the input in the step of the cell's spike cannot have caused it
    r = post.sum(axis=0)
    m = 0.01 * 2 / (1 + math.exp(seen.goodness[0, 0] / 12 - 5.0)) * (r > 0)
    np.testing.assert_allclose(seen.weights[0] - weights[0], m * pairs, rtol=1e-6, atol=1e-9)
    assert pairs.sum() > 0


def test_online_traces_decay_and_nothing_is_reset() -> None:
    """G = sum of squared traces that decay with tau_trace, across presentations."""
    config = replace(SMALL, online=True, trace_tau=15.0)
    seen, _ = run(config, shows(6, 0.0))
    spikes = seen.spikes[1].reshape(-1, 12).astype(float)
    r, goodness = np.zeros(12), []
    for step, now in enumerate(spikes):
        if step and step % 30 == 0:
            goodness.append((r**2).sum())
        r = r * math.exp(-1.0 / 15.0) + now
    goodness.append((r**2).sum())
    np.testing.assert_allclose(seen.goodness[0], goodness, rtol=1e-6)


def test_own_negatives_are_the_best_label_tried() -> None:
    """Without noise the label shown in sleep is the one of highest goodness among those tried."""
    config = replace(SMALL, layers=(20,), negatives="self", candidates=3, choice_noise=0.0, epochs=1, learning_rate=0.0)
    labels = np.array([0, 1, 2, 0, 1, 2])
    show = plans.training(config, labels, 3)
    assert len(show) == 6 * 5 and (show.label == -2).sum() == 6
    assert all(set(show.label[np.flatnonzero(show.label == -2)[k] - 3 :][:3]) == {0, 1, 2} for k in range(6))
    seen, _ = run(config, show)
    fired = seen.spikes[0].sum(axis=1)[:, 20:].reshape(len(show), 3, 2).sum(axis=2)
    for k in np.flatnonzero(show.label == -2):
        best = show.label[k - 3 : k][np.argmax(seen.goodness[0, k - 3 : k])]
        assert fired[k].argmax() == best and (fired[k] > 0).sum() == 1


def test_hard_negatives_are_never_right() -> None:
    """Labels tried for hard negatives are distinct and wrong."""
    config = replace(SMALL, negatives="hard", candidates=5, epochs=2)
    labels = np.arange(40) % 4
    show = plans.training(config, labels, 4)
    tried = show.label[show.trial > 0].reshape(-1, 3)
    right = labels[show.image[show.trial == 1]]
    assert not (tried == right[:, None]).any()
    assert all(len(set(row)) == 3 for row in tried)


def test_training_plan_alternates_blocks_and_anneals() -> None:
    """Every image once awake, once asleep with a wrong label, in blocks; eta falls linearly; signs flip as told."""
    labels = np.arange(30) % 3
    config = replace(SMALL, epochs=2, block=7, final_rate=0.0)
    show = plans.training(config, labels, 3)
    awake = show.rate > 0
    assert len(show) == 120
    assert sorted(show.image[:60][awake[:60]]) == sorted(show.image[:60][~awake[:60]]) == list(range(30))
    assert np.array_equal(awake[:14], [True] * 7 + [False] * 7)
    assert (show.label[awake] == labels[show.image[awake]]).all()
    assert (show.label[~awake] != labels[show.image[~awake]]).all()
    np.testing.assert_allclose(np.abs(show.rate), config.learning_rate * (1 - np.arange(120) / 120), rtol=1e-6)
    flipped = plans.training(replace(config, sign_noise=0.3, epochs=40), labels, 3)
    share = np.mean((flipped.rate > 0) != (flipped.label == labels[flipped.image]))
    assert abs(share - 0.3) < 5 * math.sqrt(0.21 / len(flipped))
    late = plans.training(replace(config, sign_delay=2), labels, 3)
    assert len(late) == 122 and not late.rate[-2:].any()


def test_weights_that_do_not_match_are_refused() -> None:
    """One sentence, before Brian2 does anything."""
    with pytest.raises(UsageError, match=r"need weights of shapes \[\(26, 12\)\]"):
        Seen(SMALL, images(), shows(2), [np.zeros((5, 5))])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoder": "burst"}, "--encoder is one of regular"),
        ({"tau": -1.0}, "--tau"),
        ({"layers": ()}, "--layers needs"),
        ({"present": 30.5}, "whole number of steps"),
        ({"delay": 1.0, "delay_spread": 2.0}, "--delay-spread is at most"),
        ({"online": True, "goodness": "saturating"}, "--online needs"),
        ({"eligibility": "synaptic", "online": True}, "--eligibility synaptic"),
        ({"refractory": float("nan")}, "--refractory"),
    ],
)
def test_bad_choices_get_one_sentence(options: dict, said: str) -> None:
    """Each is refused at construction."""
    with pytest.raises(UsageError) as error:
        SpikingConfig(**options)
    assert said in str(error.value) and str(error.value).count(".") >= 1 and "\n" not in str(error.value)


def test_images_are_shifted_and_what_comes_from_outside_is_dark() -> None:
    """Input rates follow the shifted image; wake and sleep of an epoch see the same shift; no cell of a label moves."""
    pixels = Key(3, "images").generator().random((2, 20), np.float32)
    shown = models.Shown(pixels, 3, 5)
    show = plans.Presentations.of([0, 1, 1], [0, 1, -1], [0.0] * 3)
    down, right = np.array([1, 0, -1], np.int32), np.array([-1, 0, 2], np.int32)
    show = plans.Presentations(*tuple(show)[:4], down, right)
    seen, _ = run(replace(SMALL, shift=2, peak_rate=500.0), show, shown)
    counts = seen.spikes[0].sum(axis=1)
    for k in range(3):
        wanted = np.zeros((4, 5))
        for y in range(4):
            for x in range(5):
                if 0 <= y - down[k] < 4 and 0 <= x - right[k] < 5:
                    wanted[y, x] = pixels[show.image[k]].reshape(4, 5)[y - down[k], x - right[k]]
        assert (np.abs(counts[k, :20] - 15.0 * wanted.ravel()) < 1 + 1e-6).all()
        assert (counts[k, 20:].reshape(3, 2) > 0).any(axis=1).sum() == int(show.label[k] >= 0)
    labels = np.arange(30) % 3
    plan = plans.training(replace(SMALL, epochs=3, shift=1), labels, 3)
    for epoch in range(3):
        part = slice(60 * epoch, 60 * epoch + 60)
        moves = {(i, d, r) for i, d, r in zip(plan.image[part], plan.down[part], plan.right[part], strict=True)}
        assert len(moves) == 30
    assert set(np.unique(plan.down)) == set(np.unique(plan.right)) == {-1, 0, 1}
    assert not plans.training(replace(SMALL, epochs=3, shift=0), labels, 3).down.any()


@pytest.mark.parametrize("milliseconds", [0.01, 0.1, 0.3, 1.0, 5.0])
@pytest.mark.parametrize("steps", [1, 7, 30, 36, 120, 10_000])
def test_a_presentation_begins_at_the_very_time_of_a_step(milliseconds: float, steps: int) -> None:
    """Both clocks multiply a count by their own period; the products are equal to the bit, and plain ones are not."""
    step = models.exact_step(milliseconds * 1e-3)
    assert abs(step / (milliseconds * 1e-3) - 1) < 2.0**-32
    count = np.arange(1, 200_000)
    assert np.array_equal(count * (steps * step), (count * steps) * step)


def test_plain_steps_would_begin_beside_it() -> None:
    """A third of presentations of 30 ms, from where float64 is coarser than the 1e-14 s that Brian2's C++ forgives."""
    count = np.arange(1, 200_000)
    apart = np.abs(count * (30 * 0.001) - (count * 30) * 0.001) > 1e-14
    assert not apart[count * 0.03 < 64].any() and 0.3 < apart.mean() < 0.45


def test_the_input_s_scale_is_that_of_the_training_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the test images are, training sees the same, and what is brightest is what training has shown."""

    class Caught(Exception):
        """What the network would have been built for."""

    def build(config: SpikingConfig, shown: models.Shown, *more: Any, **options: Any) -> None:
        raise Caught(shown)

    monkeypatch.setattr(simulation.models, "build", build)
    data = load("toy")
    config = SpikingConfig(data="toy", layers=(4,), epochs=1, target="numpy")
    seen = []
    for tested in (data.x_test, data.x_test[::2] * 5.0, np.eye(3, 64, dtype=np.float32)):
        changed = data._replace(x_test=tested, y_test=data.y_test[: len(tested)])
        with pytest.raises(Caught) as caught:
            simulation.simulate(config, changed, quiet=True)
        seen.append(caught.value.args[0])
    n = len(data.x_train)
    length = np.linalg.norm(seen[0].pixels, axis=1)
    np.testing.assert_allclose(length, np.linalg.norm(data.x_train, axis=1).mean(), rtol=1e-5)
    for shown in seen:
        assert shown.trained == n and np.array_equal(shown.pixels[:n], seen[0].pixels[:n])
