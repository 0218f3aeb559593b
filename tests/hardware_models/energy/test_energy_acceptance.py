"""Published totals from published parts, and the limits: what the energy model must reproduce before it is believed."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.crossbar import Crossbar
from hardware_models.devices import PUBLISHED
from hardware_models.energy import TECHNOLOGIES, load_technology, price
from hardware_models.energy.components import Conditions
from hardware_models.energy.facts import limits
from hardware_models.energy.facts.distances import distances, full_scale
from hardware_models.energy.facts.line_currents import NOT_PHYSICAL, line_currents
from hardware_models.energy.load import technology_from_toml
from hardware_models.energy.oracles.closed_forms import added, neurons, read, times
from hardware_models.energy.oracles.roll_up import read_components, roll_up
from hardware_models.events import COUNTS, INTEGRALS, Events
from hardware_models.keys import Key
from hardware_models.load import load_device

REFERENCE = Path(__file__).resolve().parents[3] / "benchmarks" / "reference"
AT = Conditions(5e-9, 0.5, 1.6)


@pytest.fixture(scope="module")
def technology():
    return load_technology("cmos-32nm")


# --- published chips ---


def test_isaac_rolls_up_from_its_parts() -> None:
    """In-situ multiply unit 24.08 mW, tile 329.8 mW, chip 65.8 W; 627 GOPS/W, 3.19 pJ a multiply-add, 483 GOPS/mm²."""
    table = read_components(REFERENCE / "isaac2016.toml")
    units, published = table["unit"], table["published"]
    assert roll_up(units, "ima") == pytest.approx(24.08e-3, rel=1e-3)
    assert roll_up(units, "tile") == pytest.approx(329.8e-3, rel=1e-3)
    chip = roll_up(units, "chip")
    assert chip == pytest.approx(published["chip_power_W"], rel=1e-3)
    operations = published["peak_TOPS"] * 1e12
    assert operations / chip / 1e9 == pytest.approx(627, rel=2e-3)
    assert 2 * chip / operations == pytest.approx(3.19e-12, rel=2e-3)
    density = operations / 1e9 / published["chip_area_mm2"]
    assert density == pytest.approx(483, rel=2e-3) and density == pytest.approx(published["GOPS_per_mm2"], rel=0.01)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ({"a": {"b": {"unit": "c"}}}, "no unit 'c'"),
        ({"a": {"b": {"unit": "a"}}}, "contains itself"),
        ({"a": {"b": {"power": -1.0}}}, "for power, got -1"),
    ],
)
def test_a_component_file_that_makes_no_sense_is_refused(units, expected: str) -> None:
    """One sentence each."""
    with pytest.raises(UsageError, match=expected):
        roll_up(units, "a")


def test_puma_and_panther() -> None:
    """43.97 nJ for a product of a 128 x 128 matrix in 16 bits, from busy times; an outer product costs 0.29 of an inner one."""
    table = tomllib.loads((REFERENCE / "puma2019.toml").read_text(encoding="utf-8"))
    parts = {name: part for name, part in table["mvm"].items() if isinstance(part, dict)}
    once = sum(part["number"] * part["power"] * 1e-3 * part["busy"] * 1e-9 for part in parts.values())
    assert once * table["mvm"]["input_bits"] == pytest.approx(table["published"]["mvm_nJ"] * 1e-9, rel=0.01)
    inner, outer = (
        part["power"] * part["busy"] for part in (table["panther"][f"{n}_product"] for n in ("inner", "outer"))
    )
    assert outer / inner == pytest.approx(table["published"]["opu_over_mvm"], abs=0.005)


# --- converters, devices, peers ---


def test_the_converters_law(technology) -> None:
    """8 bits at 32 nm: 1.67 pJ (ISAAC) against 1.71 (a regression of the survey); the low end is a fit to macros, exactly."""
    adc = technology.components["adc"]
    assert adc.joule("nominal", AT, 8) == pytest.approx(1.71e-12, rel=0.05)
    for bits, picojoule in ((8, 0.554), (10, 1.311), (12, 11.5)):
        macro = (100e-15 * bits + 1e-18 * 4**bits) * 0.8**2
        assert macro == pytest.approx(picojoule * 1e-12, rel=5e-3)
        assert adc.joule("low", AT, bits) == pytest.approx(macro, rel=1e-3)


def test_neurosim_reads_the_same_order() -> None:
    """400-100-10 on Ag:a-Si: 0.42 nJ read an image; ours within a factor of two, converters being nearly all of it."""
    device = load_device("jo2010_ag_asi").describe()
    prices = load_technology("cmos-32nm")
    counts = added(*(added(read(n, m, dac=8, adc=8), {"nonlinearity": m}) for n, m in ((400, 100), (100, 10))))
    mean = 0.5 * (device["g_min"] + device["g_max"])
    integrals = {"read.v2g": counts["reads.cells"] * 0.5**2 * mean}  # inputs of 0 and 1: at most this
    joules = price({"p": counts}, {"p": integrals}, prices, read_time=device["t_read"], write_voltage=3.2)["p"]
    assert 0.5 < math.fsum(joules.values()) / 0.42e-9 < 2.0
    assert joules["read.v2g"] < 0.05 * joules["adc"]


PULSES = {
    "wu2018_taox_hfox": 0.70e-12,
    "jo2010_ag_asi": 64e-12,
    "park2013_pcmo": 100e-12,
    "woo2016_alox_hfo2": 2.9e-9,
    "kuzum2011_gst": 330e-12,
    "choi2018_epiram": 0.79e-9,
}
"""V² G t with G the mean of the range and the up pulse [J], from the figures of the NeuroSim manual's Table II."""


