"""The competitive rule: its law against numerical derivatives and a float64 twin, one pass and one update, and its choices."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.learners.competitive import Competitive
from analog_ff.network.stack import Stack
from analog_ff.objective.competition import Competition, shares
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.schedule import Moment
from analog_ff.runs.build import data_of, frame_of, learner_of, port_of, wiring_of
from analog_ff.runs.circuit import circuit_of, memory_bytes
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key

LAYERS = ((13, 10), (11, 7))  # neither 10 nor 7 neurons divide by 4 classes
CLASSES, BATCH = 4, 6
SCALE, T = 6.0, 0.7
EXACT = {"momentum": 0.0, "rounding": "nearest"}


def made(chip, *, temperature: float = T, **more) -> Competitive:
    """Return an initialised learner without a peer term."""
    goodness = [LayerGoodness("sum-of-squares", n, temperature=temperature) for _, n in chip.shapes]
    learner = Competitive(Stack(chip, goodness, label_place="none"), classes=CLASSES, seed=2, **{"peer": 0.0, **more})
    learner.initialise()
    return learner


def batch(number: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = Key(1, "images", number).generator()
    return rng.random((BATCH, 12)).astype(np.float32), rng.integers(0, CLASSES, BATCH)


def rms(a: np.ndarray) -> np.ndarray:
    return a / np.sqrt((a**2).mean(axis=1, keepdims=True) + 1e-20)


def log_p(y: np.ndarray, temperature: float = T) -> np.ndarray:
    """Return log p (B, classes) of the outputs of one layer, neuron by neuron in float64: a slow twin of the competition."""
    n = y.shape[1]
    group = [k for k in range(CLASSES) for _ in range(n // CLASSES + (k < n % CLASSES))]
    q = np.array(
        [[np.mean([v * v for v, g in zip(row, group, strict=True) if g == k]) for k in range(CLASSES)] for row in y]
    )
    logits = q / temperature
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def asked(learner: Competitive, images: np.ndarray, labels: np.ndarray, monkeypatch) -> dict[int, list]:
    """Return x, d and the divisor that one step of a learner brings to each layer."""
    found: dict[int, list] = {}

    def note(layer, x, d, size, rate, key):
        found.setdefault(layer, []).append((x[0], d[0], size))
        return learner.decay(0, 0.0, key)

    monkeypatch.setattr(learner, "bring", note)
    learner.step(images, labels, step=0, gain=1.0)
    return found


# --- the law ---


@pytest.mark.parametrize("units", [4, 10, 11])
def test_neurons_are_shared_out(units: int) -> None:
    """All of them, to groups that differ by one at most, the larger first; each neuron belongs to one group."""
    sizes = shares(units, CLASSES)
    assert sizes.sum() == units and sizes.max() - sizes.min() <= 1 and (np.diff(sizes) <= 0).all()
    groups = Competition(units, CLASSES)
    each = groups.goodness(np.sqrt(np.eye(units)))
    assert np.array_equal((each > 0).sum(axis=1), np.ones(units))
    assert np.allclose(each.sum(axis=0), 1.0)  # n_k neurons of square 1/n_k


def test_fewer_neurons_than_classes_are_refused() -> None:
    with pytest.raises(
        UsageError, match="a neuron for each of 4 classes in every layer, got a layer of 3: give --layers"
    ):
        Competition(3, CLASSES)


def test_the_drive_is_the_gradient_of_log_p(monkeypatch) -> None:
    """d = (T n/(2 C)) dlog p/dz for rectifiers, by central differences in float64, in both layers."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None, input_scale=SCALE)
    learner = made(chip)
    images, labels = batch()
    found = asked(learner, images, labels, monkeypatch)
    a, h = rms(images.astype(np.float64)), 1e-6
    for layer, (_, neurons) in enumerate(LAYERS):
        x = np.concatenate((a, np.full((BATCH, 1), SCALE)), axis=1)
        z = x @ chip.oracle.weights(layer).astype(np.float64)
        ((given, d, size),) = found[layer]
        assert size == BATCH and np.allclose(given, x, atol=1e-5)
        numeric = np.zeros_like(z)
        for b in range(BATCH):
            for j in range(neurons):
                above, below = z.copy(), z.copy()
                above[b, j] += h
                below[b, j] -= h
                rise = log_p(np.maximum(above, 0.0)) - log_p(np.maximum(below, 0.0))
                numeric[b, j] = rise[b, labels[b]] / (2.0 * h)
        assert np.allclose(d, T * neurons / (2.0 * CLASSES) * numeric, atol=2e-4) and np.abs(d).max() > 0.1
        a = rms(np.maximum(z, 0.0))


