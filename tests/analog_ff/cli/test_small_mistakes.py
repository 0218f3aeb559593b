"""Small mistakes of a first use: the sentence holds what would have been right."""

from __future__ import annotations

import pytest

from analog_ff.config.config import Config
from analog_ff.config.reading import read
from hardware_models.check import UsageError
from hardware_models.figures import figure
from hardware_models.units import in_si

TYPED = {
    "a time with its unit": ("read-time", "10ns", "'10ns'; 10ns is --read-time 1e-08."),
    "a resistance with its unit": ("wire-resistance", "2 kohm", "2 kohm is --wire-resistance 2000."),
    "percent": ("stuck-low", "5%", "5% is --stuck-low 0.05."),
    "another quantity": ("read-time", "10nS", "without its unit, got '10nS'."),
    "a unit of its own": ("label-strength", "5%", "without its unit, got '5%'."),
    "no number": ("read-time", "1.2.3 ns", "got '1.2.3 ns'."),
    "layers apart": ("layers", "500 500", "separated by commas, such as 500,500, got '500 500'"),
    "half an epoch": ("epochs", "0.5", "--epochs takes a whole number, got '0.5'"),
}


@pytest.mark.parametrize("mistake", TYPED)
def test_a_text_that_is_no_number(mistake: str) -> None:
    """A unit is refused, and converted for the user where it is one of the option's quantity."""
    name, text, words = TYPED[mistake]
    with pytest.raises(UsageError) as refused:
        read(Config, name, text)
    assert str(refused.value).rstrip(".").endswith(words.rstrip("."))


def test_percent_in_place_of_a_share() -> None:
    """From above 1 to 100 the share is named; beyond, and for other ranges, it is not."""
    for value, words in ((5.0, r"got 5 \(a share: 5 % is 0.05\)[.]$"), (101.0, "got 101[.]$"), (-5.0, "got -5[.]$")):
        with pytest.raises(UsageError, match=words):
            Config(stuck_low=value)
    with pytest.raises(UsageError, match=r"got 60[.]$"):
        Config(endurance=50.0, endurance_spread=60.0)


def test_numbers_with_units_in_si() -> None:
    """Exact prefixes; nothing for another quantity, an unknown unit or no number."""
    assert (in_si("50 ns", "s"), in_si("2e1uS", "S"), in_si(".5%")) == ("5e-08", "2e-05", "0.005")
    assert [in_si(text, "s") for text in ("50 nS", "50", "ns", "50 parsec", "1d")] == [None] * 5


def test_the_ends_of_a_range_exchanged() -> None:
    """The message names both ends."""
    given = {"value": 50, "unit": "ns", "low": 60, "high": 45, "kind": "measured", "source": "generator"}
    with pytest.raises(UsageError, match="has its low end, 60 ns, above its high end, 45 ns"):
        figure(given, "mine.toml: 't_up'", "time")


def test_an_unknown_technology_is_no_matter_of_read_times() -> None:
    """The sentence begins with what is wrong."""
    from analog_ff.runs.execute import examine

    with pytest.raises(UsageError, match="^no technology 'cmos32'; did you mean 'cmos-32nm'"):
        examine(Config(data="toy", layers=(8,), technology="cmos32", read_time=5e-9))
