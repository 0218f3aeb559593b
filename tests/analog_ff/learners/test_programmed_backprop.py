"""Backpropagation off the chip: the same training as on an ideal chip, counted in operations, then one verified write."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.backprop import NominalBackprop
from analog_ff.learners.programmed_backprop import NORMALISER_MACS, ProgrammedBackprop
from analog_ff.learners.write_verify import write_verified
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.runs.execute import execute
from hardware_models.chip import Chip
from hardware_models.energy.digital import training
from hardware_models.keys import Key

LAYERS = ((13, 9), (10, 7))
CLASSES, BATCH = 4, 6


def made(kind, chip, **more):
    """Return an initialised learner with a read-out that is not zero."""
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    learner = kind(network, classes=CLASSES, seed=2, **more)
    learner.initialise()
    learner.softmax.weights[:] = Key(1, "v").generator().standard_normal(learner.softmax.weights.shape)
    return learner


def batch(step: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = Key(1, "images", step).generator()
    return rng.random((BATCH, 12)).astype(np.float32), rng.integers(0, CLASSES, BATCH)


def test_it_trains_as_backpropagation_on_an_ideal_chip() -> None:
    """Two programs for one law: off by half a pulse of the chip's an update, and by float32."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    on = made(NominalBackprop, chip, learning_rate=0.01, update_options={"momentum": 0.9, "rounding": "nearest"})
    off = made(ProgrammedBackprop, Chip("ideal", LAYERS), learning_rate=0.01, momentum=0.9)
    start = [w.copy() for w in off.weights]
    steps = 20
    for step in range(steps):
        for learner in (on, off):
            learner.step(*batch(step), step=step, gain=1.0)
    for layer, sheet in enumerate(chip.datasheet):
        moved = np.abs(off.weights[layer] - start[layer]).max()
        apart = np.abs(chip.oracle.weights(layer) - off.weights[layer]).max()
        assert moved > 0.01 and apart < (steps + 2) * sheet.weight_step + 1e-3 * moved
    assert np.allclose(on.softmax.weights, off.softmax.weights, atol=1e-4)


def test_training_is_counted_by_its_operations_and_leaves_the_chip_alone() -> None:
    """The closed form with momentum, the bias being one more input; what the normalisers take stands beside it."""
    chip = Chip("memristor", LAYERS)
    learner = made(ProgrammedBackprop, chip)
    before = chip.save()
    tally = learner.step(*batch(), step=0, gain=1.0)
    assert all(np.array_equal(a, chip.save()[n]) for n, a in before.items())
    events = tally.layers["0"] + tally.layers["1"]
    closed = training(LAYERS, BATCH, optimiser="momentum").events()
    assert events["mac.fp32"] == closed["mac.fp32"] + NORMALISER_MACS * BATCH * 16
    for name in ("sram.words_read", "sram.words_written"):
        assert events[name] == closed[name]
    assert set(events.counts) == {"mac.fp32", "sram.words_read", "sram.words_written"}


def test_on_a_perfect_chip_nothing_is_lost() -> None:
    """Once written, the chip's own passes give what the model gave, and cost reads instead of operations."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None, sealed=True)
    learner = made(ProgrammedBackprop, chip)
    images, _ = batch()
    model, digital = learner.look(images, None, Key(0, "t"), "layer")
    assert digital.total()["reads.cells"] == 0 and digital.total()["mac.fp32"] > 0
    learner.finish()
    activities, analog = learner.look(images, None, Key(0, "t"), "layer")
    assert analog.total()["reads.cells"] > 0 and analog.total()["mac.fp32"] == 0
    for one, other in zip(model, activities, strict=True):
        assert np.allclose(one.y, other.y, atol=1e-5)


def test_verification_brings_weights_within_what_the_noise_allows() -> None:
    """On noisy cells most weights end within the tolerance and the converter's step; without a look few do."""
    wanted = Key(0, "w").generator().uniform(-0.5, 0.5, (40, 30))
    off = []
    for rounds in (0, 20):
        chip = Chip("memristor", ((40, 30),), read_noise=False)
        write_verified(chip, 0, wanted, rounds=rounds, reads=1, tolerance=0.1, key=Key(0, "write"))
        sheet = chip.datasheet[0]
        step = 8.0 / 127 / sheet.input_scale
        off.append(np.mean(np.abs(chip.oracle.weights(0) - wanted) > 0.1 * sheet.weight_limit + step))
    assert off[0] > 0.2 and off[1] < 0.05


def test_verification_is_counted() -> None:
    """Every round reads each word line R times; it ends when nothing is left to correct."""
    shape = (13, 9)
    chip = Chip("ideal", (shape,), dac=None, adc=None)
    wanted = Key(0, "w").generator().uniform(-0.5, 0.5, shape)
    events = write_verified(chip, 0, wanted, rounds=5, reads=3, tolerance=0.01, key=Key(0, "write"))
    cells = 2 * shape[0] * shape[1]
    assert events["reads.cells"] == 3 * shape[0] * cells  # one round: the first look finds nothing to correct
    assert np.abs(chip.oracle.weights(0) - wanted).max() <= chip.datasheet[0].weight_step
    chip = Chip("memristor", (shape,))
    events = write_verified(chip, 0, wanted, rounds=4, reads=2, tolerance=0.0, key=Key(0, "write"))
    assert events["reads.cells"] == 4 * 2 * shape[0] * cells


QUICK = {"data": "toy", "layers": (16,), "epochs": 4, "batch": 20, "shift": 0, "learning_rate": 0.3, "momentum": 0.9,
         "learner": "backprop-programmed"}  # fmt: skip


def test_a_run_resumed_before_the_write_ends_the_same(tmp_path) -> None:
    """The last checkpoint is from before the write; it is written again from the same keys."""
    config = Config(**QUICK, device="memristor", sealed=True, out=str(tmp_path / "run"))
    first, folder = execute(config, quiet=True)
    assert first["test_error_percent"] < 30 and first["cells"]["pulses_per_weight"] == 0
    assert first["events"]["program"]["write.selected"] > 0 and first["events"]["learn"]["reads.cells"] == 0
    (folder / "result.json").unlink()
    again, _ = execute(config, resume=True, quiet=True)
    kept = ("test_error_percent_by_readout", "events", "integrals")
    assert all(first[name] == again[name] for name in kept)


def test_a_device_that_cannot_learn_can_be_written(tmp_path) -> None:
    """Its model is verified already: no corrections by default."""
    config = Config(**QUICK, device="joshi2020_pcm", out=str(tmp_path / "run"))
    result, _ = execute(config, quiet=True)
    assert result["test_error_percent"] < 25 and result["events"]["program"]["reads.cells"] == 0


@pytest.mark.parametrize("name", ["memory0", "weights1", "written"])
def test_its_state_is_part_of_the_checkpoint(name: str) -> None:
    learner = made(ProgrammedBackprop, Chip("ideal", LAYERS))
    learner.step(*batch(), step=0, gain=1.0)
    learner.finish()
    other = made(ProgrammedBackprop, Chip("ideal", LAYERS))
    other.restore(learner.save())
    assert np.array_equal(other.save()[name], learner.save()[name]) and learner.save()[name].any()
