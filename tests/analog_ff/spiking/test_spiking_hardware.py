"""Spiking synapses on hardware: crossbars pulsed exactly, step tables, and what spikes and pulses cost."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from analog_ff.spiking import accounting
from analog_ff.spiking import model as models
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.presentations import Presentations
from analog_ff.spiking.synapses.step_tables import DOWN, UP, StepTables
from hardware_models.check import UsageError
from hardware_models.devices.constant_step import ConstantStep
from hardware_models.devices.soft_bounds import SoftBounds
from hardware_models.energy import load_technology, price
from hardware_models.energy.circuit import Circuit
from hardware_models.events import Events, Ledger
from hardware_models.kernels.pulses import split_pairs
from hardware_models.keys import Key
from hardware_models.load import load_device
from hardware_models.tiles import Tiling

SIGMAS = 5.0
SOFT = SoftBounds(states=60.0, cycle_noise=0.02, step_spread=0.2, high_spread=0.05)


# --- step tables ---


def series(
    device: Any, tables: StepTables, key: Key, runs: int, pulses: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the states, in shares, after the same pulses by the device itself and by its table, (runs, kinds)."""
    cells = device.fabricate((1, tables.kinds), key.child("fabricate"))
    state = type(cells)(*(np.repeat(np.asarray(a), runs, axis=0) for a in cells))
    share = np.repeat(tables.fresh[None], runs, axis=0)
    kind = np.broadcast_to(np.arange(tables.kinds), share.shape)
    generator = np.random.default_rng(1)
    for number, counts in enumerate(pulses):
        given = np.repeat(counts[None], runs, axis=0).astype(np.int32)
        device.pulse(state, given, Key(9, "series").at(number))
        share = tables.moved(share, kind, given, generator)
    return (state.g - tables.low) / tables.span, share


@pytest.mark.parametrize("device", [load_device("memristor"), SOFT], ids=["memristor", "soft bounds"])
def test_a_table_moves_cells_as_the_device_does(device: Any) -> None:
    """After a random series of pulses, mean and deviation over runs agree for the kinds, within their standard errors."""
    key, runs = Key(3, "table"), 200
    tables = StepTables.of(device, key, kinds=24, levels=65, draws=128)
    generator = np.random.default_rng(0)
    pulses = [generator.choice([-1, 0, 1], tables.kinds, p=[0.3, 0.2, 0.5]) for _ in range(40)]
    real, tabled = series(device, tables, key, runs, pulses)
    scatter = real.std(axis=0, ddof=1)
    z = (real.mean(axis=0) - tabled.mean(axis=0)) / (scatter * np.sqrt(2.0 / runs))
    # The table is linear between its levels: what that leaves is small against the scatter of one cell.
    assert np.abs(z).max() < SIGMAS + 1.0
    assert abs(z.mean()) < SIGMAS / np.sqrt(tables.kinds) + 0.5
    ratio = tabled.std(axis=0, ddof=1) / scatter
    assert abs(np.log(ratio).mean()) < SIGMAS / np.sqrt(runs * tables.kinds) + 0.03
    assert scatter.min() > 0.01


@pytest.mark.parametrize("device", [load_device("memristor"), SOFT], ids=["memristor", "soft bounds"])
def test_five_pulses_at_once_are_five_pulses(device: Any) -> None:
    """The square-root law holds where five pulses move a cell little: within 3 % of the range in mean and deviation."""
    key = Key(4, "table")
    tables = StepTables.of(device, key, kinds=24, levels=65, draws=128)
    real, tabled = series(device, tables, key, 400, [np.full(tables.kinds, 5)])
    error = SIGMAS * real.std(axis=0).max() / np.sqrt(200 * tables.kinds)
    assert abs(float(real.mean() - tabled.mean())) < 0.01 + error
    assert real.std(axis=0).mean() == pytest.approx(tabled.std(axis=0).mean(), rel=0.08)
    assert abs(float(real.mean() - tables.fresh.mean())) > 0.02


