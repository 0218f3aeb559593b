"""Cheaper Forward-Forward: what each choice leaves as it was, what it changes in the mean, and what it counts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.learners.pipelined import Pipelined
from analog_ff.network.stack import Stack
from analog_ff.objective.gate import ROUNDINGS, Gate
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.runs.build import data_of, frame_of, learner_of, negatives_of, port_of, wiring_of
from analog_ff.runs.execute import execute
from analog_ff.updates.accumulate import Accumulate
from analog_ff.updates.accumulate_int8 import AccumulateInt8
from analog_ff.updates.base import Update
from analog_ff.updates.coincidence import Coincidence
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.events import Events
from hardware_models.keys import Key

PIXELS, CLASSES, SIZE = 64, 10, 20
LAYERS = ((PIXELS + 1, 30), (31, 20))
KEY = Key(0, "cheap")


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images, half of their pixels black, and labels of one batch."""
    rng = Key(3, "images", step).generator()
    images = rng.random((SIZE, PIXELS)) * (rng.random((SIZE, PIXELS)) < 0.5)
    return images.astype(np.float32), rng.integers(0, CLASSES, SIZE)


def learner(port, kind=ForwardForward, *, regions: int = 1, **more):
    """Return an initialised learner whose logistics saturate now and then."""
    goodness = [LayerGoodness("sum-of-squares", n, regions=regions, temperature=4.0) for _, n in port.shapes]
    made = kind(
        Stack(port, goodness), classes=CLASSES, seed=5, **{"negatives": "random", "learning_rate": 0.03, **more}
    )
    made.initialise()
    return made


def states_agree(one, other) -> bool:
    """Tell whether two learners and their chips hold the same bits."""
    pairs = ((one.port.save(), other.port.save()), (one.save(), other.save()))
    return all(np.array_equal(a[name], b[name]) for a, b in pairs for name in a.keys() & b.keys())


class Recorder:
    """A port that sums the pulses it is asked for."""

    def __init__(self, shape: tuple[int, int] = (40, 50), device: str = "ideal") -> None:
        self.datasheet = Chip(device, (shape,), input_scale=12.0).datasheet
        self.total = np.zeros(shape)
        self.path = 0.0

    def fire_cells(self, layer, counts, *, key):
        """Note signed counts."""
        self.total += counts
        self.path += float(np.abs(counts, dtype=np.float64).sum())
        return Events()

    def fire(self, layer, rows, columns, sign, *, key):
        """Note coincidences."""
        self.total += sign * (rows.T.astype(int) @ columns.astype(int))
        return Events()


# --- the gate and the coarse factor ---


def test_a_gate_that_no_factor_falls_short_of_changes_no_bit() -> None:
    plain, gated = (learner(Chip("memristor", LAYERS), **more) for more in ({}, {"gate": 1e-30}))
    for step in range(3):
        without = plain.step(*batch(step), step=step, gain=1.0)
        events = gated.step(*batch(step), step=step, gain=1.0)
        # All that the gate adds is a comparator for every image and layer.
        counts = dict(events.total().counts)
        assert counts.pop("comparator") == len(LAYERS) * 2 * SIZE
        assert Events(counts, events.total().integrals) == without.total()
    assert states_agree(plain, gated)
    assert gated.gated_share == [0.0, 0.0] and plain.gated_share is None and plain.measured == {}


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("regions", [1, 2])
def test_gated_images_change_nothing(regions: int, apart: bool) -> None:
    """What reaches the update is the outer product of the other images alone, their peer term included."""
    asked: dict[int, np.ndarray] = {}
    images: dict[int, int] = {}

    class Note(Update):
        def __init__(self, part):
            self.part = part

        def apply(self, x, d, size, rate, bias_rate, key):
            asked[self.part], images[self.part] = x.T @ d, len(x)
            return Events()

    threshold = 0.3
    made = learner(Chip("ideal", LAYERS, dac=None, adc=None), gate=threshold, skip_silent=apart, regions=regions)
    if not apart:
        made.updates = [Note(part) for part in range(len(LAYERS))]
    else:
        for part, update in enumerate(made.updates):
            update.apply = Note(part).apply
    term = [peer.term(np.zeros(1, np.float32)) for peer in made.peers]
    images_in, labels = batch(0)
    key = Key(5, "train", 0)
    wrong, wrong_labels = made._negatives(
        images_in, labels, np.full((SIZE, CLASSES), 0.1), key.child("negatives").generator()
    )
    shown = np.concatenate((made.show(images_in, labels).pixels, made.show(wrong, wrong_labels).pixels))
    (activities, _), *_ = made.network.forward(type(made.show(images_in, labels))(shown), key, "contrast")
    made.step(images_in, labels, step=0, gain=1.0)
    for layer, activity in enumerate(activities):
        goodness = made.network.goodness[layer]
        g = goodness.value(activity.y)
        c = np.concatenate(
            [goodness.coefficients(g[:SIZE], positive=True), goodness.coefficients(g[SIZE:], positive=False)]
        )
        c[np.abs(c) < threshold] = 0.0
        taught = c.any(axis=1)
        assert 2 < taught.sum() < 2 * SIZE - 2, "the case has images of both kinds"
        d = goodness.driven(c, activity.y)
        d[:SIZE][taught[:SIZE]] += term[layer]
        wanted = activity.x[0][taught].T @ d[taught]
        assert np.allclose(asked[layer], wanted, atol=1e-5 * np.abs(wanted).max())
        assert images[layer] == taught.sum() + apart
        assert made.gated_share[layer] == 1.0 - taught.mean()


