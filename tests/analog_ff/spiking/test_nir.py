"""NIR files: what is written is read back to the bit, runs as Brian2 runs it, and what cannot be said is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.model import Shown, build
from analog_ff.spiking.nir.graph import check, export, export_run, load
from analog_ff.spiking.nir.network import NirLayer, NirNetwork, frozen_gains, spikes
from analog_ff.spiking.presentations import Presentations
from analog_ff.spiking.simulation import simulate
from analog_ff.spiking.target import prepared
from hardware_models.check import UsageError


def drawn(*width: int, seed: int = 0, scale: float = 0.6) -> list[np.ndarray]:
    """Return float32 weights of each layer, (inputs, cells), excitatory on average so that cells fire."""
    g = np.random.default_rng(seed)
    pairs = zip(width[:-1], width[1:], strict=True)
    return [(0.1 + scale * g.standard_normal(s) / np.sqrt(s[0])).astype(np.float32) for s in pairs]


def choices(**changed: Any) -> SpikingConfig:
    return SpikingConfig(**{"layers": (7, 5), "pool": "none", "target": "numpy", **changed})


def written(path: Path, config: SpikingConfig, inputs: int = 12, **more: Any) -> NirNetwork:
    export(drawn(inputs, *config.layers), config, path, **more)
    return load(path)


def twin(network: NirNetwork, input_spikes: np.ndarray) -> list[np.ndarray]:
    """Return the spikes of each layer, cell by cell in float64: decay, threshold, arrival, reset."""
    fired, below = [], input_spikes
    for layer in network.layers:
        out = np.zeros((len(below), layer.weights.shape[1]), bool)
        for j in range(out.shape[1]):
            v = layer.v_leak[j]
            for k in range(len(below)):
                v = layer.v_leak[j] + (v - layer.v_leak[j]) * np.exp(-network.dt / layer.tau[j])
                out[k, j] = v > layer.threshold[j]
                if k >= layer.delay:
                    for i in np.flatnonzero(below[k - layer.delay]):
                        v += layer.gain[i] * float(layer.weights[i, j]) * layer.r[j] * network.dt / layer.tau[j]
                if out[k, j]:
                    v = v - layer.threshold[j] if network.reset == "subtract" else layer.v_reset[j]
        fired.append(out)
        below = out
    return fired


@pytest.mark.parametrize("step", [1.0, 0.3, 0.1])
def test_round_trip_to_the_bit(tmp_path: Path, step: float) -> None:
    """Weights come back as they were; the resistance makes one spike in one step move v by w."""
    config = choices(step=step, present=30.0, tau=17.0, reset="hard")
    weights = drawn(12, 7, 5)
    export(weights, config, tmp_path / "net.nir")
    network = load(tmp_path / "net.nir")
    for layer, w in zip(network.layers, weights, strict=True):
        assert layer.weights.dtype == np.float32 and layer.weights.tobytes() == w.tobytes()
        np.testing.assert_allclose(layer.r * network.dt / layer.tau, 1.0, rtol=1e-15)
        assert (layer.tau == 0.017).all() and (layer.threshold == 1).all() and not layer.v_reset.any()
    assert network.dt == step * 1e-3 and network.reset == "hard" and network.metadata["encoder"] == "regular"


@pytest.mark.parametrize("reset", ["subtract", "hard"])
@pytest.mark.parametrize("delay", [0.0, 3.0])
def test_spikes_equal_a_slow_twin(tmp_path: Path, reset: str, delay: float) -> None:
    """Two layers with a frozen gain between them, against loops over steps, cells and spikes."""
    config = choices(reset=reset, delay=delay, pool="divisive")
    network = written(tmp_path / "net.nir", config, gains=[3.0])
    assert network.layers[0].delay == network.layers[1].delay == int(delay)
    assert (network.layers[1].gain == 3.0).all() and (network.layers[0].gain == 1.0).all()
    shown = np.random.default_rng(1).random((3, 60, 12)) < 0.25
    found = spikes(network, shown)
    for n, presentation in enumerate(shown):
        for layer, slow in zip(found, twin(network, presentation), strict=True):
            assert slow.sum() > 10
            np.testing.assert_array_equal(layer[n], slow)
    same = spikes(network, shown, np.float32)
    assert sum(int((a != b).sum()) for a, b in zip(same, found, strict=True)) <= 5


def test_one_spike_moves_the_membrane_by_its_weight() -> None:
    """Closed form: at a weight w above the threshold, v > 1 one step later if w exp(-dt/tau) > 1; n spikes without input."""
    layer_of = load_single(w=3.3, tau=20e-3)
    out = spikes(layer_of, np.eye(1, 10, dtype=bool).T)[0][:, 0]
    # v: 3.3 d > 1, 2.14 d > 1 ... : the membrane loses 1 at each spike and d between, until it is below 1.
    v, wanted = 3.3, [False]
    for _ in range(9):
        v *= np.exp(-1 / 20)
        wanted.append(v > 1)
        v -= v > 1
    assert out.tolist() == wanted and sum(wanted) == 2


@pytest.mark.parametrize(("rest", "first"), [(0.0, None), (0.5, 1), (-0.5, None), (1.5, 0)])
def test_a_network_starts_at_its_rest(rest: float, first: int | None) -> None:
    """A spike of 0.7 in the first step lifts a cell over its threshold of 1 from a rest of 0.5, not from one of 0."""
    network = load_single(w=0.7, tau=20e-3, rest=rest)
    out = spikes(network, np.eye(1, 10, dtype=bool).T)[0][:, 0]
    assert (int(out.argmax()) if out.any() else None) == first
    silent = load_single(w=0.0, tau=20e-3, rest=0.999)
    assert not spikes(silent, np.zeros((3, 10, 1), bool))[0].any()  # at rest nothing moves


def load_single(w: float, tau: float, rest: float = 0.0) -> NirNetwork:
    one = np.ones(1)
    layer = NirLayer(np.float32([[w]]), one, 0, tau * one, tau / 1e-3 * one, rest * one, one, 0 * one)
    return NirNetwork((layer,), 1e-3, "subtract", {})


@pytest.mark.parametrize(
    "changed",
    [{"reset": "subtract", "dale": True}, {"reset": "hard", "pool": "subtractive", "pool_gain": 0.2}, {"delay": 2.0}],
)
def test_brian2_spike_for_spike(tmp_path: Path, changed: dict[str, Any]) -> None:
    """The file, run on the input spikes that Brian2 drew, fires when the cells of Brian2's network fire; 50 steps."""
    config = choices(present=50.0, peak_rate=300.0, label_cells=2, initial=0.3, **changed)
    pixels = np.random.default_rng(3).random((1, 20)).astype(np.float32)
    weights = [w + np.float32(0.1) for w in drawn(26, 7, 5, scale=0.5)]
    export(weights, config, tmp_path / "net.nir")
    rasters = []
    with prepared("numpy", 5) as b2:
        once = Presentations.of(np.zeros(1), np.ones(1), np.zeros(1))
        model = build(config, Shown(pixels, 3), once, weights, learn=False)
        monitors = [b2.SpikeMonitor(group) for group in (model.inputs, *model.layers)]
        model.network.add(*monitors)
        model.network.run(50 * b2.ms)
        for monitor, cells in zip(monitors, (26, 7, 5), strict=True):
            raster = np.zeros((50, cells), bool)
            raster[np.round(np.asarray(monitor.t / b2.ms)).astype(int), np.asarray(monitor.i)] = True
            rasters.append(raster)
    for found, brian in zip(spikes(load(tmp_path / "net.nir"), rasters[0]), rasters[1:], strict=True):
        assert brian.sum() > 10
        np.testing.assert_array_equal(found, brian)


