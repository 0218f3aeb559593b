"""Wear and retention through the doors that users have: parameter file, command line, result."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analog_ff.__main__ import app as main
from analog_ff.cli.device_pictures import read_noise_of
from analog_ff.config.config import Config
from analog_ff.improvement.ablation import cases
from analog_ff.runs.build import port_of
from analog_ff.runs.execute import execute
from analog_ff.simulate import app, run_app
from hardware_models import load
from hardware_models.check import UsageError
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.inspection import inspect_cells
from hardware_models.devices.ageing import ENTRIES, NEEDS
from hardware_models.devices.base import si
from hardware_models.devices.faults import Faults
from hardware_models.devices.ideal import Ideal
from hardware_models.devices.one_sided import OneSided
from hardware_models.devices.phase_change import PhaseChange
from hardware_models.devices.retention import Retention
from hardware_models.devices.wear import Wear
from hardware_models.keys import Key
from hardware_models.load import device_from_toml, load_device
from hardware_models.units import BOLTZMANN, to_si

KEY = Key(0, "test")
MEMRISTOR: Any = load_device("memristor")
QUICK: dict[str, Any] = {"data": "toy", "layers": (16,), "epochs": 1, "shift": 0}
OPTIONS = ["--data", "toy", "--layers", "16", "--epochs", "1", "--shift", "0", "--json"]


def entry(name: str, value: Any, unit: str, kind: str = "measured") -> str:
    """Return a table of a parameter file, its range around the value."""
    ends = f'low = {0.5 * value}\nhigh = {2 * value}\nkind = "{kind}"\nsource = "a test of the maker"'
    return f'\n[{name}]\nvalue = {value}\nunit = "{unit}"\n{ends}\n'


def parameter_file(*entries: str, name: str = "wu2018_taox_hfox") -> str:
    """Return a published parameter file with more entries."""
    return resources.files("hardware_models.parameters").joinpath(f"{name}.toml").read_text() + "".join(entries)


def with_entries(*entries: str, name: str = "wu2018_taox_hfox") -> Any:
    """Return the device of a published parameter file with more entries."""
    return device_from_toml(parameter_file(*entries, name=name), "my.toml")


# --- laws ---


@pytest.mark.parametrize("n", [20, 50, 100])
def test_the_share_worn_is_the_distribution_of_the_lives(n: int) -> None:
    """After n pulses P(N <= n) = Phi(ln(n/N0)/s) of the cells are worn, within 4.5 standard errors."""
    device = with_entries(entry("endurance", 50, "pulses"), entry("endurance_spread", 0.5, "1"))
    array = Crossbar(device, (100, 100), key=KEY)
    array.pulse(np.full((100, 100), 2 * n, np.int32))  # n on each device of a pair
    p = float(stats.norm.cdf(math.log(n / 50) / 0.5))
    assert abs(inspect_cells(array).summary()["share_worn"] - p) < 4.5 * math.sqrt(p * (1 - p) / 20_000)


def test_a_file_with_an_endurance_is_a_device_that_wears() -> None:
    """Pulses beyond the life change nothing; before it the cell is that of the model; assumptions are carried along."""
    device = with_entries(entry("endurance", 7, "pulses", "assumption"))
    assert isinstance(device, Wear) and (device.endurance, device.endurance_spread) == (7.0, 0.0)
    assert any(a.startswith("endurance = 7 pulses: a test") for a in device.assumptions)
    assert device.describe()["wear"] == {"endurance": 7.0, "endurance_spread": 0.0}
    state, plain = device.fabricate((9, 11), KEY), MEMRISTOR.fabricate((9, 11), KEY)
    device.pulse(state, np.full((9, 11), 7, np.int32), KEY)
    MEMRISTOR.pulse(plain, np.full((9, 11), 7, np.int32), KEY)
    assert np.array_equal(state.g, plain.g)
    for n in (1, -5):
        device.pulse(state, np.full((9, 11), n, np.int32), KEY)
    assert np.array_equal(state.g, plain.g)


def test_a_file_with_a_retention_follows_arrhenius() -> None:
    """tau = tau0 exp(E_a/k_B (1/T - 1/300 K)), E_a in eV; the wear of the same file lies around it."""
    figures = [entry("retention", 10, "ms"), entry("activation_energy", 1.1, "eV"), entry("temperature", 330, "K")]
    device = with_entries(*figures, entry("retention_rest", 0.25, "1"), entry("endurance", 1e6, "pulses"))
    assert isinstance(device, Wear) and isinstance(device.inner, Retention) and device.timed
    assert device.inner.activation_energy == pytest.approx(1.1 * 1.602176634e-19, rel=1e-12)
    state = device.fabricate((3, 4), KEY)
    tau = 0.01 * math.exp(1.1 * 1.602176634e-19 / BOLTZMANN * (1 / 330 - 1 / 300))
    assert state.tau == pytest.approx(np.full((3, 4), tau), rel=1e-6)
    rest = 1e-6 + 0.25 * 9e-6
    wanted = rest + (state.g.astype(np.float64) - rest) * math.exp(-1)
    assert device.conductance(state, tau) == pytest.approx(wanted, rel=1e-6)
    assert to_si(1.0, "eV") == pytest.approx(1.602176634e-19) and to_si(1e3, "meV") == pytest.approx(to_si(1.0, "eV"))
    joule = with_entries(entry("retention", 10, "s"), entry("activation_energy", 0.2, "aJ"))
    assert isinstance(joule, Retention) and joule.activation_energy == pytest.approx(2e-19)


def test_noise_of_a_cell_that_forgets_is_that_of_what_is_left() -> None:
    """Noise relative to g falls with g."""
    noisy = replace(MEMRISTOR, read_noise=0.0, read_noise_relative=0.1)
    device = Retention.around(noisy, tau=1.0)
    state = device.fabricate((3, 4), KEY)
    variance = device.read_variance(state, 1.0)
    assert variance == pytest.approx((0.1 * device.conductance(state, 1.0).astype(np.float64)) ** 2, rel=1e-5)


@pytest.mark.parametrize("model", [OneSided(refresh_every=2.0, set_noise=0.02),
                                   PhaseChange(g_min=1e-6, g_max=1e-5, states=50.0, refresh_every=2.0)])  # fmt: skip
@pytest.mark.parametrize("around", [lambda d: Wear.around(d, endurance=1e12), lambda d: Faults.around(d)])
def test_a_wrapper_that_does_nothing_changes_nothing(model: Any, around: Any) -> None:
    """Bit for bit, the refresh of one-sided pairs and its cost included."""
    arrays = [Crossbar(device, (6, 5), key=KEY) for device in (model, around(model))]
    for k in range(8):
        events = [array.pulse(np.full((6, 5), 30, np.int32), key=KEY.at(k)) for array in arrays]
        assert events[0].counts == events[1].counts and events[0].integrals == events[1].integrals
    assert np.array_equal(arrays[0].conductances, arrays[1].conductances)
    assert arrays[0].received.sum() > 8 * 30 * 30  # there were refreshes


def test_a_refresh_counts_as_a_pulse_and_spares_worn_and_faulty_cells() -> None:
    """A cell of 5 pulses does not follow a refresh; a stuck one keeps its conductance; a cell that leaks starts anew."""
    model = OneSided()
    every = np.ones((4, 6), bool)
    worn = Wear.around(model, endurance=5.0)
    state = worn.fabricate((4, 6), KEY)
    worn.pulse(state, np.full((4, 6), -4, np.int32), KEY)
    worn.renew(state, every, KEY)
    assert np.array_equal(state.g, state.high) and (state.pulsed == 5).all()
    state.g[:] = 3e-6
    worn.renew(state, every, KEY)
    assert (state.g == np.float32(3e-6)).all()
    stuck = Faults.around(model, stuck_low=1.0)
    state = stuck.fabricate((4, 6), KEY)
    stuck.renew(state, every, KEY)
    assert np.array_equal(state.g, state.low)
    leaky = Retention.around(model, tau=1.0)
    state = leaky.fabricate((4, 6), KEY)
    leaky.renew(state, every, KEY, time=5.0)
    assert np.allclose(leaky.conductance(state, 5.0), state.high, rtol=1e-6)
    assert leaky.renews and not Wear.around(MEMRISTOR, endurance=5.0).renews


def test_read_noise_is_shown_a_second_after_the_write() -> None:
    """1/f noise of phase change: Q g sqrt(ln((1 s + t_r)/2 t_r)); a device without a law of time is read at once."""
    device = PhaseChange(g_min=1e-6, g_max=1e-5, states=50.0, q_noise=0.01, t_noise=1e-6)
    state = device.fabricate((1, 4), KEY)
    state.g[:] = np.array([2e-6, 4e-6, 6e-6, 8e-6])
    deviation, title = read_noise_of(device, state)
    assert deviation == pytest.approx(0.01 * state.g[0] * math.sqrt(math.log(1.000001 / 2e-6)), rel=1e-5)
    assert title == "read noise 1 s after the write"
    deviation, title = read_noise_of(MEMRISTOR, MEMRISTOR.fabricate((1, 4), KEY))
    assert deviation == pytest.approx(0.01 * 9e-6) and title == "read noise"


# --- the parameter file ---


@dataclass(frozen=True, kw_only=True)
class Own(Ideal):
    """A model with an endurance of its own law."""

    endurance: float = si("pulses", 1.0, 1e9, 10.0)


def test_a_models_own_entry_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MODELS", {"own": f"{__name__}:Own"})
    text = 'model = "own"\nname = "mine"\n[source]\ncitation = "mine"\n' + entry("endurance", 20, "pulses")
    device: Any = device_from_toml(text, "my.toml")
    assert type(device) is Own and device.endurance == 20.0


MISTAKES = [
    (
        entry("endurance", 50, "s"),
        "'endurance' should be of the dimension number, but its unit 's' is of the dimension time",
    ),
    (entry("endurance", 50, "pulses").replace('unit = "pulses"\n', ""), "'endurance' lacks its unit"),
    (entry("endurance", 50, "pulses").replace("low = 25.0", "low = 51.0"), "lies outside its range"),
    (entry("endurance", 50, "pulses").replace('source = "a test of the maker"', ""), "'endurance' lacks its source"),
    (entry("endurance", 0.5, "pulses"), "my.toml needs a number in [1, 1e+15] pulses for endurance"),
    (entry("endurance_spread", 0.5, "1"), "'endurance_spread' needs the entry 'endurance'"),
    (entry("retention_spread", 0.5, "1"), "'retention_spread' needs the entry 'retention'"),
    (entry("retention", 5, "s") + entry("temperature", 350, "K"), "'temperature' needs the entry 'activation_energy'"),
    (entry("activation_energy", 1, "eV"), "'activation_energy' needs the entry 'retention'"),
    (entry("retention", 5, "V"), "'retention' should be of the dimension time"),
    (entry("retenton", 5, "s"), "did you mean 'retention'"),
]


@pytest.mark.parametrize(("more", "words"), MISTAKES)
def test_mistakes_in_a_file_are_one_sentence(more: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_entries(more)
    said = str(caught.value)
    assert words in said and said.startswith("my.toml") and "\n" not in said and said.count(". ") == 0


def test_retention_around_another_law_of_time_names_the_file() -> None:
    """Drift, leak and hidden levels are refused; wear is not."""
    for name in ("nandakumar2020_pcm", "gong2022_reram_om"):
        with pytest.raises(UsageError, match=r"^my\.toml: device .* retention cannot be put around it\.$"):
            with_entries(entry("retention", 5, "s"), name=name)
        assert isinstance(with_entries(entry("endurance", 5, "pulses"), name=name), Wear)
    assert set(NEEDS) | set(NEEDS.values()) <= set(ENTRIES)


def test_a_file_of_the_user_can_be_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Equations of both, the numbers under the names of the file, a picture; the examination is passed."""
    path = tmp_path / "mine.toml"
    path.write_text(parameter_file(entry("endurance", 50, "pulses"), entry("retention", 10, "ms")))
    assert isinstance(load_device(str(path)), Wear)
    assert run_app(main, ["devices", "show", str(path), "--json", "--out", str(tmp_path / "a.png")]) == 0
    shown = json.loads(capsys.readouterr().out)
    numbers = {p["name"]: p for p in shown["parameters"]}
    assert numbers["endurance"]["kind"] == "measured" and numbers["endurance"]["low"] == 25.0
    assert numbers["retention"]["value"] == pytest.approx(0.01) and numbers["retention"]["unit"] == "s"
    assert numbers["cycle_noise"]["kind"] == "measured" and "inner" not in numbers
    assert (shown["model"], shown["around"]) == ("ExponentialStep", ["Retention", "Wear"])
    assert "u(p) = B" in shown["equation"] and "Endurance:" in shown["equation"]


