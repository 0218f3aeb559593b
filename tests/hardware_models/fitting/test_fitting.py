"""Fitting: known numbers come back within the stated intervals, the right form is chosen, and doubt is said aloud."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, gathered, si
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import FORMS, Fit, Form, fit, fit_file, model_of, search, synthetic, write_pulse_train
from hardware_models.fitting.data import TrainData
from hardware_models.fitting.likelihood import Candidate
from hardware_models.fitting.pulse_train import PulseTrain, parse_pulse_train, read_pulse_train
from hardware_models.keys import Key
from hardware_models.load import device_from_toml, load_device


class SoftState(NamedTuple):
    """Two cells' worth of nothing but g."""

    g: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Soft(BaseDevice):
    """Steps proportional to the way left to either bound, noise relative to the range: a model of the user's own."""

    states: float = 50.0
    states_down: float = si("1", 1.0, 1e9, 50.0)
    cycle_noise: float = si("1", 0.0, 1.0, 0.0)

    def imperfections(self) -> dict[str, list[str]]:
        return super().imperfections() | {"write_noise": ["cycle_noise"]}

    def fabricate(self, shape: tuple[int, int], key: Key) -> SoftState:
        return SoftState(self.fresh_conductance(shape, key))

    def pulse(self, state: Any, pulses: np.ndarray, key: Key, window: Any = None) -> None:
        if window is not None:
            gathered(self.pulse, state, pulses, key, window)
            return
        n = np.abs(pulses)
        end = np.where(pulses > 0, self.g_max, self.g_min)
        rate = np.where(pulses > 0, 1.0 / self.states, 1.0 / self.states_down)
        noise = self.cycle_noise * self.g_range * np.sqrt(n) * key.generator().standard_normal(n.shape)
        g = end - (end - state.g) * (1.0 - rate) ** n + noise
        state.g[:] = np.clip(g, self.g_min, self.g_max)


SOFT = Form(f"{__name__}:Soft", (*FORMS["soft_bounds"].free,), ("states", "states_down"))
TRUTH: dict[str, Any] = {
    "name": "truth", "g_min": 1e-6, "g_max": 1e-5, "states": 60.0, "states_down": 80.0, "a_up": 0.8, "a_down": -1.5,
    "cycle_noise": 0.01, "step_spread": 0.15, "bound_spread": 0.03, "read_noise": 0.005, "v_up": 1.5, "v_down": 1.0,
}  # fmt: skip
ONLY = {"exponential_step": FORMS["exponential_step"]}
TWO_MODELS = ("constant_step", "exponential_step")


def fitted(forms: Mapping[str, Form] = ONLY, *, seed: int = 0, cells: int = 6, **more: Any) -> Fit:
    """Return the fit to a small synthetic train."""
    train = synthetic(ExponentialStep(**TRUTH | more), cells=cells, cycles=6, pulses=100, seed=seed)
    return fit(train, forms=forms)


@pytest.mark.slow
def test_intervals_hold_the_truth_at_the_stated_rate() -> None:
    """Of the 95 % intervals of 12 devices, within three binomial errors of 95 % hold the true number."""
    held = []
    for seed in range(12):
        held += [p.low <= TRUTH[p.name] <= p.high for p in fitted(seed=seed).parameters]
    assert len(held) == 120
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


@pytest.mark.slow
def test_intervals_of_one_cell_hold_its_numbers_at_the_stated_rate() -> None:
    """Bounds and noises as well, none of them of no width; the spreads of which one cell knows nothing are not among them."""
    truth = TRUTH | {"states": 40.0, "states_down": 40.0, "step_spread": 0.0, "bound_spread": 0.0}
    held = []
    for seed in range(8):
        train = synthetic(ExponentialStep(**truth), cells=1, cycles=6, pulses=50, seed=seed)
        result = fit(train, forms=ONLY)
        assert {p.name for p in result.parameters} == set(truth) - {
            "name",
            "v_up",
            "v_down",
            "step_spread",
            "bound_spread",
        }
        assert all(p.low < p.high for p in result.parameters)
        assert any("which is not identified and left at 0" in n for n in result.notices)
        held += [p.low <= truth[p.name] <= p.high for p in result.parameters]
    assert len(held) == 64
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


