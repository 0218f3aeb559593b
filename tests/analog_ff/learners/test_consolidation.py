"""Consolidation: the record follows the pulses, the worst cells go half of the way back, counts, state, a run that goes on."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.objective.schedule import Moment
from analog_ff.runs.circuit import memory_bytes
from analog_ff.runs.lessons import Lesson, teach
from analog_ff.updates.accumulate import Accumulate
from analog_ff.updates.consolidation import Record
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.events import Events, Ledger, Tally
from hardware_models.keys import Key

KEY = Key(3, "consolidation")
SHAPE = (20, 10)


def port(cycle_noise: float = 0.0, **more) -> Chip:
    """Return a chip of linear cells without spread, read without noise or converters."""
    device = ExponentialStep(g_min=1e-6, g_max=1e-5, states=1000.0, v_up=1.6, t_up=5e-8, v_down=1.5, t_down=4e-8,
                             cycle_noise=cycle_noise)  # fmt: skip
    return Chip(device, [SHAPE], dac=None, adc=None, **more)


def record(chip: Chip, share: float = 0.05, every: int = 1) -> Record:
    """Return a record that has begun."""
    made = Record(chip, 0, share=share, every=every)
    made.after_batch(KEY.child("begin"))
    return made


def test_the_record_follows_the_pulses_of_the_update() -> None:
    """R changes by n dW with every burst, so that perfect cells stay where the record has them."""
    chip = port()
    made = record(chip, share=0.0)
    update = Accumulate(chip, 0)
    update.record = made
    counts = np.random.default_rng(0).integers(-4, 5, SHAPE).astype(np.int32)
    events = update.burst(chip, 0, counts, KEY)
    assert np.allclose(made.wanted, chip.oracle.weights(0), atol=0.02 * chip.datasheet[0].weight_step)
    pulsed = np.count_nonzero(counts)
    assert events["mac.fp32"] == events["sram.words_read"] == events["sram.words_written"] == pulsed
    assert events["write.selected"] == np.abs(counts).sum()


def test_the_worst_cells_go_half_of_the_way_back() -> None:
    """Five percent of the cells were moved behind the record's back: each reading halves their errors, others get no pulse."""
    chip = port()
    made = record(chip)
    wrong = np.zeros(SHAPE, np.int32)
    wrong.flat[:10] = 64
    before = chip.oracle.weights(0).copy()
    chip.fire_cells(0, wrong, key=KEY.child("wrong"))
    step = chip.datasheet[0].weight_step
    for left in (32, 16, 8, 4, 2, 1, 0):
        events = made.after_batch(KEY.child("left", left))
        off = (chip.oracle.weights(0) - before) / step
        assert np.allclose(off.flat[:10], left, atol=0.6) and np.abs(off.flat[10:]).max() < 0.1
    assert events["reads.cells"] == events["reads.columns"] == 2 * SHAPE[0] * SHAPE[1]
    assert events["integrator"] == events["comparator"] == SHAPE[0] * SHAPE[1]


@pytest.mark.parametrize("error", [20.0, 100.0])
def test_what_a_correction_of_noisy_cells_leaves(error: float) -> None:
    """(1 - g)² e² + g c² e for g = 1/2: below c²/(2 - g) a correction adds more than it takes; within 6 standard errors."""
    noise, step_share = 8.0, 1.0 / 1000.0
    chip = port(cycle_noise=noise * step_share)
    made = record(chip, share=1.0)
    assert made.wanted is not None
    step = chip.datasheet[0].weight_step
    made.wanted += np.float32(error * step)
    made.after_batch(KEY.child("once"))
    left = np.square((made.wanted - chip.oracle.weights(0)) / step).mean()
    law = error**2 / 4.0 + noise**2 * error / 2.0
    cells, variance = SHAPE[0] * SHAPE[1], noise**2 * error / 2.0
    deviation = math.sqrt((2.0 * variance**2 + error**2 * variance) / cells)  # of the mean square of N(e/2, variance)
    assert abs(left - law) < 6.0 * deviation + 1.0
    assert (left < error**2) == (error > noise**2 / 1.5)


def test_readings_have_their_turn_and_the_state_is_kept() -> None:
    """Every third batch reads; a restored record goes on with the same number of batches."""
    chip = port()
    made = record(chip, every=3)
    assert [bool(made.after_batch(KEY.at(n))["reads.cells"]) for n in range(4)] == [False, False, True, False]
    other = Record(chip, 0, share=0.05, every=3)
    assert other.save() == {}
    other.restore(made.save())
    assert np.array_equal(other.wanted, made.wanted)
    assert [bool(other.after_batch(KEY.at(n))["reads.cells"]) for n in range(2)] == [False, True]


def test_options() -> None:
    """More epochs than the run has, and updates without known pulses, are refused; the record is a word a weight."""
    with pytest.raises(UsageError, match="at most the number of epochs of the run, 4, got 5"):
        Config(epochs=4, consolidate=5)
    with pytest.raises(UsageError, match="has no --consolidate"):
        Config(update="coincidence", consolidate=2)
    with pytest.raises(UsageError, match="needs --consolidate"):
        Config(consolidate_share=0.1)
    plain, held = Config(), Config(consolidate=2)
    assert memory_bytes(held.as_dict(), 1000, 10) - memory_bytes(plain.as_dict(), 1000, 10) == 4000
    assert Config(consolidate=0, pairs=1).digest() == Config().digest() != held.digest()


def test_a_run_that_is_resumed_in_its_consolidation(tmp_path: Path) -> None:
    """Pairs, record and corrections are part of the checkpoint: a run in two parts has the bits of one."""
    from analog_ff.runs.execute import prepared

    chosen = {"data": "toy", "layers": (12, 8), "batch": 50, "pairs": 2, "consolidate": 2, "consolidate_every": 2,
              "consolidate_share": 0.2}  # fmt: skip
    whole = Config(epochs=3, out=str(tmp_path / "whole"), **chosen)
    with prepared(whole) as parts:
        run = parts.run
        (tmp_path / "whole").mkdir()
        saved: list[tuple[dict[str, np.ndarray], object]] = []

        def keep(epoch: int) -> None:
            if epoch == 2:
                saved.append(({name: np.array(a) for name, a in run.arrays().items()}, run.facts()))

        run.train(tmp_path / "whole", quiet=True, after_epoch=keep)
        end = run.port.save()
    with prepared(whole) as parts:
        again = parts.run
        again.fabricated.note(again.arrays())
        again.restore(*saved[0])
        again.train(tmp_path / "whole", quiet=True)
        for name, values in again.port.save().items():
            assert np.array_equal(values, end[name]), name
        learned = again.ledger.phase("learn").total()
        assert learned["comparator"] > 0


def test_the_pace_of_the_chip_knows_what_the_corrections_take() -> None:
    """Reads and pulses of a consolidation keep the chip busy, so that the wait of a batch is shorter by their time."""
    asked: list[float] = []

    class Paced:
        def step(self, images, labels, *, step, gain, moment):
            return Tally({"0": Events({}, {"time": 2.0})})

        def remember(self, step):
            return Tally()

        def consolidate(self, step):
            return Tally({"0": Events({}, {"time": 3.0})})

        def pace(self, tally, images, step):
            asked.append(tally.total().integrals["time"])
            return Tally()

    for consolidates in (False, True):
        lesson = Lesson(0, 1.0, Moment(0, 0), slice(None), consolidates)
        teach(Paced(), Ledger(), np.zeros((2, 3)), np.zeros(2), lesson)  # type: ignore[arg-type]
    assert asked == [2.0, 5.0]