def test_the_law_at_a_bound_is_that_without_the_bound() -> None:
    """Half of the draws at a hard bound are cut off; mean and deviation of the uncut step come out all the same."""

    class Hidden(ConstantStep):
        """Says of itself without noise what is wrong, so that the draws must decide."""

        def without(self, **what: Any) -> Any:
            del what
            return ConstantStep(states=100.0)

    device = Hidden(states=50.0, cycle_noise=0.05)
    tables = StepTables.of(device, Key(0, "bound"), kinds=40, levels=9, draws=400)
    draws = 400 * 40
    assert tables.mean[:, UP, -1].mean() == pytest.approx(0.02, abs=SIGMAS * 2 * 0.05 / np.sqrt(draws))
    assert tables.mean[:, DOWN, 0].mean() == pytest.approx(-0.02, abs=SIGMAS * 2 * 0.05 / np.sqrt(draws))
    assert tables.mean[:, UP, 4].mean() == pytest.approx(0.02, abs=SIGMAS * 0.05 / np.sqrt(draws))
    np.testing.assert_allclose(tables.deviation[:, UP].mean(axis=0), 0.05, rtol=SIGMAS * 2 / np.sqrt(2 * draws) + 0.01)


def test_programming_reaches_what_a_crossbar_reaches() -> None:
    """The chequerboard shares pulses as `split_pairs` does; without noise and spread the weights are those asked for."""
    tables = StepTables.of(ConstantStep(states=100.0), Key(0, "program"), kinds=4, levels=5, draws=16)
    counts = np.arange(-6, 6).reshape(3, 4)
    kind, pulses, share = tables.programmed(counts, np.random.default_rng(0))
    expected = np.empty((3, 8), np.int32)
    split_pairs(counts.astype(np.int32), 0, expected)
    np.testing.assert_array_equal(pulses, expected)
    np.testing.assert_allclose((share[:, 0::2] - share[:, 1::2]) * 100.0, counts, atol=1e-3)
    assert kind.shape == share.shape


class Drifting(ConstantStep):
    """Leaks a little while it waits."""

    def wait(self, state: Any, seconds: float, key: Key) -> None:
        """Lose conductance."""
        del key
        state.g[:] *= np.float32(np.exp(-1e-5 * seconds))


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (load_device("joshi2020_pcm"), "changes with time"),
        (Drifting(), "changes with time"),
        (load_device("gong2018_reram_sb"), "hidden state 'hidden'"),
        (load_device("renaudineau2026_hfox_ti"), "one sign only"),
        (ConstantStep(access="passive"), "half-selected"),
        (ConstantStep(read_noise_relative=0.01), "read noise depends on the cell"),
    ],
    ids=["pcm", "leak", "hidden", "one-sided", "passive", "read noise"],
)  # fmt: skip
def test_tables_refuse_what_they_cannot_hold(device: Any, why: str) -> None:
    """One sentence says what, why, and which way serves."""
    with pytest.raises(UsageError, match=why) as caught:
        StepTables.of(device, Key(0, "no"))
    assert "--chip exact" in str(caught.value)


# --- in the network ---


class Ran(NamedTuple):
    """A network that ran."""

    made: Any
    model: Any
    ledger: Ledger | None
    inputs: np.ndarray  # spikes by input cell, in all
    fired: np.ndarray  # spikes by cell of the first layer
    first: list[np.ndarray]  # weights at the start


def settings(**more: Any) -> SpikingConfig:
    """Return a small network for NumPy."""
    base: dict[str, Any] = {"layers": (6,), "device": "memristor", "target": "numpy", "learning_rate": 0.02, "epochs": 1,
                            "label_cells": 2, "present": 15.0, "theta": 0.5}  # fmt: skip
    return SpikingConfig(**{**base, **more})


