"""Learning fast and slow (Hinton, arXiv:2212.13345, 7): what one update does exactly, in the reference and on an ideal chip.

The identities hold for one input and any neuron with f(c z) = c f(z), c > 0. A rectifier has it, a saturating neuron has not.
"""

from __future__ import annotations

import numpy as np
import pytest

from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import GOODNESS, LayerGoodness, sum_of_squares
from analog_ff.objective.reference import ReferenceForwardForward
from hardware_models.chip import Chip
from hardware_models.keys import Key
from hardware_models.port import LayerSheet

PIXELS, CLASSES, SCALE = 64, 10, 6.0
UNITS = (40, 30, 20)
LAYERS = ((PIXELS + 1, 40), (41, 30), (31, 20))
ROUNDING = 2e-6
"""What float32 products and the ideal chip's half steps leave of an exact ratio: some roots of 65 terms of 6e-8 each."""


def image() -> np.ndarray:
    """Return one image (1, PIXELS)."""
    return Key(4, "image").generator().random((1, PIXELS))


LABEL = np.array([3])


def reference() -> ReferenceForwardForward:
    """Return the float64 network; its momentum off, one step is one update."""
    return ReferenceForwardForward(
        (PIXELS, *UNITS), classes=CLASSES, seed=5, momentum=0.0, peer=0.0, learning_rate=2e-3, input_scale=SCALE
    )


def chip(nonlinearity: str = "relu") -> tuple[Chip, Stack]:
    """Return an ideal chip with perfect converters, its initial weights programmed, and its stack."""
    port = Chip("ideal", LAYERS, dac=None, adc=None, input_scale=SCALE, nonlinearity=nonlinearity)
    stack = Stack(port, [LayerGoodness("sum-of-squares", units) for units in UNITS])
    ForwardForward(stack, classes=CLASSES, seed=5).initialise()
    return port, stack


def see(port: Chip, stack: Stack) -> list:
    """Return the activities of the image on a chip."""
    shown = ForwardForward(stack, classes=CLASSES, seed=5).show(image(), LABEL)
    return next(iter(stack.forward(shown, Key(0, "see"), "see")))[0]


def fire(port: Chip, layer: int, change: np.ndarray) -> None:
    """Change the weights of a layer by whole pulses next to `change`."""
    sheet: LayerSheet = port.datasheet[layer]
    port.fire_cells(layer, np.rint(change / sheet.weight_step).astype(np.int32), key=Key(0, "fire", layer))


