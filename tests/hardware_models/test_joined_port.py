"""Several chips behind one port: the same network, each layer fabricated for itself, each with its own clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.runs.execute import execute
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.chip.joined_port import JoinedPort, a_chip_a_layer
from hardware_models.chip.process_port import ProcessPort
from hardware_models.keys import Key
from hardware_models.port import SealedChipError

LAYERS = ((65, 30), (31, 30), (31, 30))


def learner(port) -> ForwardForward:
    """Return an initialised learner on a stack of this port."""
    stack = Stack(port, [LayerGoodness("sum-of-squares", m) for _, m in port.shapes])
    made = ForwardForward(stack, classes=10, seed=5)
    made.initialise()
    return made


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of one batch."""
    rng = Key(3, "images", step).generator()
    return rng.random((20, 64)).astype(np.float32), rng.integers(0, 10, 20)


def test_on_an_ideal_device_the_same_bits_as_one_chip() -> None:
    """Without spread and noise it does not matter how many chips there are."""
    one, many = Chip("ideal", LAYERS), a_chip_a_layer(Chip, "ideal", LAYERS)
    assert many.shapes == one.shapes and many.datasheet == one.datasheet and many.pins == one.pins
    first, second = learner(one), learner(many)
    for step in range(3):
        counts = [made.step(*batch(step), step=step, gain=1.0).total().counts for made in (first, second)]
        assert counts[0] == counts[1]
    for layer in range(3):
        assert np.array_equal(one.oracle.weights(layer), many.oracle.weights(layer))
        assert np.array_equal(one.oracle.conductances(layer), many.oracle.conductances(layer))
    assert one.clipped_share() == many.clipped_share()
    x = np.ones((4, 30), np.float32)
    transposed = [port.observe_transposed(2, x, key=Key(0, "t"))[0] for port in (one, many)]
    read = [port.read(2, np.ones((4, 31), np.float32), key=Key(0, "r"))[0] for port in (one, many)]
    assert np.array_equal(*transposed) and np.array_equal(*read)


def test_every_chip_has_its_own_fabrication() -> None:
    """Two layers of one shape differ, seeds differ from run to run, and the same seed gives the same chips."""
    first, again, other = (a_chip_a_layer(Chip, "memristor", LAYERS, chip_seed=seed) for seed in (0, 0, 1))
    wanted = np.full((31, 30), 0.1)
    seen = []
    for port in (first, again, other):
        for layer in (1, 2):
            port.program(layer, wanted, key=Key(0, "p"))
            seen.append(port.oracle.weights(layer))
    assert np.array_equal(seen[0], seen[2]) and np.array_equal(seen[1], seen[3])
    assert not np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[0], seen[4])
    assert not np.array_equal(seen[1], seen[4])  # chip 0 of one run is not chip 1 of another


def test_every_chip_has_its_own_clock() -> None:
    """A read moves the clock of its own chip; waiting moves all, and all of them draw power meanwhile."""
    port = a_chip_a_layer(Chip, "memristor", LAYERS)
    _, events = port.observe(1, np.ones((5, 31), np.float32), key=Key(0, "o"))
    clocks = [float(port.save()[f"chip{n}.chip.time"]) for n in range(3)]
    assert clocks == [0.0, events.integrals["time"], 0.0] and clocks[1] > 0
    assert port.wait(2.0, key=Key(0, "w")).integrals["time"] == 6.0
    assert [float(port.save()[f"chip{n}.chip.time"]) for n in range(3)] == [clock + 2.0 for clock in clocks]


def test_resume_is_bit_for_bit_and_sealing_holds() -> None:
    first, second = (learner(a_chip_a_layer(Chip, "memristor", LAYERS, sealed=True)) for _ in range(2))
    first.step(*batch(0), step=0, gain=1.0)
    second.port.restore(first.port.save())
    second.restore(first.save())
    for made in (first, second):
        made.step(*batch(1), step=1, gain=1.0)
    assert all(np.array_equal(a, second.port.save()[n]) for n, a in first.port.save().items())
    assert first.port.sealed and first.port.inspect() is None
    with pytest.raises(SealedChipError):
        _ = first.port.oracle
    with pytest.raises(SealedChipError):
        first.port.cells(2)


def test_fault_maps_keep_the_number_of_the_layer() -> None:
    """An entry of layer 1 is on the second chip, as it is on one chip."""
    faults = {"map": {"1.dead_rows": np.arange(31) == 3}}
    for port in (Chip("ideal", LAYERS, faults=faults), a_chip_a_layer(Chip, "ideal", LAYERS, faults=faults)):
        dead = [(port.oracle.conductances(layer) == 0).all(axis=(0, 2)) for layer in range(3)]
        assert dead[1].nonzero()[0].tolist() == [3] and not dead[0].any() and not dead[2].any()
    with pytest.raises(UsageError, match="0.stuck_low"):
        a_chip_a_layer(Chip, "ideal", LAYERS, faults={"map": {"wrong": np.zeros(3)}})


@pytest.mark.slow
def test_chips_in_processes_of_their_own() -> None:
    """Joined all the same, with the bits of chips in this process; closing ends every process."""
    port = a_chip_a_layer(ProcessPort, "memristor", LAYERS[:2])
    try:
        there, here = learner(port), learner(a_chip_a_layer(Chip, "memristor", LAYERS[:2]))
        for made in (there, here):
            made.step(*batch(0), step=0, gain=1.0)
        assert all(np.array_equal(a, port.save()[n]) for n, a in here.port.save().items())
        assert port.sealed and port.description == here.port.description
    finally:
        port.close()
    with pytest.raises(RuntimeError):
        port.observe(0, np.ones((1, 65), np.float32), key=Key(0, "o"))


def test_a_port_needs_a_chip() -> None:
    with pytest.raises(UsageError, match="at least one chip"):
        JoinedPort(())


def test_a_run_with_a_chip_a_layer(tmp_path: Path) -> None:
    """The option reaches the chips; written off-chip too; the file of all cells has every layer."""
    import h5py

    config = Config(data="toy", layers=(12, 12), epochs=1, shift=0, chips="per-layer", program_to="memristor",
                    out=str(tmp_path / "run"))  # fmt: skip
    result, folder = execute(config, quiet=True)
    alone, _ = execute(Config(**{**config.as_dict(), "layers": (12, 12), "tile": (256, 256), "chips": "one",
                                 "out": str(tmp_path / "one")}), quiet=True)  # fmt: skip
    assert len(result["cells"]["layers"]) == 2 and len(result["deployed"]["cells"]) == 2
    assert result["cells"]["layers"] != alone["cells"]["layers"]
    with h5py.File(folder / "cells.h5") as file:
        assert {name for name in file if name.startswith("layer")} == {"layer0", "layer1"}