def test_a_float64_twin() -> None:
    """Twelve steps; each rounds to the nearest pulse, which is off by half a pulse at most, and float32 by a little."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None, input_scale=SCALE)
    learner = made(chip, learning_rate=0.1, update_options=EXACT)
    weights = [chip.oracle.weights(layer).astype(np.float64) for layer in range(2)]
    start, steps = [w.copy() for w in weights], 12
    for step in range(steps):
        images, labels = batch(step)
        learner.step(images, labels, step=step, gain=1.0)
        a, changes = rms(images.astype(np.float64)), []
        for w in weights:
            x = np.concatenate((a, np.full((BATCH, 1), SCALE)), axis=1)
            y = np.maximum(x @ w, 0.0)
            sizes = shares(w.shape[1], CLASSES)
            c = np.eye(CLASSES)[labels] - np.exp(log_p(y))
            d = np.repeat(c * (w.shape[1] / CLASSES / sizes), sizes, axis=1) * y
            change = 0.1 * x.T @ d / BATCH
            change[-1] /= SCALE**2
            changes.append(change)
            a = rms(y)
        for w, change in zip(weights, changes, strict=True):
            w += change
    for layer, sheet in enumerate(chip.datasheet):
        moved = np.abs(weights[layer] - start[layer]).max()
        off = np.abs(chip.oracle.weights(layer) - weights[layer]).max()
        assert moved > 0.02 and off < steps * sheet.weight_step + 1e-4 * moved


def test_positions_share_their_groups() -> None:
    """q is the mean over positions, and the drive of a neuron that of its channel's group at every position."""
    rng = Key(3, "y").generator()
    y = rng.random((BATCH, 3, 10))
    one, many = Competition(10, CLASSES, temperature=T), Competition(10, CLASSES, temperature=T, positions=3)
    flat = y.reshape(BATCH, -1)
    assert np.allclose(many.goodness(flat), np.mean([one.goodness(y[:, p]) for p in range(3)], axis=0))
    c = rng.random((BATCH, CLASSES))
    cut = many.driven(c, flat).reshape(BATCH, 3, 10)
    assert all(np.allclose(cut[:, p], one.driven(c, y[:, p])) for p in range(3))


def test_log_probabilities_of_large_goodness_do_not_overflow() -> None:
    found = Competition(8, CLASSES, temperature=1e-6).log_probabilities(np.array([[1.0, 2.0, 3.0, 3.0]]))
    assert np.isfinite(found).all() and np.allclose(found[0, 2:], np.log(0.5)) and found[0, 0] < -1e6


# --- one pass, one update ---


@pytest.mark.parametrize("trained", [True, False])
def test_an_image_is_read_once_and_learned_from_once(trained: bool) -> None:
    """Each array reads a batch once and takes one outer product of it; the digital read-out is counted where it is trained."""
    learner = made(Chip("memristor", LAYERS), softmax_readout=trained)
    calls: Counter[int] = Counter()
    for part, update in enumerate(learner.updates):
        apply = update.apply

        def counted(*given, part=part, apply=apply):
            calls[part] += 1
            assert len(given[0]) == len(given[1]) == BATCH
            return apply(*given)

        update.apply = counted  # type: ignore[method-assign]
    tally = learner.step(*batch(), step=0, gain=1.0)
    assert calls == {0: 1, 1: 1}
    for layer, (inputs, neurons) in enumerate(LAYERS):
        events, w = tally.layers[str(layer)], inputs * neurons
        assert events["reads.cells"] == BATCH * 2 * w and events["reads.transposed_cells"] == 0
        assert events["mac.fp32"] == BATCH * w + 2 * w + 2 * BATCH * CLASSES
        assert events["goodness"] == BATCH * neurons and events["comparator"] == 0
    features = sum(neurons for _, neurons in LAYERS)
    assert learner.meter.peak == (BATCH * features if trained else 0)
    assert ("readout" in tally.layers) == trained


