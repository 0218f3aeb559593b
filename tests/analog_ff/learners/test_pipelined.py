"""The pipelined schedule: a layer and a frame at a time, all layers at once, nothing stored."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from types import FunctionType, ModuleType

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.backprop import NominalBackprop
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.learners.meter import ActivityMeter
from analog_ff.learners.pipelined import KINDS, Frame, Pipelined
from analog_ff.network.stack import Stack, with_bias
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.negatives import load_negatives
from analog_ff.objective.normalise import rms
from analog_ff.runs.execute import execute
from analog_ff.updates.accumulate import Accumulate
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.events import Events
from hardware_models.keys import Key

PIXELS, CLASSES, SIZE = 64, 10, 17
"""A batch size that divides no other size here, so that an array of activities is known by its first dimension."""


def shapes(depth: int, width: int = 30) -> tuple[tuple[int, int], ...]:
    """Return the shapes of a stack's arrays."""
    return ((PIXELS + 1, width), *((width + 1, width),) * (depth - 1))


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of one batch."""
    rng = Key(3, "images", step).generator()
    return rng.random((SIZE, PIXELS)).astype(np.float32), rng.integers(0, CLASSES, SIZE)


def learner(port, kind=Pipelined, **more):
    """Return an initialised learner."""
    stack = Stack(port, [LayerGoodness("sum-of-squares", units) for _, units in port.shapes])
    made = kind(stack, classes=CLASSES, seed=5, **{"negatives": "random", "learning_rate": 0.03, **more})
    made.initialise()
    return made


def drained(made: Pipelined, steps: int) -> list[Events]:
    """Show some batches and then nothing until the last frame has left; returns the events of each step."""
    events = [made.step(*batch(step), step=step, gain=1.0).total() for step in range(steps)]
    for _ in made.wires:
        made.tick(None)
    return events


def test_one_layer_is_a_step_on_positives_and_then_one_on_negatives() -> None:
    """Read, drive and update written out; equal to the bit after several batches."""
    chip, other = (Chip("memristor", shapes(1)) for _ in range(2))
    ours = learner(chip, update_options={"momentum": 0.5})
    learner(other)
    update, goodness = Accumulate(other, 0, momentum=0.5), LayerGoodness("sum-of-squares", 30)
    mean = np.full(30, 0.5)
    scale = other.datasheet[0].input_scale
    for step in range(3):
        images, labels = batch(step)
        ours.step(images, labels, step=step, gain=0.5)
        key = Key(5, "train", step)
        draw = key.child("negatives").generator().integers(0, CLASSES - 1, SIZE)
        for kind, shown in (("positive", labels), ("negative", draw + (draw >= labels))):
            pixels = images.copy()
            pixels[:, :CLASSES] = 0
            pixels[np.arange(SIZE), shown] = 1.0
            x = with_bias(rms(pixels), scale)
            y, _ = other.observe(0, x, key=key.child(kind, 0))
            d = goodness.drive(y, y, positive=kind == "positive")
            if kind == "positive":
                d = d + (0.03 * (mean.mean() - mean)).astype(np.float32)
                mean = 0.9 * mean + (1 - 0.9) * y.mean(axis=0, dtype=np.float64)
            update.apply(x, d, SIZE, 0.5 * 0.03, 1 / scale**2, key.child(kind).child("update", 0))
    assert np.array_equal(chip.oracle.weights(0), other.oracle.weights(0))
    assert np.array_equal(ours.updates[0].memory, update.memory) and np.abs(update.memory).max() > 0


@pytest.mark.parametrize("depth", [2, 4])
def test_a_pipeline_learns_what_one_frame_after_the_other_would(depth: int) -> None:
    """Nothing flows backwards: with each frame taken through all layers before the next one comes, the same bits."""
    chips = [Chip("memristor", shapes(depth)) for _ in range(2)]
    piped, single = (learner(chip, dropout=0.1) for chip in chips)
    drained(piped, 4)
    read = [None] * depth
    for step in range(4):
        images, labels = batch(step)
        generator = Key(5, "train", step).child("negatives").generator()
        _, wrong = single._negatives(images, labels, np.full((SIZE, CLASSES), 0.1), generator)
        for kind, code in zip(KINDS, (None, labels, wrong), strict=True):
            for still in range(depth if kind == "neutral" else 1):
                frame = Frame(rms(single.show(images, code).pixels), kind, labels, step, 1.0, still)
                for layer in range(depth):
                    a, frame, _ = single._meet(layer, frame)
                    if kind == "neutral" and still == depth - 1 - layer:
                        read[layer] = a
            if kind == "neutral":
                single.train_readout(np.concatenate(read, axis=1), labels, 1.0)
    for layer in range(depth):
        assert np.array_equal(chips[0].oracle.weights(layer), chips[1].oracle.weights(layer))
    one, two = piped.save(), single.save()
    assert set(one) == set(two)
    assert all(np.array_equal(one[name], two[name]) for name in one if not name.startswith("meter"))


class Recording:
    """A port that notes every read, and how many outputs of earlier reads are still alive when something happens."""

    def __init__(self, port) -> None:
        self.port, self.reads, self.outputs, self.alive = port, [], [], []

    def __getattr__(self, name: str):
        return getattr(self.port, name)

    def _look(self) -> None:
        self.alive.append(sum(y.size for y in (reference() for reference in self.outputs) if y is not None))

    def observe(self, layer, x, *, bias=0.0, key):
        self._look()
        y, events = self.port.observe(layer, x, bias=bias, key=key)
        self.outputs.append(weakref.ref(y))
        self.reads.append((layer, key))
        return y, events

    def fire_cells(self, layer, counts, *, key):
        self._look()
        return self.port.fire_cells(layer, counts, key=key)


def test_frame_t_meets_layer_l_at_tick_t_plus_l() -> None:
    depth, port = 3, Recording(Chip("ideal", shapes(3)))
    made = learner(port)
    images, labels = batch(0)
    seen = []
    for tick in range(7):
        del port.reads[:]
        frame = Frame(rms(images), "positive", labels, tick, 1.0) if tick < 5 else None
        made.tick(frame)
        seen += [(key, layer, tick) for layer, key in port.reads]
    expected = [(Key(5, "train", t).child("positive", n), n, t + n) for t in range(5) for n in range(depth)]
    assert sorted(seen, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_every_frame_is_counted_once_a_layer(depth: int) -> None:
    """The closed forms of reads, conversions and of the read-out, once the last frame has left."""
    made = learner(Chip("memristor", shapes(depth)))
    tallies = [made.step(*batch(step), step=step, gain=1.0) for step in range(4)]
    tallies += [made.tick(None) for _ in made.wires]
    for layer, (inputs, neurons) in enumerate(shapes(depth)):
        events = sum((tally.layers.get(str(layer), Events()) for tally in tallies), Events())
        frames, w = 4 * (depth + 2) * SIZE, inputs * neurons  # a still of as many ticks as layers, and two more
        assert events["reads.cells"] == 2 * frames * w
        assert events["dac.8"] == frames * inputs and events["adc.8"] == frames * neurons
        assert events["goodness"] == events["normalise"] == frames * neurons
        assert events["mac.fp32"] == 4 * 2 * (SIZE * w + 2 * w)  # two updates a batch
        assert events["write.selected"] > 0
    readout = sum((tally.layers.get("readout", Events()) for tally in tallies), Events())
    assert readout["mac.fp32"] == 4 * (2 * SIZE + 3) * depth * 30 * CLASSES


def activities(root: object) -> list[np.ndarray]:
    """Return every array that can be reached from an object and has a row for each image."""
    found, todo, known = {}, [root], set()
    while todo:
        item = todo.pop()
        if id(item) in known or isinstance(item, type | ModuleType | FunctionType):
            continue
        known.add(id(item))
        if isinstance(item, np.ndarray):
            base = item if item.base is None else item.base
            if isinstance(base, np.ndarray) and base.ndim == 2 and base.size and SIZE in base.shape:
                found[id(base)] = base
        todo += gc.get_referents(item)
    return list(found.values())


def test_the_look_for_activities_finds_them() -> None:
    made = learner(Chip("ideal", shapes(2)))
    assert activities(made) == []
    made.hidden = {"deep": [(np.ones((SIZE, 7)).T,)]}
    assert [a.size for a in activities(made)] == [SIZE * 7]


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_the_pipeline_keeps_registers_and_nothing_else(depth: int) -> None:
    """By the interpreter's own account: what can be reached from the learner, and which outputs live on."""
    port = Recording(Chip("ideal", shapes(depth)))
    made = learner(port)
    for step in range(4):
        made.step(*batch(step), step=step, gain=1.0)
    kept = activities(made)
    report = made.meter.as_dict()
    values = [wire.values for wire in made.wires]
    assert sorted(a.size for a in kept) == report["registers_per_layer"] == [30 * SIZE] * (depth - 1)
    assert {id(a) for a in kept} == {id(a if a.base is None else a.base) for a in values}
    # An update happens while the output that it learns from is there, and no other ever is.
    assert set(port.alive) == {0, 30 * SIZE} and report["peak_stored"] == 0


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_the_interleaved_schedule_stores_three_passes_of_all_layers(depth: int) -> None:
    """The meter says what the interpreter says, and it grows with the depth."""
    port = Recording(Chip("ideal", shapes(depth)))
    made = learner(port, ForwardForward)
    made.step(*batch(0), step=0, gain=1.0)
    assert made.meter.as_dict() == {"peak_stored": max(port.alive), "registers_per_layer": []}
    assert max(port.alive) == 3 * depth * 30 * SIZE
    assert made.meter.held == 0