def test_readings_below_zero_are_fitted() -> None:
    """Noise of the readings around a lower bound of almost 0: the bound is not below zero, and the rest as without."""
    train = synthetic(ExponentialStep(**TRUTH | {"g_min": 1e-8, "read_noise": 0.02}), cells=3, cycles=3, pulses=100)
    noisy = replace(train, g=np.where(train.g == 0.0, -1e-7, train.g))
    assert (noisy.g < 0).sum() > 5
    result = fit(noisy, forms=ONLY)
    found = {p.name: p for p in result.parameters}
    assert found["g_min"].value >= 0.0 and found["g_max"].value == pytest.approx(1e-5, rel=0.1)
    assert found["read_noise"].value == pytest.approx(0.02, rel=0.3)


def test_intervals_are_not_merely_wide() -> None:
    """Steps to a quarter, curvature to a fifth, noise to a tenth; estimates near the truth."""
    for p in fitted().parameters:
        if p.name not in ("g_min", "step_spread", "bound_spread"):
            assert abs(p.value - TRUTH[p.name]) < 0.25 * abs(TRUTH[p.name]), p
            assert p.high - p.low < 0.6 * abs(TRUTH[p.name]), p


def test_read_noise_is_told_from_cycle_noise() -> None:
    """Noise that stays in the cell and noise of the reading come back apart; without the one it is called 0."""
    loud = {p.name: p.value for p in fitted(read_noise=0.02).parameters}
    assert loud["read_noise"] == pytest.approx(0.02, rel=0.1) and loud["cycle_noise"] == pytest.approx(0.01, rel=0.15)
    quiet = {p.name: p for p in fitted(read_noise=0.0).parameters}["read_noise"]
    assert quiet.value == 0.0 and quiet.high < 0.006


def test_the_right_form_is_chosen() -> None:
    """A curved device is not called straight; a straight one may be both, and then the simpler form is taken aloud."""
    # Constant steps have a noise that goes with the step; the straight limit of the exponential one has not.
    two = {"straight": replace(FORMS["straight"], instead=""), "exponential_step": FORMS["exponential_step"]}
    curved = fitted(two)
    assert curved.form == "exponential_step" and "cannot tell" not in " ".join(curved.notices)
    straight = fitted(
        two, seed=1, a_up=1e6, a_down=1e6, step_spread=0.0
    )  # one standard error: a seed in six goes the other way
    assert straight.form == "straight"
    behind = {s.form: s for s in straight.scores}
    assert len(behind) == 2
    if behind["exponential_step"].behind < behind["exponential_step"].behind_error:
        assert "cannot tell straight from exponential_step" in " ".join(straight.notices)


def test_a_model_of_the_users_own_with_free_bounds() -> None:
    """One line adds it; its bounds, which no cell reaches, are found beyond what was measured."""
    truth = Soft(name="soft", g_min=1e-6, g_max=1e-5, states=50.0, states_down=70.0, cycle_noise=0.001, fresh="low")
    train = synthetic(truth, cells=4, cycles=5, pulses=60)
    result = fit(train, forms={"soft": SOFT, "straight": FORMS["straight"]})
    assert result.form == "soft"
    assert train.g.max() < 0.9 * truth.g_max
    for p in result.parameters:
        if p.name in ("g_min", "g_max", "states", "states_down", "cycle_noise"):
            assert p.low <= getattr(truth, p.name) <= p.high, p
            assert abs(p.value - getattr(truth, p.name)) < (0.15 * getattr(truth, p.name) if p.unit == "1" else 4e-7), p