def test_a_gate_of_one_leaves_the_chip_alone() -> None:
    """Nothing is stored, multiplied or fired beyond the visit of an empty average."""
    made = learner(Chip("memristor", LAYERS), gate=1.0)
    tally = made.step(*batch(0), step=0, gain=1.0)
    assert tally.total()["write.selected"] == 0 and made.gated_share == [1.0, 1.0]
    for layer, (inputs, neurons) in enumerate(LAYERS):
        assert tally.layers[str(layer)]["mac.fp32"] == 2 * inputs * neurons
        assert tally.layers[str(layer)]["sram.words_written"] == inputs * neurons
        assert not made.updates[layer].memory.any()
    quiet = learner(Chip("memristor", LAYERS), gate=1.0, update="coincidence")
    tally = quiet.step(*batch(0), step=0, gain=1.0)
    assert tally.total()["write.line_charges"] == 0 == tally.total()["rng.bits"]


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_the_coarse_factor_is_unbiased(bits: int) -> None:
    """E[c'] = c within four standard errors of a two-point distribution; values lie on the grid, signs stay."""
    n, levels = 4000, 2**bits - 1
    c = np.linspace(-1, 1, 41, dtype=np.float32)[:, None].repeat(n, axis=1)
    made, events = Gate(0.0, bits)(c, KEY)
    assert made.dtype == c.dtype and np.abs(made * levels - np.rint(made * levels)).max() < 1e-5
    assert (np.abs(made - c) < 1.0 / levels + 1e-6).all() and (made * c >= 0).all()
    share = np.abs(c[:, 0]) * levels % 1.0
    error = np.sqrt(share * (1 - share) / n) / levels + 1e-5
    assert (np.abs(made.mean(axis=1, dtype=np.float64) - c[:, 0]) < 4 * error).all()
    assert events == Events({"rng.bits": 16 * c.size, "comparator": levels * c.size})
    near, events = Gate(0.0, bits, "nearest")(c, KEY)
    assert np.abs(near - c).max() <= 0.5 / levels + 1e-6
    assert events == Events({"comparator": levels * c.size})


def test_gate_and_bits_in_turn() -> None:
    """The threshold looks at the factor itself, not at what it is rounded to."""
    c = np.array([[0.05, -0.2, 0.4, -1.0, 0.0]], np.float32)
    made, events = Gate(0.1, 1, "nearest")(c, KEY)
    assert made.tolist() == [[0.0, 0.0, 0.0, -1.0, 0.0]]
    assert events["comparator"] == 2 * c.size
    assert not Gate() and Gate(0.1) and Gate(0.0, 1)
    assert set(ROUNDINGS) == {"stochastic", "nearest"}


# --- silent units ---


