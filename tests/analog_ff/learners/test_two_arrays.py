"""Updates on two arrays: the average that a leaky cell makes, what cancels its faults, and everything that is counted."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.runs import checkpoint
from analog_ff.runs.execute import execute
from analog_ff.runs.exports import export
from analog_ff.runs.further_arrays import further_described
from analog_ff.runs.identity import key
from analog_ff.runs.lessons import Lesson, teach
from analog_ff.runs.loaded import load_run
from analog_ff.updates import UPDATES
from analog_ff.updates.accumulate import Accumulate
from analog_ff.updates.capacitor import Capacitor as CapacitorUpdate
from analog_ff.updates.coincidence import RANDOM_BITS
from analog_ff.updates.signs import Signs
from analog_ff.updates.tiki_taka import BufferedTikiTaka, ChoppedTikiTaka, TikiTaka
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.chip.designs import Design
from hardware_models.chip.process_port import ProcessPort
from hardware_models.devices.capacitor import Capacitor
from hardware_models.devices.ideal import Ideal
from hardware_models.events import Events, Ledger, Tally
from hardware_models.keys import Key
from hardware_models.load import load_device

ROOT = Path(__file__).resolve().parents[3]
ROWS, COLUMNS, BATCH = 12, 7, 10
KEY = Key(7, "two arrays")
CELL = Capacitor(states=4096.0, g_min=4e-6, g_max=20e-6, rest=0.5, tau=1e-3, v_up=1.0, v_down=1.0)
"""A fast cell without noise, spread or asymmetry, whose range no test comes near."""


def chip_of(fast=CELL, *, single: bool = False, layers=((ROWS, COLUMNS),), bits: int | None = None, **more):
    """Return a chip whose layers have an ideal slow array and a fast one."""
    arrays = dict.fromkeys(range(len(layers)), {"fast": Design(fast, single), "reference": Design(Ideal())})
    return Chip("ideal", layers, arrays=arrays, dac=bits, adc=bits, input_scale=6.0, **more)


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs in [0, 5[ with the bias row at full scale, and drives of both signs."""
    rng = KEY.at(step).generator()
    x = 5.0 * rng.random((2 * BATCH, ROWS), dtype=np.float32)
    x[:, -1] = 6.0
    return x, rng.normal(0.0, 1.0, (2 * BATCH, COLUMNS)).astype(np.float32)


class Spy:
    """A port that keeps what is fired on its slow array, and the trains on its fast one."""

    def __init__(self, chip) -> None:
        self._chip = chip
        self.slow: list[np.ndarray] = []
        self.trains: list[tuple[np.ndarray, np.ndarray, int]] = []

    def __getattr__(self, name: str):
        return getattr(self._chip, name)

    def fire(self, layer, rows, columns, sign, *, key, array="main") -> Events:
        """Note the trains and hand them on."""
        self.trains.append((rows, columns, sign))
        return self._chip.fire(layer, rows, columns, sign, key=key, array=array)

    def fire_cells(self, layer, counts, *, key, array="main") -> Events:
        """Note the pulses of the slow array and hand them on."""
        if array == "main":
            self.slow.append(counts.copy())
        return self._chip.fire_cells(layer, counts, key=key, array=array)


def learn(update, steps, *, rate: float = 0.01, port=None) -> Events:
    """Apply batches, each followed by the wait that the update's pace asks for, and return all events."""
    total = Events()
    for step in steps:
        x, d = batch(step)
        events = update.apply(x, d, BATCH, rate, 1.0 / 36.0, KEY.child("apply", step))
        if port is not None:
            seconds = BATCH * update.seconds_per_image - events.integrals.get("time", 0.0)
            events = events + port.wait(max(0.0, seconds), key=KEY.child("wait", step))
        total = total + events
    return total


