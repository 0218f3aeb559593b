"""Pulse trains: what is read, and that every fault is one sentence that names the file and the line."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.fitting import FORMS, model_of, pulse_train, synthetic
from hardware_models.fitting.pulse_train import parse_pulse_train, read_pulse_train
from hardware_models.laboratory import picked
from hardware_models.laboratory.outliers import outliers

HEAD = "cell,cycle,pulse,voltage [V],width [ns],conductance [uS]"


def rows(cells: int = 2, cycles: int = 2, pulses: int = 25) -> list[str]:
    """Return the rows of a good file."""
    out = []
    for c in range(cells):
        for k in range(cycles):
            g = 1.0
            for n in range(1, 2 * pulses + 1):
                sign = 1 if n <= pulses else -1
                g += 0.1 * sign
                out.append(f"A{c},{k},{n},{1.6 * sign:g},50,{g:.4f}")
    return out


def text(head: str = HEAD, change: dict[int, str] = {}, **shape: int) -> str:
    """Return a file with some lines changed (line 1 is the header)."""
    lines = [head, *rows(**shape)]
    for line, new in change.items():
        lines[line - 1] = new
    return "\n".join(lines)


def test_a_good_file() -> None:
    """Sorted by cell and cycle, in SI."""
    train = parse_pulse_train(text(), "mine.csv")
    assert train.cells == ("A0", "A1") and train.cycles == 2 and train.steps == 4 * 49
    assert train.g[0] == pytest.approx(1.1e-6) and train.voltage == pytest.approx((1.6, 1.6))
    assert train.width == pytest.approx((50e-9, 50e-9)) and train.notices == ()
    assert (train.polarity == 0).sum() == train.first.sum() == 4


def test_other_spellings() -> None:
    """Polarity words, semicolons, a byte-order mark, micro signs, extra columns, cells interleaved, cycles not named."""
    lines = ["pulse number;polarity;device;Conductance (µS);note"]
    for n in range(1, 121):
        for cell in ("x", "y"):
            up = (n - 1) // 30 % 2 == 0
            lines.append(f"{n};{'set' if up else 'reset'};{cell};{2 + (n - 1) % 30 * (0.01 if up else -0.01)};ok")
    train = parse_pulse_train("\n".join(lines), "mine.csv")
    assert train.cells == ("x", "y") and train.cycles == 2 and train.voltage is None
    assert train.notices == ("the column 'note' was not used",)
    assert list(train.line[train.first]) == [2, 122, 3, 123]


def test_a_device_that_positive_volts_lower() -> None:
    """The sign is taken from what the pulses do."""
    flipped = text().replace(",1.6,", ",x,").replace(",-1.6,", ",2,").replace(",x,", ",-1,")
    train = parse_pulse_train(flipped, "mine.csv")
    assert train.voltage == pytest.approx((1.0, 2.0)) and "positive pulses lower" in train.notices[0]
    step = np.diff(train.g)[~train.first[1:]]
    assert (np.sign(step) == train.polarity[~train.first]).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: the file is empty"),
        (HEAD, "line 2: no rows"),
        (
            text(HEAD.replace("conductance [uS]", "current [uA]")),
            "line 1: no column 'read voltage', without which a current",
        ),
        (text(HEAD.replace("conductance [uS]", "power [uW]")), "line 1: no column 'conductance', 'resistance' or"),
        (text(HEAD.replace("voltage [V]", "bias [V]")), "line 1: no column 'voltage' or 'polarity'"),
        (text(HEAD.replace("[uS]", "")), "line 1: the column 'conductance' lacks its unit"),
        (text(HEAD.replace("[uS]", "[uV]")), "which is a voltage, not a conductance"),
        (text(HEAD.replace("[uS]", "[uX]")), "unknown unit 'uX'"),
        (text(HEAD.replace("width [ns]", "conductance [nS]")), "line 1: two columns for the conductance"),
        (text(change={7: "A0,0,6,1.6,50,160 nS"}), "line 7: mixed units: '160 nS'"),
        (
            text(change={n: f"A0,0,{n - 1},1.6,50,-0.1" for n in range(4, 26)}),
            "line 4: 22 of 200 readings are negative (lines 4, 5, 6, 7, 8, ...; the first is -0.1 uS), more than 10 %",
        ),
        (text(change={7: "A0,0,6,nan,50,1.6"}), "line 7: the voltage is 'nan'"),
        (text(change={7: "A0,0,6,1.6,50,x\x1b"}), "line 7: the conductance should be a number, got 'x\\x1b'"),
        (text(change={7: "A0,0,6,1.6,50,1_0"}), "line 7: the conductance should be a number, got '1_0'"),
        (text(change={7: "A0,0,6,1.6,50,2e9"}), "line 7: too large a conductance 2e9 uS"),
        (text(change={7: "A0,0,6,1,6,50,2,1"}), "line 7: 8 columns, but the header has 6; decimal commas need"),
        (text(change={7: 'A0,0,6,1.6,50,"2,1"'}), "decimal commas (line 7) and decimal points (line 2) in one file"),
        (text(change={7: "A0,0,6,1.6,50,2\x000"}), "line 7: a NUL character"),
        (text(change={7: ",0,6,1.6,50,2"}), "line 7: the cell is empty"),
        (text(change={60: "A0,0,51,1.6,50,2"}), "line 60: cycle 0 of cell A0 goes on after another one has begun"),
        (text(HEAD.replace("[uS]", "[?S]")), "unknown unit '?S' (a prefix a, f, p, n, u, m"),
        (text(HEAD.replace("[uS]", "[us]")), "which is a time, not a conductance"),
        (text(change={7: "A0,0,6,1.6"}), "line 7: 4 columns"),
        (text(change={7: "A0,0,6,1.7,50,1.6"}), "line 7: the voltage of the up pulses changes from 1.6 V (line 2)"),
        (text(change={9: "A0,0,8,1.6,60,1.8"}), "line 9: the width of the up pulses changes from 50 ns"),
        (text(change={7: "A0,0,5,1.6,50,1.6"}), "line 7: pulse 5 of cell A0 follows pulse 5"),
        (text(change={7: "A0,0,4,1.6,50,1.6"}), "line 7: pulse 4 of cell A0 follows pulse 5"),
        (text(change={7: "A0,0,2.5,1.6,50,1.6"}), "line 7: the pulse number"),
        (text(cycles=1), "line 51: cell A0 ends after one cycle only"),
        (text(pulses=5), "line 41: the file ends with 16 steps up"),
    ],
)
def test_faults_are_named_by_their_line(content: str, words: str) -> None:
    """One sentence each."""
    with pytest.raises(UsageError) as caught:
        parse_pulse_train(content, "mine.csv")
    assert str(caught.value).startswith("mine.csv, line ") and words in str(caught.value)
    assert "\n" not in str(caught.value)


def as_table(head: str, row: str, separator: str = ",") -> str:
    """Return the good file with other columns: `row` is a format with c, k, n, sign, v [V], g [uS]."""
    out = [head]
    for line in rows():
        c, k, n, v, _, g = line.split(",")
        named = {"c": c, "k": k, "n": n, "v": float(v), "sign": "up" if float(v) > 0 else "down", "g": float(g)}
        out.append(row.format(**named, i=0.2 * float(g), r=1e3 / float(g), t=1e-3 * len(out)))
    return "\n".join(out).replace("|", separator)


EXPORTS: dict[str, tuple[bytes | str, str]] = {
    "as it is": (text(), ""),
    "mark of UTF-8": (text().encode("utf-8-sig"), ""),
    "UTF-16": (text().encode("utf-16"), ""),
    "UTF-16 without a mark": (text().encode("utf-16-le"), ""),
    "micro sign of Latin-1": (text(HEAD.replace("uS", "µS")).encode("latin-1"), ""),
    "micro sign of UTF-8": (text(HEAD.replace("uS", "µS")).encode(), ""),
    "Greek mu": (text(HEAD.replace("uS", "μS")).encode(), ""),
    "CR and LF": (text().replace("\n", "\r\n"), ""),
    "CR alone": (text().replace("\n", "\r"), ""),
    "tabs": (text().replace(",", "\t"), ""),
    "decimal commas": (text().replace(",", ";").replace(".", ","), ""),
    "quotes and decimal commas": (text().replace(",", '","').replace(".", ",").replace("\n", '"\n"')
                                  .removeprefix('"').replace("cell", '"cell', 1) + '"', ""),
    "empty cells at the end of a row": (text().replace("\n", ",,\n"), ""),
    "empty rows at the end": (text() + "\n,,,,,\n,,,,,\n\n", ""),
    "header as a comment": ("# " + text(), ""),
    "units by a slash": (text("cell,cycle,pulse,voltage / V,width / ns,G / uS"), ""),
    "a row of units": (text("cell,cycle,pulse,voltage,width,conductance\n-,-,-,V,ns,µS"), ""),
    "kiloohms": (as_table("cell,cycle,pulse,polarity,resistance [kΩ]", "{c},{k},{n},{sign},{r:.9g}"), ""),
    "current and read voltage": (
        as_table("cell,cycle,voltage [V],current [A],read voltage [mV]", "{c},{k},{v},{i:.9g}e-6,200"), "",
    ),
    "instrument": (
        as_table("Keithley 4200A\nTest Name,endurance\n\ndevice,cycle,Time,PulseV,MeasI,MeasV",
                 "{c},{k},{t:.3f},{v},{i:.9g}e-6,0.2"), "",
    ),
    "a transistor on a parameter analyser": (
        as_table("device,cycle,Time,GateV,DrainI,DrainV", "{c},{k},{t:.3f},{v},{i:.9g}e-6,0.2"), "",
    ),
    "two marks of UTF-8 and the end of a DOS text": (b"\xef\xbb\xbf" + text().encode("utf-8-sig") + b"\n\x1a", ""),
    "micro sign of DOS": (text(HEAD.replace("uS", "µS")).encode("cp850"), ""),
    "mu of Japan": (text(HEAD.replace("uS", "μS")).encode("shift_jis"), ""),
    "mu of China": (text(HEAD.replace("uS", "μS")).encode("gb2312"), ""),
    "kiloohms on a Macintosh": (
        as_table("cell,cycle,pulse,polarity,resistance [kΩ]", "{c},{k},{n},{sign},{r:.9g}").encode("mac_roman"), "",
    ),
    "kiloohms by the ohm sign": (as_table("cell,cycle,pulse,polarity,R (k\u2126)", "{c},{k},{n},{sign},{r:.9g}"), ""),
    "a power of ten": (text(HEAD.replace("uS", "10^-6 S")), ""),
    "a raised power of ten": (text(HEAD.replace("uS", "×10⁻⁶ S")), ""),
    "a power of ten for computers": (text(HEAD.replace("uS", "1e-6 S")), ""),
    "letters for the polarity": (
        as_table("cell,cycle,pulse,polarity,G (uS)", "{c},{k},{n},{sign},{g}").replace(",up,", ",P,").replace(",down,", ",D,"),
        "",
    ),
    "words for the polarity": (
        as_table("cell,cycle,polarity,G (uS)", "{c},{k},{sign},{g}").replace("up", "Positive").replace("down", "Negative"), "",
    ),
    "a read voltage with a decimal comma": (
        as_table("cell,cycle,voltage [V],current [uA]", "{c},{k},{v},{i:.9g}"), "read voltage=0,2 V",
    ),
    "columns by choice": (
        as_table("dut,run,Vp,AI", "{c},{k},{v},{i:.9g}"),
        "cell=dut,cycle=run,voltage=Vp [V],current=4 [uA],read-voltage=0.2 V",
    ),
    "no header": (as_table("from the lab", "{c},{k},{v},{g}"), "cell=1,cycle=2,voltage=3 [V],conductance=4 [uS]"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_of_laboratories_are_the_same_train(name: str) -> None:
    """Whatever the encoding, the separator, the decimal sign, the header and the quantity: the same numbers."""
    data, columns = EXPORTS[name]
    want, train = parse_pulse_train(text(), "mine.csv"), parse_pulse_train(data, "mine.csv", columns=columns)
    assert train.cells == want.cells and np.array_equal(train.polarity, want.polarity)
    np.testing.assert_allclose(train.g, want.g, rtol=1e-8)
    assert np.array_equal(train.cycle, want.cycle) and train.notices == ()
    assert {what for what, _, _ in train.taken} >= {"cell", "cycle", "conductance", "file"}


def test_what_was_taken_for_what_is_told() -> None:
    """Assumed units, formulas, encoding and separator."""
    taken = parse_pulse_train(EXPORTS["instrument"][0], "mine.csv").taken
    assert ("voltage", "PulseV", "V, unit assumed: the instrument's") in taken
    assert ("conductance", "current / read voltage", "S") in taken
    easy = as_table("SetupTitle, I/V-t Sampling\nDimension1, 240\nDataName, cell, cycle, Vpulse, Iread, Vread",
                    "DataValue, {c}, {k}, {v}, {i:.9g}E-06, 0.2").replace("\n", "\r\n")  # fmt: skip
    train = parse_pulse_train(easy, "mine.csv")
    assert ("voltage", "Vpulse", "V, unit assumed: the instrument's") in train.taken
    np.testing.assert_allclose(train.g, parse_pulse_train(text(), "mine.csv").g, rtol=1e-8)
    taken = parse_pulse_train(EXPORTS["decimal commas"][0], "mine.csv").taken
    assert taken[-1] == ("file", "text, header in line 1", "semicolon, decimal comma")
    assert parse_pulse_train(EXPORTS["UTF-16"][0], "mine.csv").taken[-1][1] == "UTF-16, header in line 1"


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("voltage", "takes name=column"),
        ("voltag=3", "knows no 'voltag'; did you mean 'voltage'"),
        ("voltage=4,voltage=5", "names the voltage twice"),
        ("voltage=bias", "line 1: no column 'bias' for the voltage"),
        ("conductance=voltage [V]", "which is a voltage, not a conductance"),
        ("voltage=2 V", "the voltage differs from row to row"),
        ("read voltage=2 uS", "has the unit 'uS', which is a conductance"),
        ("read voltage=0.2", "one value of the read voltage for all rows needs its unit, got '0.2'"),
        ("width=3", "the column 'pulse' lacks its unit"),
    ],
)
def test_choices_of_columns_that_cannot_be(choice: str, words: str) -> None:
    """One sentence."""
    with pytest.raises(UsageError, match=words.replace("[", r"\[").replace("/", ".")):
        parse_pulse_train(text(), "mine.csv", columns=choice)


def test_readings_that_are_no_numbers() -> None:
    """Left out, counted and named; their pulses count; a cycle begins with a reading; refused beyond a tenth."""
    bad = {2: "A0,0,1,1.6,50,", 7: "A0,0,6,1.6,50,nan", 8: "A0,0,7,1.6,50,9.91E+37", 12: "A0,0,11,1.6,50,#N/A"}
    train, whole = parse_pulse_train(text(change=bad), "mine.csv"), parse_pulse_train(text(), "mine.csv")
    assert train.notices == (
        "4 of 200 readings are no numbers (lines 2, 7, 8, 12) and were left out; their pulses count",
    )
    assert len(train.g) == 199 and train.line[0] == 3 and train.first[0] and train.polarity[0] == 0
    assert np.isnan(train.g[[4, 5, 9]]).all() and np.isnan(train.g).sum() == 3
    assert train.steps == whole.steps - 1 - 3  # a step goes from one reading to the next
    many = {i: f"A0,0,{i - 1},1.6,50,nan" for i in range(2, 24)}
    with pytest.raises(UsageError, match=r"line 2: 22 of 200 readings are no numbers .*, more than 10 %"):
        parse_pulse_train(text(change=many), "mine.csv")


@pytest.mark.parametrize("word", ["1.#QNAN", "-1.#IND", "1.#INF", "-nan(ind)", "?", "n.a.", "missing", "OVER", "#REF!"])
def test_words_that_stand_for_no_reading(word: str) -> None:
    """What programs and spreadsheets write there is a reading left out, not an error."""
    train = parse_pulse_train(text(change={6: f"A0,0,5,1.6,50,{word}"}), "mine.csv")
    assert np.isnan(train.g).sum() == 1 and "1 of" in train.notices[0] and "(line 6)" in train.notices[0]


def test_separators_of_thousands_are_not_decimal_commas() -> None:
    """A number of nanosiemens below 1000 beside others with a comma shows them; else it is said what was assumed."""

    def written(shift: int, mark: str) -> str:
        cells = [row.split(",") for row in rows()]
        return "\n".join(
            ["cell;cycle;pulse;polarity;conductance [nS]"]
            + [f"{c};{k};{n};{1 if float(v) > 0 else -1};{round(1000 * float(g)) + shift:,}".replace(",", mark)
               for c, k, n, v, _, g in cells]
        )  # fmt: skip

    small = min(float(row.split(",")[-1]) for row in rows())
    shift = 900 - round(1000 * small)
    for mark in (",", "."):
        with pytest.raises(
            UsageError, match=r"line \d+: '[\d,.]+' beside '\d+' in one column looks like a separator of"
        ):
            parse_pulse_train(written(shift, mark), "mine.csv")
    assert "every comma stands before three digits" in parse_pulse_train(written(1000, ","), "mine.csv").notices[0]
    assert "every point stands before three digits" in parse_pulse_train(written(1000, "."), "mine.csv").notices[0]


def test_single_readings_far_from_the_others() -> None:
    """Found wherever they stand, left out and named; kept by choice, and when they are many."""
    noise = np.random.default_rng(0)
    noisy = [HEAD] + [
        ",".join([*r.split(",")[:-1], f"{float(r.split(',')[-1]) + 0.02 * noise.standard_normal():.4f}"])
        for r in rows(3, 3)
    ]
    assert parse_pulse_train("\n".join(noisy), "mine.csv").notices == ()

    def spiked(*lines: int, factor: float = 3.0) -> str:
        out = list(noisy)
        for line in lines:
            *others, g = out[line - 1].split(",")
            out[line - 1] = ",".join([*others, f"{factor * float(g):.4f}"])
        return "\n".join(out)

    for lines in ((30,), (2,), (6, 7), (26, 51), (40, 140, 300)):
        train = parse_pulse_train(spiked(*lines), "mine.csv")
        assert f"({'lines' if len(lines) > 1 else 'line'} {', '.join(map(str, lines))})" in train.notices[0], lines
        assert f"{len(lines)} of 450 readings" in train.notices[0] and not set(lines) & set(
            train.line[np.isfinite(train.g)]
        )
    assert "line 30" in parse_pulse_train(spiked(30, factor=0.3), "mine.csv").notices[0]
    assert parse_pulse_train(spiked(30), "mine.csv", keep_outliers=True).notices == ()
    many = parse_pulse_train(spiked(*range(10, 450, 15)), "mine.csv")
    assert "too many for faults of single readings, and were kept" in many.notices[0] and np.isfinite(many.g).all()


def test_what_stays_in_the_cell_is_no_outlier() -> None:
    """A jump after which the cell goes on from its new state is the cell's own."""
    lines = rows(2, 3)
    lines[10:25] = [",".join([*r.split(",")[:-1], f"{float(r.split(',')[-1]) + 1:.4f}"]) for r in lines[10:25]]
    train = parse_pulse_train("\n".join([HEAD, *lines]), "mine.csv")
    assert np.isfinite(train.g).all() and train.notices == ()