def test_frozen_gains_are_the_mean_over_spikes() -> None:
    """Two spikes of two cells: the first meets 1/sigma, the second, d steps later, 1/(sigma + exp(-d dt/tau)/2)."""
    config = choices(pool="divisive", pool_tau=10.0, sigma=0.25, pool_gain=2.0, layers=(2, 5, 4))
    first, second = np.zeros((3, 20, 2), bool), np.zeros((3, 20, 5), bool)
    first[0, 3, 0] = first[0, 9, 1] = True
    second[1, 4] = True
    wanted = [(2 / 0.25 + 2 / (0.25 + 0.5 * np.exp(-0.5))) / 2, 2 / 0.25]
    np.testing.assert_allclose(frozen_gains(config, [first, second, first]), wanted, rtol=1e-12)
    assert frozen_gains(choices(pool="none"), [first, second]) == []
    with pytest.raises(UsageError, match="layer 2 never spikes"):
        frozen_gains(config, [first, first & False, first])


def test_a_run_is_exported_with_the_gain_of_its_raster(tmp_path: Path) -> None:
    """A short real run of two layers: weights as the run left them, a gain inside the range of the pool's."""
    config = choices(
        data="toy", layers=(12, 6), epochs=1, images_per_epoch=3, test_images=3, pool="divisive", sigma=0.2
    )
    outcome = simulate(config, quiet=True)
    export_run(config, outcome, tmp_path / "net.nir")
    layers = load(tmp_path / "net.nir").layers
    for layer, w in zip(layers, outcome.weights, strict=True):
        np.testing.assert_array_equal(layer.weights, w)
    gain = layers[1].gain
    assert (gain == gain[0]).all() and 0.5 < gain[0] < 1 / 0.2