def test_one_period_against_a_slow_twin() -> None:
    """The charges in float64 from the trains alone: steps, leak, transfers, and charges that are turned with the signs."""
    port = Spy(chip_of())
    update = CapacitorUpdate(port, 0, momentum=0.8, slots=5, write_every=2, cancel="inversion", cancel_every=2)
    step, slow_step = port.sheet(0, "fast").weight_step, port.sheet(0).weight_step
    charge, polarity, seen = np.zeros((ROWS, COLUMNS)), 1.0, 0
    for number in range(8):
        learn(update, [number], port=port)
        for rows, columns, sign in port.trains:
            charge += sign * step * (rows.astype(float).T @ columns.astype(float))
        port.trains.clear()
        if number % 2:
            last = number % 4 == 3
            gain = 5 * step / (6.0 * 4.0) * BATCH
            factor = 0.01 * 2 * (1 - 0.8) / (gain * slow_step)
            draws = (
                KEY.child("apply", number)
                .child("transfer")
                .child("rounding")
                .generator()
                .random((ROWS, COLUMNS), np.float32)
            )
            expected = np.floor(factor * polarity * charge + draws)
            # Cells hold float32: 2^-24 of 12 uS is 1/5000 of a step, and charges are a few steps and more.
            np.testing.assert_allclose(port.slow[seen], expected, rtol=0, atol=1 + 2e-4 * np.abs(expected).max())
            assert np.abs(expected).max() > 500
            seen += 1
            if last:
                charge -= np.rint(2 * charge / step) * step
                polarity = -polarity
        charge *= 0.8
    assert seen == len(port.slow) == 4


def test_follows_the_digital_average_in_expectation() -> None:
    """Noiseless symmetric cells: the sum of all pulses is that of `accumulate`, within five deviations of the trains.

    A batch fires row i in a slot with probability p_i and column j with q_j, so that the number of coincidences S = R C of a
    slot has the variance E[R²] E[C²] - (E R E C)²; each coincidence asks for at most eta Delta A/(a Delta W)
    pulses in the end, and every rounding adds a variance of at most 1/4.
    """
    port, digital = Spy(chip_of()), Spy(chip_of())
    update = CapacitorUpdate(port, 0, momentum=0.8, slots=50)
    average = Accumulate(digital, 0, momentum=0.8)
    variance = 0.0
    for number in range(12):
        x, d = batch(number)
        d = np.abs(d)  # a sum that does not cancel
        update.apply(x, d, BATCH, 0.01, 1.0 / 36.0, KEY.child("apply", number))
        port.wait(BATCH * update.seconds_per_image, key=KEY.child("wait", number))
        average.apply(x, d, BATCH, 0.01, 1.0 / 36.0, KEY.child("apply", number))
        p, q = x / 6.0, np.minimum(d / 4.0, 1.0)
        p[:, -1] /= 36.0
        first = [(s.sum(axis=1), (s * (1 - s)).sum(axis=1)) for s in (p, q)]
        squares = [mean**2 + var for mean, var in first]
        variance += 50 * float((squares[0] * squares[1] - (first[0][0] * first[1][0]) ** 2).sum())
    each = 0.01 * port.sheet(0, "fast").weight_step / (update.fast.gain * BATCH * port.sheet(0).weight_step)
    deviation = math.sqrt(variance * each**2 + 12 * ROWS * COLUMNS / 2)
    got, wanted = (float(np.sum(spy.slow, dtype=np.float64)) for spy in (port, digital))
    assert abs(got - wanted) < 5.0 * deviation < 0.1 * wanted


