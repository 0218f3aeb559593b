"""Answer of `devices fit` for retention and write-verify traces: which kind a table is, the fit, its tables and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analog_ff.cli.device_table import shown, table
from analog_ff.output import whole_files
from hardware_models import files
from hardware_models.check import UsageError
from hardware_models.check import shown as quoted

if TYPE_CHECKING:
    from hardware_models.devices.base import BaseDevice
    from hardware_models.fitting.trace_result import TraceFit

_MEANING = {
    "noise_of_a_reading": "standard deviation, of the conductance or in S",
    "explained": "share of the squares around a constant that the law explains",
    "first_time": "s",
    "last_time": "s",
    "pulses_of_a_write": "mean",
    "error_of_a_write": "S, root of the mean square from the target",
    "residual_deviation": "1 where the error is what the model says",
}


def table_kind(file: str | Sequence[str], columns: str, kind: str) -> str:
    """Return the kind of the table or tables of a fit: the chosen one, else that of the columns of the first table.

    A table that cannot be read as text is left to the reader of pulse trains, which says what is wrong.
    """
    from hardware_models.laboratory.text import MOST_BYTES
    from hardware_models.laboratory.traces import KINDS, kind_of

    if kind:
        if kind not in KINDS:
            raise UsageError(f"--kind takes one of {', '.join(KINDS)}, got {quoted(kind)}.")
        return kind
    first = file if isinstance(file, str) else file[0]
    data = files.contents(first, "table", most=MOST_BYTES)
    try:
        return kind_of(data, quoted(first, 200, quoted=False), columns)
    except UsageError:
        return "pulses"


def retention_of(file: str, around: BaseDevice, columns: str) -> TraceFit:
    """Return the law of time of a device, fitted to the retention traces in a table."""
    from hardware_models.fitting.retention import fit_retention_file
    from hardware_models.laboratory.traces import only_traced

    return fit_retention_file(file, columns=columns if only_traced(columns) else "", around=around)


def fit_traces(
    kind: str, file: str | Sequence[str], columns: str, retention: str, target: Path | None, picture: Path | None,
    answer: Callable[[Any, bool, list[str]], None], as_json: bool,
) -> None:  # fmt: skip
    """Fit a device to traces, write its file and its picture, and print the tables."""
    from hardware_models.fitting.retention import fit_retention_file
    from hardware_models.fitting.write_verify import fit_write_verify_file

    if not isinstance(file, str):
        if len(file) > 1:
            raise UsageError(f"{kind} traces are read from one file, got {len(file)}; put the tables together.")
        file = file[0]
    if kind == "retention" and retention:
        raise UsageError(f"{file} holds retention traces itself; --retention goes with pulses or with write-verify.")
    result = (
        fit_retention_file(file, columns=columns)
        if kind == "retention"
        else fit_write_verify_file(file, columns=columns)
    )
    if retention:
        result = fit_retention_file(retention, beside=result)
    if target is not None:
        whole_files.create(target, result.toml())
    if picture is not None:
        from analog_ff.cli.trace_pictures import draw_traces

        draw_traces(result, picture)
    lines = [f"{result.device.name}: {kind}, by its columns", ""]
    lines += [*lines_of(result.base), ""] if result.base else []
    lines += lines_of(result)
    lines += [f"written: {path}" for path in (target, picture) if path is not None]
    answer(result.describe(), as_json, lines)


def lines_of(result: TraceFit) -> list[str]:
    """Return the tables of a fit to traces: columns taken, numbers with intervals, laws, goodness and notes."""
    lines = [f"{result.kind}: {result.law}", ""]
    lines += [*table(("read", "from", "unit"), [list(row) for row in result.traces.taken]), ""]
    rows = [
        [p.name, shown(p.value), *("" if p.instead else shown(x) for x in (p.low, p.high)), p.unit]
        for p in result.parameters
    ]
    lines += [*table(("parameter", "value", "95 % low", "95 % high", "unit"), rows), ""] if rows else []
    what = "reading" if result.kind == "retention" else "write"
    lines += table(("law", "free numbers", f"held-out log-likelihood a {what}", "behind the best", "error of that"),
                   [[s.form, str(s.free), *(shown(x) for x in (s.held_out, s.behind, s.behind_error))]
                    for s in result.scores])  # fmt: skip
    lines += ["", *table(("goodness of the fit", "value", "meaning"), [[name.replace("_", " "), shown(x), _MEANING.get(name, "")]
                                                     for name, x in result.goodness.items()]), ""]  # fmt: skip
    return lines + [f"note: {notice}." for notice in result.notices]
