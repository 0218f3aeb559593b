"""Measurements as laboratories make them: several files, wide tables, few readings, mixed polarities, pulses of other sizes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from hardware_models.check import UsageError
from hardware_models.devices.exponential_step import ExponentialStep
from hardware_models.fitting import Given, fit, synthetic
from hardware_models.fitting.assumed import stands
from hardware_models.fitting.forms import FORMS
from hardware_models.fitting.pulse_train import PulseTrain, parse_pulse_train, read_pulse_train
from hardware_models.load import device_from_toml

CELLS, CYCLES, PULSES = ("A", "B"), 3, 30
Row = tuple[str, int, int, float, float]


def measured() -> list[Row]:
    """Return cell, cycle, pulse, voltage [V] and conductance [uS] of two cells, three cycles, 30 pulses up and 30 down."""
    draw, out = np.random.default_rng(11), []
    for cell in CELLS:
        for cycle in range(CYCLES):
            g = 4.0
            for pulse in range(1, 2 * PULSES + 1):
                up = pulse <= PULSES
                g += (0.2 if up else -0.2) + 0.02 * float(draw.standard_normal())
                out.append((cell, cycle, pulse, 1.6 if up else -1.8, round(g, 4)))
    return out


ROWS = measured()
HEAD = "cell,cycle,pulse,voltage [V],conductance [uS]"


def text(rows: list[Row] = ROWS, head: str = HEAD) -> str:
    return "\n".join([head, *(",".join(map(str, row)) for row in rows)])


WHOLE = parse_pulse_train(text(), "whole.csv")


def same(train: PulseTrain, scale: float = 1.0) -> None:
    """Assert that a train has the readings, pulses and cycles of the whole one."""
    np.testing.assert_allclose(train.g, WHOLE.g * scale, rtol=1e-6)
    assert np.array_equal(train.polarity, WHOLE.polarity) and np.array_equal(train.cycle, WHOLE.cycle)
    assert np.array_equal(train.cell, WHOLE.cell)


# --- several files ---


def test_a_file_a_cell_each_with_its_own_columns_and_units(tmp_path: Path) -> None:
    """Files that name no cell are a cell each, named after the file; the table says what was taken from each."""
    a, b = ([row for row in ROWS if row[0] == cell] for cell in CELLS)
    (tmp_path / "A.csv").write_text(
        "cycle;pulse;V (V);G (nS)\n" + "\n".join(f"{k};{n};{v};{1e3 * g:g}" for _, k, n, v, g in a)
    )
    (tmp_path / "B.txt").write_text(
        "cycle\tpulse\tpolarity\tR_kOhm\n"
        + "\n".join(f"{k}\t{n}\t{np.sign(v):g}\t{1e3 / g:.9g}" for _, k, n, v, g in b)
    )
    train = read_pulse_train([tmp_path / "A.csv", tmp_path / "B.txt"])
    same(train)
    assert train.cells == ("A", "B") and train.voltage == pytest.approx((1.6, 1.8)) and train.notices == ()
    assert [row for row in train.taken if row[0] == "1 file"] == [("1 file", "A.csv", ""), ("1 file", "B.txt", "")]
    assert ("resistance", "R_kOhm", "kohm") in train.taken and ("cell", "name of the file", "-") in train.taken
    assert train.path == "A.csv and 1 more file" and train.files == ("A.csv", "B.txt")
    alone = read_pulse_train([tmp_path / "A.csv", tmp_path / "B.txt"], each_file="cycles")
    assert alone.cells == ("1",) and alone.cycles == 2 * CYCLES


def test_cells_of_one_name_in_two_files(tmp_path: Path) -> None:
    """One cell whose cycles go on, with a notice, also where both files number them from 0; or cells of their own by choice."""
    parts = [[row for row in ROWS if row[1] == 0], [(c, k - 1, n, v, g) for c, k, n, v, g in ROWS if k > 0]]
    for number, part in enumerate(parts):
        (tmp_path / f"part{number}.csv").write_text(text(part))
    paths = [tmp_path / "part0.csv", tmp_path / "part1.csv"]
    train = read_pulse_train(paths)
    same(train)
    assert "cell A (and 1 more) stands in part0.csv, part1.csv and was taken for one cell" in train.notices[0]
    with pytest.raises(UsageError, match="part0.csv, line 61: cell part0:A ends after one cycle only"):
        read_pulse_train(paths, each_file="cells")
    assert read_pulse_train(paths, each_file="cells", one_cycle=True).cells == (
        "part0:A",
        "part0:B",
        "part1:A",
        "part1:B",
    )
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "run.csv").write_text(
            text([row for row in ROWS if row[0] == "A"]).replace("cell", "wafer", 1)
        )
    apart = read_pulse_train([tmp_path / folder / "run.csv" for folder in ("x", "y")])
    assert apart.cells == ("x/run", "y/run")
    with pytest.raises(UsageError, match="was given twice"):
        read_pulse_train([paths[0], paths[0]])
    with pytest.raises(UsageError, match="--each-file takes cells or cycles"):
        read_pulse_train(paths, each_file="both")


def test_a_fault_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(text())
    (tmp_path / "bad.csv").write_text(text().replace("A,1,5,1.6", "A,1,5,x", 1))
    with pytest.raises(UsageError, match=r"bad\.csv, line 66: the voltage should be a number, got 'x'"):
        read_pulse_train([tmp_path / "good.csv", tmp_path / "bad.csv"])
    lines = text().replace("A,1,5,1.6", "A,1,5,2.6", 1)
    (tmp_path / "bad.csv").write_text(lines)
    with pytest.raises(UsageError, match=r"bad\.csv, line 66: the voltage of the up pulses changes from 1.6 V"):
        read_pulse_train([tmp_path / "good.csv", tmp_path / "bad.csv"])


# --- wide tables ---


def wide(head: str, label: list[str], reading: str = "{g}") -> str:
    """Return a table with a column a cell; `reading` is a format with g [uS]."""
    by_cell = [[row for row in ROWS if row[0] == cell] for cell in CELLS]
    lines = [",".join([head, *label])]
    for rows in zip(*by_cell, strict=True):
        _, k, n, v, _ = rows[0]
        known = {"cycle": k, "pulse": n, "voltage [V]": v}
        first = [str(known[name]) for name in head.split(",")]
        lines.append(",".join([*first, *(reading.format(g=row[4], i=0.2 * row[4]) for row in rows)]))
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("head", "labels", "reading", "columns"),
    [
        ("cycle,pulse,voltage [V]", ["A [uS]", "B [uS]"], "{g}", ""),
        ("pulse,voltage [V]", ["G_A_uS", "G_B_uS"], "{g}", ""),
        ("voltage [V]", ["conductance A (uS)", "conductance B (uS)"], "{g}", ""),
        ("cycle,voltage [V]", ["A current [uA]", "B current [uA]"], "{i:.9g}", "read voltage=0.2 V"),
        ("cycle,voltage [V]", ["MeasI(1)", "MeasI(2)"], "{i:.9g}e-6", "read voltage=0.2 V"),
        ("cycle,voltage [V]", ["A", "B"], "{g}", "conductance=A,B [uS]"),
        ("cycle,voltage [V]", ["cellA", "cellB"], "{g}", "conductance=cell* [uS]"),
        ("cycle,voltage [V]", ["first", "second"], "{g}", "conductance=3-4 [uS]"),
    ],
)
def test_a_column_a_cell(head: str, labels: list[str], reading: str, columns: str) -> None:
    """Titles name cell and quantity, cell and unit, or the user names the columns."""
    train = parse_pulse_train(wide(head, labels, reading), "wide.csv", columns=columns)
    same(train)
    assert len(train.cells) == 2 and ("cell", "the titles", "-") in train.taken and train.notices == ()


def test_a_column_of_units_below_a_wide_header() -> None:
    lines = wide("cycle,voltage [V]", ["A", "B"]).replace("voltage [V]", "voltage").split("\n")
    same(parse_pulse_train("\n".join([lines[0], ",V,uS,uS", *lines[1:]]), "wide.csv"))


def test_columns_of_different_length() -> None:
    """A cell that was measured for fewer cycles ends with its last reading; what is empty there is not missing."""
    lines = wide("cycle,voltage [V]", ["A [uS]", "B [uS]"]).split("\n")
    short = [line if k <= 120 else line.rpartition(",")[0] + "," for k, line in enumerate(lines)]
    train = parse_pulse_train("\n".join(short), "wide.csv")
    assert train.notices == () and list(np.bincount(train.cell)) == [180, 120]


def test_a_column_a_cycle_and_a_column_a_polarity() -> None:
    """A title may name the cycle, or the polarity of the pulses before its readings."""
    a = [row for row in ROWS if row[0] == "A"]
    g = np.array([row[4] for row in a]).reshape(CYCLES, 2 * PULSES)
    lines = ["pulse,voltage [V],cycle 1 (uS),cycle 2 (uS),cycle 3 (uS)"]
    lines += [f"{a[n][2]},{a[n][3]},{g[0, n]},{g[1, n]},{g[2, n]}" for n in range(2 * PULSES)]
    want = WHOLE.g[WHOLE.cell == 0]
    train = parse_pulse_train("\n".join(lines), "cycles.csv")
    np.testing.assert_allclose(train.g, want)
    assert train.cycles == 3 and train.cells == ("1",)
    for first in ("cycle,pulse", "pulse"):
        lines = [f"{first},LTP (uS),LTD (uS)"]
        for k in range(CYCLES):
            lines += [
                f"{k},{n + 1},{g[k, n]},{g[k, n + PULSES]}"[0 if "cycle" in first else 2 :] for n in range(PULSES)
            ]
        train = parse_pulse_train("\n".join(lines), "ltp.csv")
        np.testing.assert_allclose(train.g, want)
        assert train.cycles == 3 and ("polarity", "the titles", "-") in train.taken


# --- readings after every n-th pulse, missing rows ---


def every(n: int, *, empty: bool) -> str:
    """Return the table with a reading after every n-th pulse: other rows are empty, or left out."""
    rows = [row for row in ROWS if row[2] % n == 0 or empty]
    lines = [",".join(map(str, row if row[2] % n == 0 else (*row[:4], ""))) for row in rows]
    return "\n".join([HEAD, *lines])


@pytest.mark.parametrize("empty", [True, False])
def test_reads_after_every_third_pulse(empty: bool) -> None:
    """By empty cells, or by a number of the pulse that advances: the pulses between count, and that is said."""
    train = parse_pulse_train(every(3, empty=empty), "third.csv")
    assert train.notices == ("the cell is read after every 3rd pulse; the pulses between count",)
    known = np.isfinite(train.g)
    np.testing.assert_allclose(train.g[known], [1e-6 * row[4] for row in ROWS if row[2] % 3 == 0])
    begins = np.flatnonzero(train.first)
    assert len(begins) == 6 and train.steps == 6 * 19 and set(np.diff(np.flatnonzero(known[: begins[1]]))) == {3}
    # Pulses of a step are those of its own polarity, also where the polarity turns between two readings.
    assert train.base[begins[0] + 3] == begins[0] and train.polarity[begins[0] + 27] == 1
    assert (train.polarity[begins[0] + 28 : begins[0] + 31] == -1).all()


def test_reads_at_pulses_that_each_cycle_has_in_common() -> None:
    """Readings after pulses 1, 2, 5, 10, 20, 30 up and down again: the same pulses in each cycle are a design."""
    kept = {1, 2, 5, 10, 20, 30, 31, 32, 35, 40, 50, 60}
    train = parse_pulse_train(text([row for row in ROWS if row[2] in kept]), "log.csv", one_cycle=True)
    assert "each cycle is read after its pulses 1, 2, 5, 10, 20, 30, ... (12 readings)" in train.notices[0]


def test_random_losses_are_no_design() -> None:
    """Four readings of ten missing at random: refused, as rows without a reading and as missing rows."""
    lost = np.random.default_rng(2).random(len(ROWS)) < 0.4
    gaps = [",".join(map(str, (*row[:4], "nan") if bad else row)) for row, bad in zip(ROWS, lost, strict=True)]
    with pytest.raises(UsageError, match=r"readings are no numbers \(lines .*, more than 10 %"):
        parse_pulse_train("\n".join([HEAD, *gaps]), "gaps.csv")
    with pytest.raises(UsageError, match=r"pulses have no row \(before lines .*, more than 10 %"):
        parse_pulse_train(text([row for row, bad in zip(ROWS, lost, strict=True) if not bad]), "gaps.csv")


def test_a_few_missing_rows() -> None:
    """The number of the pulse says how many; where the polarity turns, how many were up is not known."""
    train = parse_pulse_train(text([row for n, row in enumerate(ROWS) if n not in (7, 8, 70)]), "lost.csv")
    assert train.notices == ("3 of 360 pulses have no row (before lines 9, 70) and were left out; their pulses count",)
    assert np.isnan(train.g).sum() == 3 and len(train.g) == len(WHOLE.g)
    turn = parse_pulse_train(text([row for n, row in enumerate(ROWS) if n not in (29, 30)]), "lost.csv")
    assert (
        "pulses have no row at a turn of the polarity" in turn.notices[0] and turn.first.sum() == 7 and turn.cycles == 3
    )


def test_a_fit_of_few_readings_finds_the_truth() -> None:
    """Ten times fewer readings: every number within five deviations of the truth, the noise of a pulse as well."""
    truth = {"g_min": 2e-6, "g_max": 4e-5, "states": 100.0, "states_down": 100.0, "a_up": 0.5, "a_down": -0.35,
             "cycle_noise": 0.008}  # fmt: skip
    device = ExponentialStep(name="truth", **truth, step_spread=0.1, bound_spread=0.02, read_noise=0.005)
    train = synthetic(device, cells=5, cycles=5, pulses=100, seed=3)
    number = np.arange(len(train.g)) - np.maximum.accumulate(np.where(train.first, np.arange(len(train.g)), 0))
    few = PulseTrain(**{**vars(train), "g": np.where(number % 10 == 0, train.g, np.nan)})
    assert few.steps == train.steps // 10
    result = fit(few, forms={"exponential_step": FORMS["exponential_step"]})
    for p in result.parameters:
        if p.name in truth:
            deviation = max(p.high - p.value, p.value - p.low) / 2
            assert abs(p.value - truth[p.name]) < 5 * deviation and deviation < 0.35 * abs(truth[p.name]), p


# --- pulses and readings in rows of their own ---

LOG = [x for c, k, n, v, g in ROWS for x in ((c, k, v, f"{1.3 * v * g:.6f}"), (c, k, 0.2, f"{0.2 * g:.6f}"))]
LOGS: dict[str, list[str]] = {
    "one column of voltages": ["cell,cycle,voltage [V],current [uA]", *(",".join(map(str, row)) for row in LOG)],
    "without cycles": ["cell,voltage [V],current [uA]", *(f"{c},{v},{i}" for c, _, v, i in LOG)],
    "each reading twice": ["cell,cycle,voltage [V],current [uA]",
                           *(",".join(map(str, row)) for row in LOG for _ in range(2 if row[2] == 0.2 else 1))],
    "rows numbered": ["cell,cycle,pulse,voltage [V],current [uA]",
                      *(f"{c},{k},{n % 120 + 1},{v},{i}" for n, (c, k, v, i) in enumerate(LOG))],
    "readings at 0 V": ["cell,cycle,voltage [V],conductance [uS]",
                        *(x for c, k, n, v, g in ROWS for x in (f"{c},{k},{v},", f"{c},{k},0,{g}"))],
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_readings_in_rows_of_their_own(name: str) -> None:
    """A source meter writes pulses and readings in turn: the reading belongs to the pulse before it."""
    train = parse_pulse_train("\n".join(LOGS[name]), "log.csv")
    same(train)
    if "0 V" not in name:
        same(parse_pulse_train("\n".join(LOGS[name]), "log.csv", columns="read voltage=200 mV"))
    assert "360 readings stand in rows of their own, each after its pulse" in train.notices[0]
    assert train.read_voltage == (None if "0 V" in name else 0.2) and train.voltage == pytest.approx((1.6, 1.8))


# --- polarities and sizes of pulses ---


def test_up_and_down_pulses_in_turn() -> None:
    """Without a column of cycles they are one cycle, which passes the same states many times; with one they are its cycles."""
    draw, lines, g = np.random.default_rng(0), ["voltage [V],conductance [uS]"], 10.0
    for n in range(200):
        g += (0.3 if n % 2 == 0 else -0.3) + 0.05 * float(draw.standard_normal())
        lines.append(f"{1.5 if n % 2 == 0 else -1.5},{g:.4f}")
    train = parse_pulse_train("\n".join(lines), "turns.csv")
    assert train.cycles == 1 and train.steps == 199 and "up and down pulses alternate" in train.notices[0]
    cycles = ["cycle," + lines[0], *(f"{n // 50},{line}" for n, line in enumerate(lines[1:]))]
    train = parse_pulse_train("\n".join(cycles), "turns.csv")
    assert train.cycles == 4 and train.steps == 196 and train.notices == ()
    mixed = [line for line in lines[1:] if float(line.split(",")[0]) > 0][:25]
    with pytest.raises(UsageError, match="ends after one cycle only|steps down"):
        parse_pulse_train("\n".join([lines[0], *mixed, *(m.replace("1.5", "-1.5", 1) for m in mixed)]), "one.csv")


def test_voltages_that_scatter() -> None:
    """Within 5 % of the median they are one size, with a notice; further away a row is named."""
    draw = np.random.default_rng(1)
    rows = [(c, k, n, round(v * (1 + 0.01 * float(draw.uniform(-1, 1))), 4), g) for c, k, n, v, g in ROWS]
    train = parse_pulse_train(text(rows), "scatter.csv")
    same(train)
    assert train.voltage == pytest.approx((1.6, 1.8), rel=2e-3) and len(train.notices) == 2
    assert re.match(
        r"the voltage of the up pulses scatters from 1\.5\d+ to 1\.6\d+ V; the median, 1\.[56]", train.notices[0]
    )


def stairs() -> list[Row]:
    """Return the rows with sizes that rise from 1 V by 20 mV a pulse, in each cycle anew."""
    return [(c, k, n, round(np.sign(v) * (1.0 + 0.02 * ((n - 1) % PULSES)), 3), g) for c, k, n, v, g in ROWS]


def test_amplitudes_that_rise_from_pulse_to_pulse() -> None:
    """The cell with its staircase is the device, which is said and stands among the assumptions; one size can be chosen."""
    train = parse_pulse_train(text(stairs()), "stairs.csv")
    same(train)
    rms = float(np.sqrt(np.mean((1.0 + 0.02 * np.arange(PULSES)) ** 2)))
    assert train.voltage == pytest.approx((rms, rms)) and len(train.staircase) == 2
    assert "the voltage of the up pulses rises from 1 to 1.58 V in each cycle" in train.staircase[0]
    assumed = [s for s in stands(train, Given(), "stairs.csv") if s.kind == "assumption"]
    assert [s.name for s in assumed] == ["v_read", "t_read", "v_up", "v_down", "t_up", "t_down", "access"]
    assert assumed[2].source == train.staircase[0]
    one = parse_pulse_train(text(stairs()), "stairs.csv", amplitude="1.3 V")
    assert one.staircase == () and one.voltage == pytest.approx((1.3, 1.3)) and one.cycles == CYCLES
    assert "--amplitude left out 276 of 360 pulses" in one.notices[0] and one.steps == 84


def test_pulses_of_several_sizes_are_chosen_by_amplitude() -> None:
    """Sizes that differ without order are refused with the option that chooses; the other pulses begin new stretches."""
    rows = [(c, k, n, v * (0.5 if n % 3 == 0 else 1.0), g) for c, k, n, v, g in ROWS]
    with pytest.raises(
        UsageError, match=r'line 4: .* from 1.6 V \(line 2\) to 0.8 V, .* --amplitude "1.6 V" \(sizes: 0.8, 1.6 V'
    ):
        parse_pulse_train(text(rows), "two.csv")
    train = parse_pulse_train(text(rows), "two.csv", amplitude="1.6 V,-1.8 V")
    assert train.voltage == pytest.approx((1.6, 1.8)) and train.cycles == CYCLES and len(train.g) == len(WHOLE.g)
    assert train.steps == 240 - 6  # the first row of a cycle has no reading before it
    assert (train.polarity[train.first] == 0).all()
    for wrong, words in (("3 V", "no pulse has the voltage 3"), ("1.6", "takes numbers with their units"),
                         ("1.6 A", "is a current, not a voltage"), ("10 ns", "no column 'width'"),
                         ("1 V,2 V", "names two sizes")):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            parse_pulse_train(text(rows), "two.csv", amplitude=wrong)


# --- blocks, spreadsheets ---


def test_blocks_with_a_header_of_their_own() -> None:
    """Instruments append runs: each block has lines of text, of which one names the cell and one the read voltage."""
    parts = []
    for cell in CELLS:
        for cycle in range(CYCLES):
            body = [f"{n},{v},{0.2 * g:.6f}" for c, k, n, v, g in ROWS if (c, k) == (cell, cycle)]
            parts += [
                "Test,endurance",
                f"Device ID: {cell}",
                "Read voltage (V),0.2",
                "",
                "pulse,voltage [V],current [uA]",
                *body,
                "",
            ]
    train = parse_pulse_train("\n".join([*parts, "End of test", "Rows: 360"]), "blocks.csv")
    same(train)
    assert train.cells == CELLS and train.read_voltage == 0.2
    assert ("read voltage", "line 3: 0.2 V", "V, one value for all rows") in train.taken
    assert ("cell", "the text above each header", "-") in train.taken and "header in line 5 and 5 more" in train.taken[
        -1
    ][1]
    assert "('End of test') and the one after it stand after the last row" in train.notices[0]


def nano(mark: str, decimal: str) -> str:
    """Return the table in nanosiemens with a mark between thousands and a decimal sign."""
    signs = str.maketrans({",": mark, ".": decimal})
    lines = [f"{c};{k};{n};{str(v).translate(signs)};{f'{1e3 * g:,.1f}'.translate(signs)}" for c, k, n, v, g in ROWS]
    return "\n".join(["cell;cycle;pulse;voltage [V];conductance [nS]", *lines])


SPREADSHEETS: dict[str, str] = {
    "a line for the separator": "sep=;\n" + text().replace(",", ";"),
    "1,234.5": nano(",", "."),
    "1.234,5": nano(".", ","),
    "1'234.5": nano("'", "."),
    "1 234,5": nano("\u202f", ","),
    "quoted": nano(",", ".").replace(";", '";"').replace("\n", '"\n"').join('""'),
    "a header on each page": "\n".join(
        line if n % 50 else f"{line}\n\n{HEAD}" for n, line in enumerate(text().split("\n"), 1)
    ),
    "empty columns and rows": text().replace("\n", ",,,\n") + ",,,\n,,,,,,,\n,,,,,,,",
    "an index without a title": "\n".join(f"{n or ''},{line}" for n, line in enumerate(text().split("\n"))),
    "a footer in the columns": text() + "\nEnd,,,,\nTotal,360,,,\n",
    "exponents of Fortran": text(head=HEAD.replace("uS", "S")).replace("\n", "D-6\n").replace("[S]D-6", "[S]", 1)
    + "D-6",
    "minus signs": text().replace(",-1.8", ",\u22121.8"),
}


@pytest.mark.parametrize("name", SPREADSHEETS)
def test_habits_of_spreadsheets(name: str) -> None:
    same(parse_pulse_train(SPREADSHEETS[name], "sheet.csv"))


def test_a_row_that_was_cut_off_is_named() -> None:
    train = parse_pulse_train(text().rpartition(",")[0], "cut.csv")
    assert "line 361 ('B,2,60,-1.8') stands after the last row" in train.notices[0] and len(train.g) == 359


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"PK\x03\x04" + bytes(99), "a workbook or an archive"),
        (b"\x1f\x8b" + bytes(99), "a compressed file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "a binary file of data"),
        (b"TDSm" + bytes(99), "a binary file of data"),
        (b"%PDF-1.7" + bytes(99), "a document or a picture"),
    ],
)
def test_files_that_are_no_text(data: bytes, kind: str) -> None:
    with pytest.raises(UsageError, match=rf"^x is {kind}.*, no text; export its table as CSV\.$"):
        parse_pulse_train(data, "x")


# --- nothing is assumed silently ---


def test_what_the_files_do_not_say_is_assumed_until_it_is_given() -> None:
    """Read voltage, read time, sizes of the pulses, access: measured, given, or an assumption in fit and device file."""
    form = {"soft_bounds": FORMS["soft_bounds"]}
    bare = text().replace("voltage [V]", "polarity")
    result = fit(parse_pulse_train(bare, "bare.csv"), forms=form)
    names = [stand.name for stand in result.stands if stand.kind == "assumption"]
    assert names == ["v_read", "t_read", "v_up", "v_down", "t_up", "t_down", "access"]
    device = device_from_toml(result.toml(), "bare.toml")
    assert [said.split(" = ")[0] for said in device.assumptions] == names  # type: ignore[attr-defined]
    assert result.device.assumptions[: len(names)] == device.assumptions  # type: ignore[attr-defined]
    assert {c["name"] for c in result.describe()["conditions"]} == set(names)  # type: ignore[attr-defined]
    train = parse_pulse_train(bare, "bare.csv", columns="read voltage=100 mV,read time=2 us")
    given = Given(access="passive", pulse_voltage="1.6 V,-1.8 V", pulse_width="100 ns")
    result = fit(train, forms=form, given=given)
    assert not [stand for stand in result.stands if stand.kind == "assumption"]
    device = device_from_toml(result.toml(), "bare.toml")
    assert device.assumptions == () and device.access == "passive"  # type: ignore[attr-defined]
    figures = [getattr(device, name) for name in ("v_read", "t_read", "v_up", "v_down", "t_up", "t_down")]
    assert figures == pytest.approx([0.1, 2e-6, 1.6, 1.8, 1e-7, 1e-7])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"access": "2T"}, "--access takes one of 1T1R, passive, got '2T'"),
        ({"pulse_voltage": "100 ns"}, "--pulse-voltage takes a voltage with its unit"),
        ({"pulse_width": "1.6"}, "--pulse-width takes numbers with their units"),
    ],
)
def test_wrong_conditions(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Given(**given)