def test_mu_follows_from_the_clock() -> None:
    """A given sample rate f and leak time tau make mu = exp(-B/(f tau)); without one f makes the wanted mu."""
    port = chip_of()
    given = CapacitorUpdate(port, 0, sample_rate=2e4)
    assert math.isclose(1.0 - given.forgets(BATCH), math.exp(-BATCH / (2e4 * CELL.tau)))
    free = CapacitorUpdate(port, 0, momentum=0.9)
    assert math.isclose(free.forgets(BATCH), 0.1) and math.isclose(
        free.seconds_per_image, -CELL.tau * math.log(0.9) / BATCH
    )
    assert math.isclose(free.forgets(BATCH // 2), 1.0 - math.sqrt(0.9))  # half a batch takes half the time


@pytest.mark.parametrize("cancel", ["none", "inversion", "choppers"])
def test_signs_cancel_a_constant_asymmetry(cancel: str) -> None:
    """Trains that cancel charge a single-ended cell with injection q by 2 q a pair; only without signs the slow weights feel it.

    The bias of a cell adds up to eta q N Delta A/(a Delta W) for N coincidences. With signs it is at most that of one unfinished
    period of many, plus what few random signs leave: a factor of 4 below is five deviations of 84 cells and 20 periods.
    """
    port = Spy(chip_of(replace(CELL, charge_injection=0.2), single=True))
    update = CapacitorUpdate(port, 0, momentum=0.5, slots=10, cancel=cancel, cancel_every=2)
    for number in range(40):
        x, d = batch(number)
        x, d = np.concatenate((x, x)), np.concatenate((d, -d))
        update.apply(x, d, BATCH, 0.01, 1.0, KEY.child("apply", number))
        port.wait(BATCH * update.seconds_per_image, key=KEY.child("wait", number))
    drift = float(np.mean(np.sum(port.slow, axis=0)))
    expected = 0.2 * 40 * 2 * 2 * BATCH * 0.5 * np.sqrt(2 / np.pi) / BATCH * 0.01 / port.sheet(0).weight_step * 3.0
    if cancel == "none":
        assert drift > 0.5 * expected
    else:
        assert abs(drift) < 0.25 * expected


def test_choppers_and_inversion_on_a_bias_of_readings() -> None:
    """A bias b of every reading cancels exactly over two periods of inversion, and by 1/sqrt(n) over n of choppers."""
    bias = np.ones((ROWS, COLUMNS))
    inversion = Signs(ROWS, COLUMNS, "inversion")
    first = inversion.on(bias).copy()
    inversion.turn(KEY)
    assert (first + inversion.on(bias) == 0.0).all()
    choppers, total = Signs(ROWS, COLUMNS, "choppers"), np.zeros((ROWS, COLUMNS))
    for number in range(400):
        choppers.turn(KEY.at(number))
        total += choppers.on(bias)
    assert np.abs(total).max() < 5.0 * 20.0
    with pytest.raises(UsageError, match="cancels by none, inversion"):
        Signs(ROWS, COLUMNS, "other")


def test_counts_in_closed_form() -> None:
    """One conversion a weight and transfer; a comparator and a random number a line, slot, sample and polarity that fires."""
    port = Spy(chip_of(bits=8))
    update = CapacitorUpdate(port, 0, momentum=0.8, slots=3, write_every=2)
    events = learn(update, range(6), port=port)
    weights = ROWS * COLUMNS
    assert events.counts["adc.8"] == 3 * weights and events.counts["dac.8"] == 3 * ROWS
    drives = [batch(step)[1] for step in range(6)]
    fired = sum(int((sign * d > 0).any(axis=1).sum()) for d in drives for sign in (1, -1))
    lines = fired * 3 * (ROWS + COLUMNS)
    assert events.counts["comparator"] == lines
    assert events.counts["rng.bits"] == RANDOM_BITS * lines + 24 * 3 * weights
    assert events.counts["mac.int8"] == 3 * weights
    assert not {"sram.words_read", "sram.words_written", "mac.fp32"} & events.counts.keys()
    assert events.counts["write.further"] == sum(int((r.sum(1) * c.sum(1)).sum()) for r, c, _ in port.trains)


def test_conversions_of_a_run_and_its_memory() -> None:
    """--update capacitor keeps no word a weight; Tiki-Taka keeps none in its first version and one of 32 bits later."""
    from analog_ff.updates import UPDATES

    bits = {name: UPDATES[name].memory_bits for name in ("capacitor", "tiki-taka", "tiki-taka-v2", "tiki-taka-chopped")}
    assert bits == {"capacitor": 0, "tiki-taka": 0, "tiki-taka-v2": 32, "tiki-taka-chopped": 32}


UPDATES_MADE = [
    lambda port: CapacitorUpdate(port, 0, momentum=0.8, slots=4, cancel="choppers", cancel_every=2),
    lambda port: CapacitorUpdate(port, 0, sample_rate=1e5, slots=4, cancel="zero-shift"),
    lambda port: TikiTaka(port, 0, slots=4, cancel="inversion", cancel_every=2),
    lambda port: BufferedTikiTaka(port, 0, slots=4),
    lambda port: ChoppedTikiTaka(port, 0, slots=4, zero_pulses=3, cancel="zero-shift"),
]


@pytest.mark.parametrize("make", UPDATES_MADE)
def test_saved_and_restored_to_the_bit(make) -> None:
    """Three batches, a checkpoint and three more are six batches."""
    device = load_device("li2018_3t1c")
    straight, first, second = (Spy(chip_of(device, bits=8)) for _ in range(3))
    whole, begun, resumed = make(straight), make(first), make(second)
    learn(whole, range(6), port=straight)
    learn(begun, range(3), port=first)
    second.restore(first.save())
    resumed.restore(begun.save())
    learn(resumed, range(3, 6), port=second)
    assert (
        all(np.array_equal(a, b) for a, b in zip(straight.slow[3:], second.slow, strict=True)) and len(second.slow) == 3
    )
    one, other = straight.save(), second.save()
    assert one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_buffered_pulses_and_what_is_left_make_the_whole() -> None:
    """Version 2: the pulses given and the word H sum to all that was asked for, and H stays below one pulse."""
    port = Spy(chip_of())
    update = BufferedTikiTaka(port, 0, transfer_rate=0.5, slots=20)
    asked = np.zeros((ROWS, COLUMNS))
    own = update.pulses

    def noted(wanted, key):
        asked.__iadd__(wanted)
        return own(wanted, key)

    update.pulses = noted
    learn(update, range(8))
    np.testing.assert_allclose(np.sum(port.slow, axis=0) + update.hidden, asked, rtol=1e-4, atol=1e-3)
    assert np.abs(update.hidden).max() < 1.0 and np.abs(asked).max() > 2.0


def test_chopped_rows_bring_the_same_average() -> None:
    """c-TTv2 charges and reads a row with the same sign: on cells that do not forget between transfers, as without choppers.

    With transfers of all that A holds (rho = 1 at no leak) and a flip after each, what A keeps of earlier batches comes back
    with random signs; what a batch brings has its own sign. The sums of both updates agree in sign where the batch is always
    the same.
    """
    plain, chopped = Spy(chip_of()), Spy(chip_of())
    updates = [BufferedTikiTaka(plain, 0, slots=20), ChoppedTikiTaka(chopped, 0, slots=20, chop_probability=0.5)]
    for update in updates:
        for number in range(30):
            x, d = batch(0)
            update.apply(x, d, BATCH, 0.01, 1.0, KEY.child("apply", number))
    x, d = batch(0)
    outer = x.T @ d
    strong = np.abs(outer) > np.median(np.abs(outer))
    for spy in (plain, chopped):
        assert (np.sign(np.sum(spy.slow, axis=0)) == np.sign(outer))[strong].mean() > 0.8
    assert (updates[1].signs.rows == -1).any() and (updates[0].signs.rows == 1).all()


def test_zero_shift_takes_the_offset_off() -> None:
    """Cells with offsets of 5 % of the range ask for pulses at rest, and for none once the reference holds the offsets."""
    asked = {}
    for cancel in ("none", "zero-shift"):
        port = Spy(chip_of(replace(CELL, offset_spread=0.05), single=True))
        update = CapacitorUpdate(port, 0, momentum=0.8, cancel=cancel, fast_range=1.0)
        x, d = batch(0)
        events = update.apply(x, np.zeros_like(d), BATCH, 0.01, 1.0, KEY)
        asked[cancel] = float(np.abs(port.slow[0]).mean())
        assert events.counts.get("add.int32", 0) == (ROWS * COLUMNS if cancel == "zero-shift" else 0)
    assert asked["zero-shift"] < 0.01 * asked["none"]


def test_range_of_the_converters_follows_the_readings() -> None:
    """The full scale halves while readings are small, doubles when they are cut, and stays where it is given."""
    port = Spy(chip_of(replace(CELL, states=400.0), bits=8))
    update = CapacitorUpdate(port, 0, momentum=0.9, slots=4)
    learn(update, range(6), port=port)
    found = update.fast.share
    assert 0.0 < found < 1.0
    largest = np.abs(port.read_rows(0, np.arange(ROWS), full_scale=1.0, key=KEY, array="fast")[0]).max()
    assert largest < 2.0 * found * update.fast.sheet.weight_limit
    fixed = CapacitorUpdate(Spy(chip_of(bits=8)), 0, fast_range=0.25)
    learn(fixed, range(2))
    assert fixed.fast.share == 0.25


def test_saturated_cells_are_counted() -> None:
    """Cells of four states are soon at the end of their range, and the update says what share."""
    port = Spy(chip_of(replace(CELL, states=4.0), bits=8))
    update = CapacitorUpdate(port, 0, momentum=0.99, slots=50)
    learn(update, range(3), port=port)
    told = update.measured
    assert (
        told["fast_saturated_share"] > 0.1
        and told["drive_cut_share"] == 0.0
        and told["fast_momentum"] == pytest.approx(0.99)
    )


def learner(port, **more) -> ForwardForward:
    """Return an initialised learner with capacitors."""
    stack = Stack(port, [LayerGoodness("sum-of-squares", m) for _, m in port.shapes])
    options = {"negatives": "random", "update": "capacitor", "update_options": {"momentum": 0.9}, **more}
    made = ForwardForward(stack, classes=10, seed=5, **options)
    made.initialise()
    return made


def lesson(step: int) -> tuple[np.ndarray, np.ndarray, Lesson]:
    """Return images, labels and the lesson of a batch."""
    rng = Key(3, "images", step).generator()
    from analog_ff.learners.base import ALWAYS as both

    return rng.random((20, 64)).astype(np.float32), rng.integers(0, 10, 20), Lesson(step, 1.0, both, slice(None))


LAYERS = ((65, 20), (21, 10))


def test_learns_on_a_sealed_chip_at_a_constant_pace() -> None:
    """It needs the pins alone, in this process or another, and the clock moves on by images times their interval."""
    kept = []
    arrays = dict.fromkeys(range(2), {"fast": Design(load_device("li2018_3t1c"))})
    for kind, more in ((Chip, {"sealed": True}), (ProcessPort, {})):
        port = kind("memristor", LAYERS, arrays=arrays, **more)
        made, ledger = learner(port), Ledger()
        for step in range(2):
            teach(made, ledger, *lesson(step))
        spent = ledger.phase("learn").total().integrals["time"]
        assert math.isclose(spent, 40 * made.updates[0].seconds_per_image, rel_tol=1e-9)
        assert {"fast_momentum_0", "fast_clipped_share_1", "sample_rate_0"} <= made.measured.keys()
        kept.append(port.save())
        port.close()
    assert all(np.array_equal(kept[0][name], kept[1][name]) for name in kept[0])


def test_a_batch_that_takes_too_long_is_an_error() -> None:
    """No wait makes up for a chip that is always busy for longer than its images take to come; a buffer does for one batch."""
    port = Chip("memristor", LAYERS, arrays=dict.fromkeys(range(2), {"fast": Design(CELL)}))
    made = learner(port, update_options={"sample_rate": 1e9})
    with pytest.raises(RunError, match="or a lower --sample-rate"):
        teach(made, Ledger(), *lesson(0))
    made, seconds = learner(port, update_options={"sample_rate": 1e5}), 20 / 1e5
    waits = [
        made.pace(Tally({"0": Events({}, {"time": busy * seconds})}), 20, step).total().integrals["time"] / seconds
        for step, busy in enumerate((0.5, 2.5, 0.25, 0.0, 0.5))
    ]
    assert waits == pytest.approx([0.5, 0.0, 0.0, 0.25, 0.5])


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"momentum": 0.9, "sample_rate": 1e5}, "--momentum follows from --sample-rate"),
        ({"network": "recurrent"}, "choose --network stack"),
        ({"schedule": "pipelined"}, "choose --schedule interleaved"),
        ({"chips": "per-layer"}, "choose --chips one"),
        ({"update": "tiki-taka", "leak_time": 1.0}, "--leak-time"),
        ({"update": "tiki-taka-chopped", "cancel": "choppers"}, "choose --cancel none"),
        ({"cancel_every": 3}, "--cancel"),
        ({"update": "accumulate", "fast_device": "ideal"}, "--fast-device"),
    ],
)
def test_choices_that_do_not_go_together(choices: dict, said: str) -> None:
    """One sentence, before anything is made."""
    with pytest.raises(UsageError, match=said):
        Config(**{"update": "capacitor", **choices})


