"""The readers of device and technology files: whatever is wrong ends in one sentence that names the place."""

from __future__ import annotations

import hashlib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from hardware_models import figures, files
from hardware_models.check import UsageError
from hardware_models.energy import load_technology
from hardware_models.energy.files import packaged
from hardware_models.energy.load import technology_from_toml
from hardware_models.load import device_from_toml, load_device
from hardware_models.units import dimension, to_si


def short(value: object) -> str:
    """Return the name of a case: long inputs would make names that no terminal shows."""
    return f"{value!r:.30}"


HUGE = "9" * 5000
DEEP = "[" * 5000
FIGURE = {"value": 2.0, "unit": "uS", "low": 1.0, "high": 3.0, "kind": "measured", "source": "bench"}


def memristor() -> str:
    return resources.files("hardware_models.parameters").joinpath("wu2018_taox_hfox.toml").read_text(encoding="utf-8")


def refused(text: str, read: Any = device_from_toml) -> str:
    with pytest.raises(UsageError) as caught:
        read(text, "my.toml")
    sentence = str(caught.value)
    assert sentence.startswith("my.toml") and "\n" not in sentence and len(sentence) < 600
    return sentence


def test_a_decimal_comma_is_called_one() -> None:
    """Not a statement without its end; a fault elsewhere is told as before."""
    text = memristor()
    value = next(line for line in text.split("\n") if line.startswith("value = "))
    number = text.split("\n").index(value) + 1
    sentence = refused(text.replace(value, "value = 40,05  # uS", 1))
    assert sentence == f"my.toml, line {number}: numbers take a decimal point, got '40,05'; write 40.05."
    assert "decimal point" not in refused(text.replace(value, "value = 40 05", 1))
    assert refused(text.replace("[cycle_noise]", "[cycle_nose]")).endswith("did you mean 'cycle_noise'.")


# --- one figure ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value": "2"}, "each of its numbers, got '2'"),
        ({"value": True}, "each of its numbers, got True"),
        ({"value": float("nan")}, "each of its numbers, got nan"),
        ({"high": float("inf")}, "each of its numbers, got inf"),
        ({"low": [1.0]}, "each of its numbers, got [1.0]"),
        ({"high": 10**400}, "each of its numbers, got 1000"),
        ({"low": 2.5}, "lies outside its range [2.5, 3.0] uS"),
        ({"unit": ["S"]}, "as its unit, got ['S']"),
        ({"unit": 5}, "as its unit, got 5"),
        ({"unit": "V"}, "of the dimension conductance, but its unit 'V' is of the dimension voltage"),
        ({"unit": "uSs"}, "unknown unit 'uSs'"),
        ({"unit": "µS"}, "unknown unit 'µS'; did you mean 'uS'"),
        ({"kind": ["measured"]}, "as its kind, got ['measured']"),
        ({"kind": "guess"}, "kind 'guess', should be one of measured"),
        ({"source": ""}, "lacks its source"),
        ({"source": "\x1b[31m"}, "as its source"),
        ({"checked": 3}, "as its checked, got 3"),
        ({"chekced": "v2"}, "unknown entry 'chekced'; did you mean 'checked'"),
        ({"unit": None}, "lacks its unit"),
    ],
    ids=short,
)
def test_a_figure_is_refused_part_by_part(changes: dict[str, Any], words: str) -> None:
    """None leaves a part out."""
    entry = {name: value for name, value in (FIGURE | changes).items() if value is not None}
    with pytest.raises(UsageError) as caught:
        figures.figure(entry, "my.toml: 'g_max'", "conductance")
    assert str(caught.value).startswith("my.toml: 'g_max'") and words in str(caught.value)


def test_a_figure_says_where_it_was_checked() -> None:
    """The optional parts are texts; numbers come back in SI, the text of the file with them."""
    read = figures.figure(
        FIGURE | {"checked": "read in source X, version 2", "note": "n"}, "my.toml: 'g'", "conductance"
    )
    assert (read.value, read.low, read.high) == pytest.approx((2e-6, 1e-6, 3e-6))
    assert read.checked == "read in source X, version 2" and read.text == "2.0 uS"
    with pytest.raises(UsageError, match="should be a table with value, unit"):
        figures.figure(5.0, "my.toml: 'g'", "conductance")