def test_reversed_polarity_is_recognised() -> None:
    """By what the pulses do, for a column of polarities too; pulses that all go one way are refused."""
    named = as_table("cell,cycle,pulse,polarity,conductance [uS]", "{c},{k},{n},{sign},{g}")
    other = named.replace(",up,", ",x,").replace(",down,", ",up,").replace(",x,", ",down,")
    train = parse_pulse_train(other, "mine.csv")
    assert "positive pulses lower the conductance here" in train.notices[0]
    assert np.array_equal(train.polarity, parse_pulse_train(named, "mine.csv").polarity)
    drift = as_table("cell,cycle,polarity,conductance [uS]", "{c},{k},{sign},{t}")
    with pytest.raises(UsageError, match="pulses of both polarities raise the conductance"):
        parse_pulse_train(drift, "mine.csv")


SPELLINGS = (
    "{q}_{u}",
    "{q}/{u}",
    "{q} / {u}",
    "{q} in {u}",
    "{q} ({u})",
    "{q} [{u}]",
    "{q}{{{u}}}",
    "{q}, {u}",
    "{q} {u}",
    "{q}: {u}",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_titles_as_laboratories_write_them(spelling: str) -> None:
    """Every common way to put a unit behind a name gives the same readings, for every quantity and prefix."""
    want = parse_pulse_train(text(), "mine.csv").g
    titles = {"G": ("uS", 1.0), "Conductance": ("nS", 1e3), "g": ("µS", 1.0), "conductance": ("microsiemens", 1.0)}
    for name, (unit, factor) in titles.items():
        head = f"cell;cycle;pulse;{spelling.format(q='V', u='V')};{spelling.format(q='pulse width', u='ns')};"
        lines = [";".join([*r.split(",")[:-1], f"{factor * float(r.split(',')[-1]):.7g}"]) for r in rows()]
        content = "\n".join([head + spelling.format(q=name, u=unit), *lines])
        train = parse_pulse_train(content, "mine.csv")
        np.testing.assert_allclose(train.g, want, rtol=1e-8, err_msg=unit)
        assert train.width == pytest.approx((50e-9, 50e-9)) and train.notices == ()
    for name, unit, formula in (("R", "kOhm", "1e3 / x"), ("R", "kΩ", "1e3 / x"), ("I_read", "nA", "200 * x")):
        lines = [
            ";".join([*r.split(",")[:-1], "0.2", f"{eval(formula, {'x': float(r.split(',')[-1])}):.12g}"])
            for r in rows()
        ]
        head = ";".join(
            ("cell;cycle;pulse;V [V];width [ns]", spelling.format(q="V_read", u="V"), spelling.format(q=name, u=unit))
        )
        np.testing.assert_allclose(parse_pulse_train("\n".join([head, *lines]), "mine.csv").g, want, rtol=1e-8)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("G_us", "'G_us' could be a conductance, but 'us' is a time; write 'G [uS]'"),
        ("G/uSS", "'G/uSS' could be a conductance, but 'uSS' is no unit; write 'G [uS]'"),
        ("Conductance in %", "but '%' is a number; write 'Conductance [uS]'"),
        ("I_S", "'I_S' could be a current, but 'S' is a conductance"),
    ],
)
def test_titles_that_could_be_anything_are_refused(title: str, words: str) -> None:
    """Not guessed; and what the file has already is not advised."""
    with pytest.raises(UsageError) as caught:
        parse_pulse_train(text(HEAD.replace("conductance [uS]", title)), "mine.csv")
    assert words in str(caught.value) and f"did you mean '{title}'" not in str(caught.value)


