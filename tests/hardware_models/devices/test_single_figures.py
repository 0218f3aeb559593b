"""Single figures of a device are replaced: every one of every published device, and those that a model stores otherwise."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices import PUBLISHED
from hardware_models.devices.ageing import aged
from hardware_models.devices.base import BaseDevice
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.devices.single_figures import DERIVED, Given, names, number, parsed, with_figures
from hardware_models.keys import Key
from hardware_models.load import load_device


def clean(**figures: float) -> ExponentialStep:
    return ExponentialStep(**{"g_min": 1e-6, "g_max": 11e-6, "states": 100.0, **figures})


def one_pulse(device: BaseDevice, sign: int) -> np.ndarray:
    """Return the changes of many fresh cells, in mid-range, by one pulse, in units of the range."""
    cells = device.fabricate((100, 100), Key(3))
    before = cells.g.copy()
    device.pulse(cells, np.full((100, 100), sign, np.int32), Key(4))
    return np.asarray((cells.g - before) / device.g_range, np.float64)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED.values())))
def test_a_figure_replaced_by_itself_leaves_the_device_as_it_is(name: str) -> None:
    device = load_device(name)
    for figure in names(device):
        value = number(device, figure)
        if figure in DERIVED and value is None:
            value = DERIVED[figure].of(device)
        if value is None:
            continue  # a word or a switch
        same = with_figures(device, [Given(figure, value, "")], "a test")
        assert same.assumptions == (*device.assumptions, f"{figure}={value!r}: set by a test")
        for f in fields(device):
            if f.name != "assumptions":
                old, new = getattr(device, f.name), getattr(same, f.name)
                assert new == (pytest.approx(old, rel=1e-12) if isinstance(old, float) else old), (figure, f.name)


def test_values_come_with_or_without_units() -> None:
    given = [parsed(text) for text in ("g_max=20 uS", "cycle_noise = 1%", "v_read=0.3", "access=passive")]
    device = with_figures(clean(), given, "--figure")
    assert (device.g_max, device.v_read, device.access) == (20e-6, 0.3, "passive")
    assert number(device, "cycle_noise") == pytest.approx(0.01)
    assert [str(g) for g in given] == ["g_max=20.0 uS", "cycle_noise=1.0 %", "v_read=0.3", "access=passive"]


def test_the_asymmetry_is_the_ratio_of_the_steps() -> None:
    """Of a device without noise and with straight curves: mean step up over mean step down."""
    device = with_figures(clean(), [parsed("asymmetry=2.5")], "a test")
    assert one_pulse(device, 1).mean() / -one_pulse(device, -1).mean() == pytest.approx(2.5, rel=1e-3)


def test_finer_steps_keep_asymmetry_and_the_noise_as_a_share_of_the_step() -> None:
    """The sample deviation of n = 10 000 normal steps lies within 4/sqrt(2n) = 3 % of sigma."""
    coarse = clean(cycle_noise=0.004, states_down=50.0)
    fine = with_figures(coarse, [parsed("steps=400")], "a test")
    for sign, nominal in ((1, 1 / 400), (-1, -1 / 200)):
        moved = one_pulse(fine, sign)
        assert moved.mean() == pytest.approx(nominal, abs=4 * 0.001 / 100)
        assert moved.std() == pytest.approx(0.001, rel=0.03)


def test_the_spread_of_cells_is_that_of_their_steps() -> None:
    moved = np.log(one_pulse(with_figures(clean(), [parsed("cell_spread=0.3")], "a test"), 1))
    assert moved.std() == pytest.approx(0.3, rel=0.03)


def test_figures_reach_inside_wear_and_wear_itself() -> None:
    worn = aged(clean(), {"endurance": 1e6, "endurance_spread": 0.5}, "a test")
    device = with_figures(worn, [parsed("cycle_noise=0.02"), parsed("endurance=1e3"), parsed("g_max=20 uS")], "a test")
    assert number(device, "cycle_noise") == 0.02 and device.g_max == 20e-6
    assert device.describe()["wear"] == {"endurance": 1e3, "endurance_spread": 0.5}


@dataclass(frozen=True)
class Own:
    """A device of a user's that is not derived from the contract."""

    g_min: float = 0.0
    g_max: float = 1e-5
    slip: float = 0.1

    def fabricate(self, shape: tuple[int, int], key: Key) -> object:
        return None

    def pulse(self, state: object, pulses: np.ndarray, key: Key) -> None:
        del state, pulses, key


def test_a_users_dataclass_has_its_own_figures() -> None:
    device = with_figures(load_device(Own()), [parsed("slip=0.2")], "a test")  # type: ignore[arg-type]
    assert device.slip == 0.2  # type: ignore[attr-defined]


WRONG = {
    "cycle_nose=0.1": r"no figure 'cycle_nose'; did you mean 'cycle_noise' \(it has a_down, a_up, access, asymmetry",
    "endurance=5": "--endurance puts it around any device",
    "cycle_noise=-1": r"needs a number in \[0, 1\] for cycle_noise",
    "asymmetry=0": r"needs a number in \[0.001, 1000\] for asymmetry",
    "cycle_noise=10 uS": "'cycle_noise' is a number .1., but 'uS' is a unit of conductance",
    "g_max=20 us": r"'g_max' is a conductance .S., but 'us' is a unit of time",
    "g_max=20 furlong": "unknown unit 'furlong'",
    "cycle_noise=much": "takes a number, got 'much'",
    "read_noise_contains_thermal=2": "takes true or false",
    "access=3": "takes a word",
    "access=none": "access to be one of 1T1R, passive",
    "cycle_noise": "reads NAME=VALUE",
    "g_max=1 nS": "0 <= g_min < g_max",
    "cycle_noise=nan": "takes a number",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_figure_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=WRONG[text]) as refused:
        with_figures(clean(), [parsed(text)], "--figure")
    assert "\n" not in str(refused.value)


def test_two_values_of_one_figure_are_refused() -> None:
    with pytest.raises(UsageError, match="sets the figure 'states' of device 'exponential_step' twice"):
        with_figures(clean(), map(parsed, ("states=3", "states=4")), "--figure")
    with pytest.raises(
        UsageError, match="'steps' sets 'states' of device 'exponential_step': leave one of the two out"
    ):
        with_figures(clean(), map(parsed, ("steps=3", "states=4")), "--figure")
    with pytest.raises(UsageError, match="no figure 'asymmetry'"):
        with_figures(load_device("ideal"), [parsed("asymmetry=2")], "--figure")


def test_a_noise_that_is_given_does_not_follow_the_steps_and_the_asymmetry_does() -> None:
    device = with_figures(
        clean(cycle_noise=0.01), map(parsed, ("asymmetry=2", "cycle_noise=0.02", "steps=50")), "a test"
    )
    assert [number(device, n) for n in ("states", "states_down", "cycle_noise")] == [50.0, 100.0, 0.02]


def test_a_message_names_the_place_once_and_no_unit_of_a_plain_number() -> None:
    device = load_device("memristor")
    for text, words in (
        ("steps=0", "--figure: device 'memristor' needs a number in [1, 1e+09] for steps, got 0."),
        ("steps=abc", "--figure: 'steps' takes a number, got 'abc'."),
    ):
        with pytest.raises(UsageError) as caught:
            with_figures(device, [parsed(text)], "--figure")
        assert str(caught.value) == words
