"""Schedules: every image has its turn, in the right state."""

from __future__ import annotations

import pytest

from analog_ff.objective.schedule import SCHEDULES, Greedy, Interleaved, Moment, WakeSleep
from hardware_models.check import UsageError
from hardware_models.tables import lookup


def run(schedule, epochs: int) -> list[Moment]:
    """Return all moments of a run."""
    return [moment for epoch in range(epochs) for moment in schedule.moments(epoch)]


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_every_image_is_a_positive_once_an_epoch_and_a_negative_once(name: str) -> None:
    epochs, batches = 4, 6
    moments = run(lookup("schedule", name, SCHEDULES)(epochs, batches, 2), epochs)
    every = [(epoch, batch) for epoch in range(epochs) for batch in range(batches)]
    assert [(m.epoch, m.batch) for m in moments if m.positive] == every
    assert [(m.epoch, m.batch) for m in moments if m.negative] == every


@pytest.mark.parametrize("block", [1, 3, 4, 12, 100])
def test_wake_and_sleep_come_in_blocks(block: int) -> None:
    epochs, batches = 4, 6
    schedule = WakeSleep(epochs, batches, 1, block=block)
    moments = run(schedule, epochs)
    assert all(m.positive != m.negative for m in moments)
    for number, moment in enumerate(moments):
        assert moment.positive == (number % (2 * block) < block)
    assert len({len(list(schedule.moments(e))) for e in range(epochs)}) == 1 or block > epochs * batches / 2
    awake = [(m.epoch, m.batch) for m in moments if m.positive]
    asleep = [(m.epoch, m.batch) for m in moments if m.negative]
    assert asleep == awake[: len(asleep)]
    # Whole cycles show every image asleep as well; an unfinished last cycle may not come to its sleep.
    assert len(asleep) >= len(awake) - block


def test_sleep_deprivation_drops_the_end_of_each_night() -> None:
    moments = run(WakeSleep(5, 8, 1, block=4, sleep=0.5), 5)
    assert [m.batch for m in moments[:6]] == [0, 1, 2, 3, 0, 1]
    assert [m.positive for m in moments[:6]] == [True] * 4 + [False] * 2
    assert sum(m.positive for m in moments) == 40 and sum(m.negative for m in moments) == 20
    assert all(m.positive for m in run(WakeSleep(2, 8, 1, block=4, sleep=0.0), 2))
    with pytest.raises(UsageError, match="no room for 0.5 of a sleep"):
        WakeSleep(2, 8, 1, block=1, sleep=0.5)


def test_greedy_goes_from_the_first_layer_to_the_last() -> None:
    schedule = Greedy(5, 2, 2)
    assert [next(schedule.moments(e)).layers for e in range(5)] == [range(0, 1)] * 3 + [range(1, 2)] * 2
    with pytest.raises(UsageError, match="--epochs 3 or more"):
        Greedy(2, 10, 3)


def test_interleaved_trains_all_layers() -> None:
    assert next(Interleaved(3, 2, 2).moments(1)) == Moment(1, 0, True, True, None)
