"""Stuck cells and dead lines, through the device and through the chip."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError
from hardware_models.chip import Chip
from hardware_models.devices.faults import Faults, fault_maps, with_faults
from hardware_models.keys import Key
from hardware_models.load import load_device

KEY = Key(0, "test")
MEMRISTOR: Any = load_device("memristor")
LAYERS = ((12, 5), (6, 3))


def pulsed(chip: Chip, times: int = 3) -> None:
    """Pulse every weight of the first layer up and down."""
    for k in range(times):
        for n in (9, -4):
            chip.fire_cells(0, np.full(LAYERS[0], n, np.int32), key=KEY.child(str(n)).at(k))


def test_rates_are_kept_and_drawn_from_the_chip() -> None:
    """Shares within 4.5 standard errors; another key is another chip, the same key the same."""
    dev = Faults.around(MEMRISTOR, stuck_low=0.05, stuck_high=0.03)
    state, again, other = (dev.fabricate((300, 400), k) for k in (KEY, KEY, KEY.child("other")))
    assert np.array_equal(state.fault, again.fault, equal_nan=True)
    assert not np.array_equal(state.fault, other.fault, equal_nan=True)
    for share, bound in ((0.05, state.low), (0.03, state.high)):
        assert abs((state.fault == bound).mean() - share) < 4.5 * math.sqrt(share * (1 - share) / 120_000)
    lines = Faults.around(MEMRISTOR, dead_rows=0.1, dead_columns=0.2).fabricate((2000, 2000), KEY).fault == 0
    assert abs(lines.all(axis=1).mean() - 0.1) < 4.5 * math.sqrt(0.1 * 0.9 / 2000)
    assert abs(lines.all(axis=0).mean() - 0.2) < 4.5 * math.sqrt(0.2 * 0.8 / 2000)


def test_maps_are_honoured_through_the_chip() -> None:
    """Stuck cells keep their bound under pulses; dead lines read nothing; the rest is the chip without faults."""
    low, high = np.zeros((12, 10), bool), np.zeros((12, 10), bool)
    low[2, 3], high[4, 0] = True, True
    rows, columns = np.zeros(12, bool), np.zeros(10, bool)
    rows[7], columns[9] = True, True
    maps = {"0.stuck_low": low, "0.stuck_high": high, "0.dead_rows": rows, "0.dead_columns": columns}
    chip, sound = Chip(MEMRISTOR, LAYERS, faults={"map": maps}), Chip(MEMRISTOR, LAYERS)
    before = chip.oracle.conductances(0)
    pulsed(chip)
    pulsed(sound)
    after, healthy = chip.oracle.conductances(0), sound.oracle.conductances(0)
    faulty = low | high | rows[:, None] | columns[None]
    pairs = np.stack((faulty[:, 0::2], faulty[:, 1::2]))
    assert np.array_equal(after[pairs], before[pairs])
    assert np.array_equal(after[~pairs], healthy[~pairs])
    assert (after[:, 7] == 0).all() and (after[1, :, 4] == 0).all()
    spread = 4.5 * 0.05 * 9e-6  # bounds spread from cell to cell
    assert abs(after[1, 2, 1] - 1e-6) < spread and abs(after[0, 4, 0] - 1e-5) < spread
    assert np.array_equal(chip.oracle.conductances(1), sound.oracle.conductances(1))
    report = chip.inspect()
    assert report is not None and report[0]["share_faulty"] == faulty.mean()


def test_coincidence_pulses_leave_faults_alone() -> None:
    """A train of windowed pulses keeps the incremental sums of the crossbar right."""
    chip = Chip(MEMRISTOR, LAYERS, faults={"stuck_low": 0.2, "stuck_high": 0.2, "dead_rows": 0.1})
    before = chip.oracle.conductances(0)
    state = chip._arrays[0, "main"].state
    bad = ~np.isnan(state.fault)
    pairs = np.stack((bad[:, 0::2], bad[:, 1::2]))
    ones = np.ones((4, 12), np.uint8), np.ones((4, 5), np.uint8)
    for k in range(6):
        chip.fire(0, *ones, 1 if k % 2 else -1, key=KEY.at(k))
    array = chip._arrays[0, "main"]
    g = array.conductances
    assert np.array_equal(g[pairs], before[pairs]) and not np.array_equal(g[~pairs], before[~pairs])
    assert np.array_equal(array.differences, g[0] - g[1])
    assert np.allclose(array.cells.row_sums, g.sum(axis=(0, 2), dtype=np.float64), rtol=1e-6)


def test_a_dead_array_is_silent_and_a_drifting_stuck_cell_stays() -> None:
    dead = Chip(MEMRISTOR, LAYERS, faults={"dead_rows": 1.0}, adc=None)
    z, _ = dead.read(0, np.ones((4, 12), np.float32), key=KEY)
    assert (z == 0).all()
    stuck = Chip("nandakumar2020_pcm", LAYERS, faults={"stuck_high": 1.0}, read_noise=False)
    before = stuck.oracle.weights(0)
    stuck.wait(1e6, key=KEY)
    assert np.array_equal(stuck.oracle.weights(0), before)


def test_off_by_default_and_saved_with_the_chip() -> None:
    assert with_faults(MEMRISTOR, None, 0) is MEMRISTOR and with_faults(MEMRISTOR, {"stuck_low": 0.0}, 0) is MEMRISTOR
    one, two = (Chip(MEMRISTOR, LAYERS, faults={"stuck_low": 0.1}) for _ in range(2))
    pulsed(one)
    two.restore(one.save())
    pulsed(one)
    pulsed(two)
    assert np.array_equal(one.oracle.weights(0), two.oracle.weights(0))
    off = Faults.around(MEMRISTOR, stuck_low=0.1).without(write_noise=True, spread=True)
    assert isinstance(off, Faults) and off.stuck_low == 0.1 and off.inner.cycle_noise == off.inner.step_spread == 0


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"stuck_lo": 0.1}, "did you mean 'stuck_low'"),
        ({"stuck_low": 0.7, "stuck_high": 0.7}, "at most 1"),
        ({"stuck_low": 1.5}, "stuck_low"),
        ({"map": {"stuck_low": np.zeros((12, 10))}}, "entries like 0.stuck_low"),
        ({"map": {"0.stuck_low": np.zeros((12, 5), bool)}}, "shape (12, 10)"),
        ({"map": {"0.dead_rows": np.zeros(12)}}, "float64"),
        ({"map": {"0.dead_rows": np.arange(12)}}, "0/1, got values from 0 to 11"),
        ({"map": {"0.dead_rows": np.full(12, "x")}}, "should be 0/1"),
        ({"map": {"2.dead_rows": np.zeros(12, bool)}}, "last layer of this chip is 1"),
        ({"map": {"00.dead_rows": np.zeros(12, bool)}}, "entries like 0.stuck_low"),
        ({"map": {"²" + ".dead_rows": np.zeros(12, bool)}}, "entries like 0.stuck_low"),
        (
            {"map": {n: np.ones((12, 10), bool) for n in ("0.stuck_low", "0.stuck_high")}},
            "both stuck_low and stuck_high",
        ),
        ({"map": [np.zeros(12)]}, "the path of a .npz file or a dictionary"),
        ({"map": "none.npz"}, "does not exist"),
    ],
)
def test_wrong_faults_are_refused_in_one_sentence(faults: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        Chip(MEMRISTOR, LAYERS, faults=faults)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def broken_maps() -> dict[str, bytes]:
    """Return files that are no fault map: empty, cut, of pickles, of a header that is no Python or promises too much."""
    whole = io.BytesIO()
    np.savez(whole, **{"0.dead_rows": np.zeros(12, bool)})
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|b1", "fortran_order": False, "shape": (12,)})
    lie = header.getvalue().replace(b"(12,)", b"(9**9") + bytes(12)
    large = header.getvalue().replace(b"(12,), }       ", b"(999999999,), }") + bytes(12)
    return {
        "empty": b"", "no archive": b"map", "cut": whole.getvalue()[:-30], "pickle": archive(np.array([{}])),
        "no Python": archive(lie), "too much": archive(large), "nothing": b"PK\5\6" + bytes(18), "text": archive(b"text"),
    }  # fmt: skip


def archive(member: np.ndarray | bytes) -> bytes:
    """Return a .npz file of one member, right checksums included."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        if isinstance(member, bytes):
            file.writestr("0.dead_rows.npy", member)
        else:
            array = io.BytesIO()
            np.save(array, member, allow_pickle=True)
            file.writestr("0.dead_rows.npy", array.getvalue())
    return made.getvalue()