NOISELESS: dict[str, dict[str, float]] = {
    "constant_step": {}, "soft_bounds": {}, "exponential_step": {"a_up": 0.5, "a_down": -0.35},
    "linear_step": {"gamma_up": 0.6, "gamma_down": 0.4}, "power_step": {"gamma_up": 1.5, "gamma_down": 0.7},
    "exponential_activity": {"a": -0.5, "b": 0.0, "amplitude_up": -1.0, "gamma_up": 2.0, "amplitude_down": -1.0,
                             "gamma_down": 1.5},
}  # fmt: skip


LONG = {"power_step", "exponential_activity"}
"""Forms whose fit without noise takes seconds."""


@pytest.mark.parametrize("form", [pytest.param(f, marks=[pytest.mark.slow] * (f in LONG)) for f in NOISELESS])
def test_a_curve_without_noise_lies_on_the_fitted_one(form: str) -> None:
    """Followed from each cycle's first reading; all steps are explained, those close to the bounds included."""
    numbers = {"g_min": 2e-6, "g_max": 4e-5, "states": 60.0, "states_down": 40.0}
    device = model_of(FORMS[form])(name="exact", fresh="low", **numbers, **NOISELESS[form])
    result = fit(synthetic(device, cells=1, cycles=2, pulses=80), forms={form: FORMS[form]})
    assert result.goodness["curve_rms"] < 1e-3
    assert result.goodness["explained"] > 0.9999 and result.goodness["explained_of_all"] > 0.9999
    assert result.goodness["all_steps"] == 320 > result.goodness["counted_steps"]
    for name, value in (numbers | NOISELESS[form]).items():
        assert getattr(result.device, name) == pytest.approx(value, rel=0.01), name


def test_the_curve_is_followed_from_the_first_reading_alone() -> None:
    """A device of constant steps, a wrong factor of 1.5 on them: after n steps the curve is off by n/2 of them."""
    device = model_of(FORMS["constant_step"])(
        name="c", g_min=1e-6, g_max=1e-5, states=100.0, states_down=100.0, fresh="low"
    )
    data = TrainData(synthetic(device, cells=1, cycles=2, pulses=20))
    candidate = Candidate(FORMS["constant_step"], data, (1e-6, 1e-5))
    apart = candidate.followed(np.log([100.0 * 1.5, 150.0, 1e-3, 1e-3]))
    step = 9e-6 / 100 / data.range
    # From 0 up: 20 steps of 1 against 20 of 2/3, and down again.
    expected = np.concatenate((np.arange(21), np.arange(19, -1, -1))) * step / 3
    np.testing.assert_allclose(apart, np.tile(expected, 2), atol=1e-5)


def test_what_is_explained_is_said_over_which_steps() -> None:
    """The first notice and the goodness: all steps, and those away from the bounds."""
    result = fitted(cells=2)
    goodness = result.goodness
    assert goodness["all_steps"] == result.train.steps > goodness["counted_steps"] > 0
    assert f"over all {result.train.steps}, " in result.notices[0]
    assert f"over the {int(goodness['counted_steps'])} that begin farther than" in result.notices[0]


def test_one_cycle_of_one_cell() -> None:
    """Fitted, with the choice made on stretches held out; every figure is a number."""
    train = synthetic(ExponentialStep(**TRUTH), cells=1, cycles=1, pulses=60)
    two = {name: FORMS[name] for name in ("constant_step", "exponential_step")}
    result = fit(train, forms=two)
    assert len(result.scores) == 2 and all(
        np.isfinite([s.held_out, s.behind, s.behind_error]).all() for s in result.scores
    )
    assert device_from_toml(result.toml(), "device.toml").describe()["states"] == pytest.approx(result.device.states)


