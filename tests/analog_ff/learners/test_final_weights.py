"""The average of the weights: its closed form, what it costs, what a chip holds of it, and a run that goes on."""

from __future__ import annotations

import numpy as np
import pytest
from test_forward_forward import CLASSES, LAYERS, batch, learner

from analog_ff.learners.final_weights import Average
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.objective.readout import SoftmaxReadout
from hardware_models.chip import Chip
from hardware_models.keys import Key

KEPT, EVERY = 0.9, 3


def averaging(chip, **more) -> ForwardForward:
    """Return a learner that ends with the average of its weights."""
    options = {"weight_average": KEPT, "average_every": EVERY, **more}
    return learner(chip, learning_rate=0.05, final_weights="average", final_weights_options=options)


def taught(made: ForwardForward, first: int, last: int) -> list[list[np.ndarray]]:
    """Teach some batches and return the weights of every array, and of the read-out, after each."""
    seen = []
    for step in range(first, last):
        images, labels = batch(step)
        made.step(images, labels, step=step, gain=1.0)
        made.remember(step)
        chip = made.port.oracle
        seen.append(
            [chip.weights(0).astype(np.float64), chip.weights(1).astype(np.float64), made.softmax.weights.copy()]
        )
    return seen


@pytest.mark.parametrize("batches", [1, 2, 3, 11])
def test_the_average_is_its_closed_form(batches: int) -> None:
    """Readings after batches 3, 6, 9 and at the end; batch i of n counts as .9^(n-i), a reading for those since the last."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    made = averaging(chip)
    seen = taught(made, 0, batches)
    made.finish()
    shares, since = [], 0
    looks = [*range(EVERY, batches + 1, EVERY), *([batches] if batches % EVERY else [])]
    for look in looks:
        shares.append((1.0 - KEPT ** (look - since)) * KEPT ** (batches - look))
        since = look
    assert sum(shares) == pytest.approx(1.0 - KEPT**batches)
    for place, found in enumerate((chip.oracle.weights(0), chip.oracle.weights(1), made.softmax.weights)):
        expected = sum(s * seen[look - 1][place] for s, look in zip(shares, looks, strict=True)) / sum(shares)
        # Programming an ideal cell, and the words of the average, are exact to float32.
        np.testing.assert_allclose(found, expected, rtol=0, atol=3e-6 * np.abs(expected).max())
    moved = np.abs(seen[-1][0] - expected_of(seen, shares, looks)).max() if batches > EVERY else 1.0
    assert moved > 1e-4, "the average and the last weights differ, or this test would show nothing"


def expected_of(seen: list[list[np.ndarray]], shares: list[float], looks: list[int]) -> np.ndarray:
    """Return the average of the first array."""
    return sum(s * seen[look - 1][0] for s, look in zip(shares, looks, strict=True)) / sum(shares)


def test_learning_is_the_same_with_and_without() -> None:
    """The average looks on: the same cells and the same read-out until the end, bit for bit, on cells with noise too."""
    chips = [Chip("memristor", LAYERS) for _ in range(2)]
    with_average, without = averaging(chips[0]), learner(chips[1], learning_rate=0.05)
    taught(with_average, 0, 7)
    taught(without, 0, 7)
    for layer in range(2):
        np.testing.assert_array_equal(*(chip.oracle.conductances(layer) for chip in chips))
    np.testing.assert_array_equal(with_average.softmax.weights, without.softmax.weights)
    assert not without.finish().layers
    np.testing.assert_array_equal(*(chip.oracle.conductances(0) for chip in chips))


def test_what_it_costs() -> None:
    """A reading: each cell once, a conversion and a multiply-add a weight; the write: pulses, and one more look at each cell."""
    chip = Chip("memristor", LAYERS)
    made = averaging(chip)
    quiet = [made.remember(step) for step in range(2)]
    assert not any(tally.layers for tally in quiet)
    tally = made.remember(2)
    for part, (inputs, neurons) in enumerate(LAYERS):
        events, words = tally.layers[str(part)], inputs * neurons
        assert events["mac.fp32"] == events["sram.words_read"] == events["sram.words_written"] == words
        assert events["reads.cells"] == 2 * words and events["adc.8"] == words and events["dac.8"] == inputs
    size = made.softmax.weights.size
    assert tally.layers["readout"].counts == {"mac.fp32": size, "sram.words_read": 2 * size, "sram.words_written": size}
    written = made.finish().layers
    assert all(written[str(part)]["write.selected"] > 0 and written[str(part)]["adc.8"] > 0 for part in range(2))


def test_the_write_is_verified() -> None:
    """On noisy cells the weights come within the tolerance of the average, nearer than without correction."""
    errors = {}
    for rounds in (0, 20):
        chip = Chip("memristor", LAYERS)
        made = averaging(chip, verify_rounds=rounds, verify_reads=4, verify_tolerance=0.02)
        taught(made, 0, 7)
        made.finish()
        final = made.final
        assert isinstance(final, Average)
        off = np.abs(chip.oracle.weights(0) - final.means[0]) / chip.datasheet[0].weight_limit
        errors[rounds] = float(np.median(off))
    assert errors[20] < 0.02 < 2.0 * errors[0]


def test_a_state_goes_on_where_it_was() -> None:
    """Saved after 4 batches, between two readings, and restored into another learner: the same end, bit for bit."""
    chips = [Chip("ideal", LAYERS, dac=None, adc=None) for _ in range(2)]
    one, other = averaging(chips[0]), averaging(chips[1])
    taught(one, 0, 4)
    chips[1].restore(chips[0].save())
    other.restore(one.save())
    for made in (one, other):
        taught(made, 4, 9)
        made.finish()
    for layer in range(2):
        np.testing.assert_array_equal(*(chip.oracle.conductances(layer) for chip in chips))
    np.testing.assert_array_equal(one.softmax.weights, other.softmax.weights)


def test_an_average_that_keeps_nothing_is_the_last_reading() -> None:
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    readout = SoftmaxReadout(4, CLASSES)
    average = Average(chip, readout, weight_average=0.0, average_every=1)
    for step in range(3):
        readout.weights += 1.0
        average.after_batch(Key(0, "final", step))
    assert average.readout_mean is not None
    np.testing.assert_array_equal(average.readout_mean, readout.weights)