def run(config: SpikingConfig, made: Any, learned: int, tested: int, steps: int = 0) -> Ran:
    """Run `learned` presentations with learning, then `tested` without; `steps` cut the run short in the first."""
    pytest.importorskip("brian2")
    from analog_ff.spiking.target import prepared

    generator = np.random.default_rng(5)
    shown = models.Shown(models.scaled(generator.random((4, 12))), 2)
    k = learned + tested
    rate = np.where(np.arange(k) < learned, config.learning_rate * (1 - 2 * (np.arange(k) % 2)), 0.0)
    show = Presentations.of(np.arange(k) % 4, np.arange(k) // 2 % 2, rate)
    width = models.sizes(config, shown)
    shapes = list(zip(width[:-1], width[1:], strict=True))
    first = [(1.5 * generator.standard_normal(s) / np.sqrt(s[0])).astype(np.float32) for s in shapes]
    with prepared("numpy", config.seed) as b2:
        model = models.build(config, shown, show, first, plasticity=made)
        monitors = [b2.SpikeMonitor(g, record=False) for g in (model.inputs, model.layers[0])]
        model.network.add(monitors)
        model.network.run(steps * config.step * b2.ms if steps else k * model.period, namespace={})
        counts = [np.array(m.count[:], float) for m in monitors]
        if not steps:  # a presentation is written down in the step after it
            model.network.run(config.step * b2.ms, namespace={})
        booked = hasattr(made, "ledger") and not steps
        ledger = made.ledger([("learn", learned), ("infer", tested)]) if booked else None
    return Ran(made, model, ledger, counts[0], counts[1], first)


def crossbars(config: SpikingConfig, device: Any = None) -> Any:
    """Return synapses on crossbars."""
    from analog_ff.spiking.synapses.crossbar import CrossbarSynapses

    return CrossbarSynapses(config, device)


def tables(config: SpikingConfig, device: Any = None) -> Any:
    """Return synapses on step tables."""
    from analog_ff.spiking.synapses.table import TableSynapses

    return TableSynapses(config, device)


@pytest.fixture(scope="module")
def memristors() -> dict[Any, list[Ran]]:
    """Return runs on a memristor with 16 presentations of learning and 4 without, over seeds."""
    seeds = [settings(seed=seed, chip_seed=seed) for seed in range(3)]
    return {make: [run(config, make(config), 16, 4) for config in seeds] for make in (crossbars, tables)}


@pytest.mark.slow
@pytest.mark.parametrize("make", [crossbars, tables])
def test_every_spike_is_a_read_of_its_row(make: Any) -> None:
    """Without learning the counts and V²G follow from the spikes by input cell and the conductances, by hand."""
    config = settings(layers=(6, 3))
    device = ConstantStep(states=200.0, step_spread=0.1)
    ran = run(config, make(config, device), 0, 5)
    assert ran.ledger is not None
    infer = ran.ledger.phase("infer").layers
    assert infer["0"]["reads.cells"] == ran.inputs.sum() * 12
    assert infer["1"]["reads.cells"] == ran.fired.sum() * 6
    assert infer["0"]["goodness"] == ran.fired.sum() > 0
    assert infer["0"]["comparator"] == 5 * 15 * 6
    assert 0 < infer["0"]["integrator"] <= 5 * 15 * 6
    assert ran.ledger.phase("learn").total()["write.selected"] == 0
    if make is crossbars:
        sums = ran.made.arrays[0].conductances.sum(axis=(0, 2), dtype=np.float64)
    else:
        array = ran.made._arrays[0]
        sums = ran.made.tables.conductance(ran.made.shares(0), array.kind).sum(axis=1)
    assert infer["0"].integrals["read.v2g"] == pytest.approx(device.v_read**2 * float(ran.inputs @ sums), rel=1e-5)
    assert infer["shared"].integrals["time"] == pytest.approx(5 * 0.015)


def test_ideal_devices_are_ideal_synapses() -> None:
    """On devices with a step of 2^-22 of their range the crossbar's network fires spike for spike as that of numbers."""
    config = settings(device="ideal", learning_rate=2e-3)
    on_chip, numbers = run(config, crossbars(config), 12, 2), run(config, models.IdealSynapses(), 12, 2)
    np.testing.assert_array_equal(on_chip.fired, numbers.fired)
    w, ideal = (np.array(r.model.synapses[0].w[:]) for r in (on_chip, numbers))
    step = on_chip.made.arrays[0].weight_step
    np.testing.assert_allclose(w, ideal, atol=14 * step + 1e-6)
    assert on_chip.fired.sum() > 0 and on_chip.ledger is not None
    assert on_chip.ledger.phase("learn").total()["write.selected"] > 0


@pytest.mark.slow
def test_pulses_of_learning_reach_the_cells_and_are_booked(memristors: dict[Any, list[Ran]]) -> None:
    """The weights in Brian2 are those of the devices, and the events hold all pulses that the cells received."""
    ran = memristors[crossbars][0]
    array = ran.made.arrays[0]
    np.testing.assert_allclose(np.array(ran.model.synapses[0].w[:]), array.weights.ravel(), rtol=1e-6)
    assert ran.ledger is not None
    booked = [ran.ledger.phase(phase).total()["write.selected"] for phase in ("program", "learn")]
    assert sum(booked) == array.received.sum() and booked[1] > 0
    # Waking and sleeping alternate as the sides do; all the same both devices of a pair work.
    assert 0.3 < array.received[:, 0::2].sum() / array.received.sum() < 0.7


def test_table_equations_keep_their_books() -> None:
    """w is the pair's difference, rows are sums, and each pulse of a noiseless device moves a cell by one step."""
    config = settings(weight_range=40.0)  # 16 rows: weights of 10, in 400 steps; the bounds are far off
    device = ConstantStep(states=400.0)
    made = tables(config, device)
    ran = run(config, made, 12, 1)
    array = made._arrays[0]
    share = made.shares(0)
    g = made.tables.conductance(share, array.kind) / array.unit
    np.testing.assert_allclose(np.array(ran.model.synapses[0].w[:]), (g[:, 0::2] - g[:, 1::2]).ravel(), atol=1e-9)
    np.testing.assert_allclose(np.array(ran.model.inputs.row[:]), g.sum(axis=1), rtol=1e-9)
    up, down = (float(np.sum(getattr(ran.model.layers[0], name)[:])) for name in ("up", "down"))
    assert up > 0 and down > 0
    programmed = np.empty(share.shape, np.int32)
    split_pairs(np.rint(ran.first[0] / (10.0 / 400.0)).astype(np.int32), 0, programmed)
    steps = (share - 0.5) * 400.0
    np.testing.assert_allclose(steps, np.rint(steps), atol=0.02)
    assert round(float(steps.sum())) == programmed.sum() + up - down
    assert ran.ledger is not None
    assert ran.ledger.phase("learn").total()["write.selected"] == up + down


def test_tables_and_crossbars_agree(memristors: dict[Any, list[Ran]]) -> None:
    """Pulses and goodness of learning agree within the deviation over seeds, on a memristor."""
    found = {}
    for make, runs in memristors.items():
        lines = []
        for ran in runs:
            assert ran.ledger is not None
            learn = ran.ledger.phase("learn").total()
            pulses = learn["write.selected"]
            lines.append((pulses, learn.integrals["write.v2gt"] / max(pulses, 1), ran.fired.sum()))
        found[make] = np.array(lines, float)
    for a, b in zip(found[crossbars].T, found[tables].T, strict=True):
        scatter = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
        assert abs(a.mean() - b.mean()) < SIGMAS * scatter + 0.01 * a.mean(), (a, b)


@pytest.mark.parametrize("relative", [False, True], ids=["same for all cells", "of each cell"])
def test_read_noise_of_a_step_is_that_of_its_spikes(relative: bool) -> None:
    """The membranes' variance after some steps is the sum over all read pulses of the pairs' variances."""
    cells = 1500
    config = settings(layers=(cells,), peak_rate=1000.0, label_rate=1000.0, encoder="poisson", tau=1e4)
    noise = {"read_noise_relative" if relative else "read_noise": 1e-3}
    device = ConstantStep(states=1e6, fresh="mid", **noise)  # type: ignore[arg-type]
    made = crossbars(config, device)
    ran = run(config, made, 0, 1, steps=4)
    array = made.arrays[0]
    v = np.array(ran.model.layers[0].v[:])
    pairs = np.broadcast_to(device.read_variance(array.state, 0.0), array.state.g.shape).astype(float)
    by_cell = (pairs[:, 0::2] + pairs[:, 1::2]) / array.g_unit**2
    spikes = ran.inputs
    silent = ran.fired == 0
    ideal = spikes @ array.weights.astype(float)
    z = ((v - ideal) / np.sqrt(spikes @ by_cell))[silent]
    assert silent.sum() > 200
    # The leak of four steps of 1e-4 is seen by the mean alone.
    assert z.std() == pytest.approx(1.0, abs=SIGMAS / np.sqrt(2 * silent.sum()) + 0.02)


@pytest.mark.parametrize(
    ("choices", "why"),
    [({"dale": True}, "--dale"), ({"eligibility": "synaptic"}, "--eligibility"),
     ({"delay": 2.0, "delay_spread": 1.0}, "--delay-spread"), ({"device": "agrawal2022_sonos"}, "written once")],
)  # fmt: skip
@pytest.mark.parametrize("make", [crossbars, tables])
def test_what_an_array_cannot_do_is_refused(make: Any, choices: dict[str, Any], why: str) -> None:
    """One sentence, before anything is fabricated."""
    with pytest.raises(UsageError, match=why):
        make(settings(**choices))


# --- energy ---


def test_energy_of_counts_by_hand() -> None:
    """Two spikes on an array of 300 x 4 weights: cells, drivers, sensed columns and V²Gt, priced one by one."""
    config = settings(layers=(4,))
    device = load_device("memristor")
    one = np.ones(1)

    class Reads(NamedTuple):
        spikes: np.ndarray = 2 * one
        steps: np.ndarray = one
        tile_steps: np.ndarray = 2 * one
        g: np.ndarray = 5 * one
        fired: np.ndarray = 3 * one

    events = accounting.read_events(device, Tiling(300, 8), config, 0, Reads(), slice(None), 2e-5, True)
    assert events == Events(
        {"reads.cells": 16, "dac.1": 2, "reads.columns": 16, "integrator": 8, "comparator": 60, "nonlinearity": 4,
         "goodness": 3, "add.int32": 5}, {"read.v2g": 0.5**2 * 2e-5 * 5}
    )  # fmt: skip
    ledger = Ledger()
    ledger.book("infer", events, 0)
    ledger.book("learn", events + accounting.write_events(device, 3, 1, 3e-5, 1e-5), 0)
    found = accounting.account(ledger, config.technology, device, [(300, 4)], {"learn": 2, "infer": 1}, [])
    energy = found["energy"]
    known = {
        "technology": load_technology(config.technology),
        "read_time": 5e-9,
        "read_voltage": 0.5,
        "write_voltage": 1.6,
        "circuit": Circuit(line_cells=256, analog_sums=True),  # 300 rows in tiles of 256
    }
    whole = sum(price({"x": events.counts}, {"x": events.integrals}, **known)["x"].values())
    assert energy["per_decision_joule"] == pytest.approx(whole)
    assert energy["per_synaptic_operation_joule"] == pytest.approx(whole / 8)
    array = 5e-9 * 0.25 * 1e-4 + 16 * 0.2e-15 * 0.25 + 2 * (0.032e-12 + 4 * 4.9704e-20)
    assert energy["per_synaptic_operation_array_joule"] == pytest.approx(array / 8)
    writes = 1.6**2 * 50e-9 * 4e-5 + 8 * 256 * 0.2e-15 * 1.6**2
    assert energy["per_training_image_joule"] == pytest.approx((whole + writes) / 2)
    published = energy["published_per_synaptic_operation"]
    assert (
        published["joule"]["SENECA"] == pytest.approx(2.8e-12) and "10.3389/fnins.2023.1187252" in published["source"]
    )
    assert found["cells"]["pulses_per_weight"] == pytest.approx(4 / 1200)