@pytest.mark.parametrize("name", PULSES)
def test_a_pulse_costs_v2gt(name: str) -> None:
    """The published figures give the published energies; the counter gives V² t (G + G')/2 of the pulse that was made."""
    device = load_device(name)
    mean = 0.5 * (device.g_min + device.g_max)
    assert device.v_up**2 * mean * device.t_up == pytest.approx(PULSES[name], rel=0.06)
    bar = Crossbar(device, (1, 1), key=Key(0, "pulse"))
    before = bar.state.g.astype(np.float64)
    events = bar.fire(np.ones((1, 1)), np.ones((1, 1)), 1)
    made = 0.5 * (before + bar.state.g)[0, 0]
    assert events["write.selected"] == 1
    assert events.integrals["write.v2gt"] == pytest.approx(device.v_up**2 * made * device.t_up, rel=1e-6)


def test_marinella_multiplies_for_13_nanojoule(technology) -> None:
    """1024 x 1024, 8 bits, 31 MOhm: 12.8 nJ and 0.384 us a product within a factor of two, 0.512 us an update.

    Inputs are pulses of at most 256 ns at 0.8 V, a quarter of the square on the average; a ramp converter compares every
    column 256 times; an integrator draws 3 uA at 1 V for as long as it works.
    """
    n, slot = 1024, 1e-9
    read_time, ramp = 256 * slot, 128 * slot
    cells = n * n * 0.8**2 * 0.25 / 31e6 * read_time
    wires = n * n * 0.2e-15 * 0.8**2 * 2
    comparators = n * 256 * technology.components["comparator"].joule("nominal", AT)
    integrators = n * 3e-6 * 1.0 * (read_time + ramp)
    assert 0.5 < (cells + wires + comparators + integrators) / 12.8e-9 < 2.0
    assert read_time + ramp == pytest.approx(0.384e-6)
    assert 2 * read_time == pytest.approx(0.512e-6)  # an update has one phase for each sign


