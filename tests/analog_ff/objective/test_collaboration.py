"""Layer collaboration: one number a layer is exchanged, taken as a constant; with a weight of 0 nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.collaboration import COLLABORATORS, Collaboration
from analog_ff.objective.goodness import LayerGoodness, probability
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.keys import Key

LAYERS = ((65, 30), (31, 20), (21, 20))


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    generator = Key(3, "images", step).generator()
    return generator.random((20, 64)).astype(np.float32), generator.integers(0, 10, 20)


def learner(**more) -> ForwardForward:
    port = Chip("memristor", LAYERS)
    every = [LayerGoodness("sum-of-squares", units, temperature=10.0) for _, units in port.shapes]
    made = ForwardForward(Stack(port, every), classes=10, seed=5, **more)
    made.initialise()
    return made


def bits(made: ForwardForward) -> dict[str, np.ndarray]:
    return {**{f"chip.{n}": v for n, v in made.port.save().items()}, **made.save()}


@pytest.mark.parametrize("collaborators", COLLABORATORS)
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("names", [("sum-of-squares", "min-sum-of-squares", "mixed-sum"), ("sum-of-squares",) * 3])
def test_the_drive_is_the_gradient_with_the_other_layers_held_still(collaborators, positive, names) -> None:
    """Finite differences of log p of each layer by its own weights; the outputs of the others stay those of before."""
    generator, kappa, temperature = Key(0, "held").generator(), 0.7, 5.0
    layers = [LayerGoodness(name, 8, temperature=temperature) for name in names]
    x = np.abs(generator.standard_normal((3, 1, 5)))
    w = generator.standard_normal((3, 5, 8)) / 2
    outputs = [np.maximum(x[i] @ w[i], 0.0) for i in range(3)]
    beside = Collaboration(kappa, collaborators)(layers, outputs)
    for i, goodness in enumerate(layers):
        others = range(i) if collaborators == "below" else [j for j in range(3) if j != i]
        held = kappa * sum(
            float((layers[j].signs * (layers[j].value(outputs[j]) - layers[j].theta)).sum()) for j in others
        )
        assert beside[i] == pytest.approx([held], rel=1e-12, abs=1e-12)

        def log_probability(weights: np.ndarray, i: int = i, goodness: LayerGoodness = goodness, held: float = held):
            g = goodness.value(np.maximum(x[i] @ weights, 0.0))
            t = goodness.signs * (g - goodness.theta) + held
            return float(np.log(probability(t, 0.0, temperature, 1 if positive else -1)).sum())

        c = goodness.coefficients(goodness.value(outputs[i]), positive=positive, beside=beside[i])
        exact = goodness.kind.factor / temperature * x[i].T @ goodness.driven(c, goodness.kind.derivative(outputs[i]))
        numerical, h = np.empty_like(w[i]), 1e-6
        for place in np.ndindex(*w[i].shape):
            up, down = w[i].copy(), w[i].copy()
            up[place] += h
            down[place] -= h
            numerical[place] = (log_probability(up) - log_probability(down)) / (2 * h)
        np.testing.assert_allclose(exact, numerical, atol=1e-7, rtol=1e-6)


def test_without_a_weight_it_is_plain_forward_forward_to_the_bit() -> None:
    plain, off, on = learner(), learner(collaboration=0.0, collaborators="below"), learner(collaboration=1.0)
    for step in range(3):
        images, labels = batch(step)
        tallies = [one.step(images, labels, step=step, gain=1.0) for one in (plain, off, on)]
        assert tallies[0].layers == tallies[1].layers
        for layer in ("0", "1", "2"):
            more = tallies[2].layers[layer]["add.fp32"] - tallies[0].layers[layer]["add.fp32"]
            assert more == 3 * 40, "three additions a layer and image, positives and negatives"
    one, two, three = bits(plain), bits(off), bits(on)
    assert one.keys() == two.keys() and all(np.array_equal(one[n], two[n]) for n in one)
    assert not all(np.array_equal(one[n], three[n]) for n in one)


def test_the_first_layer_has_none_below_it() -> None:
    """Its cells learn as without the exchange; those of the second do not."""
    plain, below = learner(), learner(collaboration=1.0, collaborators="below")
    for one in (plain, below):
        one.step(*batch(0), step=0, gain=10.0)
    same = [np.array_equal(plain.port.oracle.weights(n), below.port.oracle.weights(n)) for n in range(3)]
    assert same == [True, False, False]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": (500,)}, "among layers: give at least two"),
        ({"schedule": "pipelined", "negatives": "random"}, "choose --schedule interleaved"),
        ({"learner": "random-features"}, "random-features has no --collaboration"),
        ({"collaboration": 11.0}, "--collaboration"),
        ({"collaborators": "above"}, "--collaborators"),
    ],
)
def test_what_does_not_go_together_is_refused(options, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Config(**{"collaboration": 1.0, **options})
    with pytest.raises(UsageError, match="--collaborators"):
        Collaboration(1.0, "above")
