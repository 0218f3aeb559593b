"""The numbers of the packaged parameter files: where each comes from, and that it is what its source says."""

from __future__ import annotations

import importlib
import math
import re
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices import PUBLISHED, provenance
from hardware_models.devices.wear import Wear
from hardware_models.energy.facts.wear import wear
from hardware_models.keys import Key
from hardware_models.load import TOLD, load_device, published, published_endurance
from hardware_models.units import to_si

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
sys.path.append(str(BENCHMARKS))
device_table = importlib.import_module("device_table")

FILES = sorted(set(PUBLISHED.values()))
STATED = ("access", "v_read", "t_read", "fresh")
WRITTEN = ("v_up", "t_up", "v_down", "t_down")


def table_of(name: str) -> dict[str, Any]:
    """Return the tables of a packaged parameter file."""
    return tomllib.loads(resources.files("hardware_models.parameters").joinpath(f"{name}.toml").read_text("utf-8"))


def number(table: dict[str, Any], entry: str) -> float:
    """Return a figure of a parameter file in SI."""
    return to_si(float(table[entry]["value"]), table[entry]["unit"])


@pytest.mark.parametrize("name", FILES)
def test_every_number_says_where_it_was_checked_or_that_it_is_an_assumption(name: str) -> None:
    """`checked` names the file and the commit that were read, or says that nothing could be read."""
    for entry, figure in provenance.figures(table_of(name)).items():
        said = figure.get("checked", "")
        assert figure["source"].strip() and figure["kind"]
        assert said or figure["kind"] == "assumption", f"{name}: {entry}"
        if said.startswith(provenance.NOT_READ):
            assert "could not be read" in said and "taken from" in said, f"{name}: {entry}"
        elif said:
            file, commit = re.search(r"\w\.(py|cpp|pdf|rst)\b", said), re.search(r"\b[0-9a-f]{7,40}\b", said)
            assert file and commit, f"{name}: {entry}"


@pytest.mark.parametrize("name", FILES)
def test_every_file_states_access_voltages_and_times(name: str) -> None:
    """Nothing that moves energy or exactness is left to a default of the model."""
    table = table_of(name)
    needed = (*STATED, *(WRITTEN if load_device(name).trainable else ()))
    assert set(needed) <= set(table), name
    counts = provenance.counts(table)
    assert sum(counts.values()) == len(provenance.figures(table)) and counts["checked"] + counts["assumptions"] > 0


@pytest.mark.parametrize("name", FILES)
def test_every_read_noise_says_whether_it_contains_johnson_noise(name: str) -> None:
    """Nothing is counted twice: a file with a white read noise says what is in it, and no other file says so."""
    table = table_of(name)
    noisy = any(entry in table for entry in ("read_noise", "read_noise_relative", "read_noise_high"))
    assert ("read_noise_contains_thermal" in table) == noisy


@pytest.mark.parametrize("name", FILES)
def test_every_file_says_what_its_source_knows_of_endurance_and_retention(name: str) -> None:
    """A figure says where it was read; a law of time in the file is named; where no source gives either, the file says so."""
    table = table_of(name)
    law = provenance.law_of_time(table)
    for part in TOLD:
        said = table["source"][part]
        if isinstance(said, dict):
            assert re.match(r"https://\S+$", said["checked"]) and said["note"]
        else:
            assert (part == "retention" and law in said) or "no source read here gives" in said


