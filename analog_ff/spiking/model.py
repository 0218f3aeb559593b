r"""The network in Brian2's equations: input cells, layers of LIF cells, goodness cells, pool cells, plastic synapses.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from analog_ff.spiking.brian import Brian, BrianObject, Clock, Network, NeuronGroup, Quantity, StateMonitor, Synapses
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.encoders import ENCODERS
from analog_ff.spiking.presentations import Presentations
from analog_ff.spiking.synapses.base import CHANGE, Plasticity
from analog_ff.spiking.synapses.ideal import IdealSynapses

BEFORE, LEARN, EVENT, ONSET = -1, 0, 1, CHANGE + 1
"""Orders within the first step of a presentation: record, learn from the previous presentation, reset and show."""


class Goodness(NamedTuple):
    """A function phi as Brian2 code: the increase of G by a spike as a function of the count before it, and phi'/2."""

    increment: str
    half_slope: str


GOODNESS: Mapping[str, Goodness] = MappingProxyType(
    {
        "squared": Goodness("2*r_pre + 1", "r"),
        "saturating": Goodness(
            "(r_pre + 1)**2/(1 + (r_pre + 1)/r_s) - r_pre**2/(1 + r_pre/r_s)",
            "0.5*r*(2 + r/r_s)/(1 + r/r_s)**2",
        ),
        "linear": Goodness("1", "int(r > 0)"),
    }
)


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
    inputs = _inputs(b2, config, shown, width[0], space, dt, period, made_of)
    parts: list[BrianObject] = [inputs]
    model = Model(None, period, period.dt, inputs, [], [], [], [], space)
    below = inputs
    for n, cells in enumerate(width[1:]):
        layer, goodness, pieces = _layer(b2, config, n, cells, space, dt, period, made_of)
        if n and config.pool == "divisive":
            pieces += _pool(b2, config, n, below, width[n], layer, space, dt, period)
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
        parts += _chooser(b2, model, space, dt, period)
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


def _inputs(
    b2: Brian, config: SpikingConfig, shown: Shown, cells: int, space: Mapping[str, object], dt: Clock, period: Clock,
    made_of: Plasticity,
) -> NeuronGroup:  # fmt: skip
    encoder = ENCODERS[config.encoder]
    moved = "x_old : 1\ny_old : 1\ninside : 1" if config.shift else ""
    choice = "chosen : 1 (linked)" if config.negatives != "random" else ""
    trace = "dx/dt = -x/tau_trace : 1" if config.online else "x : 1"
    since = "timestep(t, dt) % period_steps"
    threshold = encoder.threshold.replace("since", f"({since})")
    if config.gap:
        threshold = f"({threshold}) and ({since} < T_steps)"
    lines = ("p : 1\nplace : 1\nfired : integer", moved, trace, encoder.equations, choice, made_of.source)
    inputs = b2.NeuronGroup(
        cells, "\n".join(lines), threshold=threshold,
        reset=f"{encoder.reset}\nx += 1\nfired += 1".strip(),
        method="exact" if config.online and not encoder.equations else "euler",
        namespace=space, clock=dt, name="inputs", dtype=dict(made_of.types),
    )  # fmt: skip
    chosen = "int(LABEL(t) < -1.5)*(chosen + 2)" if config.negatives != "random" else "0"
    # Pixels shifted in from outside the image, and cells of labels, read the column of zeros.
    seen = (
        "place = i"
        if not config.shift
        else (
            "x_old = i % width - RIGHT(t)\n    y_old = i//width - DOWN(t)\n    "
            "inside = int(x_old > -0.5)*int(x_old < width - 0.5)*int(y_old > -0.5)*int(y_old < pixels//width - 0.5)\n    "
            "place = inside*int(i < pixels)*(x_old + width*y_old + 0.5) + (1 - inside*int(i < pixels))*pixels"
        )
    )
    onset = f"""
    {seen}
    p = p_pixel*IMAGE((ORDER(t) + 0.5)*ms, int(clip(place, 0, pixels))) \
        + p_label*int(i >= pixels)*int(abs(LABEL(t) + {chosen} - (i - pixels)//copies) < 0.5)
    """
    inputs.run_regularly(onset, clock=period, when="start", order=ONSET, name="show")
    first = encoder.onset + ("" if config.online else "\nx = 0")
    if first.strip():
        inputs.run_regularly(first, clock=period, when="start", order=ONSET + 1, name="onset")
    return inputs


