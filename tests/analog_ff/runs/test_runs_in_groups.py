"""A run whose lines keep their current limit: what it finds, counts and reports, and that it can be resumed."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kills import SMALL, killed, killed_run, left_in

from analog_ff.cli.energy_table import currents
from analog_ff.cli.run_table import show
from analog_ff.config.config import Config
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.runs.account import account
from analog_ff.runs.calibrate import CALIBRATED
from analog_ff.runs.execute import execute
from analog_ff.runs.result_file import check, read_run
from analog_ff.runs.train import Run
from hardware_models import energy
from hardware_models.check import UsageError
from hardware_models.chip import Chip

GROUPED: dict[str, Any] = {**SMALL, "layers": (40,), "line_groups": "auto"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """Return the result of a run with groups, and its folder."""
    return execute(Config(**GROUPED, out=str(tmp_path_factory.mktemp("groups") / "run")), quiet=True)


def test_no_current_is_above_the_limit_and_the_worst_case_stands_beside_it(whole: Any, capsys: Any) -> None:
    result, folder = whole
    found = result["energy"]["line_currents"]
    assert all(0.0 < ratio <= 1.0 for ratio in found["line_current_ratio"].values()) and found["physical"]
    assert found["worst_case_ratio"]["read"] > 1.0 and found["worst_case_ratio"]["write"] > 1.0
    layer = result["line_groups"][0]
    largest = max(
        max(row)
        for stage in layer["ampere"].values()
        for lines in ("word", "bit")
        for row in stage[f"read_{lines}_lines"]
    )
    assert largest == pytest.approx(found["line_current_ratio"]["read"] * found["limit"]["value"])
    assert layer["read"]["row_groups"] * layer["read"]["column_groups"] == found["steps_of_a_read"] > 1
    assert layer["read"]["divided_rows"] >= 1 and layer["added_word_lines"] >= 1  # the bias row
    show(result, folder)
    table = " ".join(capsys.readouterr().out.split())
    assert (
        "largest current, run" in table
        and "worst case of a line, times its limit" in table
        and "not physical" not in table
    )
    assert result["config"]["line_groups"] == "auto" and 'line_groups = "auto"' in (folder / "config.toml").read_text()


def test_the_search_is_counted_before_training_and_costs_what_it_reads(whole: Any) -> None:
    """Phase program has the reads of the search: each image of it by every read-out, at least once."""
    result, _ = whole
    program, cells = result["events"]["program"], sum(2 * n * m for n, m in result["shapes"])
    repeated = result["line_groups"][0]["read"]["repeated_in_calibration"]
    shown = CALIBRATED * 3  # the softmax read-out, and the energy read-out of both classes
    assert program["nonlinearity"] == shown * 40 and repeated > 0
    assert program["reads.cells"] == (shown + repeated * CALIBRATED) * cells
    assert program["adc.8"] > 0 and result["integrals"]["program"]["time"]["value"] > 0.0
    learn, infer = result["events"]["learn"], result["events"]["infer"]
    groups = result["line_groups"][0]["read"]["row_groups_of_all_tiles"]
    assert infer["adc.8"] == groups * infer["nonlinearity"] and learn["adc.8"] >= learn["nonlinearity"]


def test_a_run_is_priced_again_with_its_groups(whole: Any) -> None:
    """The account of the stored run is that of the run; another technology's limit is compared with the same currents."""
    result, folder = whole
    stored = read_run(str(folder))
    found = account(stored, "cmos-32nm")
    assert found["line_currents"] == result["energy"]["line_currents"]
    assert "not physical" not in currents(found["line_currents"])
    plain = {name: value for name, value in stored.items() if name != "line_groups"}
    assert (
        account(plain, "cmos-32nm")["line_currents"]["line_current_ratio"] == found["line_currents"]["worst_case_ratio"]
    )
    assert account(plain, "cmos-32nm")["area_m2"]["dac"] < found["area_m2"]["dac"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(line_groups={}), "should be a list with an entry for each layer"),
        (lambda r: r["line_groups"][0].pop("read"), "should have an entry 'read'"),
        (lambda r: r["line_groups"].append(r["line_groups"][0]), r"an entry for each layer \(1\)"),
        (lambda r: r["line_groups"][0]["read"].update(row_groups=0), "read.row_groups"),
        (lambda r: r["line_groups"][0].update(transposed_read={"row_groups": 1}), "an entry 'column_groups'"),
        (lambda r: r["line_groups"][0]["ampere"]["run"].update(read_bit_lines=[]), "as rows of tiles"),
        (lambda r: r["line_groups"][0]["ampere"]["run"].update(read_bit_lines=[["much"]]), "run.read_bit_lines"),
    ],
)
def test_a_damaged_report_of_groups_is_refused(change: Any, said: str, whole: Any) -> None:
    result = copy.deepcopy(json.loads((whole[1] / "result.json").read_text()))
    change(result)
    with pytest.raises(UsageError, match=said):
        check(result, "here")