@pytest.mark.parametrize(("changed", "taken"), [({"dale": True}, (1, 1)), ({"pool": "subtractive"}, (0, 1))])
def test_uniform_inhibition_is_part_of_the_weights(
    tmp_path: Path, changed: dict[str, Any], taken: tuple[int, int]
) -> None:
    """Dale: sqrt(2/pi) of the deviation of the first weights; a subtractive pool: its gain, both by sqrt(inputs)."""
    config = choices(initial=0.8, **changed, **({"pool_gain": 0.5} if "pool" in changed else {}))
    weights = drawn(12, 7, 5)
    said = export(weights, config, tmp_path / "net.nir")
    assert sum("uniform inhibition" in sentence for sentence in said) == 1
    amount = np.sqrt(2 / np.pi) * 0.8 if config.dale else 0.5
    for layer, w, share in zip(load(tmp_path / "net.nir").layers, weights, taken, strict=True):
        np.testing.assert_allclose(layer.weights, w - share * amount / np.sqrt(len(w)), rtol=1e-5, atol=1e-7)


def test_notices_name_what_is_left_out(tmp_path: Path) -> None:
    """Each thing that the file does not hold is said once, and stands in the file; what does not apply is not said."""
    weights = drawn(12, 7, 5)
    said = export(weights, choices(pool="divisive", noise=0.1, reset="subtract"), tmp_path / "a.nir", gains=[0.25])
    for word in ("clock step", "Plasticity", "goodness", "encoder", "reset between", "subtracts", "0.25", "noise"):
        assert sum(word in sentence for sentence in said) == 1, word
    assert load(tmp_path / "a.nir").metadata["notices"].splitlines() == said
    fewer = " ".join(export(weights, choices(reset="hard", online=True), tmp_path / "b.nir"))
    assert not any(word in fewer for word in ("subtracts", "pool", "noise", "reset between", "device", "inhibition"))
    memristor = choices(device="memristor", chip="table")
    assert "memristor" in " ".join(export(weights, memristor, tmp_path / "c.nir"))


REFUSED = {
    "refractory period": {"refractory": 2.0},
    "constant threshold": {"adaptation": 0.2},
    "per synapse": {"delay": 2.0, "delay_spread": 1.0},
    "1 positive gains": {"pool": "divisive"},
    r"needs weights \(inputs, cells\)": {"layers": (7, 6)},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_nir_cannot_say_is_refused(tmp_path: Path, sentence: str) -> None:
    """One sentence, and no file."""
    with pytest.raises(UsageError, match=sentence):
        export([np.abs(w) for w in drawn(12, 7, 5)], choices(**REFUSED[sentence]), tmp_path / "net.nir")
    assert not list(tmp_path.iterdir())


def test_export_looks_at_weights_gains_and_path(tmp_path: Path) -> None:
    weights, config = drawn(12, 7, 5), choices()
    for gains in ([1.0], [1.0, 2.0]):
        with pytest.raises(UsageError, match="needs 0 positive gains"):
            export(weights, config, tmp_path / "net.nir", gains=gains)
    for gains in ([0.0], [np.nan], []):
        with pytest.raises(UsageError, match="needs 1 positive gains"):
            export(weights, choices(pool="divisive"), tmp_path / "net.nir", gains=gains)
    with pytest.raises(UsageError, match="folder .* does not exist"):
        export(weights, config, tmp_path / "none" / "net.nir")
    bad = [weights[0], weights[1] * np.float32(np.inf)]
    with pytest.raises(UsageError, match="layer 2 are not all finite"):
        export(bad, config, tmp_path / "net.nir")
    export(weights, config, tmp_path / "net.nir")
    with pytest.raises(UsageError, match="exists already"):
        check(config, tmp_path / "net.nir")
    assert [f.name for f in tmp_path.iterdir()] == ["net.nir"]
    check(choices(layers=(7,)), tmp_path / "one.nir")