def test_marinella_sizes_the_device_by_the_line(technology) -> None:
    """33 uA and 1024 devices at once ask for 31 MOhm at 1 V; 500 devices of 10 kOhm at 1.6 V would carry 80 mA."""
    device = {"v_read": 0.1, "v_up": 1.0, "v_down": 1.0, "g_max": 33e-6 / 1024}
    found = line_currents(((1024, 1024),), (1024, 2048), device, technology, rows_together=True)
    assert found is not None and found["physical"] and found["label"] == ""
    assert found["line_current_ratio"]["write"] == pytest.approx(1.0)
    assert found["parallel_lines"]["write"] == 1024 and 1 / device["g_max"] == pytest.approx(31e6, rel=0.01)
    low = {"v_read": 0.1, "v_up": 1.6, "v_down": 1.5, "g_max": 1e-4}
    found = line_currents(((500, 500),), (500, 1000), low, technology, rows_together=True)
    assert found is not None and found["label"] == NOT_PHYSICAL
    assert found["line_current_ratio"]["write"] * 33e-6 == pytest.approx(80e-3)
    assert found["parallel_lines"] == {"read": 3, "write": 0} and found["slower"]["write"] is None
    # Three rows at a time leave 1000 cells on a word line, so a read goes in blocks of 3 x 3 cells.
    assert found["slower"]["read"] == 167 * 334
    by_row = line_currents(((500, 20),), (500, 1000), low, technology, rows_together=False)
    assert by_row is not None and by_row["lines"] == {"read": 500, "write": 20} and by_row["slower"]["read"] == 167 * 14
    weak = low | {"v_up": 0.05, "v_down": 0.05}
    by_row = line_currents(((500, 20), (40, 8)), (500, 1000), weak, technology, rows_together=False)
    assert by_row is not None and by_row["parallel_lines"]["write"] == 6 and by_row["slower"]["write"] == 4


# --- limits ---


def test_energy_adds_up_over_components(technology) -> None:
    """The total is the sum of what each event costs alone, to 1e-12."""
    rng = np.random.default_rng(0)
    names = (*COUNTS, "adc.8", "adc.4", "dac.8", "mac.fp32", "add.int32")
    counts = {name: int(rng.integers(1, 10**6)) for name in names}
    integrals = {name: float(rng.uniform(1e-9, 1e-3)) for name in INTEGRALS}
    given = {"read_time": 5e-9, "write_voltage": 1.6}

    def joule(events: Events) -> float:
        return math.fsum(price({"p": events.counts}, {"p": events.integrals}, technology, **given)["p"].values())

    alone = [joule(Events({n: c})) for n, c in counts.items()] + [
        joule(Events({}, {n: q})) for n, q in integrals.items()
    ]
    assert joule(Events(counts, integrals)) == pytest.approx(math.fsum(alone), rel=1e-12)


def test_distances_are_ratios_to_the_bound(technology) -> None:
    """An 8-bit conversion of 1.67 pJ is 500 times kT/C; mixed numbers of bits add their bounds."""
    counts = {"adc.8": 1000}
    joules = price({"p": counts}, {}, technology, read_time=5e-9, write_voltage=1.6)["p"]
    found = distances(counts, joules, technology)
    assert set(found) == {"adc"} and found["adc"]["times"] == pytest.approx(
        1.67e-12 / limits.sampling(8, 300.0), rel=1e-3
    )
    mixed = {"adc.8": 3, "adc.4": 5}
    joules = price({"p": mixed}, {}, technology, read_time=5e-9, write_voltage=1.6)["p"]
    bound = 3 * limits.sampling(8, 300.0) + 5 * limits.sampling(4, 300.0)
    assert distances(mixed, joules, technology)["adc"]["limit_joule"] == pytest.approx(bound, rel=1e-12)


def test_nothing_may_cost_less_than_physics_asks(technology) -> None:
    """A pulse below kT ln 2 and a read below Johnson noise are errors; free pulses by assumption are not."""
    counts = {"write.selected": 10}
    with pytest.raises(
        UsageError, match=r"'write.v2gt' costs 1e-21 J in this run, below its physical limit of 2.87e-20 J"
    ):
        distances(counts, {"write.v2gt": 1e-21}, technology)
    assert distances(counts, {"write.v2gt": 0.0}, technology) == {}
    cell = {"g_min": 1e-9, "g_max": 3e-9, "v_read": 0.1, "t_read": 1e-9}
    with pytest.raises(UsageError, match=r"below the physical limit of .* for 8 bits"):
        full_scale(cell, 10, 8, technology)
    assert full_scale(cell, 10, 1, technology)["times"] > 1.0


