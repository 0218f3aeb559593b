"""The command `energy`: the same joules as the run's own, any technology, older runs, and one sentence for every fault."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from analog_ff.__main__ import app
from analog_ff.cli.energy_table import show as shown
from analog_ff.cli.run_table import show as table_of_run
from analog_ff.config.config import Config
from analog_ff.output.quantities import AREA_NAMES, WHOLE, of_the_energy, of_the_whole
from analog_ff.runs.account import account
from analog_ff.runs.execute import execute
from analog_ff.runs.result_file import read_run
from analog_ff.simulate import run_app
from hardware_models.check import UsageError
from hardware_models.energy.facts.latency import latency
from hardware_models.energy.facts.wear import wear
from hardware_models.energy.facts.whole import TOO_HOT
from hardware_models.energy.files import packaged


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a short run of two layers."""
    folder = tmp_path_factory.mktemp("energy") / "run"
    execute(Config(data="toy", layers=(8, 6), epochs=1, batch=100, shift=0, endurance=1e4, out=str(folder)), quiet=True)
    return folder


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert run_app(app, ["energy", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_same_technology_gives_the_runs_own_energy(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To the bit; layers add up to the whole, integrals included."""
    result = json.loads((run / "result.json").read_text())
    found = asked(capsys, str(run))
    for name in ("per_update_joule", "low_joule", "high_joule", "parts_joule", "by_component_joule", "total_joule",
                 "ranged_joule", "recalled", "circuit", "chip"):  # fmt: skip
        assert found[name] == result["energy"][name]
    assert found["line_currents"] == result["energy"]["line_currents"]
    for phase, total in found["total_joule"].items():
        layers = found["by_layer_joule"][phase].values()
        assert math.fsum(j for parts in layers for j in parts.values()) == pytest.approx(total, rel=1e-9)
    for phase, amounts in result["integrals"].items():
        by_layer = result["integrals_by_layer"][phase].values()
        for name, amount in amounts.items():
            assert math.fsum(layer[name]["value"] for layer in by_layer) == pytest.approx(amount["value"], rel=1e-9)


def test_what_is_said_beside_the_energy(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Time, area, wear and currents follow from the counts and the device."""
    found = asked(capsys, str(run))
    clock = found["latency"]["learn"]
    assert clock["pipelined_seconds_per_image"] < clock["seconds_per_image"]
    assert clock["seconds_per_image"] * found["images"]["learn"] == pytest.approx(found["chip_seconds"]["learn"])
    chip = found["chip"]["learn"]
    assert chip["seconds_per_image"] == pytest.approx(chip["array_seconds"] + chip["digital_seconds"])
    assert chip["array_seconds"] >= clock["seconds_per_image"], "conversions may take longer than reads, never less"
    assert (chip["watt"] - chip["leakage_watt"]) * chip["seconds_per_image"] == pytest.approx(found["per_update_joule"])
    assert chip["area_m2"] == found["area_m2"]["total"] and chip["watt_per_m2"] == chip["watt"] / chip["area_m2"]
    for phase in ("learn", "infer"):
        ranges, joule = found["chip"][phase]["ranges"], found["ranged_joule"][phase]
        assert all(r["low"] < r["nominal"] < r["high"] for n, r in ranges.items() if n != "label" and "words" not in n)
        for end, other in (("low", "high"), ("high", "low")):
            spent = (ranges["watt"][end] - ranges["leakage_watt"][end]) * ranges["seconds_per_image"][other]
            assert spent * found["images"][phase] == pytest.approx(joule[end])
            assert ranges["watt_per_m2"][end] == ranges["watt"][end] / found["ranged_area_m2"][other]
    assert found["ranged_joule"]["learn"]["high"] == pytest.approx(found["high_joule"] * found["images"]["learn"])
    parts = {end: sum(part[end] for part in found["parts_joule"].values()) for end in ("low", "nominal", "high")}
    wanted = found["low_joule"], found["per_update_joule"], found["high_joule"]
    assert tuple(parts.values()) == pytest.approx(wanted) and sorted(wanted) == list(wanted)
    assert found["area_m2"]["total"] == pytest.approx(sum(v for n, v in found["area_m2"].items() if n != "total"))
    worn = found["wear"]
    assert worn["life_used"] == pytest.approx(worn["pulses_per_device"] / 1e4) and worn["pulses_most"] >= 1
    result = json.loads((run / "result.json").read_text())
    assert worn["pulses_per_device"] == pytest.approx(result["cells"]["pulses_per_cell"])
    assert found["full_scale_read"]["times"] > 1
    assert all(entry["times"] >= 1 for phase in found["distance_to_limit"].values() for entry in phase.values())


def test_another_technology_and_scenario(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The device's own energy does not follow the node; arithmetic does; scenarios are ordered; recalled prices are marked."""
    here, there = asked(capsys, str(run)), asked(capsys, str(run), "--technology", "cmos-7nm")
    assert there["by_component_joule"]["learn"]["write.v2gt"] == here["by_component_joule"]["learn"]["write.v2gt"]
    assert there["by_component_joule"]["learn"]["mac.fp32"] < here["by_component_joule"]["learn"]["mac.fp32"]
    assert "mac.fp32" in there["recalled"] and "mac.fp32" not in here["recalled"]
    low, high = (asked(capsys, str(run), "--scenario", s)["per_update_joule"] for s in ("low", "high"))
    assert low < here["per_update_joule"] < high
    dear = asked(capsys, str(run), "--scenario", "high")
    ranges = here["chip"]["learn"]["ranges"]
    assert dear["chip"]["learn"]["ranges"] == ranges and dear["ranged_joule"] == here["ranged_joule"]
    for name in ("seconds_per_image", "watt", "area_m2", "watt_per_m2", "leakage_watt"):
        assert dear["chip"]["learn"][name] == ranges[name]["high"] > here["chip"]["learn"][name]


def test_time_power_and_area_are_printed_with_their_ranges(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of the run and `energy` give the same ranges, and the share of what is no analog work."""
    result = json.loads((run / "result.json").read_text())
    table_of_run(result, run)
    table = " ".join(capsys.readouterr().out.split())
    assert run_app(app, ["energy", str(run)]) == 0
    lines = " ".join(capsys.readouterr().out.split())
    rows = of_the_whole(result["energy"]["chip"]["learn"])
    assert set(rows) == set(WHOLE) and all(" to " in value for _, value in rows.values())
    share = of_the_energy(result["energy"]["parts_joule"])[-1]
    parts = {part: ends["nominal"] for part, ends in result["energy"]["parts_joule"].items()}
    digital = parts["digital"] + parts["memory"]
    assert float(share[1].split()[0]) == pytest.approx(100 * digital / sum(parts.values()), rel=5e-3)
    for name, value in (*rows.values(), share):
        words = [*name.split(), *value.split()]
        assert " ".join(words) in table
        assert f"{name.strip()}: {' '.join(value.split())}" in lines


def test_a_result_without_ranges_is_printed(run: Path) -> None:
    """A whole chip of an earlier version has its nominal figures alone, and its verdict."""
    chip = json.loads((run / "result.json").read_text())["energy"]["chip"]["learn"]
    rows = of_the_whole({**{n: v for n, v in chip.items() if n != "ranges"}, "label": TOO_HOT, "area_m2": None})
    assert "area_m2" not in rows and not any(" to " in value for _, value in rows.values())
    assert rows["watt_per_m2"][1].endswith(TOO_HOT)


def test_a_published_endurance_is_said_to_be_one(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wear is compared with the endurance of the run, or with a published one that nothing in the run depended on."""
    found = account(read_run(str(run)), "cmos-32nm")
    own = f"{100 * found['wear']['life_used']:.3g}"
    shown(found)
    assert f"{own} % of the endurance\n" in capsys.readouterr().out
    found["wear"] = wear(1000, 100, {"name": "choi2018_epiram"})
    assert found["wear"]["endurance_of"] == "a publication"
    shown(found)
    assert "% of the published endurance\n" in capsys.readouterr().out


def test_the_table_marks_what_is_not_physical_and_what_was_recalled(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person sees the label, the mark and what was left out."""
    assert run_app(app, ["energy", str(run)]) == 0
    out = capsys.readouterr().out
    assert "not physical as drawn" in out and "recalled" in out and "left out:" in out and "pipelined" in out
    result = json.loads((run / "result.json").read_text())
    assert result["energy"]["line_currents"]["label"] == "not physical as drawn"
    said = next(line for line in out.splitlines() if line.startswith("area:"))
    assert said.endswith("% of it multiply-adds")
    parts = set(account(read_run(str(run)), "cmos-32nm")["area_m2"]) - {"total"}
    assert parts == set(AREA_NAMES) - {"further_cells"} and not any("_" in name for name in AREA_NAMES.values())


def test_conversions_of_an_image_are_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are the counts over the images; a line for each phase that has images."""
    result = json.loads((run / "result.json").read_text())
    found = account(read_run(str(run)), "cmos-32nm")
    shown(found)
    out = capsys.readouterr().out
    for phase in ("learn", "infer"):
        counts, images = result["events"][phase], result["images"][phase]
        wanted = {f: sum(n for name, n in counts.items() if name.startswith(f + ".")) / images for f in ("dac", "adc")}
        assert found["conversions_per_image"][phase] == {name: value for name, value in wanted.items() if value}
        assert f"conversions per image, {phase}: " in out and wanted["adc"] > 0


def test_the_cells_of_a_second_array_are_a_part_of_the_area(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`energy` names them, with their share of the area."""
    place = tmp_path / "two"
    execute(
        Config(
            data="toy",
            layers=(4,),
            epochs=1,
            batch=100,
            shift=0,
            update="tiki-taka",
            learner="forward-forward",
            out=str(place),
        ),
        quiet=True,
    )
    assert run_app(app, ["energy", str(place)]) == 0
    area = account(read_run(str(place)), "cmos-32nm")["area_m2"]
    share = 100 * area["further_cells"] / area["total"]
    assert (
        f"of it cells of further arrays: {1e6 * area['further_cells']:.3g} mm2, {share:.2g} %"
        in capsys.readouterr().out
    )


def test_the_table_of_a_run_is_one_screen(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At most 40 lines of 80 columns, notes included; and no escape sequence where there is no terminal."""
    table_of_run(json.loads((run / "result.json").read_text()), Path("runs/one"))
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert 20 < len(lines) <= 40 and max(map(len, lines)) <= 80 and "\x1b" not in out
    end = next(i for i, line in enumerate(lines) if "wall time" in line)
    below = " ".join(lines[end:])
    assert "prices recalled, not read again: " in below and "times the current limit" in below


@pytest.mark.parametrize("colours", [True, False])
def test_colours_mean_something_and_can_be_switched_off(
    colours: bool, run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is beyond a limit is red on a terminal, unless NO_COLOR is set."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    (monkeypatch.delenv if colours else monkeypatch.setenv)("NO_COLOR", *([False] if colours else ["1"]))
    table_of_run(json.loads((run / "result.json").read_text()), Path("runs/one"))
    assert bool(re.search("\x1b\\[31m *not physical as drawn", capsys.readouterr().out)) is colours


def test_equal_components_keep_their_order(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Components of one energy, such as squares and lengths, follow their names; long names stand in one line."""
    found = account(read_run(str(run)), "cmos-32nm")
    assert found["by_component_joule"]["learn"]["goodness"] == found["by_component_joule"]["learn"]["normalise"]
    shown(found)
    out = capsys.readouterr().out
    assert 0 < out.index(" goodness ") < out.index(" normalise ") and " sram.words_written* " in out


def test_an_older_run_is_priced(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without shapes and integrals by layer; a result file alone has no area, with cells.h5 beside it, it has."""
    result = json.loads((run / "result.json").read_text())
    whole = account(read_run(str(run)), "cmos-32nm")
    for name in ("shapes", "integrals_by_layer", "events_by_readout", "integrals_by_readout"):
        result.pop(name, None)
    (tmp_path / "result.json").write_text(json.dumps(result))
    found = asked(capsys, str(tmp_path / "result.json"))
    assert found["total_joule"] == whole["total_joule"] and found["area_m2"] is None and found["wear"] is None
    assert found["latency"]["learn"]["seconds_per_image"] is None and "counted events alone" in found["by_layer_note"]
    (tmp_path / "cells.h5").write_bytes((run / "cells.h5").read_bytes())
    assert asked(capsys, str(tmp_path))["area_m2"] == pytest.approx(whole["area_m2"])
    assert run_app(app, ["energy", str(tmp_path)]) == 0


FAULTS = {
    "wrong unit": ('unit = "fJ"', 'unit = "fF"', "should be of the dimension energy"),
    "missing price": ("[component.comparator]", "[component.comparater]", "prices no event that is counted"),
    "outside its range": ("value = 20.0", "value = 2000.0", "lies outside its range"),
    "conflicting sources": ('item = "random bit"', 'item = "comparator"\nnote = "x"', "with two values"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_bad_technology_file_gets_one_sentence(
    case: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, nothing on standard output, one line that says what and where."""
    old, new, sentence = FAULTS[case]
    text = packaged("cmos-32nm")
    start = text.index("[component.comparator]")
    bad = text[:start] + text[start:].replace(old, new, 1)
    if case == "conflicting sources":
        bad = bad.replace('value = 20.0\nunit = "fJ"\nlow = 1.0', 'value = 30.0\nunit = "fJ"\nlow = 1.0')
    file = tmp_path / "my.toml"
    file.write_text(bad)
    assert run_app(app, ["energy", str(run), "--technology", str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert sentence in captured.err and "my.toml" in captured.err


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "holds no result.json"), ("{", "cannot be read"), ("{}", "has no 'events'")]
)
def test_a_place_without_a_result(content, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, status 2."""
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    assert run_app(app, ["energy", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_the_slowest_layer_sets_the_pace() -> None:
    """Sequential time is the sum, pipelined time the largest part; no images, no time."""
    by_layer = {"0": {"time": {"value": 3.0}}, "1": {"time": {"value": 5.0}}, "readout": {"time": {"value": 0.0}}}
    assert latency(by_layer, 4) == {
        "seconds_per_image": 2.0, "pipelined_seconds_per_image": 1.25, "slowest_layer": "1"
    }  # fmt: skip
    assert latency(by_layer, 0)["seconds_per_image"] is None


def test_wear_without_an_endurance_is_unknown() -> None:
    """Pulses are known, the share of a life is not."""
    found = wear(1000, 100, {})
    assert found["pulses_per_device"] == 10.0 and found["life_used"] is None and found["pulses_most"] is None


def test_the_bound_of_physics_and_the_limit_of_the_lines_have_two_names(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each figure beside another one says which of the two it is compared with."""
    assert run_app(app, ["energy", str(run)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "physical bound" in text and "current limit of 33 uA (electromigration)" in text
    assert "its limit" not in text and "power density" in text


def test_the_table_names_the_figures_without_which_pulses_are_free(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A device with voltages and without widths: only the widths are named."""
    place, free = tmp_path / "widths", ["--figure", "t_up=0", "--figure", "t_down=0"]
    assert (
        run_app(app, ["simulate", "--data", "toy", "--layers", "4", "--epochs", "1", *free, "--out", str(place)]) == 0
    )
    text = " ".join(capsys.readouterr().out.split())
    assert "gives no t_up, t_down" in text and "gives no v_up" not in text


def test_pulses_that_nobody_priced_are_said_to_be_unpriced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A device without pulse voltages: the energy says what it leaves out, in result.json, the table and `energy`."""
    said = {}
    for device in ("ideal", "memristor"):
        place = tmp_path / device
        short = ["simulate", "--data", "toy", "--layers", "4", "--epochs", "1", "--device", device, "--out", str(place)]
        assert run_app(app, short) == 0
        energy = json.loads((place / "result.json").read_text())["energy"]
        assert run_app(app, ["energy", str(place)]) == 0
        text = " ".join(capsys.readouterr().out.split())
        said[device] = energy["pulses_priced"], energy["omitted"][-1].startswith("the pulses"), "no v_up" in text
        assert ("writes unknown" in text) is (device == "ideal")
    assert said == {"ideal": (False, True, True), "memristor": (True, False, False)}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "expected the folder of a finished run"),
        ({"config.toml": "schema = 1"}, "finish the run with --resume"),
        ({"result.json": '{"presentations": {}}'}, "run it with --device"),
    ],
    ids=["no run", "begun", "spiking without a device"],
)
def test_what_cannot_be_priced_says_why(files: dict[str, str], words: str, tmp_path: Path) -> None:
    """A folder of something else, a run that is not finished, and a run that counts no events are three things."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=words):
        read_run(str(tmp_path))