def test_a_cell_that_is_not_found_is_named() -> None:
    """Two cells under a strange title look like cycles out of order: what was not used is said, and how to use it."""
    lines = rows()
    with pytest.raises(UsageError, match="goes on after another") as caught:
        parse_pulse_train("\n".join([HEAD.replace("cell", "dut?"), *lines]), "mine.csv")
    assert '; not used: dut?; say which it is with --columns "cell=dut?"' in str(caught.value)
    whole = parse_pulse_train(text(), "mine.csv")
    for title, columns in (("dut?", "cell=dut?"), ("dut", ""), ("Device ID", "")):
        train = parse_pulse_train("\n".join([HEAD.replace("cell", title), *lines]), "mine.csv", columns=columns)
        assert train.cells == whole.cells and (train.g == whole.g).all()


def test_titles_of_the_users_own_are_named_by_columns() -> None:
    """The refusal names the option; the unit at a title's end counts there as well."""
    head = HEAD.replace("voltage [V]", "Vhigh_V").replace("conductance [uS]", "Gmean_uS")
    with pytest.raises(UsageError, match=r'--columns "conductance=NAME \[uS\]"'):
        parse_pulse_train(text(head), "mine.csv")
    with pytest.raises(UsageError, match=r'--columns "voltage=NAME \[V\]"'):
        parse_pulse_train(text(head), "mine.csv", columns="conductance=Gmean_uS")
    train = parse_pulse_train(text(head), "mine.csv", columns="conductance=Gmean_uS,voltage=Vhigh_V")
    assert (train.g == parse_pulse_train(text(), "mine.csv").g).all() and train.voltage == pytest.approx((1.6, 1.6))
    with pytest.raises(UsageError, match="'Vhigh_V' has the unit 'mA', which is a current, not a voltage"):
        parse_pulse_train(text(head), "mine.csv", columns="conductance=Gmean_uS,voltage=Vhigh_V [mA]")


