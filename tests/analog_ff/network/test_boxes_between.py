"""A box between two layers: what it does to a pass, what a learner may know of it, and how it is refused."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.cli.app import run_app
from analog_ff.config.config import Config
from analog_ff.learners.backprop import Backprop, NominalBackprop
from analog_ff.learners.neuron_curves import NeuronCurves
from analog_ff.network.base import Activity
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.plain import Document
from analog_ff.runs.execute import execute
from analog_ff.sweep import app as sweep
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.between import Between
from hardware_models.events import Tally
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import load_nonlinearity
from hardware_models.port import SealedChipError

LAYERS = ((13, 9), (10, 7))
CLASSES = 4
KEY = Key(3, "between")


def box(name: str, strength: float = 1.0, *, bits: int | None = None) -> Between:
    """Return the box between the two layers of a chip with converters of so many bits."""
    chip = Chip("ideal", LAYERS, dac=bits, adc=bits)
    return Between(load_nonlinearity(name, strength, known="linear"), 9, chip.datasheet[1], KEY.child("box"))


def outputs() -> np.ndarray:
    """Return normalised outputs a (B, 9) of a layer of rectifiers."""
    a = np.maximum(np.random.default_rng(0).standard_normal((50, 9)), 0).astype(np.float32)
    return a / np.sqrt(np.square(a).mean(axis=1, keepdims=True))


def made(kind: Any, between: Between | None, **more: Any) -> Any:
    """Return an initialised learner on a stack with this box, with a read-out that is not zero."""
    chip = Chip("ideal", LAYERS, dac=None, adc=None)
    goodness = [LayerGoodness("sum-of-squares", n) for _, n in LAYERS]
    network = Stack(chip, goodness, label_place="none", boxes=[between] if between else [])
    learner = kind(network, classes=CLASSES, seed=2, **more)
    learner.initialise()
    learner.softmax.weights[:] = Key(1, "v").generator().standard_normal(learner.softmax.weights.shape)
    return learner


def test_a_box_of_no_strength_is_a_wire_and_of_full_strength_itself() -> None:
    """To the bit behind perfect converters; real ones round to half a step of input_scale / (2^7 - 1)."""
    a = outputs()
    assert np.array_equal(box("random-waves", 0.0)(a, KEY)[0], a)
    alone = load_nonlinearity("random-waves").fabricate(9, KEY.child("box"))(a)
    assert np.array_equal(box("random-waves")(a, KEY)[0], alone)
    half, converted = (box("random-waves", 0.5, bits=bits)(a, KEY)[0] for bits in (None, 8))
    assert np.allclose(half, 0.5 * a + 0.5 * alone, atol=1e-6)
    assert np.abs(half - converted).max() <= 6.0 / 127 / 2 + 1e-5


def test_what_passes_a_box_is_counted() -> None:
    """A neuron's output formed, a value driven and a value converted for each line and image."""
    _, events = box("random", bits=8)(outputs(), KEY)
    assert events.counts == {"nonlinearity": 450, "dac.8": 450, "adc.8": 450}


def test_the_next_layer_sees_what_comes_out_and_the_learner_is_told() -> None:
    """The activity of the upper layer holds h(a) of the lower one, and its outputs follow from the chip's weights."""
    between = box("random-waves")
    learner = made(NominalBackprop, between)
    below, above = learner.look(np.random.default_rng(1).random((6, 12)).astype(np.float32), None, KEY, "forward")[0]
    x = above.x[0]
    assert np.array_equal(x[:, :-1], between(below.normalised, KEY)[0])
    assert np.allclose(above.y, np.maximum(x @ learner.port.oracle.weights(1), 0), atol=1e-4)