@pytest.mark.parametrize("readout", ["competition", "softmax"])
def test_a_decision_takes_one_pass(readout: str) -> None:
    learner = made(Chip("memristor", LAYERS))
    _, tally = learner.scores(batch()[0], readout, Key(0, "t"))
    assert tally.total()["reads.cells"] == BATCH * 2 * sum(n * m for n, m in LAYERS)
    assert (tally.total()["mac.fp32"], "readout" in tally.layers) == (
        (2 * 2 * BATCH * CLASSES, False) if readout == "competition" else (BATCH * 17 * CLASSES, True)
    )


def test_the_competition_sums_log_p_over_its_layers() -> None:
    learner = made(Chip("ideal", LAYERS, dac=None, adc=None), readout_layers="all-but-first")
    images, key = batch()[0], Key(0, "t")
    activities, _ = learner.look(images, None, key, "layer")
    scores, _ = learner.scores(images, "competition", key)
    assert np.allclose(scores, log_p(activities[1].y.astype(np.float64)), atol=1e-4)


def test_a_gate_leaves_out_what_teaches_nothing(monkeypatch) -> None:
    """At a low temperature images are won or lost: those whose factors are below the gate reach no update, the others do."""
    plain, gated = (made(Chip("ideal", LAYERS, dac=None, adc=None), temperature=0.05, gate=gate) for gate in (0.0, 0.2))
    images, labels = batch()
    whole, kept = (asked(learner, images, labels, monkeypatch) for learner in (plain, gated))
    for layer, met in enumerate(gated._met):
        ((x, d, _),), ((y, e, size),) = whole[layer], kept[layer]
        large = (
            np.abs(gated.groups[layer].coefficients(gated.groups[layer].goodness(activity(gated, layer)), labels))
            >= 0.2
        )
        stays = large.any(axis=1) & (d != 0).any(axis=1)
        assert size == BATCH and np.array_equal(y, x[stays]) and met[1] == (~large.any(axis=1)).sum()
        of_neurons = np.repeat(large, gated.groups[layer].sizes, axis=1)[stays]
        assert np.array_equal(e, np.where(of_neurons, d[stays], 0.0))
    assert 0 < sum(met[1] for met in gated._met) < 2 * BATCH


def activity(learner: Competitive, layer: int) -> np.ndarray:
    """Return the outputs of a layer for the batch; an ideal chip reads them without noise."""
    return learner.look(batch()[0], None, Key(0, "t"), "layer")[0][layer].y


# --- choices ---


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"readout": "energy"}, "choose --readout competition or softmax"),
        ({"network": "recurrent"}, "choose --network stack or local or convolution"),
        ({"schedule": "pipelined"}, "choose --schedule interleaved or greedy"),
        ({"goodness": "sum"}, "has no --goodness"),
        ({"negatives": "random"}, "has no --negatives"),
        ({"softmax_readout": False, "readout": "softmax"}, "choose --readout competition"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        Config(**{"learner": "competitive", "readout": "competition", **choices})


def test_competition_belongs_to_its_learner() -> None:
    with pytest.raises(UsageError, match="choose --readout softmax or energy"):
        Config(readout="competition")
    with pytest.raises(UsageError, match=re.escape("leave --softmax-readout out")):
        Config(softmax_readout=False)


UPDATES = ("accumulate", "accumulate-int8", "coincidence", "capacitor", "tiki-taka")


@pytest.mark.parametrize("update", UPDATES)
def test_resume_is_bit_for_bit_with_every_update_on_a_sealed_chip(update: str) -> None:
    """A learner that takes up the state of another one goes on as that one does, to the bit."""
    more = {"gate": 0.1, "drive_bits": 4, "update": update, "skip_silent": True}
    one, other = (built({**more, "sealed": True, "learner": "competitive", "layers": (9, 7)}) for _ in range(2))
    data = data_of(Config(data="toy", shift=0))
    images, labels = data.x_train[:20], data.y_train[:20]
    for step in range(2):
        one.step(images, labels, step=step, gain=1.0)
    other.port.restore(one.port.save())
    other.restore(one.save())
    assert one.step(images, labels, step=2, gain=1.0).total() == other.step(images, labels, step=2, gain=1.0).total()
    assert all(np.array_equal(a, other.port.save()[n]) for n, a in one.port.save().items())
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())
    assert one.gated_share is not None