@pytest.mark.parametrize("unit", [["S"], None, 5, {"S": 1}, "uSS"])
def test_units_are_texts(unit: Any) -> None:
    """A list or a number is refused like an unknown name."""
    for ask in (dimension, lambda name: to_si(1.0, name)):
        with pytest.raises(UsageError, match="unit"):
            ask(unit)


# --- device files ---


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "wu2018_taox_hfox"', "name = 0.5", "as its name, got 0.5"),
        ('name = "wu2018_taox_hfox"', 'name = ["a"]', "as its name, got ['a']"),
        ('name = "wu2018_taox_hfox"', 'name = "a\\u001b[2J"', "as its name"),
        ('model = "exponential_step"', 'model = ["exponential_step"]', "is named by a text"),
        ('model = "exponential_step"', f'model = "{"x" * 300}"', "no device model 'xxx"),
        ("doi = ", "do.i = ", "unknown entry 'do'; did you mean 'doi'"),
        ("citation = ", "citaton = ", "'source' lacks its citation"),
        ("[source]", "source = 5\n[sorce]", "'source' should be a table"),
        ('value = "mid"', "value = 3", "'fresh' needs a text"),
        ('value = "mid"', 'value = "middle"', "fresh to be one of"),
        ('value = "mid"', 'value = "mid"\nlow = 1', "'fresh' has an unknown entry 'low'"),
        ("[fresh]", "[assumptions]", "unknown entry 'assumptions'"),
        ("[g_min]", "[g_mim]", "did you mean 'g_min'"),
        ("value = 10.0", f"value = {HUGE}", "cannot be read as a TOML file"),
        ("value = 10.0", f"value = {DEEP}", "cannot be read as a TOML file (RecursionError)"),
        ("value = 10.0", f"{'a.' * 20_000}a = 1\nvalue = 10.0", "a name of more than 50 parts"),
        ("low = 3.0", "low = -3.0", "each of its numbers, got -3"),
        ("[g_min]", "[without_g_min]\n[g_min]", "unknown entry 'without_g_min'"),
    ],
    ids=short,
)
def test_a_device_file_is_refused_in_one_sentence(old: str, new: str, words: str) -> None:
    """Types, names, sizes and nesting are checked before use."""
    assert old in memristor()
    assert words in refused(memristor().replace(old, new, 1))


def test_a_device_file_names_the_figure_that_it_lacks() -> None:
    """Left out whole, a figure that the model has no default for."""
    table = tomllib.loads(memristor())
    start = memristor().index("[g_max]")
    end = memristor().index("\n[", start + 1)
    assert "g_max" in table and "lacks a figure: 'g_max'" in refused(memristor()[:start] + memristor()[end:])


def test_a_device_beyond_what_float32_holds_fails_its_examination(tmp_path: Path) -> None:
    """A number that is finite and positive, and yet leaves no conductance to move: a sentence, no warning."""
    text = memristor().replace("value = 10.0", "value = 1e-200").replace("low = 3.0", "low = 0.0", 1)
    start = text.index("[g_min]")
    tiny = text[:start] + text[start:].replace("value = 1.0", "value = 0.0", 1).replace("low = 0.2", "low = 0.0", 1)
    file = tmp_path / "my.toml"
    file.write_text(tiny, encoding="utf-8")
    with pytest.raises(UsageError, match=r"my\.toml|examination"):
        load_device(str(file))


def test_a_checked_figure_and_a_file_of_windows_are_read(tmp_path: Path) -> None:
    """`checked` and `note` stand at any figure; a byte order mark and CRLF are no fault; the file is noted."""
    text = memristor().replace('unit = "uS"', 'unit = "uS"\nnote = "both levels at .5 V"', 1)
    assert "\nchecked = " in text
    file = tmp_path / "my.toml"
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    with files.record() as noted:
        device: Any = load_device(str(file))
        load_device("memristor")
    assert device.g_max == pytest.approx(1e-5)
    assert noted == {
        "device file my.toml": hashlib.sha256(file.read_bytes()).hexdigest(),
        "device file wu2018_taox_hfox.toml": hashlib.sha256(memristor().encode()).hexdigest(),
    }


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "~nobody-of-this-name/x", "", "[red]"])
def test_names_of_files_are_refused_in_one_sentence(name: str) -> None:
    """Whatever the operating system says of them."""
    for load in (load_device, load_technology):
        with pytest.raises(UsageError, match="file"):
            load(f"{name}.toml")


