"""The whole chip: every component has its part, time and area by hand, power that is energy over time."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest

from hardware_models.energy import load_technology, price
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.facts.area import area
from hardware_models.energy.facts.throughput import PUBLISHED, operations_per_joule
from hardware_models.energy.facts.whole import HEAT_FLUX, TOO_HOT, whole
from hardware_models.energy.parts import PARTS, part_of, split
from hardware_models.events import COUNTS, INTEGRALS

SHAPES = ((785, 500), (501, 500))
CIRCUIT = Circuit(memory_bytes=2.0**20)
AT = {"read_time": 5e-9, "read_voltage": 0.5, "write_voltage": 1.6, "circuit": CIRCUIT}
COUNTED = {
    "0": {"reads.cells": 10 * 785 * 1000, "adc.8": 10 * 4 * 500, "mac.fp32": 1_000_000, "sram.words_read": 4000},
    "1": {"reads.cells": 10 * 501 * 1000, "adc.8": 10 * 2 * 500, "goodness": 5000, "normalise": 5000},
    "readout": {"mac.int8": 50_000, "sram.words_written": 800},
}
TIMES = {"0": {"time": {"value": 50e-9}}, "1": {"time": {"value": 90e-9}}}
"""Ten reads of 5 ns in each layer; writes of 40 ns in the upper one."""
JOULE = {"low": 4e-7, "nominal": 1e-6, "high": 7e-6}
AREA = {"low": 3e-6, "nominal": 4e-6, "high": 9e-6}


@pytest.fixture(scope="module")
def technology():
    return load_technology("cmos-32nm")


@pytest.mark.parametrize("analog", [False, True])
def test_every_component_belongs_to_one_part(technology, analog: bool) -> None:
    """The four parts add up to the whole, whatever was counted; squares are digital after digital sums."""
    circuit = CIRCUIT._replace(analog_sums=analog, gate_capacitance=1e-16)
    counts = {name: 1000 for name in (*COUNTS, "adc.8", "dac.8", "mac.fp32", "mac.int8", "add.int32")}
    joules = price({"p": counts}, {"p": dict.fromkeys(INTEGRALS, 1e-9)}, technology, **{**AT, "circuit": circuit})["p"]
    parts = split(joules, circuit)
    assert list(parts) == list(PARTS) and all(parts.values())
    assert math.fsum(parts.values()) == pytest.approx(math.fsum(joules.values()), rel=1e-12)
    assert part_of("goodness", circuit) == ("converters" if analog else "digital")


def found(technology, **more):
    given = {"tile": (256, 256), "circuit": CIRCUIT, "read_time": 5e-9, "images": 10, "joule": JOULE, "area": AREA}
    return whole(COUNTED, TIMES, SHAPES, technology, **(given | more))


def everywhere(value: float) -> dict[str, float]:
    """Return a quantity whose range is a point."""
    return dict.fromkeys(("low", "nominal", "high"), value)


def test_time_is_that_of_arrays_and_then_of_the_digital_block(technology) -> None:
    """By hand: 1 GHz, 256 multiply-adds and 8 words a cycle; 32 converters a row tile take 0.83 ns each.

    500 pairs in tiles of 128 pairs: 8 + 8 + 8 + 8 converters for each row tile. The lower layer's 10 x 4 x 500 values on 4 x 32
    of them take 130 ns, and its reads 50 ns, so that conversions set the pace; likewise above.
    """
    chip = found(technology)
    assert chip is not None
    conversions = 10 * 500 / 32 * 0.83e-9
    array = (conversions - 50e-9) + 50e-9 + (conversions - 50e-9) + 90e-9
    products, words = 1_000_000 + 5000 + 5000 + 50_000, 4000 + 800
    digital = products / 256e9 + words / 8e9
    assert chip["array_seconds"] * 10 == pytest.approx(array, rel=1e-12)
    assert chip["digital_seconds"] * 10 == pytest.approx(digital, rel=1e-12)
    assert chip["seconds_per_image"] * 10 == pytest.approx(array + digital, rel=1e-12)
    assert chip["multiply_adds_per_second"] == pytest.approx(1_050_000 / array)
    assert chip["leakage_watt"] == pytest.approx(0.8e-9 * 2**20)
    assert chip["watt"] == pytest.approx(1e-6 / (array + digital) + 0.8e-9 * 2**20)


def test_one_converter_a_column_leaves_the_reads_their_pace(technology) -> None:
    """With a converter of its own a column is converted within the next read: the clocked times are those of the arrays."""
    alone = found(technology, circuit=CIRCUIT._replace(columns_per_adc=1))
    assert alone["array_seconds"] * 10 == pytest.approx(140e-9, rel=1e-12)
    shared = found(technology)
    assert shared["array_seconds"] > alone["array_seconds"]


def test_a_chip_above_what_a_package_carries_says_so(technology) -> None:
    hot = found(technology, joule=everywhere(1e-3))
    assert hot["watt_per_m2"] > HEAT_FLUX and hot["label"] == TOO_HOT
    cool = found(technology, joule=everywhere(1e-9))
    assert cool["watt_per_m2"] < HEAT_FLUX and cool["label"] == cool["ranges"]["label"]["high"] == ""
    warm = found(technology, joule={"low": 1e-9, "nominal": 1e-9, "high": 1e-3})
    assert warm["label"] == "" and warm["ranges"]["label"] == {"low": "", "nominal": "", "high": TOO_HOT}
    assert found(technology, area=None)["watt_per_m2"] is None and found(technology, images=0) is None


def test_the_ends_of_time_and_power_by_hand(technology) -> None:
    """The longest time has slow conversions and the slow clock; the highest power has fast ones, all energy and all leakage."""
    ranges = found(technology)["ranges"]
    products, words = 1_000_000 + 5000 + 5000 + 50_000, 4000 + 800
    seconds = {}
    for end, conversion, clock in (("low", 0.5e-9, 2e9), ("high", 100e-9, 0.39e9)):
        array = 2 * (10 * 500 / 32 * conversion - 50e-9) + 50e-9 + 90e-9
        digital = products / (256 * clock) + words / (8 * clock)
        assert ranges["array_seconds"][end] * 10 == pytest.approx(array, rel=1e-12)
        assert ranges["digital_seconds"][end] * 10 == pytest.approx(digital, rel=1e-12)
        seconds[end] = array + digital
    high = 7e-6 / seconds["low"] + 186e-9 * 2**20
    low = 4e-7 / seconds["high"] + 0.04e-9 * 2**20
    assert ranges["watt"] == pytest.approx({"low": low, "nominal": found(technology)["watt"], "high": high})
    assert ranges["watt_per_m2"]["high"] == pytest.approx(high / 3e-6)
    assert ranges["watt_per_m2"]["low"] == pytest.approx(low / 9e-6)
    assert ranges["area_m2"] == AREA


def test_no_choice_of_figures_leads_out_of_the_ranges(technology) -> None:
    """Each corner of conversion, clock, leakage, energy and area lies between the ends, and some corner is at each end."""
    ranges = found(technology)["ranges"]
    seen: dict[str, list[float]] = {"seconds_per_image": [], "watt": [], "watt_per_m2": []}
    for conversion, clock, leakage, joule, area_end in itertools.product(("low", "high"), repeat=5):
        times = {
            "conversion": fixed(technology.times["conversion"], conversion),
            "clock": fixed(technology.times["clock"], clock),
        }
        here = dataclasses.replace(technology, times=times, leakage=fixed(technology.leakage, leakage))
        chip = found(here, joule=everywhere(JOULE[joule]), area=everywhere(AREA[area_end]))
        for name, values in seen.items():
            values.append(chip[name])
    for name, values in seen.items():
        assert (min(values), max(values)) == pytest.approx((ranges[name]["low"], ranges[name]["high"]), rel=1e-12)
        assert ranges[name]["low"] < ranges[name]["nominal"] < ranges[name]["high"]


def fixed(figure, end: str):
    """Return a figure that lies at one end of its range for certain."""
    return dataclasses.replace(figure, values=(figure.at(end),) * 3)


def test_a_scenario_gives_each_quantity_at_its_own_end(technology) -> None:
    nominal = found(technology)
    for end in ("low", "nominal", "high"):
        chip = found(technology, scenario=end)
        assert chip["ranges"] == nominal["ranges"]
        assert all(chip[name] == values[end] for name, values in chip["ranges"].items())


def test_the_area_has_memory_and_multiply_adds(technology) -> None:
    """8 bits a byte of 0.285 um2, 256 units of each format; one converter for 16 pairs of a tile instead of one a pair."""
    given = {"tile": (256, 256), "access": "1T1R", "formats": ("fp32", "int8")}
    parts = area(SHAPES, technology, circuit=CIRCUIT, **given)
    assert parts["memory"] == pytest.approx(8 * 2**20 * 0.285e-12)
    assert parts["multiply_adds"] == pytest.approx(256 * (7700 + 4184 + 282 + 137) * 1e-12)
    assert parts["adc"] == pytest.approx((4 + 2) * 32 * 1200e-12)
    assert parts["dac"] == pytest.approx(4 * (785 + 501) * 0.167e-12)
    own = area(SHAPES, technology, circuit=CIRCUIT._replace(columns_per_adc=1), **given)
    assert own["adc"] == pytest.approx((4 + 2) * 500 * 1200e-12)
    assert parts["total"] == pytest.approx(sum(value for name, value in parts.items() if name != "total"))


def test_operations_a_joule_are_two_a_weight() -> None:
    """784 x 500 weights on pairs of cells, in 1 nJ: 784 TOPS/W; nothing read or nothing spent has no figure."""
    assert operations_per_joule({"reads.cells": 784 * 500 * 2}, 1e-9) == pytest.approx(2 * 784 * 500 / 1e-9)
    assert operations_per_joule({}, 1e-9) is None and operations_per_joule({"reads.cells": 2}, 0.0) is None
    assert all(peer.doi.startswith("10.") and peer.per_joule > 0 for peer in PUBLISHED.values())