def built(options: dict) -> Competitive:
    """Return the initialised learner of a run on stripes."""
    config = Config(**recommended({"preset": "plain", "data": "toy", "shift": 0, "epochs": 1, "batch": 20, **options}))
    data = data_of(config)
    wiring = wiring_of(config, frame_of(config, data, None))
    learner = learner_of(config, port_of(config, wiring.shapes), len(data.classes), wiring, None)
    learner.initialise()
    assert isinstance(learner, Competitive)
    return learner


@pytest.mark.parametrize("network", ["local", "convolution"])
def test_networks_with_positions_learn(network: str) -> None:
    """Every position has the groups of its channels; a step raises the true group against the others."""
    made = built({"learner": "competitive", "network": network, "layers": (8, 6), "patch": (3,), "stride": (2,),
                  "device": "ideal", "learning_rate": 0.3, "momentum": 0.0})  # fmt: skip
    assert made.groups[0].positions > 1
    data = data_of(Config(data="toy", shift=0))
    for step in range(8):
        made.step(data.x_train[:100], data.y_train[:100], step=step, gain=1.0)
        if step == 0:
            first = [true - others for true, others in made.mean_goodness]
    assert all(
        true - others > 2.0 * max(0.0, begin) for begin, (true, others) in zip(first, made.mean_goodness, strict=True)
    )


def test_a_layer_that_does_not_learn_in_a_moment_stays() -> None:
    learner = made(Chip("memristor", LAYERS), learning_rate=1.0)
    before = learner.port.save()
    assert learner.step(*batch(), step=0, gain=1.0, moment=Moment(0, 0, positive=False)).layers == {}
    learner.step(*batch(), step=0, gain=1.0, moment=Moment(0, 0, layers=(1,)))
    after = learner.port.save()
    changed = {name.split(".")[0] for name, a in after.items() if ".g" in name and not np.array_equal(a, before[name])}
    assert changed == {"layer1"}


@pytest.mark.parametrize("trained", [True, False])
def test_it_may_end_with_an_average_of_its_weights(trained: bool) -> None:
    """The read-out is averaged beside the weights where there is one."""
    learner = made(Chip("memristor", LAYERS), softmax_readout=trained, final_weights="average")
    learner.step(*batch(), step=0, gain=1.0)
    assert ("readout" in learner.remember(9).layers or "readout" in learner.finish().layers) is trained


def test_no_memory_is_counted_for_a_read_out_that_is_not_there() -> None:
    """Beside a word of 32 bits a weight there are two a weight of the read-out, and a third where it is averaged."""
    common = {"learner": "competitive", "update": "accumulate", "softmax_readout": False}
    for final, bits in (("last", 32), ("average", 64)):
        choices = {**common, "final_weights": final}
        assert memory_bytes(choices, 1000, 50, 4) == 1000 * bits // 8
        assert memory_bytes({**choices, "softmax_readout": True}, 1000, 50, 4) == (1000 * bits + 200 * (bits + 32)) // 8
    curves = {**common, "slope": "curve", "curve_bins": 8}  # six words a bin
    assert memory_bytes(curves, 1000, 50, 4) == 4 * (1000 + 50 * 8 * 6)
    outputs = circuit_of({**common, "update": "capacitor"}, [(21, 50)], {}, 4).memory_bytes
    assert outputs == 4 * 50, "the outputs of one image alone"


def test_a_run(tmp_path) -> None:
    """On stripes, on a sealed chip, without digital weights: frozen random layers with a read-out are at 49 %."""
    config = Config(**recommended({
        "preset": "plain", "device": "ideal", "data": "toy", "layers": (24,), "epochs": 10, "batch": 20, "shift": 0,
        "sealed": True, "learner": "competitive", "readout": "competition", "softmax_readout": False,
        "out": str(tmp_path / "run"),
    }))  # fmt: skip
    result, _ = execute(config, quiet=True)
    assert result["test_error_percent"] < 25 and result["energy"]["per_update_joule"] > 0
    assert set(result["test_error_percent_by_readout"]) == {"competition"}
    assert "readout" not in result["events_by_layer"]["learn"]
