"""Retention and write-verify traces: known numbers come back in their intervals, and the device file runs and ages."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analog_ff.__main__ import app as main
from analog_ff.cli.app import run_app
from hardware_models.check import UsageError
from hardware_models.devices.ageing import has_law_of_time
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import synthetic, write_pulse_train
from hardware_models.fitting.pooled import pooled
from hardware_models.fitting.retention import fit_retention
from hardware_models.fitting.trace_result import TraceFit
from hardware_models.fitting.write_verify import fit_write_verify
from hardware_models.keys import Key
from hardware_models.laboratory.traces import Traces, kind_of, traces_of
from hardware_models.load import device_from_toml, load_device

TOP = 40e-6
Draw = np.random.Generator


def power(g: float, t: np.ndarray, xi: float) -> np.ndarray:
    """Return a drift of exponent .05, with a spread of .01 and a slope of .02 an e-fold."""
    return np.asarray(g * t ** -(0.05 + 0.02 * math.log(g / TOP) + 0.01 * xi))


def relaxing(g: float, t: np.ndarray, xi: float) -> np.ndarray:
    """Return a relaxation to 5 uS in 10⁴ s, with a log-normal spread of .3."""
    return np.asarray(5e-6 + (g - 5e-6) * np.exp(-t / (1e4 * math.exp(0.3 * xi))))


def steady(g: float, t: np.ndarray, xi: float) -> np.ndarray:
    """Return a conductance that stays."""
    return np.full(len(t), g)


def table(law: Callable[[float, np.ndarray, float], np.ndarray], *, cells: int = 8, seed: int = 0, noise: float = 0.01,
          readings: int = 12, spikes: tuple[int, ...] = ()) -> str:  # fmt: skip
    """Return a table of `cells` cells in three states each, readings from 1 to 10⁵ s; the lines `spikes` are times 3."""
    draw, lines, t = (
        np.random.default_rng(seed),
        ["cell,state,time [s],conductance [uS]"],
        np.geomspace(1.0, 1e5, readings),
    )
    for cell in range(cells):
        xi = float(draw.standard_normal())
        for state in (1, 2, 3):
            g = law(TOP * state / 3, t, xi) * (1 + noise * draw.standard_normal(len(t)))
            lines += [f"c{cell},{state},{a:.6g},{1e6 * b:.6g}" for a, b in zip(t, g, strict=True)]
    for line in spikes:
        *others, g = lines[line - 1].split(",")
        lines[line - 1] = ",".join([*others, f"{3 * float(g):.6g}"])
    return "\n".join(lines)


def fitted(text: str) -> TraceFit:
    """Return the fit to the traces of a table."""
    return fit_retention(traces_of(text, "trace.csv", "retention"))


def held(fit: TraceFit, truth: dict[str, float]) -> list[bool]:
    """Tell of each number whether its interval holds the truth; all numbers of the truth have one."""
    found = {p.name: p for p in fit.parameters}
    assert set(truth) <= set(found)
    return [found[name].low <= value <= found[name].high for name, value in truth.items()]


POWER = {"drift": 0.05, "drift_slope": 0.02, "drift_spread": 0.01, "read_noise_relative": 0.01}
RELAXING = {"retention": 1e4, "retention_spread": 0.3, "read_noise_relative": 0.01}


@pytest.mark.slow
@pytest.mark.parametrize(("law", "name", "truth"), [(power, "power", POWER), (relaxing, "exponential", RELAXING)])
def test_a_law_comes_back(law: Any, name: str, truth: dict[str, float]) -> None:
    """Mean, spread and dependence on the state lie in their 95 % intervals in most of three trials; the law in all of them."""
    hits = []
    for seed in range(3):
        fit = fitted(table(law, seed=seed))
        assert fit.law == name
        hits += held(fit, truth)
        assert fit.goodness["explained"] > 0.98
    # Of n intervals of 95 %, more than 3 deviations below the mean is improbable.
    n = len(hits)
    assert sum(hits) >= 0.95 * n - 3 * math.sqrt(0.95 * 0.05 * n)


def test_a_rest_value_is_found_though_single_traces_hardly_tell_it() -> None:
    """The range of such a device ends at the rest value; its time constant is within its interval."""
    fit = fitted(table(lambda g, t, xi: relaxing(g, t / 100, xi), readings=20))
    found = {p.name: p for p in fit.parameters}
    assert found["g_min"].value == pytest.approx(5e-6, rel=0.2)
    assert found["retention"].low < 1e6 < found["retention"].high


def test_cells_that_stay_get_no_law() -> None:
    """Neither in the device nor in its file."""
    fit = fitted(table(steady))
    assert fit.law == "none" and not has_law_of_time(fit.device)
    assert any("no change beyond the noise" in n for n in fit.notices)


def test_spikes_in_traces_are_named() -> None:
    """Three readings times three, one of them the last of its trace."""
    clean, spiked = fitted(table(power)), fitted(table(power, spikes=(6, 42, 85)))
    assert any(n.startswith("3 of 288 readings (1 %)") and "(lines 6, 42, 85)" in n for n in spiked.notices)
    values = {p.name: p.value for p in spiked.parameters}
    for p in clean.parameters:
        assert values[p.name] == pytest.approx(p.value, rel=0.05), p.name


@pytest.mark.parametrize("law", [power, relaxing])
def test_the_file_ages_as_the_traces_do(law: Any) -> None:
    """Cells of the device that is read back, written to the states of the traces, against the law itself."""
    fit = fitted(table(law))
    device: Any = device_from_toml(fit.toml(), "device.toml").without(spread=True)
    state = device.fabricate((1, 3), Key(0, "test"))
    g = TOP * np.array([1, 2, 3]) / 3
    state.g[:] = g.astype(np.float32)
    for time in (1.0, 1e3, 1e5):
        wanted = [float(law(x, np.array([time]), 0.0)[0]) for x in g]
        assert np.array(device.conductance(state, time))[0] == pytest.approx(wanted, rel=0.12)


def test_pooled_numbers_have_the_textbook_limits() -> None:
    """Without errors of their own: Student's interval and the one of chi-square; with large ones no spread."""
    from scipy.stats import chi2, t

    y = np.random.default_rng(0).normal(3.0, 0.5, 12)
    found = pooled(y, np.full(12, 1e-12))
    assert found.mean == pytest.approx(y.mean()) and found.spread == pytest.approx(y.std(ddof=1), rel=1e-6)
    assert found.half == pytest.approx(float(t.ppf(0.975, 11)) * y.std(ddof=1) / math.sqrt(12), rel=1e-6)
    ends = [y.std(ddof=1) * math.sqrt(11 / chi2.ppf(q, 11)) for q in (0.975, 0.025)]
    assert [found.low, found.high] == pytest.approx(ends, rel=1e-6)
    assert pooled(y, np.full(12, 100.0)).spread == 0.0
    few = pooled(y[:2], np.full(2, 0.04))
    assert (few.spread, few.high) == (0.0, 0.0) and few.half == pytest.approx(1.96 * 0.2 / math.sqrt(2), rel=1e-3)


