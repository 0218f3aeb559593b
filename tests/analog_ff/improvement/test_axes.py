"""The figures that can be improved: what each is as given and at its best, and how a run with a share of them left is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.improvement.axes import Axis, axes_of, between, changed
from analog_ff.improvement.rungs import Q, ladders
from analog_ff.improvement.switches import SWITCHES
from analog_ff.runs.build import device_of
from hardware_models.check import UsageError
from hardware_models.devices.single_figures import number

BASE = Config(data="toy", device="memristor")


def named(config: Config) -> Mapping[str, Axis]:
    return {axis.name: axis for axis in axes_of(config)}


def test_the_axes_are_the_imperfections_that_a_run_has() -> None:
    assert list(named(BASE)) == ["cycle_noise", "read_noise", "spread", "nonlinearity", "steps", "adc", "dac"]
    assert list(named(replace(BASE, write_noise=False, adc=None, figures=("asymmetry=2",)))) == [
        "read_noise", "spread", "nonlinearity", "steps", "asymmetry", "dac",
    ]  # fmt: skip
    buildable = Config(
        **recommended({"data": "toy", "stuck_low": 0.01, "stuck_high": 0.02, "retention": 10.0, "adc_offset": 0.5})
    )
    assert set(named(buildable)) - set(named(BASE)) == {
        "access", "faults", "converter_faults", "wires", "line_groups", "line_noise", "retention",
    }  # fmt: skip
    assert list(named(Config(data="toy", device="ideal", adc=None, dac=None))) == []


@pytest.mark.parametrize("name", ["cycle_noise", "read_noise", "spread", "nonlinearity"])
def test_the_best_value_is_the_device_without_the_imperfection(name: str) -> None:
    """What `BaseDevice.without` switches off for a run is what the axis takes away at its best, figure by figure."""
    off = {"cycle_noise": "write_noise", "read_noise": "read_noise", "spread": "spread", "nonlinearity": "nonlinearity"}
    axis, clean = named(BASE)[name], device_of(BASE).without(**{off[name]: True})
    assert replace(device_of(changed(BASE, {axis: 0.0})), assumptions=()) == replace(clean, assumptions=())


def test_a_share_of_an_imperfection_is_left() -> None:
    axes = named(replace(BASE, stuck_low=0.02, stuck_high=0.01))
    run = changed(replace(BASE, stuck_low=0.02, stuck_high=0.01), dict.fromkeys(axes.values(), 0.25))
    device = device_of(run)
    assert number(device, "cycle_noise") == pytest.approx(0.25 * 0.037)
    assert [number(device, n) for n in ("step_spread", "bound_spread")] == pytest.approx([0.025, 0.0125])
    assert number(device, "states") == 4 * 128 and number(device, "states_down") == 4 * 128
    assert (run.adc, run.dac, run.stuck_low, run.stuck_high) == (10, 10, 0.005, 0.0025)
    assert [axes["adc"].reached(share) for share in (0.9, 0.4, 0.25, 0.2)] == [0.5, 0.25, 0.25, 0.0]
    assert (
        axes["spread"].reached(0.3) == 0.3
        and axes["adc"].text(0.25) == "10 bits"
        and axes["adc"].text(0.0) == "none"
        and axes["faults"].value(0.5) == 0.01
    )
    # Curvature 1/A is what shrinks: of the down curve A = -2 becomes -8.
    assert number(device, "a_down") == pytest.approx(4 * -1.997332, rel=1e-4)


def test_between_is_what_was_and_the_best_at_its_ends() -> None:
    for present, best in ((0.3, 0.0), (-2.0, 1e6), (128.0, 2048.0), (3.0, 1.0), (0.4, 1.0), (0.0, 5.0)):
        assert between(present, best, 1.0) == pytest.approx(present)
        assert between(present, best, 0.0) == pytest.approx(best)
    assert between(2.0, 1e12, 0.5) == pytest.approx(4.0)


def test_wires_become_thicker_and_then_vanish() -> None:
    config = Config(data="toy", wires="refreshed", wire_resistance=2.0)
    axis = named(config)["wires"]
    assert changed(config, {axis: 0.5}).wire_resistance == 1.0
    assert changed(config, {axis: 0.0}).wires == "off" and axis.text(0.5) == "1 ohm a cell"


def test_a_converter_without_steps_has_no_faults_and_calibrates_nothing_but_the_other_one() -> None:
    config = Config(data="toy", adc_offset=0.5, dac_offset=0.5, calibrate="offset")
    axes = named(config)
    without = changed(config, {axes["adc"]: 0.0})
    assert (without.adc, without.adc_offset, without.dac_offset, without.calibrate) == (None, 0.0, 0.5, "offset")
    assert changed(without, {named(without)["dac"]: 0.0}).calibrate == "none"


def test_any_figure_is_an_axis_with_its_best_value() -> None:
    (axis,) = axes_of(BASE, ["g_max=20 uS"])
    assert device_of(changed(BASE, {axis: 0.0})).g_max == pytest.approx(20e-6)
    assert [a.name for a in axes_of(BASE, ["adc", "a_down=1e6"])] == ["adc", "a_down"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (["cycle_nose"], "did you mean 'cycle_noise'"),
        (["asymmetry"], "this run has cycle_noise"),
        (["g_max=20 us"], "a unit of time"),
        (["a_dwn=1e6"], "no figure 'a_dwn'"),
        (["a_down=-1.997332"], "has its best value already"),
        (["adc", "adc"], "names one figure twice"),
    ],
)
def test_a_wrong_axis_is_refused_in_one_sentence(wanted: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        axes_of(BASE, wanted)


def test_a_switch_is_on_where_a_run_feels_the_effect() -> None:
    grouped = Config(data="toy", line_groups="auto", technology="cmos-32nm-wide")
    assert SWITCHES["line groups"].on(grouped, device_of(grouped)) and not SWITCHES["line groups"].on(
        BASE, device_of(BASE)
    )
    assert all(set(switch.off) <= set(Config.__dataclass_fields__) for switch in SWITCHES.values())


# --- ladders ---


def test_ladders_lead_from_the_best_value_to_the_worst() -> None:
    noise, skew, steps, adc, stuck = ladders(BASE, ["cycle_noise=0.5", "asymmetry=4", "steps", "adc", "stuck_low"])
    assert (
        noise.values[0] == 0.0
        and noise.values[-1] == 0.5
        and skew.values[0] == 1.0
        and skew.values[-1] == pytest.approx(4.0)
    )
    assert steps.values[0] == 16 * 128 and steps.values[-1] is not None and 1.0 <= steps.values[-1] < Q
    assert adc.values[:2] == (None, 16.0) and adc.values[-1] == 2.0 and stuck.values[-1] == 1.0
    for ladder in (noise, skew, steps, stuck):
        ratios = [b / a for a, b in zip(ladder.values[1:], ladder.values[2:], strict=False) if a and b]
        assert all(max(r, 1 / r) == pytest.approx(Q, rel=1e-4) for r in ratios), ladder.name
    run = BASE
    for ladder, value in ((noise, 0.25), (skew, 2.0), (steps, 64.0), (adc, 5.0), (stuck, 0.1)):
        run = ladder.at(run, value)
    device = device_of(run)
    assert [number(device, n) for n in ("cycle_noise", "states", "states_down")] == [0.25, 64.0, 128.0]
    assert (run.adc, run.stuck_low) == (5, 0.1) and adc.at(run, None).adc is None


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (["nose"], "neither device 'memristor' nor the chip has a number 'nose'"),
        (["access"], "has a number 'access'"),
        (["adc=20"], "2 to 15 bits, got 20"),
        (["asymmetry=1"], "lies at its best one"),
        (["adc", "adc=3"], "names one figure twice"),
        (["cycle_noise=3 S"], "a unit of conductance"),
    ],
)
def test_a_wrong_ladder_is_refused_in_one_sentence(wanted: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ladders(BASE, wanted)