@pytest.mark.parametrize(("where", "name", "number"), [(ForwardForward, "step", 1), (Run, "_monitor", 1)])
def test_killed_and_resumed_it_ends_the_same(where: Any, name: str, number: int, whole: Any, tmp_path: Path) -> None:
    """After the search, and after an epoch: groups, largest currents and counts are part of the checkpoint."""
    config = Config(**GROUPED, out=str(tmp_path / "run"))
    killed_run(config, killed(where, name, number))
    execute(config, resume=True, quiet=True)
    ended, expected = left_in(tmp_path / "run"), left_in(whole[1])
    for left in (ended, expected):
        for volatile in ("resumed_from", "resumed_from_versions"):
            left["result"].pop(volatile, None)
    assert ended == expected


def test_coincidence_another_process_and_a_written_chip_keep_the_limit(tmp_path: Path) -> None:
    """Pulse trains in blocks; the same bits behind a process; a chip that is written once seeks groups of its own."""
    options = {**GROUPED, "epochs": 1, "update": "coincidence"}
    local, _ = execute(Config(**options, out=str(tmp_path / "a")), quiet=True)
    far, _ = execute(Config(**options, port="process", out=str(tmp_path / "b")), quiet=True)
    assert local["line_groups"] == far["line_groups"] and local["events"] == far["events"]
    assert max(local["energy"]["line_currents"]["line_current_ratio"].values()) <= 1.0
    written, _ = execute(
        Config(**{**GROUPED, "epochs": 1}, program_to="memristor", out=str(tmp_path / "c")), quiet=True
    )
    assert written["deployed"]["line_groups"][0]["read"]["column_groups"] > 1
    assert written["deployed"]["events"]["program"]["reads.columns"] > 0, "the search reads, programming does not"


def test_converters_are_calibrated_before_groups_are_sought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are part of phase program; the watch then sees the voltages of corrected drivers. Noise and wires go with it."""
    done: list[str] = []

    def noted(name: str) -> Any:
        own = getattr(Chip, name)
        return lambda chip, *given, **more: done.append(name) or own(chip, *given, **more)

    for name in ("calibrate", "program", "fix_groups"):
        monkeypatch.setattr(Chip, name, noted(name))
    more: dict[str, Any] = {"dac_offset": 1.0, "adc_offset": 1.0, "calibrate": "offset", "johnson_noise": True}
    config = Config(
        **{**GROUPED, "epochs": 1}, **more, wires="refreshed", wire_resistance=1.0, out=str(tmp_path / "run")
    )
    result, folder = execute(config, quiet=True)
    assert done == ["calibrate", "program", "fix_groups"]
    found = result["energy"]["line_currents"]
    assert 0.0 < found["line_current_ratio"]["read"] <= 1.0 and found["physical"]
    assert result["line_groups"][0]["read"]["divided_rows"] >= 1  # the bias row, whose driver has an offset
    assert account(read_run(str(folder)), "cmos-32nm")["chip"] == result["energy"]["chip"]


def test_what_cannot_be_is_refused_before_the_run(tmp_path: Path) -> None:
    config = Config(**GROUPED, out=str(tmp_path / "no"))
    text = (Path(energy.__file__).parent / "technologies" / "cmos_32nm.toml").read_text(encoding="utf-8")
    before, _, after = text.partition("[line.current_limit]")
    mine = tmp_path / "mine.toml"
    mine.write_text(
        before.replace('name = "cmos-32nm"', 'name = "mine"') + after[after.index("\n[") :], encoding="utf-8"
    )
    with pytest.raises(UsageError, match="technology 'mine' gives no current limit of a line"):
        execute(replace(config, technology=str(mine)), quiet=True)
    with pytest.raises(
        UsageError, match="a cell of device 'kuzum2011_gst' draws .* in a read at 0.5 V, and a line bears 3.3e-05 A"
    ):
        execute(replace(config, device="kuzum2011_gst"), quiet=True)
    with pytest.raises(UsageError, match="--current-margin needs --line-groups beside it"):
        Config(**SMALL, current_margin=2.0)
    assert not (tmp_path / "no").exists()
