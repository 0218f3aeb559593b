"""The chip behind its pins: arithmetic of converters, counts in closed form, sealing, nonlinearities, state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import hardware_models
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.converters.dac import Dac
from hardware_models.devices.ideal import Ideal
from hardware_models.events import Events, Ledger, Tally
from hardware_models.keys import Key
from hardware_models.port import MissingPinError, SealedChipError

KEY = Key(1, "chip test")
LAYERS = ((33, 20), (21, 10))


def chip(device: str = "ideal", **more) -> Chip:
    """Return a chip with programmed weights."""
    made = Chip(device, LAYERS, **more)
    for layer, shape in enumerate(made.shapes):
        w = Key(0, "w", layer).generator().standard_normal(shape) / np.sqrt(shape[0])
        made.program(layer, w, key=KEY.child("program", layer))
    return made


def inputs(batch: int = 7) -> np.ndarray:
    """Return inputs of one sign, the last the bias."""
    x = np.random.default_rng(0).uniform(0, 4, (batch, 33)).astype(np.float32)
    x[:, -1] = 6.0
    return x


def test_ideal_chip_is_the_float64_product() -> None:
    """Without converters and noise, y = max(x W, 0) to float32 rounding."""
    made = chip(dac=None, adc=None)
    w = made.oracle.weights(0).astype(np.float64)
    y, _ = made.observe(0, inputs(), key=KEY)
    assert np.allclose(y, np.maximum(inputs().astype(np.float64) @ w, 0), atol=33 * 4 * 1e-6)
    z, _ = made.read(0, inputs(), key=KEY)
    assert np.allclose(z, inputs().astype(np.float64) @ w, atol=33 * 4 * 1e-6)
    shifted, _ = made.observe(0, inputs(), bias=0.25, key=KEY)
    assert np.allclose(shifted, np.maximum(z + 0.25, 0), atol=1e-5)


@pytest.mark.parametrize("tile", [(256, 256), (10, 8)])
@pytest.mark.parametrize("sums", ["digital", "analog"])
def test_converters_round_to_their_levels(tile: tuple[int, int], sums: str) -> None:
    """Within half a step per tile of the exact value; counts follow their closed forms, a row driver for each column tile."""
    made = chip(tile=tile, partial_sums=sums, adc_range=8.0)
    exact = chip(dac=None, adc=None).read(0, Dac(8).convert(inputs(), 6.0)[0] * 6.0, key=KEY)[0]
    y, events = made.observe(0, inputs(), key=KEY)
    tiles = -(-33 // tile[0])
    conversions = tiles if sums == "digital" else 1
    assert np.abs(y - np.maximum(exact, 0)).max() <= conversions * 8.0 / 127 * 0.5 + 1e-4
    assert events.counts == {
        "reads.cells": 7 * 33 * 40, "reads.columns": 7 * tiles * 40, "integrator": 7 * tiles * 20,
        "dac.8": 7 * 33 * -(-40 // tile[1]), "adc.8": 7 * 20 * conversions, "nonlinearity": 7 * 20,
    }  # fmt: skip


def test_more_bits_approach_the_exact_value() -> None:
    """The error of the converters falls by about two a bit."""
    exact = chip(dac=None, adc=None).read(0, inputs(), key=KEY)[0]
    error = [
        np.sqrt(np.mean((chip(dac=bits, adc=bits).read(0, inputs(), key=KEY)[0] - exact) ** 2)) for bits in (6, 8, 10)
    ]
    assert 3 < error[0] / error[1] < 5.5 and 3 < error[1] / error[2] < 5.5


def test_clipping_is_reported() -> None:
    """Values beyond full scale are clipped and their share is told."""
    made = chip(input_scale=2.0)
    made.observe(0, inputs(), key=KEY)
    share = made.clipped_share()[0]["dac"]
    assert share == pytest.approx(np.mean(inputs() > 2.0 * (1 + 0.5 / 255)), abs=1e-9)


def test_signed_inputs_take_two_phases() -> None:
    """Twice the reads and conversions."""
    x = inputs()
    x[:, 0] = -1.0
    _, one = chip().observe(0, inputs(), key=KEY)
    _, two = chip().observe(0, x, key=KEY)
    assert two["reads.cells"] == 2 * one["reads.cells"] and two["dac.8"] == 2 * one["dac.8"]


def test_transposed_read_is_the_transpose() -> None:
    """d W^T within the converters' steps; allowed on a sealed chip."""
    made = chip(dac=12, adc=16, sealed=True)
    d = np.random.default_rng(1).uniform(-1, 1, (5, 20)).astype(np.float32)
    w = chip().oracle.weights(0)
    back, events = made.observe_transposed(0, d, key=KEY)
    assert np.abs(back - d @ w.T).max() < 20 * 0.8 / 4095 + 0.01
    assert events["reads.transposed_cells"] == 2 * 5 * 33 * 40