def test_a_long_title_is_found_as_it_stands() -> None:
    """A header shows 80 characters of a title; the whole one names the column all the same."""
    title = "reading after the pulse, mean of " + "many " * 20
    train = parse_pulse_train(
        text(HEAD.replace("conductance [uS]", f'"{title}"')), "mine.csv", columns={"conductance": "6 [uS]"}
    )
    assert train.g[0] == pytest.approx(1.1e-6)
    assert parse_pulse_train(
        "\n".join([HEAD.replace("conductance [uS]", f'"{title} [uS]"'), *rows()]),
        "mine.csv",
        columns={"conductance": "6 [uS]"},
    ).g[0] == pytest.approx(1.1e-6)


def test_readings_below_zero() -> None:
    """A few are noise around zero and are read; a tenth is a sign turned; a resistance below zero is no reading."""
    few = {51: "A0,0,50,-1.6,50,-0.1", 52: "A0,1,1,1.6,50,-0.02"}
    train = parse_pulse_train(text(change=few), "mine.csv")
    assert train.notices == (
        "2 of 200 readings are negative (lines 51, 52; the first is -0.1 uS), few enough for noise around zero, as which they "
        "are read",
    )
    assert train.g.min() == pytest.approx(-1e-7)
    turned = as_table("cell,cycle,polarity,MeasI,MeasV", "{c},{k},{sign},-{t}e-6,0.1")
    with pytest.raises(
        UsageError, match="are negative .* the sign of the current or of the read voltage is turned, or an off"
    ):
        parse_pulse_train(turned, "mine.csv")
    ohms = text(HEAD.replace("conductance [uS]", "R_MOhm"), change={9: "A0,0,8,1.6,50,-5"})
    train = parse_pulse_train(ohms, "mine.csv", keep_outliers=True)
    assert np.isnan(train.g[7]) and "a resistance is not" in train.notices[0]
    assert train.notices[1].startswith("1 of 200 readings are no numbers (line 9)")