def writes(*, cells: int = 30, seed: int = 0, spikes: tuple[int, ...] = ()) -> str:
    """Return a table of writes of ten targets: a shift of .2 uS, an error of .3 uS + 1 uS g/g_max, 5 pulses in the mean."""
    draw, lines = np.random.default_rng(seed), ["cell,target [uS],pulse,conductance [uS]"]
    for cell in range(cells):
        for target in np.linspace(2.0, 40.0, 10):
            n = 1 + int(draw.poisson(4))
            for k in range(1, n + 1):
                end = target + 0.2 + (0.3 + (target + 0.2) / 40) * draw.standard_normal()
                g = max(end, 0.0) if k == n else target * k / n
                lines.append(f"c{cell},{target:.6g},{k},{g:.6g}")
    for line in spikes:
        *others, _ = lines[line - 1].split(",")
        lines[line - 1] = ",".join([*others, "400"])
    return "\n".join(lines)


def test_errors_of_writes_come_back() -> None:
    """The shift and the error that grows with the conductance, and the pulses that a write needs."""
    hits = []
    for seed in range(3):
        fit = fit_write_verify(traces_of(writes(seed=seed), "w.csv", "write-verify"))
        assert "error of order 0" not in fit.law and fit.law.startswith("shift")
        found = {p.name: p for p in fit.parameters}
        if fit.law == "shift of order 0, error of order 1":
            hits += held(fit, {"shift_0": 2e-7, "error_0": 3e-7, "error_1": 1e-6})
        assert found["shift_0"].value == pytest.approx(2e-7, abs=1.5e-7)
        assert fit.goodness["pulses_of_a_write"] == pytest.approx(5.0, abs=4 * 2 / math.sqrt(300))
    n = len(hits)
    assert n >= 3 and sum(hits) >= 0.95 * n - 3 * math.sqrt(0.95 * 0.05 * n)
    device: Any = device_from_toml(fit.toml(), "device.toml")
    state = device.fabricate((1, 4000), Key(0, "test"))
    device.pulse(state, np.full((1, 4000), 128, np.int32), Key(1, "test"))
    left = np.array(device.conductance(state, 0.0))[0] - state.target[0]
    sigma = 3e-7 + 1e-6 * float(state.target[0].mean()) / TOP
    assert left.std() == pytest.approx(sigma, rel=0.15) and left.mean() == pytest.approx(2e-7, abs=1e-7)


def test_a_write_that_failed_is_named() -> None:
    """The last reading of a write at ten times the range."""
    text = writes()
    last = next(
        i for i, line in enumerate(text.splitlines(), 1) if i > 50 and text.splitlines()[i].split(",")[2] == "1"
    )
    fit = fit_write_verify(traces_of(writes(spikes=(last,)), "w.csv", "write-verify"))
    assert any(f"1 of 300 writes (0.33 %) ended far from where the others did (line {last})" in n for n in fit.notices)