def test_readings_left_out_do_not_move_the_fit() -> None:
    """A tenth of the readings missing: the same numbers within the intervals of the whole train, by steps of two pulses there."""
    train = synthetic(ExponentialStep(**TRUTH), cells=4, cycles=4, pulses=60)
    g = train.g.copy()
    g[np.flatnonzero(~train.first)[5::11]] = np.nan
    whole, part = fit(train, forms=ONLY), fit(replace(train, g=g), forms=ONLY)
    assert part.train.steps < 0.92 * whole.train.steps
    found = {p.name: p for p in part.parameters}
    for p in whole.parameters:
        assert p.low <= found[p.name].value <= p.high, p


def test_spikes_do_not_move_the_fit(tmp_path: Path) -> None:
    """Three readings times three, as a bad contact makes them: named by their lines, numbers as without them."""
    write_pulse_train(synthetic(ExponentialStep(**TRUTH), cells=4, cycles=4, pulses=60), tmp_path / "clean.csv")
    lines = (tmp_path / "clean.csv").read_text().splitlines()
    for line in (110, 700, 1500):
        *others, reading = lines[line - 1].split(",")
        lines[line - 1] = ",".join([*others, f"{3 * float(reading):.7g}"])
    (tmp_path / "spikes.csv").write_text("\n".join(lines))
    clean, spiked = (fit(read_pulse_train(tmp_path / f"{name}.csv"), forms=ONLY) for name in ("clean", "spikes"))
    assert any("3 of 1936 readings" in n and "(lines 110, 700, 1500)" in n for n in spiked.notices)
    assert not any("readings" in n for n in clean.notices)
    found = {p.name: p for p in spiked.parameters}
    for p in clean.parameters:
        assert p.low <= found[p.name].value <= p.high, p


def test_steps_that_never_leave_the_bounds_are_refused() -> None:
    """A switch, which one pulse takes from bound to bound: nothing is left to count."""
    switch = ExponentialStep(**TRUTH | {"states": 1.0, "states_down": 1.0, "cycle_noise": 0.0, "bound_spread": 0.0})
    train = synthetic(switch, cells=1, cycles=2, pulses=30)
    with pytest.raises(UsageError, match=r"steps up begin farther than .* at least 5 are needed"):
        fit(train, forms=ONLY)


@pytest.mark.parametrize("name", ["mess\U0001f600", "a\x7fb", 'q"uo\\te', "x" * 200, "$\\mu$_"])
def test_the_file_is_read_back_whatever_the_trains_name(name: str) -> None:
    """Beyond the basic plane, control characters, quotes, long ones."""
    train = replace(synthetic(ExponentialStep(**TRUTH), cells=1, cycles=2, pulses=30), path=f"/tmp/{name}.csv")
    result = fit(train, forms={"constant_step": FORMS["constant_step"]})
    again = device_from_toml(result.toml(), "device.toml")
    assert again.name == result.device.name and len(again.name) < 65  # type: ignore[attr-defined]
    result.toml().encode("utf-8")


def test_forms_without_a_model_are_passed_over() -> None:
    """A line may name a model that is not there, or numbers that it has not."""
    assert model_of(FORMS["exponential_step"]) is ExponentialStep
    assert model_of(Form("no_such_model", (), ())) is None
    assert model_of(Form("exponential_step", FORMS["power_step"].free, ())) is None


def bent(rate: float = 0.1) -> PulseTrain:
    """Return a train of four cells whose down steps are the share `rate` of the way to g_min, three cycles of 60 pulses."""
    draw, lines = np.random.default_rng(0), ["cell;cycle;pulse;V_V;width_ns;G_uS"]
    for cell in range(4):
        own, u = np.exp(0.1 * draw.standard_normal()), 0.02
        for cycle in range(3):
            for n in range(1, 121):
                step = own * (0.03 * (1 - 0.3 * u) if n <= 60 else -rate * u)
                u = float(np.clip(u + step + 0.004 * draw.standard_normal(), 0.0, 1.0))
                lines.append(f"{cell};{cycle};{n};{1.5 if n <= 60 else -1.4};100;{10 + 90 * u:.4f}")
    return parse_pulse_train("\n".join(lines), "bent.csv")


