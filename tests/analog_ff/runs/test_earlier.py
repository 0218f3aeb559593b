"""Results of earlier versions are priced by the counts that the same chip would give today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analog_ff.config.config import Config
from analog_ff.runs.earlier import as_counted_today
from analog_ff.runs.execute import execute
from analog_ff.runs.result_file import CAME_LATER, read_run
from hardware_models.check import UsageError


@pytest.mark.parametrize("learner", ["forward-forward", "backprop-nominal"])
def test_row_drivers_of_an_old_result_are_those_of_a_new_one(learner: str, tmp_path: Path) -> None:
    """Dividing by the tiles what a run counts gives the old counts; from them come today's, by layer and in all."""
    config = Config(
        data="toy",
        layers=(12, 12),
        epochs=1,
        batch=100,
        shift=0,
        tile=(8, 10),
        learner=learner,
        out=str(tmp_path / "run"),
    )
    new, _ = execute(config, quiet=True)
    assert as_counted_today(new) == new
    old = {**new, "energy": {k: v for k, v in new["energy"].items() if k != "circuit"}}
    row_tiles, column_tiles = 2, 3  # 13 rows of 8, 24 bit lines of 10; the first layer is read forwards alone

    def earlier(counts: dict[str, int], upper: bool) -> dict[str, int]:
        back = counts.get("reads.transposed_cells", 0) // (2 * 13) if upper else 0
        forward = (counts.get("dac.8", 0) - back * row_tiles) // column_tiles
        return {**counts, "dac.8": forward + back}

    by_layer = {
        phase: {name: earlier(counts, name == "1") for name, counts in layers.items()}
        for phase, layers in new["events_by_layer"].items()
    }
    whole = {
        phase: {**counts, "dac.8": sum(layer["dac.8"] for layer in by_layer[phase].values())}
        for phase, counts in new["events"].items()
    }
    old = {**old, "events": whole, "events_by_layer": by_layer}
    assert whole["learn"]["dac.8"] < new["events"]["learn"]["dac.8"]
    assert as_counted_today(old)["events_by_layer"] == new["events_by_layer"]
    assert as_counted_today(old)["events"] == new["events"]
    for name in ("shapes", "events_by_layer"):
        del old[name]
    assert as_counted_today(old)["events"] == new["events"], "layers of one width say the same without counts by layer"


def test_a_result_from_before_further_arrays_is_read(tmp_path: Path) -> None:
    """It has no count of further arrays in any phase; one that lacks it in a single phase is damaged."""
    out = tmp_path / "run"
    execute(Config(data="toy", layers=(8,), epochs=1, batch=100, shift=0, out=str(out)), quiet=True)
    file = out / "result.json"
    new = json.loads(file.read_text())
    for count in CAME_LATER:
        for phases in (new["events"], new["integrals"]):
            for parts in phases.values():
                parts.pop(count, None)
    file.write_text(json.dumps(new))
    read = read_run(str(file))
    assert read["events"] == new["events"]
    new["events"]["learn"]["write.further"] = 0
    file.write_text(json.dumps(new))
    with pytest.raises(UsageError, match="lacks 'write.further'"):
        read_run(str(file))