def test_fast_cells_must_forget_for_a_capacitor() -> None:
    """A fast device without a leak is refused, unless it is given one."""
    from analog_ff.runs.build import port_of

    with pytest.raises(UsageError, match="needs fast cells that forget"):
        CapacitorUpdate(port_of(Config(update="capacitor", fast_device="ideal"), ((ROWS, COLUMNS),)), 0)
    port = port_of(Config(update="capacitor", fast_device="memristor", leak_time=2e-3), ((ROWS, COLUMNS),))
    assert port.sheet(0, "fast").leak_time == pytest.approx(2e-3)
    with pytest.raises(UsageError, match="written once"):
        port_of(Config(update="capacitor", fast_device="wan2022_reram"), ((ROWS, COLUMNS),))


SMALL = {"preset": "plain", "data": "toy", "layers": (8,), "epochs": 1, "batch": 100, "shift": 0, "update": "capacitor"}


def test_a_run_is_counted_priced_and_drawn(tmp_path: Path) -> None:
    """Conversions in closed form; pulses of weights alone wear them; the second array is in the area and in the description."""
    results = {}
    for update in ("capacitor", "accumulate"):
        results[update], _ = execute(Config(**{**SMALL, "update": update}, out=str(tmp_path / update)), quiet=True)
    made, usual = results["capacitor"], results["accumulate"]
    batches, weights = made["images"]["learn"] // 100, sum(n * m for n, m in made["shapes"])
    learned = [result["events"]["learn"]["adc.8"] for result in results.values()]
    assert learned[0] - learned[1] == batches * weights and batches == 4
    main = made["events"]["learn"]["write.selected"]
    assert made["cells"]["pulses_per_weight"] == main / weights and made["events"]["learn"]["write.further"] > 0
    joules = made["energy"]["by_component_joule"]["learn"]
    assert joules["further.write"] == made["integrals"]["learn"]["further.write"]["value"] > 0.0
    assert made["energy"]["circuit"]["memory_bytes"] == usual["energy"]["circuit"]["memory_bytes"] - 4 * weights
    areas = [result["energy"]["chip"]["learn"]["area_m2"] for result in results.values()]
    # Two cells of 300 F² a weight at 32 nm and a second set of circuits, less a word of 32 bits of memory.
    assert areas[0] - areas[1] > 2 * weights * 300 * 32e-9**2 - 32 * weights * 0.3e-12
    assert made["further_arrays"]["fast"]["name"] == "li2018_3t1c" and "further_arrays" not in usual
    columns = (tmp_path / "capacitor" / "metrics.csv").read_text().splitlines()[0].split(",")
    explained = (ROOT / "docs" / "reference" / "run-files.md").read_text()
    assert all(f"`{name}`" in explained for name in columns if name.startswith(("fast_", "drive_", "sample_")))