def test_numbers_of_which_only_the_product_is_known() -> None:
    """Steps in proportion to the way left: a_down * states_down is known, neither alone, and the curve is not straight."""
    result = fit(bent(), forms=ONLY)
    found, said = {p.name: p for p in result.parameters}, " ".join(result.notices)
    assert "straight one" in said and "too few data" not in said
    ends = re.search(r"only their product, \S+ pulses \[(\S+), (\S+)\]", said)
    assert ends is not None
    low, high = (float(x) for x in ends.groups())
    assert low < 1 / np.log(0.9) < high and high - low < 4
    for name in ("a_down", "states_down"):
        p = found[name]
        assert p.low == p.value == p.high and "only their product" in p.instead
    told = {p["name"]: p for p in result.describe()["parameters"]}
    assert told["a_down"]["low"] is None and told["a_up"]["low"] is not None
    assert result.toml().count("low and high are no interval: a_down and states_down") == 2
    assert "1000000" not in result.toml()
    device_from_toml(result.toml(), "device.toml")


def test_a_straight_curve_has_no_interval_of_its_curvature() -> None:
    """That of 1/a holds 0: a lies outside of two numbers, not between them."""
    result = fitted(a_up=1e6, cells=4)
    found = {p.name: p for p in result.parameters}
    assert "1/a_up lies in [" in found["a_up"].instead and "holds 0, a straight curve" in " ".join(result.notices)
    assert found["a_down"].low < -1.5 < found["a_down"].high and not found["states"].instead


def test_few_data_are_called_few() -> None:
    """One cell: no spread from cell to cell; short trains: intervals called wide."""
    one = fitted(cells=1)
    assert any("too few for the spread from cell to cell" in n for n in one.notices)
    assert one.device.step_spread == 0.0
    short = fit(synthetic(ExponentialStep(**TRUTH | {"cycle_noise": 0.05}), cells=1, cycles=2, pulses=15), forms=ONLY)
    assert any("too few" in n for n in short.notices)


def test_the_parameter_file_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV to device to TOML to device; of two forms, because it is fitted twice."""
    monkeypatch.setattr(search, "model_of", lambda form: model_of(form) if form.model in TWO_MODELS else None)
    write_pulse_train(synthetic(ExponentialStep(**TRUTH), cells=3, cycles=3, pulses=60), tmp_path / "lab.csv")
    seen: list[float] = []
    result = fit_file(tmp_path / "lab.csv", progress=lambda share, what: seen.append(share))
    assert seen == sorted(seen) and seen[-1] == 1.0
    again = device_from_toml(result.toml(), "device.toml")
    for p in result.parameters:
        assert getattr(again, p.name) == pytest.approx(p.value, rel=1e-9)
    assert (again.v_up, again.v_down) == (1.5, 1.0)  # type: ignore[attr-defined]
    # The fourth door: the file itself is a device, with what was chosen among its assumptions.
    direct: Any = load_device(str(tmp_path / "lab.csv"))
    assert direct.states == result.device.states and direct.name == "lab"
    assert any("was chosen among" in said for said in direct.assumptions)
    # Neither gives read voltage, read time, width of the pulses, access: assumed by both, in the file with the reason.
    assumed = [said.split(" = ")[0] for said in again.assumptions]  # type: ignore[attr-defined]
    assert assumed == ["v_read", "t_read", "t_up", "t_down", "access"]
    assert direct.assumptions[:5] == again.assumptions  # type: ignore[attr-defined]
    assert result.describe()["data"]["cells"] == 3
    (tmp_path / "flat.csv").write_text(
        "pulse,polarity,cycle,conductance [uS]\n"
        + "\n".join(f"{n % 60},{1 if n % 60 < 30 else -1},{n // 60},5" for n in range(120))
    )
    with pytest.raises(UsageError, match="never changes"):
        fit_file(tmp_path / "flat.csv")