@pytest.mark.parametrize("depth", [2, 4])
def test_backpropagation_stores_one_pass_of_all_layers(depth: int) -> None:
    port = Recording(Chip("ideal", shapes(depth)))
    stack = Stack(port, [LayerGoodness("sum-of-squares", units) for _, units in port.shapes], label_place="none")
    made = NominalBackprop(stack, classes=CLASSES, seed=5)
    made.initialise()
    made.step(*batch(0), step=0, gain=1.0)
    assert made.meter.peak == max(port.alive) == depth * 30 * SIZE and made.meter.held == 0


def test_the_meter_does_not_let_go_what_it_does_not_hold() -> None:
    meter = ActivityMeter()
    meter.hold(5)
    meter.release(3)
    meter.hold(4)
    assert (meter.held, meter.peak) == (6, 6)
    with pytest.raises(ValueError, match="only 6 are held"):
        meter.release(7)


def test_resume_is_bit_for_bit_with_frames_on_the_wires() -> None:
    one, other = (Chip("memristor", shapes(3)) for _ in range(2))
    first, second = learner(one), learner(other)
    for step in range(2):
        first.step(*batch(step), step=step, gain=1.0)
    assert all(wire is not None for wire in first.wires)
    other.restore(one.save())
    second.restore({name: np.array(value) for name, value in first.save().items()})
    for made in (first, second):
        made.step(*batch(2), step=2, gain=0.5)
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())
    saved, again = first.save(), second.save()
    assert set(saved) == set(again) and all(np.array_equal(a, again[n]) for n, a in saved.items())
    empty = learner(Chip("memristor", shapes(3)))
    second.restore(empty.save())
    assert second.wires == [None, None]