DEVICES: dict[str, dict[str, float]] = {
    "straight": {}, "constant_step": {}, "soft_bounds": {}, "exponential_step": {"a_up": 0.5, "a_down": -0.35},
    "linear_step": {"gamma_up": 0.6, "gamma_down": 0.4}, "power_step": {"gamma_up": 1.5, "gamma_down": 0.7},
    "exponential_activity": {"amplitude_up": -1.0, "gamma_up": 2.0, "amplitude_down": -1.0, "gamma_down": 1.5},
}  # fmt: skip


@pytest.mark.parametrize("form", DEVICES)
def test_ends_of_cycles(form: str) -> None:
    """No reading of a clean train is an outlier; a spike at any end of a cycle is, and nothing beside it."""
    assert set(DEVICES) == set(FORMS)
    spikes = found = 0
    for states, noise, cells, cycles, resting in ((15.0, 0.0, 1, 2, True), (60.0, 0.002, 1, 5, False), (60.0, 0.008, 3, 3, True),
                                                  (15.0, 0.008, 3, 2, False)):  # fmt: skip
        numbers = {
            "g_min": 2e-6,
            "g_max": 4e-5,
            "states": states,
            "states_down": 0.7 * states,
            FORMS[form].noise: noise,
        }
        device = model_of(FORMS[form])(name="x", fresh="low", **numbers, **FORMS[form].fixed, **DEVICES[form])
        train = synthetic(device, cells=cells, cycles=cycles, pulses=50, seed=1)
        keep = (train.polarity != 0) | resting  # with and without a reading before the first pulse of a cycle
        g, sign, cell, cycle = (x[keep] for x in (train.g, train.polarity.astype(np.int64), train.cell, train.cycle))
        first = np.concatenate(([True], (np.diff(cycle) != 0) | (np.diff(cell) != 0)))
        assert not outliers(g, sign, first, cell).any()
        begins = np.append(np.flatnonzero(first), len(g))
        for begin, end in list(zip(begins[:-1], begins[1:], strict=True))[::3]:
            top = begin + int(np.flatnonzero(sign[begin:end] > 0)[-1])
            for place in (begin, top, top + 1, end - 1):
                spiked = g.copy()
                spiked[place] += 1.5e-5 if g[place] < 2.1e-5 else -1.5e-5
                bad = outliers(spiked, sign, first, cell)
                spikes, found = spikes + 1, found + int(bad[place])
                assert bad.sum() == bad[place]
    assert found == spikes > 24


