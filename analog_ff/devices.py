"""The device kit: ``python -m analog_ff devices list``, ``show``, ``fit`` and ``examine``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import typer

from analog_ff.cli.app import WIDE, run_app
from analog_ff.cli.device_table import catalogue, equation, layers_of, parameters, shown, table
from analog_ff.cli.fit_traces import fit_traces, lines_of, retention_of, table_kind
from analog_ff.cli.parameters import TEXT
from analog_ff.output import whole_files
from analog_ff.output.messages import answer
from analog_ff.output.plain_math import readable
from hardware_models.check import CommandError, UsageError
from hardware_models.check import shown as quoted
from hardware_models.files import home
from hardware_models.laboratory.titles import QUANTITIES
from hardware_models.places import placed

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
    help="List, show, fit and examine devices.",
)  # fmt: skip

_JSON = typer.Option(False, "--json", help="print one JSON document on standard output and nothing else")
_MEANING = {
    "counted_steps": "steps that begin far enough from the bounds of their cell",
    "explained": "share of the mean square of the counted steps that the curve explains; the rest is noise",
    "explained_of_all": "the same for all steps",
    "curve_rms": "share of the range: distance of all readings from the noiseless curve that begins at each cycle's first one",
    "residual_deviation": "of the counted steps; 1 where the noise is what the model says",
    "residual_correlation": "from one counted step to the next; near 0 where the model holds",
    "residual_normality": "p-value of the normal law; small where the noise is not Gaussian",
    "log_likelihood_per_step": "of the counted steps, natural logarithm",
}
_COLUMNS = typer.Option(
    [], "--columns", metavar="NAME=COLUMN,...",
    help="which column is what, by its title (with [unit]) or number, or one value with its unit for all rows: "
    "\"voltage=Vp [V],current=4 [uA],read voltage=0.2 V\"; names: " + ", ".join(QUANTITIES),
)  # fmt: skip
_FILES = typer.Argument(
    ..., metavar="FILE...", help="measured pulse train, tables as text: one row a pulse, or a column a cell"
)
_SPEC = typer.Argument(..., metavar="NAME|FILE", help="name, .toml, .csv, file.py:Class or package.module:Class")


def _print(document: Any, as_json: bool, lines: list[str]) -> None:
    answer(json.dumps(document) if as_json else "\n".join(lines))


@app.command("list", context_settings=WIDE)
def list_devices(as_json: bool = _JSON) -> None:
    """List the published devices and those of installed packages.

    Columns: technology, states, on/off ratio, pulse, law of time, DOI. Of a device's numbers, `checked` were compared with
    their source; the others are assumptions or could not be read.
    """
    rows = catalogue()
    columns = ("name", "technology", "states", "on/off", "pulse", "checked", "law of time", "doi")
    lines = table(columns, [[str(row[c] if row[c] is not None else "-") for c in columns] for row in rows])
    _print(rows, as_json, lines)


@app.command("show", context_settings=WIDE)
def show(
    spec: str = _SPEC,
    out: str = typer.Option(
        None, "--out", metavar=TEXT, help="also draw pulses, steps, read noise and drift to this new .png"
    ),
    as_json: bool = _JSON,
) -> None:
    """Show a device: its equation and every number.

    A number has its unit, range, kind and source. With --json the equation is LaTeX.
    """
    from hardware_models.devices.ageing import no_law_of_time
    from hardware_models.load import load_device

    path = None if out is None else _new(_picture(out))
    device: Any = load_device(spec)
    parts = layers_of(device)
    numbers = parameters(device, spec)
    lawless = no_law_of_time(device)
    document = {
        "name": device.name,
        "model": type(parts[0]).__name__,
        "around": [type(part).__name__ for part in parts[1:]],
        "source": getattr(device, "source", ""),
        "equation": "\n\n".join(equation(part) for part in parts),
        "parameters": numbers,
        "no_law_of_time": lawless,
        "assumptions": list(getattr(device, "assumptions", ())),
    }
    columns = ("name", "value", "unit", "low", "high", "kind", "source")
    lines = [
        f"{device.name} ({', '.join(type(part).__name__ for part in parts)})",
        document["source"],
        "",
        readable(document["equation"]),
        "",
        *([lawless, ""] if lawless else []),
    ]
    lines += table(columns, [[shown(row[c]) for c in columns] for row in numbers])
    if path is not None:
        from analog_ff.cli.device_pictures import draw_device

        draw_device(device, path)
        document["picture"] = str(path)
        lines += ["", f"picture: {path}"]
    _print(document, as_json, lines)


@app.command("fit", context_settings=WIDE)
def fit_train(
    file: list[str] = _FILES,
    out: str = typer.Option(
        None, "--out", metavar=TEXT, help="write the fitted device to this .toml file, which must not exist"
    ),
    plot: str = typer.Option(
        None, "--plot", metavar=TEXT, help="draw cycles, steps and residuals to this .png, which must not exist"
    ),
    one_cycle: bool = typer.Option(False, "--one-cycle", help="accept cells measured over one cycle only"),
    columns: list[str] = _COLUMNS,
    keep_outliers: bool = typer.Option(
        False, "--keep-outliers", help="keep single readings that lie far from what the others say"
    ),
    amplitude: str = typer.Option(
        "", "--amplitude", metavar=TEXT, help='fit the pulses of these sizes alone: "1.6 V" or "1.6 V,-1.8 V,100 ns"'
    ),
    each_file: str = typer.Option(
        "", "--each-file", metavar="cells|cycles",
        help="several files: each has cells of its own, or all are cycles of one cell (default: by the names of the cells)",
    ),
    read_voltage: str = typer.Option("", "--read-voltage", metavar=TEXT, help='voltage of a reading, such as "0.2 V"'),
    read_time: str = typer.Option("", "--read-time", metavar=TEXT, help='duration of a reading, such as "1 us"'),
    pulse_voltage: str = typer.Option(
        "", "--pulse-voltage", metavar=TEXT, help='voltage of the pulses, where no column gives it: "1.6 V,-1.8 V"'
    ),
    pulse_width: str = typer.Option(
        "", "--pulse-width", metavar=TEXT, help='width of the pulses, where no column gives it: "100 ns"'
    ),
    access: str = typer.Option("", "--access", metavar="1T1R|passive", help="whether cells have a transistor of their own"),
    as_json: bool = _JSON,
    kind: str = typer.Option(
        "", "--kind", metavar="pulses|retention|write-verify", help="what the table is (default: by its columns)"
    ),
    retention: str = typer.Option(
        "", "--retention", metavar="FILE", help="retention traces of the same device, whose law of time it gets"
    ),
) -> None:  # fmt: skip
    """Fit a device to a measured pulse train in one or more files, or to retention or write-verify traces.

    The fit says how well the data know each parameter. Encoding, separator, decimal sign and header are found, and the column
    taken for each quantity is printed. Readings: conductance, resistance, or current and read voltage; pulses: voltage or
    polarity. What the files and the options do not say is printed as assumed, and stands as an assumption in the device.
    """
    from analog_ff.runs.progress_line import ProgressLine
    from hardware_models.fitting import Given, fit_file

    if out is not None and not out.endswith(".toml"):
        raise UsageError(f"--out takes a file name that ends in .toml, got {out}.")
    target = None if out is None else _new(placed(home(out)))
    picture = None if plot is None else _new(_picture(plot))
    given = Given(access, pulse_voltage, pulse_width)
    for option, text, example in (("--read-voltage", read_voltage, "0.2 V"), ("--read-time", read_time, "1 us")):
        if text and not re.search(r"[^\d\s.,eE+-]", text):
            raise UsageError(f'{option} takes a number with its unit, such as "{example}", got {quoted(text)}.')
    single = {"read voltage": read_voltage, "read time": read_time}
    choices = ",".join([*columns, *(f"{quantity}={text}" for quantity, text in single.items() if text)])
    if (what := table_kind(file, choices, kind)) != "pulses":
        of_pulses = {"--amplitude": amplitude, "--each-file": each_file, "--pulse-voltage": pulse_voltage,
                     "--pulse-width": pulse_width, "--access": access, "--one-cycle": one_cycle,
                     "--keep-outliers": keep_outliers}  # fmt: skip
        if idle := [name for name, text in of_pulses.items() if text]:
            raise UsageError(f"{idle[0]} belongs to pulse trains, but {file[0]} holds {what} traces; leave it out.")
        fit_traces(what, file, choices, retention, target, picture, _print, as_json)
        return
    result = fit_file(
        file, one_cycle=one_cycle, columns=choices or {}, keep_outliers=keep_outliers, amplitude=amplitude,
        each_file=each_file, given=given, progress=ProgressLine(),
    )  # fmt: skip
    aged = retention_of(retention, result.device, choices) if retention else None
    if target is not None:
        whole_files.create(target, result.toml() + ("\n".join([*aged.entries(), ""]) if aged else ""))
    if picture is not None:
        from analog_ff.cli.fit_pictures import draw_fit

        draw_fit(result, picture, aged)
    lines = [f"{result.device.name}: {result.form}, from {result.device.source.removeprefix('fitted to ')}", ""]
    lines += [*table(("read", "from", "unit"), [list(row) for row in result.train.taken]), ""]
    lines += table(("parameter", "value", "95 % low", "95 % high", "unit"),
                    [[p.name, shown(p.value), *("" if p.instead else shown(x) for x in (p.low, p.high)), p.unit]
                     for p in result.parameters])  # fmt: skip
    lines += ["", *table(("form", "free numbers", "held-out log-likelihood a step", "behind the best", "error of that"),
                          [[s.form, str(s.free), *(shown(x) for x in (s.held_out, s.behind, s.behind_error))]
                           for s in result.scores])]  # fmt: skip
    lines += ["", *table(("goodness of the fit", "value", "meaning"),
                          [[name.replace("_", " "), shown(x), _MEANING.get(name, "")]
                           for name, x in result.goodness.items()]), ""]  # fmt: skip
    lines += [f"assumed: {stand.said}." for stand in result.stands if stand.kind == "assumption"]
    lines += [f"note: {notice}." for notice in result.notices]
    lines += ["", *lines_of(aged)] if aged else []
    lines += [f"written: {p}" for p in (target, picture) if p is not None]
    _print(result.describe() | ({"retention": aged.describe()} if aged else {}), as_json, lines)


@app.command("examine", context_settings=WIDE)
def examine(spec: str = _SPEC, as_json: bool = _JSON) -> None:
    """Examine a device of your own.

    The checks: shapes, bounds, noise, threads, units, speed. The exit status is 1 if one fails.
    """
    from hardware_models.load import named_device
    from hardware_models.testing import examine_device

    found = examine_device(named_device(spec))
    words = {True: "passed", False: "FAILED", None: "skipped"}
    lines = table(("check", "verdict", ""), [[c.name, words[c.passed], c.detail] for c in found.checks])
    _print(found.describe(), as_json, [f"{found.device}", "", *lines])
    if not found.passed:
        raise CommandError(f"{len(found.failures)} of {len(found.checks)} checks failed: {found.failures[0].name}")


def _picture(name: str) -> Path:
    path = placed(home(name))
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise UsageError(f"a picture takes a file name that ends in .png, .pdf or .svg, got {name}.")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} does not exist.")
    return path


def _new(path: Path) -> Path:
    """Return the path of a file to be written; raise UsageError if the file exists or its folder does not."""
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists and is not overwritten; give another name, or remove it.")
    if not path.parent.is_dir():
        raise UsageError(f"the folder {path.parent} does not exist.")
    return path


def main(arguments: list[str] | None = None) -> None:
    """Run `devices` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