# --- the command line and the result ---


def simulate(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> Any:
    """Return the result of a short run."""
    assert run_app(app, [*OPTIONS, "--out", str(folder), *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_reports_the_share_worn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Above 0 with an endurance, 0 without, null on a sealed chip; the sealed chip learns the same bits."""
    wear = ["--endurance", "50", "--endurance-spread", "0.5", "--layers", "16,8"]
    worn = simulate(capsys, tmp_path / "worn", *wear)
    cells = worn["cells"]
    first, second = cells["share_worn_by_layer"]
    assert 0 < cells["share_worn"] < 1 and worn["device"]["wear"]["endurance"] == 50.0
    assert cells["share_worn"] == pytest.approx((67 * 16 * first + 17 * 8 * second) / (67 * 16 + 17 * 8))
    fresh = simulate(capsys, tmp_path / "fresh")
    assert fresh["cells"]["share_worn"] == 0.0 and fresh["cells"]["share_worn_by_layer"] == [0.0]
    for name, sealed in (("sealed", ["--sealed"]), ("process", ["--port", "process"])):
        hidden = simulate(capsys, tmp_path / name, *wear, *sealed)
        assert hidden["cells"]["share_worn"] is None and hidden["cells"]["share_worn_by_layer"] is None
        assert hidden["test_error_percent_by_readout"] == worn["test_error_percent_by_readout"]
        assert hidden["device"] == worn["device"]


def test_a_run_that_forgets_is_resumed_to_the_bit(tmp_path: Path) -> None:
    """Wear and retention are part of the checkpoint; with the time constant far below the run's time weights are lost."""
    config = Config(**{**QUICK, "epochs": 2}, endurance=30.0, endurance_spread=0.5, retention=1e-4)

    class Stop(Exception):
        pass

    def stop(epoch: int) -> None:
        raise Stop

    whole, _ = execute(replace(config, out=str(tmp_path / "whole")), quiet=True)
    pieces = replace(config, out=str(tmp_path / "pieces"))
    with pytest.raises(Stop):
        execute(pieces, quiet=True, after_epoch=stop)
    again, _ = execute(pieces, resume=True, quiet=True)
    assert again["cells"] == whole["cells"] and again["events"] == whole["events"]
    assert again["test_error_percent_by_readout"] == whole["test_error_percent_by_readout"]
    still, _ = execute(replace(config, retention=None, out=str(tmp_path / "still")), quiet=True)
    spread = [r["cells"]["layers"][0]["weight_spread"] for r in (whole, still)]
    assert spread[0] < 0.5 * spread[1]


def test_cases_of_an_ablation() -> None:
    """Wear and retention are cases where they were asked for."""
    config = Config(**QUICK, device="ideal", out="x")
    asked = replace(config, endurance=50.0, endurance_spread=0.5, retention=1.0)
    found = cases(asked)
    assert list(found) == ["as given", "no converters", "no wear", "no retention", "all of these off"]
    assert found["no wear"].ageing() == {"retention": 1.0}
    assert found["all of these off"].ageing() == {}
    assert list(cases(replace(asked, retention=None))) == ["as given", "no converters", "no wear", "all of these off"]


def test_the_chip_that_is_written_once_keeps_its_own_file() -> None:
    """--endurance is that of --device; switches leave it alone."""
    config = Config(**QUICK, endurance=50.0, endurance_spread=0.5, device_spread=False, program_to="memristor")
    assert port_of(config, ((65, 4),)).device.endurance_spread == 0.5
    assert not isinstance(port_of(config, ((65, 4),), written_once=True).device, Wear)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--endurance", "0.5"], "[1, 1e+15] pulses for --endurance"),
        (["--endurance-spread", "0.5"], "--endurance-spread needs --endurance"),
        (["--endurance", "50", "--endurance-spread", "-1"], "[0, 5] for --endurance-spread"),
        (["--retention", "0"], "s for --retention"),
        (["--retention", "1", "--device", "nandakumar2020_pcm"], "nandakumar2020_pcm is of a model with a law"),
        (["--endurance", "5", "--device", "{}/mine.toml"], "has wear of its own already"),
        (["--endurance", "5", "--device", "{}/bare.py:Bare"], "only a device derived from BaseDevice can be wrapped"),
    ],
)
def test_bad_options_are_one_sentence(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(parameter_file(entry("endurance", 50, "pulses")))
    (tmp_path / "bare.py").write_text(
        "from hardware_models.devices.ideal import Ideal\n"
        "class Bare:\n"
        "    def __getattr__(self, name):\n        return getattr(Ideal(), name)\n"
        "    def fabricate(self, shape, key):\n        return Ideal().fabricate(shape, key)\n"
        "    def pulse(self, state, pulses, key, window=None):\n        Ideal().pulse(state, pulses, key, window)\n"
    )
    told = [o.format(tmp_path) for o in options]
    assert run_app(app, [*OPTIONS, *told, "--out", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.count("\n") == 1 and not (tmp_path / "run").exists()