@pytest.mark.parametrize("update", ["accumulate", "coincidence"])
def test_skipping_silent_units_changes_no_bit_without_peers(update: str) -> None:
    plain, skipping = (
        learner(Chip("memristor", LAYERS), update=update, peer=0.0, skip_silent=skip) for skip in (False, True)
    )
    for step in range(3):
        more = plain.step(*batch(step), step=step, gain=1.0).total()
        less = skipping.step(*batch(step), step=step, gain=1.0).total()
        same = ("write.selected", "write.line_charges", "reads.cells", "adc.8", "dac.8")
        assert all(more[name] == less[name] for name in same) and more.integrals == less.integrals
        assert less["mac.fp32"] < 0.8 * more["mac.fp32"]
        if update == "coincidence":
            assert less["rng.bits"] < more["rng.bits"] and less["comparator"] < more["comparator"]
    assert states_agree(plain, skipping)


def test_silent_units_are_counted_one_by_one() -> None:
    """Every product of two factors that are not zero, every such word and a bit for each, against plain loops."""
    rng = np.random.default_rng(1)
    x = (rng.random((7, 40)) * (rng.random((7, 40)) < 0.3)).astype(np.float32)
    d = (rng.standard_normal((7, 50)) * (rng.random((7, 50)) < 0.2)).astype(np.float32)
    products = sum(int(x[p, i] != 0 and d[p, j] != 0) for p in range(7) for i in range(40) for j in range(50))
    words = int((x != 0).sum() + (d != 0).sum()) + -(-7 * 90 // 32)
    events = Accumulate(Recorder(), 0, skip_silent=True).apply(x, d, 7, 0.01, 1.0, KEY)
    assert events["mac.fp32"] == products + 2 * 2000 and events["rng.bits"] == 24 * 2000
    assert events["sram.words_written"] == events["sram.words_read"] == words + 2000
    dense = Accumulate(Recorder(), 0).apply(x, d, 7, 0.01, 1.0, KEY)
    assert dense["mac.fp32"] == 7 * 2000 + 2 * 2000 and dense["sram.words_read"] == 2000 + 7 * 90
    lines = 0
    for p in range(7):
        for sign in (1, -1):
            live = int((sign * d[p] > 0).sum())
            lines += (live + int((x[p] > 0).sum())) if live else 0
    events = Coincidence(Recorder(), 0, slots=3, skip_silent=True).apply(x, d, 7, 1e-3, 1.0, KEY)
    assert events["comparator"] == 3 * lines and events["rng.bits"] == 16 * 3 * lines


@pytest.mark.parametrize("kind", [Accumulate, AccumulateInt8, Coincidence])
def test_drives_of_any_type_and_order_change_the_same(kind) -> None:
    """Float64 drives, or those of an array in another order, are taken as float32, with the bits of these."""
    rng = np.random.default_rng(1)
    x, d = rng.random((6, 40)).astype(np.float32), rng.standard_normal((6, 50)).astype(np.float32)
    totals = []
    for inputs, drives in ((x, d), (x.astype(np.float64), d.astype(np.float64)), (np.asfortranarray(x), d[::-1][::-1])):
        port = Recorder()
        kind(port, 0).apply(inputs, drives, 3, 0.01, 1.0, KEY)
        totals.append(port.total)
    assert totals[0].any() and all(np.array_equal(totals[0], other) for other in totals[1:])


@pytest.mark.parametrize("kind", [Accumulate, AccumulateInt8])
def test_a_state_is_a_copy_unless_it_is_asked_for_as_it_stands(kind) -> None:
    """A checkpoint writes the average from where it is; whoever keeps a state has a copy of his own."""
    update = kind(Recorder(), 0, write_every=2)
    update.apply(np.ones((6, 40), np.float32), np.ones((6, 50), np.float32), 3, 0.01, 1.0, KEY)
    kept, own = update.save(), update.save(copy=False)
    assert own["memory"] is update.memory and kept.keys() == own.keys() and "x0" in kept
    assert not any(np.shares_memory(kept[name], own[name]) for name in kept)
    assert all(np.array_equal(kept[name], own[name]) for name in kept)


def test_the_read_out_skips_silent_features() -> None:
    made = learner(Chip("memristor", LAYERS), skip_silent=True)
    features = np.zeros((5, 50), np.float32)
    features[:, :7] = 1.0
    assert made.products(features) == 5 * 7 * CLASSES
    assert made.train_readout(features, np.arange(5), 1.0)["mac.fp32"] == (2 * 5 * 7 + 3 * 50) * CLASSES


@pytest.mark.parametrize("kind", [ForwardForward, Pipelined])
def test_peers_brought_apart_ask_for_the_same(kind) -> None:
    """One product of the images' summed inputs with the peer term is what every image's own would add up to."""
    plain, apart = (
        learner(Chip("ideal", LAYERS, dac=None, adc=None), kind, peer=0.3, skip_silent=skip) for skip in (False, True)
    )
    for made in (plain, apart):
        made.step(*batch(0), step=0, gain=0.0)
    for one, other in zip(plain.updates, apart.updates, strict=True):
        assert np.abs(one.memory).max() > 0
        assert np.allclose(one.memory, other.memory, atol=1e-5 * np.abs(one.memory).max())


@pytest.mark.parametrize("network", ["recurrent", "local", "convolution"])
def test_peers_brought_apart_in_every_network(network: str) -> None:
    """The same with a gate, where an array has a row for each position, or iterations follow each other."""
    memories = []
    for skip in (False, True):
        config = Config(
            network=network, data="digits", layers=(4, 3), device="ideal", dac=None, adc=None, peer=0.3, gate=0.3,
            skip_silent=skip, **({} if network == "recurrent" else {"patch": (3,), "stride": (2,)}),
        )  # fmt: skip
        data = data_of(config)
        negatives = negatives_of(config, data)
        wiring = wiring_of(config, frame_of(config, data, negatives))
        made = learner_of(config, port_of(config, wiring.shapes), len(data.classes), wiring, negatives)
        made.initialise()
        made.step(data.x_train[:SIZE], data.y_train[:SIZE], step=0, gain=0.0)
        assert 0 < made.gated_share[0] < 1
        memories.append([update.memory for update in made.updates])
    for one, other in zip(*memories, strict=True):
        assert np.abs(one).max() > 0 and np.allclose(one, other, atol=1e-5 * np.abs(one).max())


# --- writes that wait ---


@pytest.mark.parametrize("kind", [Accumulate, AccumulateInt8])
def test_gathered_batches_are_one_large_batch(kind) -> None:
    """Writing every k-th batch is a batch k times as large at k times the rate, with mu^k; nothing is fired between."""
    rng = np.random.default_rng(2)
    k, mu, rate = 4, 0.9, 0.01
    port, other = Recorder(), Recorder()
    gathered = kind(port, 0, momentum=mu, write_every=k)
    large = kind(other, 0, momentum=mu**k)
    for turn in range(3):
        xs = rng.random((k, 6, 40)).astype(np.float32)
        ds = rng.standard_normal((k, 6, 50)).astype(np.float32)
        key = Key(0, "turn", turn)
        for number, (x, d) in enumerate(zip(xs, ds, strict=True)):
            before = port.total.copy()
            events = gathered.apply(x, d, 3, rate, 0.5, key)
            assert (number == k - 1) == bool((port.total != before).any())
            if number < k - 1:
                assert list(events.counts) == ["sram.words_written"] and gathered.waiting == (number + 1) * 300
        large.apply(xs.reshape(-1, 40), ds.reshape(-1, 50), 3, rate, 0.5, key)
        assert gathered.waiting == 0 and np.array_equal(port.total, other.total)
    assert np.array_equal(gathered.memory, large.memory)


@pytest.mark.parametrize("every", [1, 5])
def test_every_product_moves_the_weights_by_its_whole_share(every: int) -> None:
    """On a linear device, once the average has run empty, the change is rate times the sum of the products, for any k."""
    rng = np.random.default_rng(3)
    port = Recorder()
    mu, rate, batches = 0.8, 1e-3, 20
    update = Accumulate(port, 0, momentum=mu, write_every=every, rounding="nearest")
    total = np.zeros((40, 50))
    quiet = np.zeros((0, 40), np.float32), np.zeros((0, 50), np.float32)
    draining = 100
    for step in range(batches + draining):
        x, d = quiet
        if step < batches:
            x, d = rng.random((6, 40)).astype(np.float32), rng.standard_normal((6, 50)).astype(np.float32)
            total += rate * x.astype(np.float64).T @ d / 3
        update.apply(x, d, 3, rate, 1.0, Key(0, "s", step))
    moved = port.total * port.datasheet[0].weight_step
    # Half a step for each write, float32 products, and what mu^100 leaves.
    bound = 0.5 * (batches + draining) * port.datasheet[0].weight_step + (1e-5 + mu**draining) * np.abs(total).max()
    assert np.abs(moved - total).max() < bound and np.abs(total).max() > 100 * bound


@pytest.mark.parametrize(("every", "mu"), [(5, 0.9), (40, 0.9)])
def test_the_path_shortens_as_the_formula_says(every: int, mu: float) -> None:
    """Pulses for unrelated products: a first-order average of normal numbers, whose mean size goes with its deviation.

    For k = 1 values that are (1+mu)/(1-mu) steps apart count as independent, for k more, so the ratio is known to
    .76 sqrt(2/number) of itself (the deviation of |normal| over its mean is .76): four of these.
    """
    rng = np.random.default_rng(4)
    rows, columns, batches = 10, 200, 200
    paths = []
    for k in (1, every):
        port = Recorder((rows, columns))
        update = Accumulate(port, 0, momentum=mu, write_every=k, rounding="nearest")
        for step in range(batches + 80):
            if step == 80:
                port.path = 0.0  # the average has forgotten its start
            d = rng.standard_normal((rows, columns)).astype(np.float32)
            update.apply(np.eye(rows, dtype=np.float32), d, 1, 1e-3, 1.0, Key(0, "p", step))
        paths.append(port.path)
    expected = np.sqrt((1 - mu**every) * (1 + mu) / (every * (1 + mu**every) * (1 - mu)))
    independent = rows * columns * batches / max((1 + mu) / (1 - mu), every)
    assert abs(paths[1] / paths[0] / expected - 1) < 4 * 0.76 * np.sqrt(2 / independent)


def test_an_average_in_bytes_is_unbiased_and_fits() -> None:
    """Words are whole multiples of a row's step, at most 127; the mean over many draws is that of the exact average."""
    rng = np.random.default_rng(5)
    port = Recorder()
    step_x = port.datasheet[0].input_scale / 127
    x = (np.rint(rng.random((6, 40)) * 30) * step_x).astype(np.float32)  # on the grid of the inputs: nothing is lost
    d = rng.standard_normal((6, 50)).astype(np.float32)
    exact = 0.5 * x.astype(np.float64).T @ d / 3
    n, total = 400, np.zeros((40, 50))
    for turn in range(n):
        update = AccumulateInt8(port, 0, momentum=0.5)
        events = update.apply(x, d, 3, 0.01, 1.0, Key(0, "b", turn))
        total += update.memory
        largest = np.abs(update.memory).max(axis=1)
        steps = 2.0 ** np.ceil(np.log2(np.abs(exact).max(axis=1) * 1.05 / 127))
        words = update.memory / steps[:, None] * 4  # a row near a power of two may have half of that step, or a quarter
        assert np.array_equal(words, np.rint(words)) and (largest <= 127 * 2 * steps).all()
    # A rounding of d by a step has a variance of at most step²/4, that of a word too.
    step_d = np.abs(d).max() / 127
    variance = (0.5 / 3 * step_d / 2) ** 2 * np.square(x, dtype=np.float64).sum(axis=0)[:, None] + (steps[:, None]) ** 2
    error = np.sqrt(variance / n) + 1e-6
    assert (np.abs(total / n - exact) < 5 * error).all()  # 2000 words: 5 sigma, one in 1700 runs of other seeds
    assert events["mac.int8"] == 6 * 2000 + 2 * 2000 and events["mac.fp32"] == 0
    assert events["sram.words_read"] == (2000 + 40) // 4 + 6 * 90 // 4
    assert events["rng.bits"] == 24 * 2 * 2000 + 16 * 6 * 50


def test_a_row_without_products_fades_to_zero_in_bytes() -> None:
    """A pixel that few images light leaves a row that only decays; at mu = .98 it is below what float32 holds in 5000 batches.

    At mu = .5 it is after 150. One rounding moves a word by at most a part in 63: 100 of them by at most 8 % (one deviation).
    """
    update = AccumulateInt8(Recorder((2, 3)), 0, momentum=0.5)
    d = np.float32([[1, -1, 0]])
    update.apply(np.float32([[1, 1]]), d, 1, 1e-9, 1.0, Key(0, "fade", 0))
    largest = []
    for step in range(1, 160):  # 2^-149 is the least float32
        update.apply(np.float32([[0, 1]]), d, 1, 1e-9, 1.0, Key(0, "fade", step))
        largest.append(float(np.abs(update.memory[0]).max()))
        assert np.isfinite(update.memory).all()
    assert largest[99] == pytest.approx(largest[0] * 2.0**-99, rel=0.4) and largest[-1] == 0.0
    assert np.array_equal(np.sign(update.memory[1]), [1, -1, 0])


# --- runs ---


@pytest.mark.parametrize("update", ["accumulate", "accumulate-int8", "coincidence"])
def test_resume_is_bit_for_bit(update: str) -> None:
    """With everything on, saved while activities wait."""
    more = {"update": update, "gate": 0.05, "drive_bits": 2, "skip_silent": True}
    if update != "coincidence":
        more["update_options"] = {"write_every": 3}
    first, second = (learner(Chip("memristor", LAYERS), **more) for _ in range(2))
    for step in range(4):
        first.step(*batch(step), step=step, gain=1.0)
    second.port.restore(first.port.save())
    second.restore(first.save())
    assert (update == "coincidence") == (first.meter.held == 0) and second.meter.held == first.meter.held
    for step in range(4, 8):
        for made in (first, second):
            made.step(*batch(step), step=step, gain=1.0)
    assert states_agree(first, second) and first.gated_share == second.gated_share


def test_a_run_reports_the_gated_share(tmp_path) -> None:
    config = Config(
        data="toy", layers=(12, 10), epochs=2, batch=50, shift=0, gate=0.2, drive_bits=1, skip_silent=True,
        write_every=2, out=str(tmp_path / "run"),
    )  # fmt: skip
    result, folder = execute(config, quiet=True)
    assert len(result["gated_share_by_layer"]) == 2 and 0 < result["gated_share_by_layer"][0] < 1
    lines = (folder / "metrics.csv").read_text().splitlines()
    last = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
    assert float(last["gated_share_0"]) == result["gated_share_by_layer"][0]
    assert json.loads((folder / "result.json").read_text())["config"]["drive_bits"] == 1


@pytest.mark.parametrize(
    ("update", "rate", "layers", "steps"), [("accumulate", 0.1, 2, 110), ("coincidence", 0.003, 1, 70)]
)
def test_a_reset_only_device_learns(update: str, rate: float, layers: int, steps: int) -> None:
    """Pulses of one sign below 1 V, a refresh now and then: positives leave negatives behind.

    Without an average the second layer moves too little in so short a time to be told from its noise.
    """
    chip = Chip("renaudineau2026_hfox_ti", LAYERS)
    options = {"update": update, "learning_rate": rate, "label_strength": 4.0, "peer": 0.0}
    made = learner(chip, gate=0.05, skip_silent=True, **options)
    apart, total = [], Events()
    for step in range(steps):
        total = total + made.step(*batch(step % 2), step=step, gain=1.0).total()
        apart.append([positive - negative for positive, negative in made.mean_goodness])
    early, late = np.mean(apart[:10], axis=0), np.mean(apart[-10:], axis=0)
    assert (late[:layers] > early[:layers] + 0.5).all()
    assert total["write.selected"] > 0 and chip.device.v_down < 1.0
    assert total["adc.8"] > steps * 3 * SIZE * 50, "the refresh converts currents of spent pairs"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"drive_rounding": "nearest"}, "give --drive-bits"),
        ({"drive_bits": 2, "drive_rounding": "down"}, "--drive-rounding is one of stochastic, nearest"),
        ({"gate": 1.5}, "--gate"),
        ({"drive_bits": 9}, "--drive-bits"),
        ({"write_every": 0}, "--write-every"),
        ({"write_every": 2, "update": "coincidence"}, "--write-every belongs to --update accumulate"),
    ],
)
def test_wrong_choices_are_refused(options: dict, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Config(**options)