def loss(learner: Any, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the summed log probability of the labels."""
    p, _ = learner.believe(images, Key(0, "look"))
    return float(np.log(p[np.arange(len(labels)), labels].astype(np.float64)).sum())


def test_a_perfect_model_sees_through_a_box() -> None:
    """Where all errors pass the box, the drive of the first layer's biases is the numerical gradient."""
    learner = made(Backprop, box("random-waves"), readout_layers="last")
    rng = np.random.default_rng(7)
    images, labels = rng.random((200, 12)).astype(np.float32), rng.integers(0, CLASSES, 200)
    activities, _ = learner.look(images, None, Key(0, "t"), "forward")
    error = -learner.softmax.probabilities(learner.features(activities))
    error[np.arange(len(labels)), labels] += 1.0
    asked = learner.backward(activities, error, Key(0, "b"))[0][0].sum(axis=0).astype(np.float64)
    gradient, h, through = np.zeros(9), 0.01, learner.stack.through
    for neuron, sign in product(range(9), (1.0, -1.0)):
        bias = np.zeros((len(images), 9), np.float32)
        bias[:, neuron] = sign * h

        def moved(layer: int, *given: Any, bias: np.ndarray = bias, **named: Any) -> Any:
            return through(layer, *given, **{**named, "bias": bias if layer == 0 else None})

        learner.stack.through = moved
        gradient[neuron] += sign * loss(learner, images, labels) / (2 * h)
    assert asked @ gradient / np.linalg.norm(asked) / np.linalg.norm(gradient) > 0.98


def test_a_learned_model_sees_through_a_box_that_a_nominal_one_takes_for_a_wire() -> None:
    """An error that passes learned slopes is nearly that of the true ones; a wire passes it on unchanged."""
    between, a = box("random-waves"), outputs()
    error = np.random.default_rng(3).standard_normal(a.shape).astype(np.float32)
    x, activity = between(a, KEY)[0], Activity((a,), a, a)
    passed = {
        who: made(kind, between, **more).through_box(0, activity, x, error, Tally())[a > 0]
        for who, kind, more in (("true", Backprop, {}), ("learned", NominalBackprop, {"slope": "curve"}),
                                ("wire", NominalBackprop, {}))
    }  # fmt: skip
    of_the_true = {
        who: float(found @ passed["true"] / np.linalg.norm(found) / np.linalg.norm(passed["true"]))
        for who, found in passed.items()
    }
    assert np.array_equal(passed["wire"], error[a > 0])
    assert of_the_true["learned"] > 0.9 > 0.5 > of_the_true["wire"]


def test_the_learned_curve_of_a_line_is_its_slope() -> None:
    """Of a straight line with a rise of 3/4 to rounding; what it remembers is restored to the bit."""
    learner = made(NominalBackprop, box("linear", 0.25), slope="curve")
    curves: NeuronCurves = learner._slope
    a = outputs()
    slope, events = curves.behind(0, a, np.float32(0.75) * a)
    assert slope is not None and np.isclose(slope, 0.75, rtol=1e-4).mean() > 0.95
    assert ((slope == 0) | np.isclose(slope, 0.75, rtol=1e-4)).all()  # 0: a value alone in its bins
    assert events["sram.words_written"] == 5 * a.size + 6 * 9 * 16
    other = made(NominalBackprop, box("linear", 0.25), slope="curve")
    other.restore(learner.save())
    more = np.float32(2) * a
    assert np.array_equal(other._slope.behind(0, more, a)[0], curves.behind(0, more, a)[0])
    assert made(NominalBackprop, None, slope="curve")._slope.behind(0, a, a)[0] is None


def test_a_sealed_box_refuses_a_look_and_works() -> None:
    sheet = Chip("ideal", LAYERS, dac=None, adc=None).datasheet[1]
    kind = load_nonlinearity("random", known="linear")
    sealed, open_ = (Between(kind, 9, sheet, KEY, sealed=sealed) for sealed in (True, False))
    assert np.array_equal(sealed(outputs(), KEY)[0], open_(outputs(), KEY)[0])
    with pytest.raises(SealedChipError, match="boxes between its layers"):
        sealed.slope(outputs())


@pytest.mark.parametrize("name", ["drifting", "hysteretic"])
def test_boxes_that_remember_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="remembers, and a box between layers keeps no state"):
        box(name)


def test_boxes_that_remember_are_refused_before_a_sweep_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where options are resolved: no folder, no point, though the first point is a box that keeps no state."""
    file = tmp_path / "sweep.toml"
    file.write_text(
        '[options]\ndata = "toy"\npreset = "plain"\nlayers = [8, 8]\nbox-place = "between"\n'
        '[grid]\nnonlinearity = ["random", "drifting"]\n'
    )
    assert run_app(sweep, [str(file), "--folder", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "nonlinearity drifting remembers" in said and said.count("\n") == 1 and not (tmp_path / "out").exists()


def run(folder: Path, **more: Any) -> Document:
    """Return the result of a small run with perfect converters."""
    options: Document = {
        "preset": "plain",
        "data": "toy",
        "layers": (8, 8),
        "epochs": 1,
        "dac": None,
        "adc": None,
        **more,
    }
    return execute(Config(**options, out=str(folder)), quiet=True)[0]


@pytest.mark.parametrize("place", ["inside", "between"])
def test_a_run_with_a_box_of_no_strength_is_the_plain_run(tmp_path: Path, place: str) -> None:
    plain = run(tmp_path / "plain")
    boxed = run(tmp_path / "boxed", nonlinearity="random-waves", box_strength=0.0, box_place=place)
    errors = "test_error_percent_by_readout"
    assert boxed[errors] == plain[errors]
    for layer in ("0", "1"):
        written = [found["events_by_layer"]["learn"][layer]["write.selected"] for found in (plain, boxed)]
        assert written[0] == written[1] > 0


def test_a_run_with_a_box_between_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    """Stopped after an epoch and taken up: the box comes from the chip's seed, and learned curves are kept."""
    choices = {"learner": "backprop-nominal", "slope": "curve", "nonlinearity": "switching", "box_place": "between"}
    whole = run(tmp_path / "whole", **choices, epochs=2)
    run(tmp_path / "parts", **choices, epochs=1)
    config = Config(preset="plain", data="toy", layers=(8, 8), epochs=2, dac=None, adc=None, out=str(tmp_path / "parts"),
                    **choices)  # type: ignore[arg-type]  # fmt: skip
    parts, _ = execute(config, resume=True, quiet=True)
    assert parts["test_error_percent_by_readout"] == whole["test_error_percent_by_readout"]
    assert parts["events"]["learn"] == whole["events"]["learn"]


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"box_place": "between"}, "--box-place needs --nonlinearity"),
        (
            {"box_strength": 0.5, "nonlinearity": "relu"},
            "--box-strength needs --nonlinearity beside it: with --nonlinearity relu, the default, it does nothing; give another",
        ),
        ({"box_strength": 1.5, "nonlinearity": "random"}, "--box-strength"),
        ({"box_place": "above", "nonlinearity": "random"}, "--box-place is one of inside, between"),
        ({"box_place": "between", "nonlinearity": "random", "network": "recurrent"}, "belongs to --network stack"),
        ({"box_place": "between", "nonlinearity": "random", "layers": (8,)}, "needs two layers or more"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, choices: Document, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        run(tmp_path / "r", **choices)