def test_another_fast_device_is_another_run(tmp_path: Path) -> None:
    """The key of a stored result has the figures of the fast cells; without a fast array it has none."""

    def fast(**more: Any) -> str | None:
        inputs: dict[str, str] = key("simulate", Config(**{**SMALL, **more}))["inputs"]
        return inputs.get("fast_device")

    own = tmp_path / "own.toml"
    own.write_text((ROOT / "hardware_models" / "parameters" / "li2018_3t1c.toml").read_text())
    choices = ({}, {"leak_time": 1e-3}, {"fast_device": "memristor", "leak_time": 1e-3}, {"update": "accumulate"})
    keys = [fast(**more) for more in choices]
    assert len(set(keys)) == 4 and keys[3] is None
    assert fast(fast_device=str(own)) == keys[0]
    text = own.read_text()
    assert "value = 20.0\n" in text
    own.write_text(text.replace("value = 20.0\n", "value = 10.0\n"))
    assert fast(fast_device=str(own)) not in keys


def test_single_figures_are_those_of_the_run_device() -> None:
    """Fast cells that are those of the run have its replaced figures; those of a name of their own have not."""
    run = {**SMALL, "update": "tiki-taka", "figures": ("states=40",), "cancel": "zero-shift"}
    states = [
        {name: found["states"] for name, found in further_described(Config(**{**run, **more})).items()}
        for more in ({}, {"fast_device": "memristor"})
    ]
    assert states == [{"fast": 40.0, "reference": 40.0}, {"fast": 128.0, "reference": 40.0}]


