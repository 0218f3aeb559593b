r"""The network in Brian2's equations: input cells, layers of LIF cells, goodness cells, pool cells, plastic synapses.

The cells' equations are in `analog_ff.spiking.equations`, their groups in `analog_ff.spiking.groups`; here they are joined.

In a layer of N cells, with the spike counts r_j of a presentation, the inputs' counts x_i and the sign s of the
learning signal (+1 awake, -1 asleep),

.. math::
    \tau \dot v_j = -v_j, \quad v_j \leftarrow v_j + w_{ij}\ \text{(spike of i)}, \quad
    \text{spike at}\ v_j > 1 + a_j

    G = \sum_j \phi(r_j), \qquad
    M_j = \eta\, s\, \sigma\!\left(s\,\frac{\theta - G/N}{T_c}\right) \tfrac12 \phi'(r_j), \qquad
    w_{ij} \leftarrow w_{ij} + M_j x_i

with :math:`\phi(r) = r^2` (squared), :math:`r^2/(1 + r/r_s)` (saturating) or r (linear; then :math:`M_j` holds for active
cells with slope 1). One goodness cell of the layer holds G, and every spike of the layer reaches it: a spike adds
:math:`\phi(r+1) - \phi(r)`, so the cell needs no clock; it broadcasts G back. Between two layers a pool cell removes the
goodness: it low-passes the spikes of the layer below and divides, or is subtracted from, the input of the layer above,
whose plasticity uses the counts :math:`x_i = r_i/(\lVert r \rVert + 0.1)`.

docs/explanation/cortex.md lists which values are local (of the cell or synapse itself), broadcast (one value to a layer) and
global.
Source: G. Hinton, arXiv:2212.13345; E. Terres-Escudero et al., arXiv:2406.16479 (the rule as modulated Hebbian learning).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analog_ff.spiking.brian import Brian, BrianObject, Clock, Network, NeuronGroup, Quantity, StateMonitor, Synapses
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.equations import GOODNESS as GOODNESS
from analog_ff.spiking.equations import Goodness as Goodness
from analog_ff.spiking.equations import cell_equations as cell_equations
from analog_ff.spiking.groups import BEFORE as BEFORE
from analog_ff.spiking.groups import EVENT as EVENT
from analog_ff.spiking.groups import LEARN as LEARN
from analog_ff.spiking.groups import ONSET as ONSET
from analog_ff.spiking.groups import chooser_of, inputs_of, layer_of, pool_of
from analog_ff.spiking.presentations import Presentations
from analog_ff.spiking.synapses.base import Plasticity
from analog_ff.spiking.synapses.ideal import IdealSynapses


class Shown(NamedTuple):
    """Images in the form in which the network looks them up."""

    pixels: np.ndarray  # (images, d) float32, each scaled to the mean length of the training images
    classes: int
    width: int = 1  # number of pixels of a row, needed if images are shifted
    trained: int | None = None  # number of the first images, which set the largest intensity; None: all


@dataclass
class Model:
    """The Brian2 objects of a built network."""

    network: Network
    clock: Clock  # clock that ticks once a presentation
    period: Quantity  # time from one presentation to the next, with unit
    inputs: NeuronGroup
    layers: list[NeuronGroup]
    goodness: list[NeuronGroup]
    synapses: list[Synapses]
    recorded: list[StateMonitor]  # monitors of the goodness of each layer at the end of each presentation
    namespace: dict[str, object]


def scaled(images: np.ndarray, trained: int | None = None) -> np.ndarray:
    """Return images (n, d) float32 scaled to equal length, the mean length of the first `trained` images.

    The length tells nothing about the label but would change the goodness. Test images do not enter the mean, so the scaling of
    a test image depends on no other test image. By default the mean is that of all images.
    """
    length = np.linalg.norm(images, axis=1, keepdims=True)
    return (images * (length[:trained].mean() / np.maximum(length, 1e-6))).astype(np.float32)


def sizes(config: SpikingConfig, shown: Shown) -> tuple[int, ...]:
    """Return the numbers of cells of the input and of each layer."""
    return (shown.pixels.shape[1] + shown.classes * config.label_cells, *config.layers)


def exact_step(seconds: float) -> float:
    r"""Return a clock step [s] with 32 significant bits that differs from `seconds` by a share of at most 2^-32.

    k dt is then a float64 for any presentation of k steps (up to 2^21), and the times of the two clocks are one real number,
    rounded once: :math:`\mathrm{fl}(i \cdot k\,dt) = \mathrm{fl}(i k \cdot dt)`. Brian2's C++ programs take two times as one
    if they differ by at most 1e-14 s, which is less than the spacing of float64 beyond 64 s: a third of the presentations
    of a longer run would begin and end beside their step, and the learning signal would be reset before it reaches any
    synapse.
    """
    mantissa, exponent = math.frexp(seconds)
    return math.ldexp(round(math.ldexp(mantissa, 32)), exponent - 32)


def build(
    config: SpikingConfig, shown: Shown, show: Presentations, initial: Sequence[np.ndarray], *, learn: bool = True,
    plasticity: Plasticity | None = None,
) -> Model:  # fmt: skip
    """Return the network for the presentations `show`; `initial` holds the first weights (inputs, cells) of each layer.

    `plasticity` makes the synapses, which are numbers by default. The network is built on Brian2's current device.

    Raises UsageError if the weights do not match the layers.
    """
    import brian2 as b2

    # Every object has a fixed name, so that a later run generates the same code and need not compile it again.
    step = exact_step(config.step * 1e-3)
    dt = b2.Clock(step * b2.second, name="step_clock")
    period = b2.Clock(config.period_steps * step * b2.second, name="period_clock")
    width = sizes(config, shown)
    _check(width, initial)
    space = _namespace(b2, config, shown, show, period.dt)
    made_of: Plasticity = plasticity or IdealSynapses()
    inputs = inputs_of(b2, config, width[0], space, dt, period, made_of)
    parts: list[BrianObject] = [inputs]
    model = Model(None, period, period.dt, inputs, [], [], [], [], space)
    below = inputs
    for n, cells in enumerate(width[1:]):
        layer, goodness, pieces = layer_of(b2, config, n, cells, space, dt, period, made_of)
        if n and config.pool == "divisive":
            pieces += pool_of(b2, config, n, below, width[n], layer, space, dt, period)
        synapses, more = made_of.attach(b2, config, n, below, layer, initial[n], space, dt, period, learn)
        model.recorded.append(
            b2.StateMonitor(goodness, "G", record=0, clock=period, when="start", order=BEFORE, name=f"record_{n}")
        )
        model.layers.append(layer)
        model.goodness.append(goodness)
        model.synapses.append(synapses)
        parts += [layer, goodness, synapses, *pieces, *more]
        below = layer
    if config.negatives != "random":
        parts += chooser_of(b2, inputs, list(zip(model.goodness, model.layers, strict=True)), space, dt, period)
    model.network = b2.Network(*parts, *model.recorded)
    return model


def _check(width: Sequence[int], initial: Sequence[np.ndarray]) -> None:
    from hardware_models.check import UsageError

    wanted = list(itertools.pairwise(width))
    shapes = [np.shape(w) for w in initial]
    if shapes != wanted:
        raise UsageError(f"the layers need weights of shapes {wanted} (inputs, cells), got {shapes}.")


def _namespace(
    b2: Brian, config: SpikingConfig, shown: Shown, show: Presentations, period: Quantity
) -> dict[str, object]:
    pixels = shown.pixels.shape[1]
    brightest = float(shown.pixels[: shown.trained].max(initial=0.0))
    # Reading a table beyond its columns silently returns NaN, so the cells of the labels read a column of zeros.
    padded = np.hstack([shown.pixels, np.zeros((len(shown.pixels), 1), np.float32)])
    ms = b2.ms
    # Lengths are rounded up to powers of two, so that runs of similar length share their compiled code.
    image, label, rate, trial, down, right = (
        np.pad(a.astype(float), (0, _room(len(a)) - len(a)), mode="edge") for a in show
    )
    return {
        "IMAGE": b2.TimedArray(padded, dt=1 * ms, name="table_image"),
        "ORDER": b2.TimedArray(image, dt=period, name="table_order"),
        "LABEL": b2.TimedArray(label, dt=period, name="table_label"),
        "TRIAL": b2.TimedArray(trial, dt=period, name="table_trial"),
        "DOWN": b2.TimedArray(down, dt=period, name="table_down"),
        "RIGHT": b2.TimedArray(right, dt=period, name="table_right"),
        "width": shown.width,
        "choice_noise": config.choice_noise,
        "RATE": b2.TimedArray(rate, dt=period, name="table_rate"),
        "pixels": pixels,
        "copies": config.label_cells,
        "p_pixel": config.peak_rate * 1e-3 * config.step,
        "p_label": config.label_rate * 1e-3 * config.step,
        "p_max": max(config.peak_rate * brightest, config.label_rate) * 1e-3 * config.step,
        "T_steps": config.present_steps,
        "period_steps": config.period_steps,
        "tau": config.tau * ms,
        "tau_a": config.adaptation_tau * ms,
        "tau_trace": config.trace_tau * ms,
        "tau_pool": config.pool_tau * ms,
        "a_step": config.adaptation,
        "noise": config.noise,
        "theta": config.theta,
        "temperature": config.temperature,
        "r_s": config.saturation,
        "sigma": config.sigma,
        "pool_gain": config.pool_gain,
    }


def _room(n: int) -> int:
    return max(2**16, 1 << (n - 1).bit_length())
