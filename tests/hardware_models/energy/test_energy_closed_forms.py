"""The counters against closed forms: exact as integers in the dense limit, where every line is on in every slot."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analog_ff.learners.backprop import Backprop, NominalBackprop
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.negatives import Negatives
from analog_ff.updates.coincidence import Coincidence
from hardware_models.chip import Chip
from hardware_models.energy.oracles.closed_forms import (
    accumulate,
    added,
    coincidence,
    neurons,
    read,
    read_transposed,
    times,
)
from hardware_models.energy.oracles.worked_example import LEARNERS, update_energy
from hardware_models.keys import Key
from hardware_models.load import load_device

LAYERS = ((13, 9), (10, 7))
IMAGES, SLOTS = 3, 5


class Same(Negatives):
    """Negatives that are the images themselves, without labels: all that counts is that they are read."""

    labelled = False

    def __call__(self, images, labels, believed, generator):
        """Return the images."""
        return images, None


def chip(access: str = "1T1R", **more) -> Chip:
    """Return a chip whose neurons never rest: sigmoids, driven to full scale."""
    device = dataclasses.replace(load_device("memristor"), access=access)
    return Chip(device, LAYERS, nonlinearity="sigmoid", input_scale=0.01, **more)


def learner_on(port: Chip, kind: type, **more):
    """Return an initialised learner on a stack without labels."""
    goodness = [LayerGoodness("sum-of-squares", m, temperature=100.0) for _, m in LAYERS]
    learner = kind(Stack(port, goodness, label_place="none"), classes=4, seed=2, learning_rate=100.0, **more)
    learner.initialise()
    return learner


def one_step(learner, gain: float = 1e4) -> dict:
    """Return the events by layer of one step on bright images, at a rate that asks for all pulses there are."""
    rng = Key(1, "images").generator()
    images = rng.uniform(0.5, 1.0, (IMAGES, 12)).astype(np.float32)
    return learner.step(images, rng.integers(0, 4, IMAGES), step=0, gain=gain).layers


def counted(events) -> dict[str, int]:
    return {name: count for name, count in events.counts.items() if count}


@pytest.mark.parametrize(("dac", "adc"), [(None, None), (8, 8)])
@pytest.mark.parametrize("access", ["1T1R", "passive"])
def test_forward_forward_in_situ(access: str, dac, adc) -> None:
    """Three reads (two, and one for the read-out) and two windows of coincidence an image; not one word of memory."""
    learner = learner_on(
        chip(access, dac=dac, adc=adc), ForwardForward, update="coincidence", update_options={"slots": SLOTS},
        negatives=Same(), peer=0.0, bias_rate=1.0,
    )  # fmt: skip
    layers = one_step(learner)
    for layer, (n, m) in enumerate(LAYERS):
        passes = times(3 * IMAGES, added(read(n, m, dac=dac, adc=adc), neurons(m)))
        windows = times(2 * IMAGES, coincidence(n, m, slots=SLOTS, passive=access == "passive"))
        assert counted(layers[str(layer)]) == added(passes, windows)


def test_forward_forward_with_a_digital_accumulator() -> None:
    """Converters for x and h, two multiply-adds a weight and image, its word read and written once a batch."""
    learner = learner_on(chip(), ForwardForward, negatives=Same(), peer=0.0)
    layers = one_step(learner, gain=10.0)
    for layer, (n, m) in enumerate(LAYERS):
        passes = times(3 * IMAGES, added(read(n, m, dac=8, adc=8), neurons(m)))
        wanted = added(passes, accumulate(n, m, samples=2 * IMAGES, batches=1))
        found = {name: count for name, count in counted(layers[str(layer)]).items() if not name.startswith("write")}
        assert found == wanted
        weights = n * m
        assert found["mac.fp32"] == 2 * IMAGES * weights + 2 * weights
        assert found["sram.words_read"] - weights == 2 * IMAGES * (n + m)


@pytest.mark.parametrize("kind", [NominalBackprop, Backprop])
def test_backprop_on_the_chip(kind) -> None:
    """One read an image; back through the array from the second layer on, or by digital products with the oracle."""
    layers = one_step(learner_on(chip(), kind))
    for layer, (n, m) in enumerate(LAYERS):
        passes = times(IMAGES, added(read(n, m, dac=8, adc=8), neurons(m)))
        wanted = added(passes, accumulate(n, m, samples=IMAGES, batches=1))
        if kind is NominalBackprop and layer:
            wanted = added(wanted, times(IMAGES, read_transposed(n, m, dac=8, adc=8)))
        if kind is Backprop:
            wanted = added(wanted, {"mac.fp32": IMAGES * n * m, "sram.words_read": n * m})
            if layer:
                wanted = added(wanted, {"mac.fp32": IMAGES * (n - 1) * m, "sram.words_read": (n - 1) * m})
        found = {name: count for name, count in counted(layers[str(layer)]).items() if not name.startswith("write")}
        assert found == wanted


def test_backprop_fires_both_polarities() -> None:
    """Errors of both signs take a window each: rows are on in both, a column in one."""
    port, (n, m) = chip("passive"), LAYERS[0]
    x = np.full((1, n), 1.0, np.float32)
    d = np.where(np.arange(m) < 4, 1e3, -1e3).astype(np.float32)[None]
    found = counted(Coincidence(port, 0, slots=SLOTS).apply(x, d, 1, 100.0, 1.0, Key(0, "t")))
    parts = [coincidence(n, m, slots=SLOTS, p_column=share / m, passive=True) for share in (4, 5)]
    assert found == {name: round(value) for name, value in added(*parts).items()}


def test_random_trains_are_counted_as_expected() -> None:
    """At p_x, p_d below one the closed form is the mean of the counters, within five standard errors."""
    n, m, slots, p_row, p_column, calls = 40, 30, 10, 0.2, 0.1, 60
    device = dataclasses.replace(load_device("memristor"), access="passive")
    port = Chip(device, ((n, m),))
    rng = np.random.default_rng(3)
    found = [
        port.fire(0, rng.random((slots, n)) < p_row, rng.random((slots, m)) < p_column, 1, key=Key(k, "t"))
        for k in range(calls)
    ]
    wanted = coincidence(n, m, slots=slots, p_row=p_row, p_column=p_column, passive=True)
    for name in ("write.selected", "write.half", "write.line_charges"):
        values = np.array([events[name] for events in found], float)
        assert abs(values.mean() - wanted[name]) < 5 * values.std() / np.sqrt(calls)


# --- the worked example ---

EXAMPLE = {
    (784, 500, 500): {
        1e4: (4.04e-6, 4.05e-6, 2.07e-6, 2.06e-6, 23.8e-6),
        1e5: (411e-9, 424e-9, 229e-9, 212e-9, 2.4e-6),
        1e6: (48.8e-9, 61.2e-9, 45.5e-9, 26.5e-9, 258e-9),
        1e7: (12.6e-9, 24.9e-9, 27.1e-9, 8.0e-9, 44e-9),
    },
    (784, 2000, 2000, 2000, 2000): {
        1e4: (85.2e-6, 85.3e-6, 43.3e-6, 43e-6, 499e-6),
        1e5: (8.58e-6, 8.68e-6, 4.50e-6, 4.4e-6, 50e-6),
        1e6: (924e-9, 1.02e-6, 614e-9, 479e-9, 5.4e-6),
        1e7: (158e-9, 257e-9, 226e-9, 90e-9, 878e-9),
    },
}
"""A first estimate made independently of this code [J]: widths -> R_on -> FF, FF with converters, BP, NP, WP."""


@pytest.mark.parametrize("widths", EXAMPLE)
@pytest.mark.parametrize("r_on", [1e4, 1e5, 1e6, 1e7])
def test_the_worked_example(widths, r_on: float) -> None:
    """Given the same assumed densities, the closed forms give the same energies within 5 %."""
    for learner, joule in zip(LEARNERS, EXAMPLE[widths][r_on], strict=True):
        assert update_energy(widths, r_on, learner)["total"] == pytest.approx(joule, rel=0.05)


@pytest.mark.parametrize(
    ("r_on", "joules"), [(1e4, (62.4, 74.8, 63.1)), (1e5, (12.8, 25.2, 28.2)), (1e6, (7.9, 20.2, 24.7))]
)
def test_reads_alone(r_on: float, joules) -> None:
    """With writes for free the missing converters and memories are all the difference."""
    for learner, nanojoule in zip(LEARNERS, joules, strict=False):
        got = update_energy((784, 500, 500), r_on, learner, writes=False)["total"]
        assert got == pytest.approx(nanojoule * 1e-9, rel=0.05)


def test_writes_dominate_at_low_resistance_and_forward_forward_writes_twice() -> None:
    """The figure that is against Forward-Forward: below 1 MOhm it costs about twice as much as analog backprop."""
    forward, back = (update_energy((784, 500, 500), 1e5, name) for name in ("forward-forward", "backprop"))
    assert (forward["write, selected"] + forward["write, half-selected"]) / forward["total"] > 0.7
    assert 1.7 < forward["total"] / back["total"] < 2.0
    assert (
        update_energy((784, 500, 500), 1e7, "forward-forward")["total"]
        < 0.5 * (update_energy((784, 500, 500), 1e7, "backprop")["total"])
    )
