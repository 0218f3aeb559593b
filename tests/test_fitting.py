"""Fitting: known numbers come back within the stated intervals, the right form is chosen, and doubt is said aloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices.base import BaseDevice, gathered, si
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.devices.load import device_from_toml, load_device
from hardware_models.fitting import FORMS, Fit, Form, fit, fit_file, model_of, synthetic, write_pulse_train
from hardware_models.keys import Key


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


def fitted(forms: Mapping[str, Form] = ONLY, *, seed: int = 0, cells: int = 6, **more: Any) -> Fit:
    """Return the fit to a small synthetic train."""
    train = synthetic(ExponentialStep(**TRUTH | more), cells=cells, cycles=6, pulses=100, seed=seed)
    return fit(train, forms=forms)


def test_intervals_hold_the_truth_at_the_stated_rate() -> None:
    """Of the 95 % intervals of 12 devices, within three binomial errors of 95 % hold the true number."""
    held = []
    for seed in range(12):
        held += [p.low <= TRUTH[p.name] <= p.high for p in fitted(seed=seed).parameters]
    assert len(held) == 120
    assert np.mean(held) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / len(held))


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


def test_forms_without_a_model_are_passed_over() -> None:
    """A line may name a model that is not there, or numbers that it has not."""
    assert model_of(FORMS["exponential_step"]) is ExponentialStep
    assert model_of(Form("no_such_model", (), ())) is None
    assert model_of(Form("exponential_step", FORMS["power_step"].free, ())) is None


def test_few_data_are_called_few() -> None:
    """One cell: no spread from cell to cell; short trains: intervals called wide."""
    one = fitted(cells=1)
    assert any("too few for the spread from cell to cell" in n for n in one.notices)
    assert one.device.step_spread == 0.0
    short = fit(synthetic(ExponentialStep(**TRUTH | {"cycle_noise": 0.05}), cells=1, cycles=2, pulses=15), forms=ONLY)
    assert any("too few" in n for n in short.notices)


def test_the_parameter_file_is_read_back(tmp_path: Path) -> None:
    """CSV to device to TOML to device."""
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
    assert "was chosen among" in direct.assumptions[0]
    assert result.describe()["data"]["cells"] == 3
    (tmp_path / "flat.csv").write_text(
        "pulse,polarity,cycle,conductance [uS]\n"
        + "\n".join(f"{n % 60},{1 if n % 60 < 30 else -1},{n // 60},5" for n in range(120))
    )
    with pytest.raises(UsageError, match="never changes"):
        fit_file(tmp_path / "flat.csv")