def test_a_habit_at_the_ends_of_cycles_is_kept() -> None:
    """A first pulse that does much more in every cycle, or a change at the end that the next cycle goes on from."""
    lines = [r.split(",") for r in rows(2, 4)]
    habit = [",".join([*r[:-1], f"{float(r[-1]) + (0 if r[2] == '1' else 1.5):.4f}"]) for r in lines]
    assert parse_pulse_train("\n".join([HEAD, *habit]), "mine.csv").notices == ()
    stays = [",".join([*r[:-1], f"{float(r[-1]) + (1.5 if n >= 99 else 0):.4f}"]) for n, r in enumerate(lines[:200])]
    assert parse_pulse_train("\n".join([HEAD, *stays]), "mine.csv").notices == ()


def test_many_cycles() -> None:
    """Cycles are numbered by cell in the order in which they begin, however many there are."""
    head, sign = "cell,cycle,polarity,conductance [uS]", ("1", "1", "-1", "-1")
    lines = [f"{c},{9 * k},{sign[n]},{2 + (n in (1, 2))}" for c in "ab" for k in range(3000) for n in range(4)]
    train = parse_pulse_train("\n".join([head, *lines]), "mine.csv")
    assert train.cycles == 3000 and train.first.sum() == 6000
    assert np.array_equal(train.cycle[train.cell == 1], np.repeat(np.arange(3000), 4))