def _layer(
    b2: Brian, config: SpikingConfig, n: int, cells: int, space: Mapping[str, object], dt: Clock, period: Clock,
    made_of: Plasticity,
) -> tuple[NeuronGroup, NeuronGroup, list[BrianObject]]:  # fmt: skip
    good = GOODNESS[config.goodness]
    namespace = {"N": cells, **space}
    cell = b2.NeuronGroup(
        1, _goodness_equations(config), namespace=namespace, clock=dt, method="exact", name=f"goodness_{n}"
    )
    equations, threshold, reset = cell_equations(config)
    equations = (
        f"{equations}\n{'gain : 1' if n and config.pool == 'divisive' else ''}\n{made_of.source}\n{made_of.target}"
    )
    layer = b2.NeuronGroup(
        cells, equations, threshold=threshold, reset=reset, namespace=namespace, clock=dt, name=f"layer_{n}",
        refractory=config.refractory * b2.ms if config.refractory else False,
        method="euler" if config.noise else "exact", events={"learn": "M != 0"}, dtype=dict(made_of.types),
    )  # fmt: skip
    layer.G = b2.linked_var(cell, "G")
    layer.set_event_schedule("learn", when="start", order=EVENT)
    counted = b2.Synapses(
        layer, cell, on_pre=f"G_post += {good.increment}", namespace=namespace, clock=dt, name=f"count_{n}"
    )
    counted.connect()
    signal = "G/N" if config.third_factor == "layer" else {"squared": "r**2", "linear": "r"}.get(
        config.goodness, "r**2/(1 + r/r_s)"
    )  # fmt: skip
    slope = good.half_slope  # with a trace per synapse, which holds about half of r x
    slope = slope if config.eligibility == "rank-1" else f"2*({slope})/clip(r, 1, inf)"
    late = 0.5 + config.period_steps * config.sign_delay  # steps back to the presentation whose sign is used
    layer.run_regularly(
        f"""
        M = RATE(t - {late}*dt)*({slope})/(1 + exp(sign(RATE(t - {late}*dt))*({signal} - theta)/temperature))
        xn = r/(sqrt(clip(G, 0, inf)) + 0.1)
        """,
        clock=period, when="start", order=LEARN, name=f"learn_{n}",
    )  # fmt: skip
    wipe = "M = 0" if config.online else "M = 0\nr = 0\nv = 0" + ("\na = 0" if config.adaptation else "")
    layer.run_regularly(wipe, clock=period, when="start", order=ONSET, name=f"wipe_{n}")
    if not config.online:
        cell.run_regularly("G = 0", clock=period, when="start", order=ONSET, name=f"forget_{n}")
    return layer, cell, [counted]


def _chooser(b2: Brian, model: Model, space: Mapping[str, object], dt: Clock, period: Clock) -> list[BrianObject]:
    """Return the objects of a cell that remembers the tried label with the highest goodness, with Gumbel noise added.

    The noise of scale s is added to the goodness per cell g of all layers, which makes the label a draw from softmax(g/s).
    """
    namespace = {**space, "layers": len(model.goodness)}
    cell = b2.NeuronGroup(
        1, "best : 1\nchosen : 1\ntotal : 1\nscore : 1\nwins : 1", namespace=namespace, clock=dt, name="chooser"
    )
    parts = [cell]
    for n, (goodness, layer) in enumerate(zip(model.goodness, model.layers, strict=True)):
        heard = b2.Synapses(
            goodness, cell, "w : 1", on_pre={}, namespace={"N": layer.N, **space}, clock=dt, name=f"hear_{n}"
        )
        heard.connect()
        heard.run_regularly("total_post += G_pre/N", clock=period, when="start", order=LEARN, name=f"sum_{n}")
        parts.append(heard)
    cell.run_regularly(
        """
        score = total - choice_noise*log(-log(clip(rand(), 1e-7, 0.9999999)))
        best = int(TRIAL(t - 0.5*dt) < 1.5)*int(TRIAL(t - 0.5*dt) > 0.5)*(-1e9) + int(TRIAL(t - 0.5*dt) > 1.5)*best
        wins = int(TRIAL(t - 0.5*dt) > 0.5)*int(score > best)
        chosen = wins*LABEL(t - 0.5*dt) + (1 - wins)*chosen
        best = wins*score + (1 - wins)*best
        total = 0
        """,
        clock=period, when="start", order=EVENT, name="choose",
    )  # fmt: skip
    model.inputs.chosen = b2.linked_var(cell, "chosen")
    return parts


def _pool(
    b2: Brian, config: SpikingConfig, n: int, below: NeuronGroup, cells: int, layer: NeuronGroup,
    space: Mapping[str, object], dt: Clock, period: Clock,
) -> list[BrianObject]:  # fmt: skip
    """Return the pool cell between two layers, which low-passes the spikes below and divides the input above."""
    namespace = {"cells": cells, **space}
    pool = b2.NeuronGroup(1, "dq/dt = -q/tau_pool : 1", namespace=namespace, clock=dt, method="exact", name=f"pool_{n}")
    if not config.online:
        pool.run_regularly("q = 0", clock=period, when="start", order=ONSET, name=f"empty_{n}")
    gather = b2.Synapses(below, pool, on_pre="q_post += 1.0/cells", namespace=namespace, clock=dt, name=f"gather_{n}")
    gather.connect()
    spread = b2.Synapses(
        pool,
        layer,
        "gain_post = pool_gain/(sigma + q_pre) : 1 (summed)",
        namespace=namespace,
        clock=dt,
        name=f"divide_{n}",
    )
    spread.connect()
    return [pool, gather, spread]


def _goodness_equations(config: SpikingConfig) -> str:
    if not config.online:
        return "G : 1"
    # The counts decay with tau_trace, so the sum of their squares decays twice as fast.
    return f"dG/dt = -{2 if config.goodness == 'squared' else 1}*G/tau_trace : 1"


def cell_equations(config: SpikingConfig) -> tuple[str, str, str]:
    """Return the equations, the threshold and the reset of a LIF cell as Brian2 code."""
    noise = " + noise*sqrt(2/tau)*xi" if config.noise else ""
    refractory = " (unless refractory)" if config.refractory else ""
    lines = [
        f"dv/dt = -v/tau{noise} : 1{refractory}",
        "dr/dt = -r/tau_trace : 1" if config.online else "r : 1",
        "fired : integer",
        "M : 1",
        "xn : 1",
        "G : 1 (linked)",
    ]
    threshold, reset = "v > 1", ("v -= 1" if config.reset == "subtract" else "v = 0") + "\nr += 1\nfired += 1"
    if config.adaptation:
        lines.append("da/dt = -a/tau_a : 1")
        threshold, reset = "v > 1 + a", reset + "\na += a_step"
    return "\n".join(lines), threshold, reset