def test_a_published_endurance_is_read_by_the_report_of_wear_alone(tmp_path: Path) -> None:
    """A figure in `[source]` makes no other device, and a device that wears by a figure of its own is compared with that one."""
    device = load_device("choi2018_epiram")
    assert published_endurance("choi2018_epiram") == 1e9
    assert published_endurance("memristor") is published_endurance("ideal") is published_endurance("a.toml") is None
    text = resources.files("hardware_models.parameters").joinpath("choi2018_epiram.toml").read_text("utf-8")
    plain = tmp_path / "plain.toml"
    plain.write_text(re.sub(r"(?m)^endurance = .*$", 'endurance = "unknown"', text), encoding="utf-8")
    assert load_device(str(plain)).describe() == device.describe() and not isinstance(device, Wear)
    found = wear(3000, 10, device.describe(), 500)
    assert (found["endurance"], found["endurance_of"]) == (1e9, "a publication")
    assert (found["life_used"], found["life_used_most"]) == (3e-7, 5e-7)
    found = wear(3000, 10, Wear.around(device, endurance=600.0).describe())
    assert (found["endurance"], found["endurance_of"], found["life_used"]) == (600.0, "the run", 0.5)
    assert wear(3000, 10, load_device("memristor").describe())["endurance_of"] is None


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ('{ value = 1e9, unit = "pulses" }', "'endurance' lacks its low"),
        ('{ value = 1, unit = "s", low = 1, high = 2, kind = "measured", source = "x" }', "of the dimension number"),
        ("7", "needs a text of 1 to 10000 characters as its endurance, got 7"),
    ],
)
def test_a_wrong_figure_of_a_source_is_refused(said: str, wrong: str, tmp_path: Path) -> None:
    text = resources.files("hardware_models.parameters").joinpath("choi2018_epiram.toml").read_text("utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(re.sub(r"(?m)^endurance = .*$", f"endurance = {said}", text), encoding="utf-8")
    with pytest.raises(UsageError, match=wrong):
        load_device(str(mine))


def test_counts_and_laws_of_a_small_file() -> None:
    """Three kinds of figures, each counted once; a figure of zero is no law."""
    table = {
        "model": "x", "source": {"citation": "none"},
        "nu": {"value": 0.0, "kind": "fitted", "checked": "no: the paper could not be read; taken from a list"},
        "tau": {"value": 5.0, "kind": "measured", "checked": "read in a.py at commit 1"},
        "fresh": {"value": "mid", "kind": "assumption"},
        "g_max": {"value": 1.0, "kind": "assumption", "checked": "read in a.py at commit 1"},
        "g_min": {"value": 1.0, "kind": "measured"},
    }  # fmt: skip
    assert provenance.counts(table) == {"checked": 1, "not_read": 2, "assumptions": 2}
    assert provenance.law_of_time(table) == "leak"
    assert provenance.law_of_time({"nu": {"value": 0.0}}) == "none"


@pytest.mark.parametrize("name", FILES)
def test_the_law_of_time_that_is_told_is_the_one_that_acts(name: str) -> None:
    """A file without one keeps its cells and their noise to the bit for a month; one with a law changes them."""
    dev: Any = load_device(name)
    key = Key(11)
    state = dev.fabricate((16, 16), key)
    sign = -1 if getattr(dev, "polarities", "both") == "down" else 1
    dev.pulse(state, np.full((16, 16), sign * (1 + int(dev.states) // 2), np.int32), key)
    now, later = ((dev.conductance(state, t).copy(), np.asarray(dev.read_variance(state, t))) for t in (1e-3, 2.6e6))
    same = all(np.array_equal(a, b) for a, b in zip(now, later, strict=True))
    assert same == (provenance.law_of_time(table_of(name)) == "none")


def test_the_page_is_up_to_date() -> None:
    """docs/reference/devices.md is what its command writes; one row a file, no cell that breaks the table."""
    text = device_table.PAGE.read_text(encoding="utf-8")
    assert text == device_table.page(text), "run python benchmarks/device_table.py"
    rows = device_table.table()
    assert len(rows) == 2 + len(FILES) and len({row.count("|") for row in rows}) == 1
    assert len(published()) == len(FILES)
    lives = device_table.lives()
    assert {row.count("|") for row in lives} == {4}
    assert sum(row.split("|")[1].count(",") + 1 for row in lives[2:]) == len(FILES)


# --- the numbers of the sources, typed a second time ---

# Table II of the manual of MLP+NeuroSim V3.0 (its Table I for the last): states, NL, R_on [ohm], on/off, pulse up and down.
NEUROSIM = {
    "jo2010_ag_asi": (97, (0.499181, -0.200303), 26e6, 12.5, (3.2, 300e-6), (2.8, 300e-6), 0.035),
    "wu2018_taox_hfox": (128, (31.566827, -1.997332), 100e3, 10.0, (1.6, 50e-9), (1.6, 50e-9), 0.037),
    "park2013_pcmo": (50, (0.300644, -0.100251), 23e6, 6.84, (2.0, 1e-3), (2.0, 1e-3), 0.01),
    "woo2016_alox_hfo2": (40, (0.629249, -2.063266), 16.9e3, 4.43, (0.9, 100e-6), (1.0, 100e-6), 0.05),
    "kuzum2011_gst": (100, (12.625807, 0.499181), 4.71e3, 19.8, (0.7, 6e-6), (3.0, 125e-9), 0.015),
    "choi2018_epiram": (64, (2.519877, -2.519877), 81e3, 50.2, (5.0, 5e-6), (3.0, 5e-6), 0.02),
    "jerry2017_hzo": (32, (0.702081, 0.848677), 559.28e3, 45.0, (3.65, 75e-9), (2.95, 75e-9), 0.005),
    "neurosim2_taox_tio2": (102, (0.661941, -0.685502), 5e6, 2.0, (3.0, 40e-3), (3.0, 10e-3), 0.01),
}

# Presets of aihwkit 1.1.0: dw_min, w_max, w_min, dw_min_std, write_noise_std, spreads of step, w_max, w_min, up against down.
AIHWKIT = {
    "gong2018_reram_sb": (0.002, 1.25, -0.75, 3.75, 56.0, 0.3, 0.24, 0.4, 0.01),
    "gong2022_reram_om": (0.0949, 1.0, -1.0, 0.4158, 1.4113, 0.7829, 0.3499, 0.5695, 0.01),
    "gong2022_reram_hfo2": (0.4622, 1.0, -1.0, 0.2174, 0.5841, 0.7125, 0.4295, 0.599, 0.01),
    "gokmen2016_rpu": (0.0016, 1.0, -1.0, 0.3, 0.0, 0.3, 0.3, 0.3, 0.01),
    "rasch2019_idealized": (0.0002, 1.0, -1.0, 0.3, 0.0, 0.3, 0.3, 0.3, 0.0),
}

# Programming errors in powers of G [uS], and G_max [uS] to which the file's powers of G/G_max belong.
POLYNOMIALS = {
    "joshi2020_pcm": ((0.28638599, 0.07585724, -0.00178767), 25.0),
    "milo2021_rram": ((4.782321, -0.009107), 225.0),
    "wan2022_rram_verified": ((1.053, 0.2374, -0.01167, 0.0001536), 39.26),
    "falcone_cmo_hfox": ((0.00081107, 0.00106879), 90.0),
}


@pytest.mark.parametrize("name", NEUROSIM)
def test_numbers_of_neurosim(name: str) -> None:
    """R_on and the on/off ratio give the bounds; labels of nonlinearity give A."""
    states, bends, on, ratio, up, down, noise = NEUROSIM[name]
    table = table_of(name)
    found = [number(table, e) for e in ("states", "a_up", "a_down", "g_max", "g_min", "cycle_noise")]
    assert found == pytest.approx([states, *bends, 1 / on, 1 / on / ratio, noise], rel=1e-4)
    assert [number(table, e) for e in (*WRITTEN, "v_read", "t_read")] == pytest.approx([*up, *down, 0.5, 5e-9])
    limit = number({"n": table["cycle_noise"] | {"value": table["cycle_noise"]["high"]}}, "n")
    assert limit == pytest.approx(noise) or table["cycle_noise"]["kind"] == "measured"


@pytest.mark.parametrize("name", AIHWKIT)
def test_numbers_of_aihwkit(name: str) -> None:
    """Steps, noise and spreads in units of the range; the presets have no siemens, volts or seconds."""
    step, high, low, noise, written, spread, spread_high, spread_low, balance = AIHWKIT[name]
    table, span = table_of(name), high - low
    wanted = {
        "states": span / step, "cycle_noise": noise * step / span, "step_spread": spread, "high_spread": spread_high,
        "low_spread": spread_low,
    }  # fmt: skip
    wanted |= {"write_noise": written * step / span} if written else {}
    wanted |= {"balance_spread": balance} if balance else {}
    assert {e: number(table, e) for e in wanted} == pytest.approx(wanted, rel=1e-4)
    assert number(table, "center") == -low / span if "center" in table else low == -high
    assert all(table[e]["kind"] == "assumption" for e in ("g_max", "g_min", "v_read", "t_read", *WRITTEN))


def test_numbers_of_the_exponential_preset_of_aihwkit() -> None:
    """Nominal steps are those at weight zero: dw_min (1 - A exp(+-gamma b)), down less up_down."""
    table = table_of("gong2018_reram_es")
    up = 0.00135 * (1 + 1.18445 * math.exp(-2.5)) / 2.0
    down = 0.00135 * (1 - 0.259359) * (1 + 0.081404 * math.exp(2.5)) / 2.0
    found = [number(table, e) for e in ("states", "states_down", "cycle_noise", "write_noise")]
    assert found == pytest.approx([1 / up, 1 / down, 5 * up, 75 * 0.00135 / 2], rel=1e-4)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_programming_errors_in_siemens(name: str) -> None:
    """The fits are in powers of G in microsiemens, the files in powers of G/G_max."""
    powers, top = POLYNOMIALS[name]
    table = table_of(name)
    assert number(table, "g_max") == pytest.approx(top * 1e-6)
    found = [number(table, f"error_{k}") for k in range(len(powers))]
    assert found == pytest.approx([c * top**k * 1e-6 for k, c in enumerate(powers)], rel=1e-6)
    assert f"error_{len(powers)}" not in table


def test_conductances_of_the_fit_of_falcone() -> None:
    """8 to 90 uS, as aihwkit documents its model of this memory."""
    table = table_of("falcone_cmo_hfox")
    assert [number(table, e) for e in ("g_min", "g_max")] == pytest.approx([8e-6, 90e-6])


def test_all_of_renaudineau_is_assumed() -> None:
    """And the file says so where its source stands."""
    table = table_of("renaudineau2026_hfox_ti")
    counts = provenance.counts(table)
    assert counts["checked"] == counts["not_read"] == 0
    assert "every number of this file is an assumption" in table["source"]["note"]