def test_sealed_chip_raises_on_every_look() -> None:
    """No oracle, no inspection; the pins work."""
    made = chip("memristor", sealed=True)
    with pytest.raises(SealedChipError):
        _ = made.oracle
    assert made.inspect() is None
    assert made.observe(0, inputs(), key=KEY)[0].shape == (7, 20)
    with pytest.raises(MissingPinError):
        made.observe(0, inputs(), key=KEY, array="second")


def test_chip_seed_is_the_physical_chip() -> None:
    """Same seed same chip to the bit, another seed another chip."""
    y = [chip("memristor", chip_seed=s, nonlinearity="random").observe(0, inputs(), key=KEY)[0] for s in (0, 0, 1)]
    assert np.array_equal(y[0], y[1]) and not np.array_equal(y[0], y[2])


@pytest.mark.parametrize(
    ("name", "monotone"), [("relu", True), ("saturating", True), ("random", True), ("random-nonmonotone", False)]
)
def test_nonlinearities(name: str, monotone: bool) -> None:
    """Monotone where they say so, never negative, and of the power of a rectifier."""
    from hardware_models.nonlinearities.base import load_nonlinearity

    neurons = load_nonlinearity(name).fabricate(50, KEY)
    z = np.linspace(-3, 6, 4001, dtype=np.float32)[:, None].repeat(50, axis=1)
    y = neurons(z)
    assert y.shape == z.shape and (y >= 0).all()
    assert (np.diff(y, axis=0) >= -1e-5).all() == monotone
    if name.startswith("random"):
        assert len(np.unique(y[-1])) == 50
        power = np.mean(neurons(np.random.default_rng(0).standard_normal((20_000, 50)).astype(np.float32)) ** 2)
        assert power == pytest.approx(0.5, rel=0.15)


def test_the_box_keeps_its_secret() -> None:
    """No attribute of the fabricated box shows its parameters."""
    from hardware_models.nonlinearities.base import load_nonlinearity

    box = load_nonlinearity("random").fabricate(3, KEY)
    assert not hasattr(box, "__dict__")
    assert not any(isinstance(getattr(box, n, None), np.ndarray | tuple) for n in dir(box) if not n.startswith("_"))


def test_user_function(tmp_path: Path) -> None:
    """A function of the user's works; wrong shape or NaN stops before the start, later NaN stops the run."""
    (tmp_path / "f.py").write_text(
        "import numpy as np\n"
        "def soft(z): return np.log1p(np.exp(z))\n"
        "def wrong(z): return z[:, :1]\n"
        "def nan(z): return z / 0 * 0\n"
        "def boom(z): raise ValueError('no')\n"
        "def late(z): return np.where(z > 20, np.nan, z)\n"
    )
    made = chip(nonlinearity=f"{tmp_path}/f.py:soft", dac=None, adc=None)
    z, _ = made.read(0, inputs(), key=KEY)
    assert np.allclose(made.observe(0, inputs(), key=KEY)[0], np.log1p(np.exp(z)), atol=1e-4)
    for bad, words in (("wrong", "should return an array of shape"), ("nan", "NaN"), ("boom", "failed")):
        with pytest.raises(UsageError, match=words), np.errstate(all="ignore"):
            chip(nonlinearity=f"{tmp_path}/f.py:{bad}")
    late = chip(nonlinearity=f"{tmp_path}/f.py:late", dac=None, adc=None)
    with pytest.raises(RunError, match="NaN"):
        late.observe(0, inputs(), bias=50.0, key=KEY)