def test_limits_are_stated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size of the file and number of rows; a workbook is named as what it is."""
    (tmp_path / "big.csv").write_text(text())
    monkeypatch.setattr(pulse_train, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="bytes, more than the 1000 that are read"):
        read_pulse_train(tmp_path / "big.csv")
    monkeypatch.setattr(picked, "MOST_ROWS", 100)
    with pytest.raises(UsageError, match="line 102: more than 100 rows"):
        parse_pulse_train(text(), "mine.csv")
    with pytest.raises(UsageError, match="is a workbook or an archive"):
        parse_pulse_train(b"PK\x03\x04" + bytes(100), "mine.csv")


WORDS = (
    "",
    "nan",
    "1e400",
    "-1e308",
    "1e-320",
    "0",
    "-1",
    "abc",
    "\0",
    "µ",
    "1,5",
    "9" * 400,
    '"',
    "up",
    "\x1b[0m",
    "1e12",
)


def damaged(random: Random) -> bytes:
    """Return a good file with some of its cells, rows and bytes changed."""
    table = [line.split(",") for line in text(pulses=12).split("\n")]
    for _ in range(random.choice((1, 1, 2, 4))):
        line, word, what = random.choice(table), random.choice(WORDS), random.randrange(7)
        at = random.randrange(len(line) + 1)
        if what == 0:
            line[at : at + 1] = [word]
        elif what == 1:
            del line[at:]
        elif what == 2:
            line.insert(at, word)
        elif what == 3:
            table.insert(random.randrange(len(table)), list(line))
        elif what == 4:
            del table[random.randrange(1, len(table) + 1) :]
        for cells in table[1:] if what > 4 else ():
            cells[:] = cells[::-1] if what == 5 else [*cells[:at], word, *cells[at + 1 :]]
    data = "\n".join(",".join(cells) for cells in table).encode(random.choice(("utf-8", "utf-16", "cp1252")), "replace")
    return data[: random.choice((len(data), len(data), random.randrange(len(data) + 1)))]


def test_damaged_files_are_refused_in_a_sentence() -> None:
    """Success or one line that names the file, never another error and nothing that a terminal obeys."""
    random, refused = Random(3), 0
    for _ in range(200):
        try:
            parse_pulse_train(damaged(random), "mine.csv")
        except UsageError as error:
            refused += 1
            assert str(error).startswith("mine.csv") and str(error).isprintable(), str(error)
    assert 50 < refused < 200


def test_units_that_change_half_way() -> None:
    """A thousandfold jump that stays is refused at its line."""
    lines = rows()
    lines[30:] = [",".join([*r.split(",")[:-1], str(1e3 * float(r.split(",")[-1]))]) for r in lines[30:]]
    with pytest.raises(UsageError, match=r"line 32: the conductance jumps by a factor of about 1000"):
        parse_pulse_train("\n".join([HEAD, *lines]), "mine.csv")


def test_one_cycle_by_choice_and_missing_files(tmp_path: Path) -> None:
    """Accepted with a notice for every cell; a missing file is named."""
    train = parse_pulse_train(text(cycles=1), "mine.csv", one_cycle=True)
    assert len(train.notices) == 2 and "cell A0 has one cycle only" in train.notices[0]
    with pytest.raises(UsageError, match=r"nothing\.csv does not exist"):
        read_pulse_train(tmp_path / "nothing.csv")


def test_an_endless_line_is_refused_before_it_is_taken_apart() -> None:
    with pytest.raises(UsageError, match=r"x.csv, line 2: 3\d{4} characters, more than the 20000"):
        parse_pulse_train("cell,cycle,pulse,polarity,conductance [uS]\n" + "1,2,3," * 5500 + "\n", "x.csv")
