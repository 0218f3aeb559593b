"""Conductances from a file: cells take them, training begins there, and what does not fit is refused with layer and cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.runs.conductances import note, put
from analog_ff.runs.execute import execute, prepared
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.devices import PUBLISHED
from hardware_models.keys import Key
from hardware_models.port import SealedChipError
from hardware_models.wires import Interconnect

MEMRISTOR = (1e-6, 1e-5)


def config(folder: Path, **options: Any) -> Config:
    return Config(data="toy", layers=(6, 4), epochs=1, batch=200, shift=0, out=str(folder), **options)


def random(shapes: Any, low: float, high: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {f"layer{n}": rng.uniform(low, high, (2, *shape)) for n, shape in enumerate(shapes)}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[int, int], ...]:
    with prepared(config(tmp_path_factory.mktemp("shapes") / "run")) as parts:
        return tuple(parts.run.port.shapes)


def test_cells_take_them_in_both_forms_and_both_files(tmp_path: Path, shapes: Any) -> None:
    """Without spread every cell takes what it is given, to the bit of float32; the forms mean the same."""
    with prepared(config(tmp_path / "run", device_spread=False)) as parts:
        device = parts.run.port.device
    given = random(shapes, device.g_min, device.g_max)
    flat = {name: np.stack((g[0], g[1]), axis=2).reshape(g.shape[1], -1) for name, g in given.items()}
    np.savez(tmp_path / "a.npz", **given)
    np.savez(tmp_path / "b.npz", **{f"{name}.conductance": g for name, g in flat.items()})
    with h5py.File(tmp_path / "c.h5", "w") as file:
        for name, g in flat.items():
            file[f"{name}/conductance"] = g
    for name in ("a.npz", "b.npz", "c.h5"):
        with prepared(config(tmp_path / "run", device_spread=False, conductances=str(tmp_path / name))) as parts:
            assert parts.run.taken == {"clipped_share": [0.0, 0.0], "faulty_share": [0.0, 0.0]}
            for layer in range(2):
                found = parts.run.port.oracle.conductances(layer)
                np.testing.assert_array_equal(found, given[f"layer{layer}"].astype(np.float32))
                unit = device.g_range / parts.run.port.datasheet[layer].weight_limit
                np.testing.assert_allclose(
                    parts.run.port.oracle.weights(layer), (found[0] - found[1]) / np.float32(unit), rtol=1e-6
                )


def test_training_begins_at_them(tmp_path: Path, shapes: Any) -> None:
    """No pulse programs the chip; the shares stand in the result; a resumed run has the same bits."""
    np.savez(tmp_path / "g.npz", **random(shapes, *MEMRISTOR))
    result, folder = execute(
        config(tmp_path / "run", device="memristor", conductances=str(tmp_path / "g.npz")), quiet=True
    )
    assert result["events"]["program"].get("write.selected", 0) == 0 and result["events"]["learn"]["write.selected"] > 0
    clipped = result["conductances"]["clipped_share"]
    assert len(clipped) == 2 and all(0.0 < share < 0.5 for share in clipped), "spread has narrowed some cells' bounds"
    assert any("g.npz" in name for name in result["inputs_sha256"])


def test_cells_of_an_earlier_run_go_on_in_a_new_one(tmp_path: Path) -> None:
    """The same chip takes every conductance of its own cells.h5."""
    _, folder = execute(config(tmp_path / "first", device="memristor"), quiet=True)
    with prepared(config(tmp_path / "next", device="memristor", conductances=str(folder / "cells.h5"))) as parts:
        assert parts.run.taken["clipped_share"] == [0.0, 0.0]
        with h5py.File(folder / "cells.h5") as file:
            for layer in range(2):
                g = file[f"layer{layer}/conductance"][()]
                np.testing.assert_array_equal(parts.run.port.oracle.conductances(layer), [g[:, 0::2], g[:, 1::2]])


def edited(name: str, index: Any, value: float) -> Any:
    def edit(given: dict[str, np.ndarray]) -> None:
        given[name][index] = value

    return edit


BAD = {
    "above the range": (edited("layer1", (1, 2, 3), 1e-3), "layer 1, cell of row 2 and bit line 7: 0.001 S is outside"),
    "below zero": (edited("layer0", (0, 4, 0), -1e-6), "layer 0, cell of row 4 and bit line 0: -1e-06 S is outside"),
    "no number": (
        edited("layer0", (1, 0, 0), np.nan),
        "layer 0, cell of row 0 and bit line 1: its conductance is no number",
    ),
    "a layer too few": (lambda given: given.pop("layer1"), "has no layer1"),
    "another shape": (
        lambda given: given.update(layer0=np.zeros((3, 4))),
        "layer 0: conductances have the shape .3, 4.",
    ),
    "texts": (lambda given: given.update(layer0=np.full((2, 2), "a")), "layer 0: conductances are of type"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    case: str, tmp_path: Path, shapes: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, words = BAD[case]
    given = random(shapes, *MEMRISTOR)
    edit(given)
    np.savez(tmp_path / "g.npz", **given)
    with pytest.raises(UsageError, match=words) as caught:
        execute(config(tmp_path / "run", device="memristor", conductances=str(tmp_path / "g.npz")), quiet=True)
    assert "\n" not in str(caught.value) and "g.npz" in str(caught.value) and not (tmp_path / "run").exists()


def test_several_chips_take_them_layer_by_layer(tmp_path: Path, shapes: Any) -> None:
    given = random(shapes, 4e-6, 5e-6)
    np.savez(tmp_path / "g.npz", **given)
    chosen = {"device": "memristor", "device_spread": False, "chips": "per-layer"}
    with prepared(config(tmp_path / "run", **chosen, conductances=str(tmp_path / "g.npz"))) as parts:
        for layer in range(2):
            found = parts.run.port.oracle.conductances(layer)
            np.testing.assert_array_equal(found, given[f"layer{layer}"].astype(np.float32))


def test_options_that_do_not_go_with_it(tmp_path: Path, shapes: Any, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "g.npz", **random(shapes, *MEMRISTOR))
    (tmp_path / "g.txt").write_text("1")
    base = ["--data", "toy", "--layers", "6,4", "--shift", "0", "--out", str(tmp_path / "run"), "--preset", "plain"]
    for options, words in (
        (["--conductances", str(tmp_path / "none.npz")], "does not exist"),
        (["--conductances", str(tmp_path / "g.txt")], "a .npz or .h5 file"),
        (["--conductances", str(tmp_path / "g.npz"), "--sealed"], "a sealed chip"),
        (["--conductances", str(tmp_path / "g.npz"), "--learner", "backprop-programmed"], "writes weights of its own"),
    ):
        assert run_app(app, [*base, *options]) == 2
        said = capsys.readouterr().err
        assert words in said and said.count("\n") == 1 and not (tmp_path / "run").exists()


def test_what_reads_see_behind_wires_is_solved_anew() -> None:
    """A chip with wires that has been read with other cells sees the same matrix as a fresh one, transistors included."""
    wires = Interconnect(50.0, 50.0)
    rng = np.random.default_rng(2)
    first, given = rng.uniform(2e-6, 9e-6, (2, 20, 12))
    used, fresh = (Chip("memristor", [(20, 6)], wires=wires, access_transistor=True, tile=(16, 8)) for _ in range(2))
    used.take(0, first, "layer 0")
    used.read(0, np.ones((3, 20)), key=Key(0, "read"))
    before = used.oracle.weights(0)
    for chip in (used, fresh):
        chip.take(0, given, "layer 0")
    np.testing.assert_array_equal(used.oracle.weights(0), fresh.oracle.weights(0))
    assert not np.allclose(before, used.oracle.weights(0))


def test_a_sealed_chip_and_faulty_cells() -> None:
    chip = Chip("memristor", [(5, 3)], sealed=True)
    with pytest.raises(SealedChipError):
        chip.take(0, np.full((5, 6), 1e-6), "layer 0")
    chip = Chip("memristor", [(5, 3)], faults={"map": {"0.stuck_low": np.eye(5, 6, dtype=int)}})
    before = chip.oracle.conductances(0)
    taken = chip.take(0, np.full((5, 6), 2e-6), "layer 0")
    assert taken.faulty == 5
    after = chip.oracle.conductances(0)
    stuck = np.eye(5, 6).astype(bool)
    stuck = np.stack((stuck[:, 0::2], stuck[:, 1::2]))
    np.testing.assert_array_equal(after[stuck], before[stuck])
    assert np.allclose(after[~stuck], 2e-6)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED)))
def test_every_published_device_takes_or_refuses(name: str) -> None:
    """A read sees what was given, on every device whose cells are a conductance; of another one nothing changes."""
    chip = Chip(name, [(9, 5)])
    device = chip.device
    middle = np.full((9, 10), device.g_min + 0.5 * device.g_range)
    before = chip.save()
    try:
        taken = chip.take(0, middle, "layer 0")
    except UsageError as error:
        assert "more than a conductance" in str(error)
        assert all(np.array_equal(a, before[n], equal_nan=True) for n, a in chip.save().items())
    else:
        found = chip.oracle.conductances(0)
        away = np.count_nonzero(~np.isclose(found, middle[0, 0], rtol=1e-5))
        assert away <= taken.clipped


def test_what_put_refuses_or_doubts(tmp_path: Path) -> None:
    """A sealed chip and a layer that is given twice are one sentence; a file in another unit, taken at its bounds, is doubted."""
    chip = Chip("memristor", [(5, 3)])
    g = chip.oracle.conductances(0).astype(np.float64)
    np.savez(tmp_path / "g.npz", layer0=g)
    assert note(put(chip, str(tmp_path / "g.npz")), "g.npz").endswith("0 % are faulty")
    with pytest.raises(UsageError, match="sealed chip"):
        put(Chip("memristor", [(5, 3)], sealed=True), str(tmp_path / "g.npz"))
    np.savez(tmp_path / "twice.npz", **{"layer0": g, "layer0.conductance": g})
    with pytest.raises(UsageError, match="both layer0 and layer0.conductance"):
        put(chip, str(tmp_path / "twice.npz"))
    np.savez(tmp_path / "small.npz", layer0=np.full_like(g, 1.35e-7))  # the least bound of a cell here is 1.341e-7 S
    assert "not in siemens" in note(put(chip, str(tmp_path / "small.npz")), "small.npz")