def hebb(x: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return x^T d in float64, the bias row as if its input were 1."""
    change = x.astype(np.float64).T @ d.astype(np.float64)
    change[-1] /= SCALE**2
    return change


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


# An update along y leaves the direction of y, and so all that lies above


def test_updating_all_layers_at_once_is_updating_them_one_by_one_in_the_reference():
    """A positive step of every layer changes each layer's own length, and nothing that another layer sees.

    All layers learn from the activities of before; as no direction moves, each would have learned the same after the
    others had moved.
    """
    net = reference()
    before = net.forward(image(), LABEL)
    drives = [net._drive(n, activity.y, positive=True) for n, activity in enumerate(before)]
    for layer, (activity, d) in enumerate(zip(before, drives, strict=True)):
        net.weights[layer] = net.weights[layer] + 2e-3 * hebb(activity.x, d)
        seen = net.forward(image(), LABEL)
        for n, (old, new) in enumerate(zip(before, seen, strict=True)):
            np.testing.assert_allclose(new.normalised, old.normalised, rtol=0, atol=1e-13)
            ratio = sum_of_squares(new.y) / sum_of_squares(old.y)
            assert ratio == pytest.approx(1.0, abs=1e-13) if n > layer else (ratio > 1.01).all()


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_an_update_along_y_leaves_the_direction_on_an_ideal_chip(layer):
    """The goodness of the layer rises, its direction and every higher goodness stay, within float32."""
    port, stack = chip()
    before = see(port, stack)
    fire(port, layer, 2e-3 * hebb(before[layer].x[0], before[layer].y))
    after = see(port, stack)
    for n, (old, new) in enumerate(zip(before, after, strict=True)):
        ratio = float((sum_of_squares(new.y) / sum_of_squares(old.y)).item())
        wanted = (1.0 + 2e-3 * LAYERS[n][0]) ** 2 if n == layer else 1.0  # |a|² + 1 is the number of inputs
        assert ratio == pytest.approx(wanted, abs=5 * ROUNDING)
        assert cosine(old.y, new.y) == pytest.approx(1.0, abs=ROUNDING**2 * 100)
        np.testing.assert_allclose(new.normalised, old.normalised, atol=10 * ROUNDING)


def test_a_saturating_neuron_lets_the_update_reach_the_layers_above():
    """2 tanh(max(z, 0)/2) is not homogeneous: the same update turns the output, a thousand times beyond the rounding."""
    turned = {}
    for nonlinearity in ("relu", "saturating"):
        port, stack = chip(nonlinearity)
        before = see(port, stack)
        fire(port, 0, 2e-3 * hebb(before[0].x[0], before[0].y))
        after = see(port, stack)
        turned[nonlinearity] = 1.0 - cosine(before[0].y, after[0].y)
        above = abs(float((sum_of_squares(after[1].y) / sum_of_squares(before[1].y)).item()) - 1.0)
        assert (above > 1e-4) == (nonlinearity == "saturating")
    assert turned["relu"] < 1e-10 < 1e-5 < turned["saturating"] < 0.05


# One step reaches any wanted goodness


def exact_rate(x: np.ndarray, ratio: float) -> float:
    """Return eps = (sqrt(S*/S) - 1)/(|a|² + 1) for inputs x = (a, s); the bias row, as if its input were 1, adds 1."""
    return float((np.sqrt(ratio) - 1.0) / ((x[:, :-1].astype(np.float64) ** 2).sum() + 1.0))


@pytest.mark.parametrize("ratio", [0.25, 0.9, 2.0, 7.0])
def test_one_exact_step_in_the_reference(ratio):
    """In all layers at once, each to its own wanted goodness."""
    net = reference()
    before = net.forward(image(), LABEL)
    for layer, activity in enumerate(before):
        change = exact_rate(activity.x, ratio + layer) * hebb(activity.x, activity.y)
        net.weights[layer] = net.weights[layer] + change
    for layer, (old, new) in enumerate(zip(before, net.forward(image(), LABEL), strict=True)):
        assert sum_of_squares(new.y) == pytest.approx((ratio + layer) * sum_of_squares(old.y), rel=1e-12)


@pytest.mark.parametrize("ratio", [0.25, 0.9, 2.0])
def test_one_exact_step_on_an_ideal_chip(ratio):
    """In one train of pulses, all layers at once; weights stay within the array's range."""
    port, stack = chip()
    before = see(port, stack)
    for layer, activity in enumerate(before):
        x = activity.x[0]
        change = exact_rate(x, ratio) * hebb(x, activity.y)
        assert np.abs(port.oracle.weights(layer) + change).max() < port.datasheet[layer].weight_limit
        fire(port, layer, change)
    for old, new in zip(before, see(port, stack), strict=True):
        assert sum_of_squares(new.y) == pytest.approx(ratio * sum_of_squares(old.y), rel=5 * ROUNDING)


def test_the_exact_step_misses_with_a_saturating_neuron():
    port, stack = chip("saturating")
    before = see(port, stack)
    x = before[0].x[0]
    fire(port, 0, exact_rate(x, 2.0) * hebb(x, before[0].y))
    reached = float((sum_of_squares(see(port, stack)[0].y) / sum_of_squares(before[0].y)).item())
    assert 1.05 < reached < 1.95


# Only the direction along y is safe


@pytest.mark.parametrize("name", ["sum", "student-t"])
def test_other_goodness_functions_turn_the_output(name):
    """d along G'(y), which is not along y: the length is no longer all that changes, even with a rectifier."""
    net = reference()
    before = net.forward(image(), LABEL)
    d = GOODNESS[name].derivative(before[0].y)
    net.weights[0] = net.weights[0] + 2e-3 * hebb(before[0].x, d)
    after = net.forward(image(), LABEL)
    assert 1.0 - cosine(before[0].y, after[0].y) > 1e-4
    assert abs(float((sum_of_squares(after[1].y) / sum_of_squares(before[1].y)).item()) - 1.0) > 1e-4