def test_the_kind_of_a_table() -> None:
    """By its columns: a target, a time without pulses, or pulses; the user's own names count."""
    assert kind_of(table(steady), "a.csv") == "retention" and kind_of(writes(), "a.csv") == "write-verify"
    assert kind_of("cell,voltage [V],time [s],conductance [uS]\n1,1,1,1\n", "a.csv") == "pulses"
    assert kind_of("Age [h];G\n1;2\n", "a.csv") == "retention"
    assert kind_of("when;G\n1;2\n", "a.csv", "time=when [h]") == "retention"


def test_other_spellings_are_the_same_traces() -> None:
    """Hours, resistance, a units row, decimal commas, another order of rows."""
    text = table(power)
    rows = [line.split(",") for line in text.splitlines()[1:]]
    hours = "\n".join(["dut;level;Age [h];R", ";;;kohm", *(
        f"{c};{s};{float(t) / 3600:.12g};{1e3 / float(g):.12g}".replace(".", ",") for c, s, t, g in reversed(rows)
    )])  # fmt: skip
    one, other = traces_of(text, "a.csv", "retention"), traces_of(hours, "b.csv", "retention")

    def by_name(traces: Traces) -> dict[str, np.ndarray]:
        return {name: traces.g[traces.trace == i] for i, name in enumerate(traces.names)}

    both = by_name(one), by_name(other)
    for name, g in both[0].items():
        np.testing.assert_allclose(both[1][name], g, rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cell,time [s],G\n1,1,2\n", "lacks its unit"),
        ("cell,time [V],conductance [uS]\n1,1,2\n", "which is a voltage, not a time"),
        ("cell,time [s],conductance [uS]\n1,x,2\n", "line 2: the time should be a number, got 'x'"),
        ("cell,time [s],conductance [uS]\n1,-1,2\n", "line 2: the time is negative"),
        ("cell,time [s],other\n1,1,2\n", "no column 'conductance'"),
        ("cell,time [s],conductance [uS]\n1,1,2\n1,2,2\n", "trace 1 has 2 readings; at least 4 are needed"),
        ("cell,time [s],conductance [uS]\n1,0,2\n1,0,2\n1,0,2\n1,0,2\n", "no reading later than 0 s"),
    ],
)  # fmt: skip
def test_faults_are_one_sentence(text: str, words: str) -> None:
    """With the file, and the line where there is one."""
    with pytest.raises(UsageError) as caught:
        fitted(text)
    said = str(caught.value)
    assert words in said and said.startswith("trace.csv") and "\n" not in said


@pytest.mark.slow
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Pulses with a retention trace make one device file that ages, with a picture; traces alone, and writes with drift."""
    device = ExponentialStep(name="d", g_min=2e-6, g_max=4e-5, states=30.0, states_down=30.0, a_up=0.5, a_down=-0.35,
                             cycle_noise=0.008, v_up=1.6, v_down=1.8)  # fmt: skip
    write_pulse_train(synthetic(device, cells=2, cycles=2, pulses=40), tmp_path / "pulses.csv")
    for name, text in (
        ("slow.csv", table(relaxing, cells=4)),
        ("power.csv", table(power, cells=4)),
        ("writes.csv", writes(cells=8)),
    ):
        (tmp_path / name).write_text(text)

    def run(*arguments: str) -> str:
        assert run_app(main, ["devices", "fit", *arguments]) == 0
        return capsys.readouterr().out

    both, alone, drifting = (tmp_path / f"{name}.toml" for name in ("both", "alone", "drifting"))
    said = run(str(tmp_path / "pulses.csv"), "--retention", str(tmp_path / "slow.csv"), "--out", str(both), "--plot",
               str(tmp_path / "both.png"))  # fmt: skip
    assert "retention: exponential" in said
    made: Any = load_device(str(both))
    assert made.tau == pytest.approx(1e4, rel=0.5) and made.inner.states == pytest.approx(30.0, rel=0.3)
    assert "power" in run(str(tmp_path / "power.csv"), "--out", str(alone))
    assert load_device(str(alone)).nu == pytest.approx(0.05, rel=0.5)  # type: ignore[attr-defined]
    run(str(tmp_path / "writes.csv"), "--retention", str(tmp_path / "power.csv"), "--out", str(drifting), "--plot",
        str(tmp_path / "drifting.png"))  # fmt: skip
    written: Any = load_device(str(drifting))
    assert written.nu == pytest.approx(0.05, rel=0.5) and written.error_1 > 0 and has_law_of_time(written)
    assert all((tmp_path / f"{name}.png").stat().st_size > 20_000 for name in ("both", "drifting"))
    assert run_app(main, ["devices", "fit", str(tmp_path / "power.csv"), "--kind", "pulse"]) == 2
    assert "--kind takes one of pulses, retention, write-verify" in capsys.readouterr().err