# --- technology files ---


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "cmos-32nm"', "name = 32", "as its name, got 32"),
        ("schema = 1", "schema = true", "schema = 1, got True"),
        ("schema = 1", "schema = [1]", "schema = 1, got [1]"),
        ("[static.power]", "[statics.power]", "unknown table 'statics'; did you mean 'static'"),
        ("node_nm = 32", "node_nm = [32]", "node_nm, got [32]"),
        ("node_nm = 32", f"node_nm = {HUGE}", "cannot be read as a TOML file"),
        ("omits = [", "omits = [ [1],", "as its omits, got [1]"),
        ("[line.read_voltage]", "[line]\nread_voltage = 0.2\n[line.x]", "unknown entry 'x'"),
        ('law = "c*V_read^2"', 'law = ["c"]', "unknown law ['c']"),
        ('kind = "estimate"', "kind = [1]", "as its kind, got [1]"),
        ('status = "verified"', "status = [1]", "as its status, got [1]"),
        ('status = "verified"', 'status = "verified"\nhigh_source = [1]', "as its high_source, got [1]"),
        ('carried_by = "half.v2gt"', "carried_by = [1]", "should have carried_by alone"),
        ("[component.comparator]", f'[component."{"x" * 300}"]\nvalue = 1\n[component.comparator]', "prices no event"),
        (
            'component."add.int32"',
            'component."add.int33"',
            "'component.add.int33' prices no event that is counted; did you mean",
        ),
        (
            'component."mac.fp16"',
            'component."mac.fp17"',
            "'component.mac.fp17' prices no event that is counted; did you mean",
        ),
        (
            "node_nm = 32",
            "node_nm = 33",
            "the name 'cmos-32nm', which is that of a technology of this library; give it a name",
        ),
        ("bits = 8", "bits = 2.5", "its bits, got 2.5"),
        ("tolerance = 0.001", 'tolerance = "all"', "its tolerance, got 'all'"),
    ],
    ids=short,
)
def test_a_technology_file_is_refused_in_one_sentence(old: str, new: str, words: str) -> None:
    """Types, names, sizes and nesting are checked before use."""
    text = packaged("cmos-32nm")
    assert old in text
    assert words in refused(text.replace(old, new, 1), technology_from_toml)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('schema = 1\nmeta = "x"', "'meta' should be a table"),
        ('schema = 1\n[meta]\nextends = ["cmos-32nm"]', "extends the unknown technology ['cmos-32nm']"),
        ('schema = 1\nsources = 5\n[meta]\nextends = "cmos-32nm"', "'sources' should be a table"),
        ("schema = 1", "lacks the table 'meta'"),
    ],
    ids=short,
)
def test_a_technology_that_extends_another_is_refused_in_one_sentence(text: str, words: str) -> None:
    """The tables are looked at before they are laid over the other's."""
    assert words in refused(text, technology_from_toml)


def test_a_price_with_a_strange_name_or_source_is_one_sentence() -> None:
    """A control character in a name must not reach the terminal; a list for the source of a reference is no source."""
    text = packaged("cmos-32nm")
    begin = "[component.adc]\n"
    assert begin in text
    strange = text.replace(begin, begin + '"\\u001b[0m" = 1\n', 1)
    reference = 'tolerance = 0.001, source = "isaac2016"'
    assert reference in text
    with_source = text.replace(reference, "tolerance = 0.001, source = [1]", 1)
    for wrong, words in ((strange, "unknown entry"), (with_source, "unknown source [1]")):
        with pytest.raises(UsageError) as caught:
            technology_from_toml(wrong, "mine.toml")
        assert "mine.toml" in str(caught.value) and words in str(caught.value) and str(caught.value).isprintable()