def test_what_does_not_fit_a_stream_is_refused() -> None:
    chip = Chip("ideal", shapes(1))
    with pytest.raises(UsageError, match="choose --negatives random"):
        learner(chip, negatives="hard")
    for choices, words in (
        ({}, "--negatives random"),
        ({"learner": "random-features"}, "takes no stream of frames"),
    ):
        with pytest.raises(UsageError, match=words):
            execute(Config(data="toy", layers=(12,), shift=0, schedule="pipelined", out="never-made", **choices))


def test_a_stream_without_labels(tmp_path) -> None:
    """Negatives of the user's own that are shown without labels: the read-out learns from the plain image."""
    file = tmp_path / "mine.py"
    file.write_text("def inverted(images, labels, generator):\n    return 1 - images\n")
    chip = Chip("ideal", shapes(2))
    network = Stack(chip, [LayerGoodness("sum-of-squares", n) for _, n in chip.shapes], label_place="none")
    made = Pipelined(network, classes=CLASSES, seed=5, negatives=load_negatives(f"{file}:inverted", PIXELS))
    made.initialise()
    tally = made.step(*batch(0), step=0, gain=1.0)
    assert tally.layers["0"]["goodness"] == 4 * SIZE * 30
    assert np.abs(made.softmax.weights).max() > 0


def test_one_image_a_frame_scales_the_length_and_keeps_the_direction() -> None:
    """Online, by Hinton's identity (arXiv:2212.13345, 7): y' = y (1 + eta c (|a|² + 1)) for the image just learned.

    The gain of each weight's update is y_j for every active unit, so the layers above see the same input as before. The
    ideal chip rounds to whole pulses; n of them, off by half a step each way, move y by about a step times |x|.
    """
    chip = Chip("ideal", shapes(2), dac=None, adc=None)
    made = learner(chip, peer=0.0, learning_rate=0.001, update_options={"momentum": 0.0, "rounding": "nearest"})
    a = rms(batch(0)[0][:1])
    sheet = chip.datasheet[0]
    x = with_bias(a, sheet.input_scale)
    before, _ = chip.observe(0, x, key=Key(0, "look"))
    made.tick(Frame(a, "positive", np.array([3]), 0, 1.0))
    after, _ = chip.observe(0, x, key=Key(0, "look"))
    c = made.network.goodness[0].coefficients(made.network.goodness[0].value(before), positive=True)[0, 0]
    expected = before * (1.0 + 0.001 * c * (PIXELS + 1))
    rounding = 4 * 0.5 * sheet.weight_step * np.linalg.norm(x)
    assert np.abs(after - expected).max() < rounding + 1e-5 < 0.01 * np.abs(expected - before).max()
    assert np.abs(rms(after) - rms(before)).max() < 1e-3


def test_a_run_learns_and_reports_what_it_stored(tmp_path) -> None:
    """A short run; taken up again after its first epoch, the same bits."""
    config = Config(
        data="toy", layers=(24, 20), shift=0, epochs=6, batch=50, device="ideal", negatives="random",
        schedule="pipelined", learning_rate=0.02, out=str(tmp_path / "run"),
    )  # fmt: skip

    class Stopped(Exception):
        pass

    def stop(epoch: int) -> None:
        raise Stopped

    whole, _ = execute(replace(config, out=str(tmp_path / "whole")), quiet=True)
    with pytest.raises(Stopped):
        execute(config, quiet=True, after_epoch=stop)
    again, _ = execute(config, quiet=True, resume=True)
    assert whole["activity"] == {"peak_stored": 0, "registers_per_layer": [24 * 50]}
    for name in ("test_error_percent_by_readout", "events", "cells", "activity"):
        assert whole[name] == again[name]
    assert whole["test_error_percent"] < 50.0