def test_a_run_without_the_options_goes_on(tmp_path: Path) -> None:
    """The configuration of a run of an earlier version, whose file has no option of fast arrays, is that of today."""
    plain = Config(**{**SMALL, "update": "accumulate"})
    before = {*UPDATES["accumulate"].reads, *UPDATES["coincidence"].reads}
    new = {name for kind in UPDATES.values() if kind.arrays for name in kind.reads} - before
    lines = plain.to_toml({}).splitlines(keepends=True)
    kept = [line for line in lines if line.partition(" = ")[0] not in new]
    assert len(lines) - len(kept) == len(new) == 11
    (tmp_path / "config.toml").write_text("".join(kept))
    earlier = Config.from_toml(tmp_path / "config.toml")
    assert earlier == plain
    assert earlier.digest() == plain.digest() != replace(plain, update="capacitor").digest()


def test_a_finished_run_has_its_second_arrays_again(tmp_path: Path) -> None:
    """Every array of the checkpoint is restored, to the bit; files of cells say which arrays they leave out."""
    folder = tmp_path / "run"
    execute(Config(**{**SMALL, "cancel": "zero-shift"}, out=str(folder)), quiet=True)
    kept = checkpoint.read(folder, checkpoint.NAME)[0]
    with load_run(folder) as loaded:
        present = loaded.run.arrays()
        export(loaded, tmp_path / "cells", "npz")
    second = [
        kept[f"chip/layer0.{name}.state.g"] for name in ("fast", "reference")
    ]  # what moved since the chip was made
    assert all(g.std() > 0.0 for g in second)
    assert all(np.array_equal(kept[name], present[name], equal_nan=kept[name].dtype.kind == "f") for name in kept)
    with h5py.File(folder / "cells.h5") as file:
        said = json.loads((tmp_path / "cells" / "description.json").read_text())["left_out"]
        assert file.attrs["left_out"] == said and "fast and reference" in said