def test_state_is_restored_to_the_bit() -> None:
    """A second chip that takes up the state goes on like the first."""
    one, other = chip("memristor"), Chip("memristor", LAYERS)
    other.restore(one.save())
    counts = np.ones((33, 20), np.int32)
    for made in (one, other):
        made.fire_cells(0, counts, key=KEY.child("more"))
        made.wait(1.0, key=KEY)
    assert np.array_equal(one.observe(0, inputs(), key=KEY)[0], other.observe(0, inputs(), key=KEY)[0])
    assert all(np.array_equal(a, other.save()[n]) for n, a in one.save().items())


@pytest.mark.parametrize(
    "bad",
    [
        {"dac": 0},
        {"adc": 99},
        {"input_scale": 0.0},
        {"tile": (0, 4)},
        {"partial_sums": "none"},
        {"nonlinearity": "rely"},
    ],
)
def test_bad_choices_are_refused(bad: dict) -> None:
    """One sentence each."""
    with pytest.raises(UsageError) as caught:
        Chip("ideal", LAYERS, **bad)
    assert "\n" not in str(caught.value)


def test_a_device_that_is_read_without_a_voltage_is_refused() -> None:
    """No current flows, so there is nothing to convert: one sentence, and no division by zero."""
    with pytest.raises(UsageError, match="device ideal is read at 0 V, which drives no current: give v_read above 0 V"):
        Chip(Ideal(v_read=0.0), LAYERS)


def test_events_add_and_ledger_sums_exactly() -> None:
    """Sums over layers are the totals, and a saved ledger returns to the bit."""
    ledger = Ledger()
    ledger.book("learn", Tally({"0": Events({"adc.8": 3}, {"time": 0.1}), "1": Events({"adc.8": 4}, {"time": 0.2})}))
    ledger.book("learn", Events({"mac.fp32": 5}), "readout")
    ledger.book("infer", Events({"reads.cells": 2}))
    table = ledger.as_dict()
    for phase, layers in table["events_by_layer"].items():
        for name, total in table["events"][phase].items():
            assert total == sum(counts[name] for counts in layers.values())
    assert table["events"]["learn"]["adc.8"] == 7 and table["integrals"]["learn"]["time"]["unit"] == "s"
    assert Ledger.restore(ledger.save()).as_dict() == table
    with pytest.raises(ValueError, match="no event"):
        Events({"read.cells": 1})
    with pytest.raises(ValueError, match="negative"):
        Events({"reads.cells": -1})


def test_things_say_what_they_are() -> None:
    """One line each: what it is, its name, and the figures by which one knows it; no address in memory."""
    device = hardware_models.load_device("memristor")
    array = hardware_models.Crossbar(device, (300, 10), key=KEY)
    said = {
        "<ExponentialStep device 'memristor': 1e-06 to 1e-05 S in 128 states>": device,
        "<Crossbar of device 'memristor': 300 x 10 pairs in 2 tiles of at most 256 x 256 cells>": array,
        "Events({'reads.cells': 3}, {'time': 1e-08})": Events({"reads.cells": 3}, {"time": 1e-8}),
        "Key(seed=1, purpose='chip test', step=0)": KEY,
    }
    assert all(repr(thing) == words for words, thing in said.items())
    one_sided = hardware_models.load_device("nandakumar2020_pcm")
    assert one_sided.polarities != "both" and repr(one_sided).endswith("wards only>")


def test_a_device_may_say_it_in_its_own_words() -> None:
    """A class that has a repr of its own keeps it."""

    @dataclass(frozen=True, kw_only=True)
    class Own(Ideal):
        def __repr__(self) -> str:
            return "mine"

    assert repr(Own()) == "mine" and "device" in repr(Ideal())
