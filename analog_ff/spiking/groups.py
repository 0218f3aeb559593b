"""The groups of cells in Brian2: input cells, a layer with its goodness cell, a pool between layers, a chooser of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analog_ff.spiking.brian import Brian, BrianObject, Clock, NeuronGroup
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.encoders import ENCODERS
from analog_ff.spiking.equations import GOODNESS, cell_equations, goodness_equations
from analog_ff.spiking.synapses.base import CHANGE, Plasticity

BEFORE, LEARN, EVENT, ONSET = -1, 0, 1, CHANGE + 1
"""Orders within the first step of a presentation: record, learn from the previous presentation, reset and show."""


def inputs_of(
    b2: Brian, config: SpikingConfig, cells: int, space: Mapping[str, object], dt: Clock, period: Clock,
    made_of: Plasticity,
) -> NeuronGroup:  # fmt: skip
    """Return the input cells, which look up their pixel at the onset of a presentation and fire as the encoder says."""
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


def layer_of(
    b2: Brian, config: SpikingConfig, n: int, cells: int, space: Mapping[str, object], dt: Clock, period: Clock,
    made_of: Plasticity,
) -> tuple[NeuronGroup, NeuronGroup, list[BrianObject]]:  # fmt: skip
    """Return the cells of layer `n`, the cell that holds their goodness, and what joins the two."""
    good = GOODNESS[config.goodness]
    namespace = {"N": cells, **space}
    cell = b2.NeuronGroup(
        1, goodness_equations(config), namespace=namespace, clock=dt, method="exact", name=f"goodness_{n}"
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


def chooser_of(
    b2: Brian, inputs: NeuronGroup, layers: Sequence[tuple[NeuronGroup, NeuronGroup]], space: Mapping[str, object], dt: Clock,
    period: Clock,
) -> list[BrianObject]:  # fmt: skip
    """Return the objects of a cell that remembers the tried label with the highest goodness, with Gumbel noise added.

    `layers` are pairs of goodness cell and layer. The noise of scale s is added to the goodness per cell g of all layers, which
    makes the label a draw from softmax(g/s).
    """
    namespace = {**space, "layers": len(layers)}
    cell = b2.NeuronGroup(
        1, "best : 1\nchosen : 1\ntotal : 1\nscore : 1\nwins : 1", namespace=namespace, clock=dt, name="chooser"
    )
    parts = [cell]
    for n, (goodness, layer) in enumerate(layers):
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
    inputs.chosen = b2.linked_var(cell, "chosen")
    return parts


def pool_of(
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