@pytest.mark.parametrize("case", broken_maps())
def test_files_that_are_no_fault_map(tmp_path: Path, case: str) -> None:
    """One sentence that names the file; an empty one was once taken for Ctrl-C (EOFError)."""
    (tmp_path / "map.npz").write_bytes(broken_maps()[case])
    with pytest.raises(UsageError, match=r"map\.npz") as caught:
        fault_maps({"map": str(tmp_path / "map.npz")}, 0)
    assert "\n" not in str(caught.value)


def test_training_with_stuck_cells_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`simulate` with 5 % stuck cells, dead lines and a map trains on the toy data and says what it ran with."""
    np.savez(tmp_path / "map.npz", **{"1.dead_columns": np.arange(24) == 2})
    options = ["--data", "toy", "--layers", "12,12", "--epochs", "2", "--batch", "50", "--shift", "0", "--json"]
    faults = ["--stuck-low", "0.025", "--stuck-high", "0.025", "--dead-rows", "0.01", "--dead-columns", "0.01"]
    place = ["--fault-map", str(tmp_path / "map.npz"), "--out", str(tmp_path / "run")]
    assert run_app(app, [*options, *faults, *place]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["config"]["stuck_low"] == 0.025 and result["config"]["fault_map"] == place[1]
    assert 0 <= result["test_error_percent"] <= 100 and result["events"]["learn"]["write.selected"] > 0
    assert run_app(app, [*options, "--stuck-low", "2", "--out", str(tmp_path / "bad")]) == 2
    assert run_app(app, [*options, "--fault-map", "none.npz", "--out", str(tmp_path / "bad")]) == 2


@pytest.mark.slow
def test_faults_reach_a_chip_in_another_process() -> None:
    """The options of the chip travel with it."""
    from hardware_models.chip.process_port import ProcessPort

    port = ProcessPort(MEMRISTOR, LAYERS, faults={"dead_rows": 1.0}, adc=None)
    z, _ = port.read(0, np.ones((2, 12), np.float32), key=KEY)
    assert (z == 0).all()
