"""The file of a sweep: which points it means, and one sentence with the place for whatever it cannot mean."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.sweeps import points as of_points
from analog_ff.sweeps import sweep_file
from analog_ff.sweeps.designs import Axis, crossed, random, sobol
from analog_ff.sweeps.points import Point, check
from analog_ff.sweeps.sweep import Sweep
from hardware_models.check import UsageError

OPTIONS = """
[options]
data = "toy"
preset = "plain"
layers = [8]
"""


def read(path: Path, text: str) -> Sweep:
    file = path / "sweep.toml"
    file.write_text(text, encoding="utf-8")
    return sweep_file.read(file)


# --- where points lie ---


def test_an_axis_goes_from_its_low_to_its_high_end() -> None:
    assert [Axis(2.0, 6.0).at(u) for u in (0.0, 0.25, 0.5)] == [2.0, 3.0, 4.0]
    assert [Axis(0.01, 100.0, log=True).at(u) for u in (0.0, 0.5)] == [0.01, 1.0]
    assert Axis(choices=("a", "b")).at(0.499) == "a" and Axis(choices=("a", "b")).at(0.5) == "b"
    value = Axis(0.0, 1.0).at(1 / 3)
    assert value == float(f"{value:.6g}"), "what a table shows is what is run"
    low, high = Axis(0.1234564, 0.2), Axis(0.1, 0.1234567)
    assert low.at(0.0) == 0.1234564 and high.at(1.0 - 1e-16) == 0.1234567, "rounding leaves no range"


@pytest.mark.parametrize("log", [False, True])
def test_whole_numbers_keep_to_their_range_and_have_its_ends(log: bool) -> None:
    values = [Axis(1, 4, log=log, whole=True).at(u) for u in np.linspace(0.0, 1.0, 1000, endpoint=False)]
    assert {*values} == {1, 2, 3, 4} and all(type(v) is int for v in values)
    if not log:
        assert [values.count(v) for v in (1, 2, 3, 4)] == pytest.approx([250] * 4, abs=1)


def test_sobol_has_one_sample_in_each_equal_part_of_every_axis() -> None:
    axes = {name: Axis(0.0, 1.0) for name in "abcd"}
    rows = sobol(axes, 32, 5)
    for name in axes:
        assert sorted(math.floor(32 * float(row[name])) for row in rows) == list(range(32))
    assert rows == sobol(axes, 32, 5) != sobol(axes, 32, 6)


def test_random_samples_are_even_and_repeat() -> None:
    """The mean of n even samples is within 4 of its deviations, 1/sqrt(12 n), of one half."""
    axes = {"a": Axis(0.0, 1.0), "b": Axis(0.0, 1.0)}
    rows = random(axes, 400, 1)
    for name in axes:
        assert abs(np.mean([row[name] for row in rows]) - 0.5) < 4.0 / math.sqrt(12 * 400)
    assert rows == random(axes, 400, 1) != random(axes, 400, 2)


def test_every_combination_once() -> None:
    found = crossed([{"a": 1}, {"a": 2}], [{"b": "x"}, {"b": "y"}, {"b": "z"}])
    assert len({tuple(row.items()) for row in found}) == 6 and found[0] == {"a": 1, "b": "x"} and found[1]["b"] == "y"
    assert crossed() == [{}]


# --- the points of a file ---


def test_points_are_grid_by_samples_by_seeds_and_chips_are_paired_with_seeds(tmp_path: Path) -> None:
    sweep = read(tmp_path, f"""
        seeds = [3, 5]
        {OPTIONS}
        [grid]
        adc = [6, "none"]
        device = ["memristor", "ideal"]
        [random]
        samples = 3
        learning-rate = {{low = 0.001, high = 0.1, log = true}}
        epochs = {{low = 2, high = 9}}
        [sobol]
        samples = 2
        weight-range = {{low = 2.0, high = 8.0}}
    """)  # fmt: skip
    points = sweep.points()
    assert len(points) == sweep.size == 2 * 2 * 3 * 2 * 2
    check(points)
    for point in points:
        config, factors = point.config.as_dict(), point.factors
        assert config["seed"] == config["chip_seed"] == factors["seed"] == factors["chip-seed"] and factors["seed"] in (
            3,
            5,
        )
        assert config["adc"] == (None if factors["adc"] == "none" else 6) and config["device"] == factors["device"]
        assert config["learning_rate"] == factors["learning-rate"] and type(config["epochs"]) is int
        assert config["layers"] == [8] and config["preset"] == "plain"
    held = read(tmp_path, f"seeds = [3, 5]\nchip-seed = 7\n{OPTIONS}[grid]\nadc = [6]")
    assert [p.config.as_dict()["chip_seed"] for p in held.points()] == [7, 7]
    chips = read(tmp_path, f"{OPTIONS}[grid]\nchip-seed = [1, 2]")
    assert [p.factors for p in chips.points()] == [{"chip-seed": 1, "seed": 0}, {"chip-seed": 2, "seed": 0}]


def test_a_sweep_of_spiking_runs(tmp_path: Path) -> None:
    sweep = read(tmp_path, 'command = "spiking"\n[options]\ndata = "toy"\nlayers = [8]\n[grid]\nepochs = [1, 2]')
    assert [p.command for p in sweep.points()] == ["spiking"] * 2
    assert len({p.key for p in sweep.points()}) == 2


def test_the_recipe_of_a_device_belongs_to_its_points(tmp_path: Path) -> None:
    """The ideal device stays plain and learns at its own rate, as with the command simulate."""
    sweep = read(tmp_path, '[options]\ndata = "toy"\nlayers = [8]\n[grid]\ndevice = ["memristor", "ideal"]')
    real, ideal = (point.config.as_dict() for point in sweep.points())
    assert (real["preset"], ideal["preset"]) == ("buildable", "plain") and real["learning_rate"] != ideal[
        "learning_rate"
    ]


def test_a_search_has_no_points_beforehand(tmp_path: Path) -> None:
    sweep = read(tmp_path, f"seeds = [0, 1]\n{OPTIONS}[search]\ntrials = 6\nadc = {{low = 3, high = 8}}")
    assert sweep.points() == [] and sweep.size == 12
    assert sweep.search is not None and sweep.search.axes == {"adc": Axis(3, 8, False, True)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", "unknown entry 'colour'"),
        ("grids = {}", "did you mean 'grid'"),
        ("seeds = [0, 0]", "'seeds' should be a list of different whole numbers"),
        ("seeds = 3", "'seeds' should be"),
        ('chip-seed = "other"', "'chip-seed' should be"),
        ('command = "compare"', "'command' should be simulate or spiking"),
        ("options = 3", "'options' should be a table"),
        ("[options]\nepchs = 3", "[options] 'epchs': no option is called 'epchs'; did you mean"),
        ("[options]\nout = 'here'", "[options] 'out': the sweep itself sets the folder of each run"),
        ("[options]\nseed = 3", "[options] 'seed': the sweep itself sets the seeds"),
        ("[options]\nepochs = 'three'", "[options] 'epochs': --epochs takes a whole number, got 'three'"),
        ("[options]\nepochs = {low = 1}", "[options] 'epochs' should be a number, a text"),
        ("[options]\ndata = 'toys'\n[grid]\nadc = [8]", "no data set 'toys'"),
        ("[options]\nepochs = 0", "[options]: a run needs a whole number of at least 1"),
        ("[grid]\nadc = 8", "[grid] 'adc' should be a list of values"),
        ("[grid]\nadc = []", "[grid] 'adc' should be a list of values"),
        ("[grid]\nadc = [8, 8]", "[grid] 'adc' names a value twice"),
        ("[grid]\nadc = [8, 'many']", "[grid] 'adc', value 'many': --adc takes a number of bits"),
        ("[grid]\nadc = [8, 99]", "[grid] 'adc', value 99: a run needs"),
        ("[grid]\nadcs = [8]", "[grid] 'adcs', value 8: no option is called 'adcs'; did you mean"),
        ("[grid]\ndevice = ['memristor', 'memristr']", "no device 'memristr'"),
        ("[grid]\nupdate = ['coincidence']\nbits-per-average = [3]", "no option is called"),
        ("[options]\nadc = 8\n[grid]\nadc = [8]", "gives 'adc' in [options] and in [grid]"),
        ("[random]\nadc = {low = 2, high = 8}", "[random] lacks 'samples'"),
        ("[random]\nsamples = 0\nadc = {low = 2, high = 8}", "[random]: 'samples' should be"),
        ("[random]\nsamples = 3", "[random] names no option"),
        ("[random]\nsamples = 3\nadc = {low = 2}", "[random] 'adc' should be a table such as"),
        ("[random]\nsamples = 3\nadc = {low = 2, high = 8, step = 2}", "[random] 'adc' should be a table such as"),
        ("[random]\nsamples = 3\nadc = {low = 8, high = 2}", "[random] 'adc' should have numbers low < high"),
        ("[random]\nsamples = 3\nadc = {low = 2.5, high = 8}", "whole numbers"),
        ("[random]\nsamples = 3\nlearning-rate = {low = 0, high = 1, log = true}", "logarithmic"),
        ("[random]\nsamples = 3\nepochs = {choices = [1, 'a']}", "[random] 'epochs', value 'a'"),
        ("[sobol]\nsamples = 100\nlearning-rate = {low = 0.1, high = 1}", "power of two, such as 128"),
        ("[search]\nadc = {low = 2, high = 8}", "[search] lacks 'trials'"),
        (
            "[search]\ntrials = 3\ndirection = 'up'\nadc = {low = 2, high = 8}",
            "'direction' should be minimize or maximize",
        ),
        ("[search]\ntrials = 3\nadc = {low = 2, high = 8}\n[grid]\nepochs = [1]", "a [search] beside [grid]"),
        ("seeds = [0, 1]\n[random]\nsamples = 90000\nlearning-rate = {low = 0.1, high = 1}", "asks for 180000 points"),
        ("[grid]\npreset = ['plain']\ncolumns-per-adc = [8, 16]", "are the same run"),
        ("[grid", "TOML"),
    ],
)
def test_a_file_that_cannot_be_meant(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as error:
        check(read(tmp_path, text).points())
    assert words in str(error.value) and "\n" not in str(error.value)


def test_values_that_do_not_go_together_are_named_with_their_point(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sweep.toml, \[grid\] 'adc-offset', value 0.5: --adc-offset is an error"):
        read(tmp_path, f"{OPTIONS}adc = 'none'\n[grid]\nadc-offset = [0.0, 0.5]").points()
    with pytest.raises(UsageError, match="sweep.toml, point adc none, adc-offset 0.5: --adc-offset is an error"):
        read(tmp_path, f"{OPTIONS}[grid]\nadc = ['none']\nadc-offset = [0.5]").points()


def test_single_figures_of_a_device_are_axes_where_a_run_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each becomes one more text name=value of the option that holds figures."""
    sweep_of = f"{OPTIONS}[grid]\nfigures.write_noise = [0.0, 0.01]\n"
    if of_points.FIGURES not in of_points.Config.__dataclass_fields__:
        with pytest.raises(UsageError, match="no option is called 'figures.write_noise'"):
            read(tmp_path, sweep_of)
    taken: list[dict[str, Any]] = []
    monkeypatch.setattr(of_points, "fields", lambda kind: [*of_points.Config.__dataclass_fields__.values(), FIGURES])
    monkeypatch.setattr(of_points, "recommended", lambda chosen: taken.append(chosen) or {"data": "toy"})
    of_points.resolved("simulate", {"figures.write_noise": 0.01, "data": "toy", "figures.g_max": "2e-5"})
    assert taken == [{"figures": ("write_noise=0.01", "g_max=2e-5"), "data": "toy"}]


class FIGURES:
    """Stands for a field of a configuration."""

    name = "figures"


def test_a_point_is_told_from_another_by_what_decides_its_result(tmp_path: Path) -> None:
    (point,) = read(tmp_path, OPTIONS).points()
    moved = Point(replace(point.config, out="elsewhere", data_dir="there"), point.factors)
    assert moved.key == point.key and point.identity == moved.identity
    (other,) = read(tmp_path, f"{OPTIONS}epochs = 3").points()
    assert other.key != point.key