@pytest.mark.parametrize("name", [*PUBLISHED, "ideal"])
def test_no_published_device_reads_below_the_limit(name: str, technology) -> None:
    """At 256 rows and 8 bits."""
    assert full_scale(load_device(name).describe(), 256, 8, technology)["times"] > 1.0


# --- technologies ---


@pytest.mark.parametrize("name", TECHNOLOGIES)
def test_only_digital_parts_follow_the_node(name: str, technology) -> None:
    """Noise-limited conversion, analog parts and line charges cost the same at every node; arithmetic does not.

    Wires of another width are no matter of the node: their crosspoints cost what their own length does.
    """
    other = load_technology(name)
    assert f"{other.node_nm:g}" in name
    lines = () if name.endswith("-wide") else ("write.line_charges",)
    for part in ("integrator", "comparator", "goodness", "normalise", "reads.columns", "dac", *lines):
        for scenario in ("low", "nominal", "high"):
            assert other.components[part].joule(scenario, AT, 8) == technology.components[part].joule(scenario, AT, 8)
    dearer = [tech.components["write.line_charges"].joule("nominal", AT) for tech in (other, technology)]
    assert dearer[0] / dearer[1] == pytest.approx(1.27 if name.endswith("-wide") else 1.0)
    assert other.components["adc"].figures["k2"].values == technology.components["adc"].figures["k2"].values
    order = [load_technology(f"cmos-{nm}nm").components["mac.fp32"].joule("nominal", AT) for nm in (130, 45, 22, 7)]
    assert order == sorted(order, reverse=True) and order[0] / order[1] == pytest.approx(130 / 45, rel=0.01)


def test_extrapolated_and_recalled_figures_are_marked() -> None:
    """7 nm arithmetic was recalled from its table; 45 nm fp32 arithmetic was read again."""
    assert load_technology("cmos-7nm").components["mac.fp32"].recalled("nominal")
    assert load_technology("cmos-130nm").components["mac.fp32"].recalled("nominal")
    assert not load_technology("cmos-45nm").components["mac.fp32"].recalled("nominal")


def test_a_file_that_extends_a_technology() -> None:
    """It inherits what it does not say; a source of the same name with other contents is refused, and so is an unknown base."""
    text = 'schema = 1\n[meta]\nname = "mine"\nnode_nm = 32\ntemperature_K = 300\nextends = "cmos-32nm"\n'
    base = load_technology("cmos-32nm")
    mine = technology_from_toml(text, "my.toml")
    assert mine.name == "mine" and mine.components == base.components and mine.sha256 != base.sha256
    conflict = '[sources.isaac2016]\ntitle = "something else"\ndoi = "10.1/x"\n'
    with pytest.raises(UsageError, match=r"my.toml: 'sources.isaac2016' conflicts with the source of the same name"):
        technology_from_toml(text + conflict, "my.toml")
    with pytest.raises(UsageError, match=r"unknown technology 'cmos-33nm'; did you mean 'cmos-32nm'"):
        technology_from_toml(text.replace("cmos-32nm", "cmos-33nm"), "my.toml")
    with pytest.raises(UsageError, match=r"'area.cel' is the area of no part"):
        technology_from_toml(text + "[area]\ncel = { value = 1 }\n", "my.toml")


def test_converters_and_neurons_of_a_read() -> None:
    """Times and added are linear, so that a learner is a sum of reads."""
    both = added(read(5, 3, adc=4), neurons(3))
    assert times(2, both) == added(both, both) and both["adc.4"] == 3 and both["goodness"] == 3
