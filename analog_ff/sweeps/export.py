"""The results of a sweep for other programs: a pandas data frame, CSV, Parquet, and lines of JSON as stored results have them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analog_ff.output import whole_files
from analog_ff.plain import Document, Facts
from analog_ff.sweeps.measures import measured
from analog_ff.sweeps.store import Stored
from hardware_models.check import UsageError, shown

if TYPE_CHECKING:
    import pandas

KEPT = (
    "schema", "config", "device", "seed", "chip_seed", "split", "wall_seconds", "versions", "test_error_percent",
    "test_error_percent_by_readout", "validation_error_percent", "validation_error_percent_by_readout", "images",
    "events", "integrals", "energy", "cells", "ages", "deployed", "johnson_noise", "wires",
    "activity", "shapes", "inputs_sha256", "events_by_layer", "integrals_by_layer", "gated_share_by_layer",
    "firing", "spikes_per_presentation", "presentations",
)  # fmt: skip
"""Entries of result.json that a stored result keeps."""
OF_THIS_MACHINE = ("data_dir", "out", "resume", "json")
"""Choices of a run that concern only the machine on which it ran."""


def stored_result(label: str, options: Facts, key: Facts, result: Facts) -> Document:
    """Return a result as a line of a file of stored results holds it: its label, its options, its key, and what is kept of it."""
    kept = {name: result[name] for name in KEPT if name in result}
    kept["config"] = {name: value for name, value in kept["config"].items() if name not in OF_THIS_MACHINE}
    return {"label": label, "options": dict(options), "key": dict(key), **kept}


def lines(found: Sequence[Facts]) -> str:
    """Return stored results as lines of JSON, in an order that does not change when one is added."""
    ordered = sorted(found, key=lambda one: (one["label"], json.dumps(one["options"], sort_keys=True)))
    return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in ordered)


def frame(points: Sequence[Stored]) -> pandas.DataFrame:
    """Return points as a pandas data frame, a line a point: key, factors, what became of it, measures (None: it has none).

    A factor whose values are of several types, such as 4 and "none", is a column of texts. Raises UsageError without pandas.
    """
    try:
        import pandas
    except ImportError:
        raise UsageError("tables need pandas: pip install 'analog-ff[tables]'.") from None
    names = list(dict.fromkeys(name for point in points for name in point.factors))
    columns: dict[str, list[object]] = {"key": [p.key for p in points]}
    for name in names:
        values = [p.factors.get(name) for p in points]
        kinds = {type(value) for value in values} - {type(None)}
        mixed = len(kinds) > 1 and not kinds <= {int, float}
        columns[name] = [None if v is None else str(v) for v in values] if mixed else values
    for name in ("state", "attempts", "seconds", "worker", "reason"):
        # The time of the attempt, beside which the measure "seconds" is the time of the run.
        columns["attempt_seconds" if name == "seconds" else name] = [p._asdict()[name] for p in points]
    rows = [measured(p.result) for p in points]
    return pandas.DataFrame(columns | {name: [row[name] for row in rows] for name in measured(None)})


def _csv(points: Sequence[Stored], label: str, options: Facts) -> bytes:
    del label, options
    return frame(points).to_csv(index=False).encode()


def _parquet(points: Sequence[Stored], label: str, options: Facts) -> bytes:
    del label, options
    table, made = frame(points), io.BytesIO()
    try:
        table.to_parquet(made, index=False)
    except ImportError:
        raise UsageError("Parquet needs pyarrow: pip install 'analog-ff[tables]'.") from None
    return made.getvalue()


def _jsonl(points: Sequence[Stored], label: str, options: Facts) -> bytes:
    done = [(p, p.result) for p in points if p.result is not None]
    common = {name: value for name, value in options.items() if name.replace("-", "_") not in OF_THIS_MACHINE}
    return lines([stored_result(label, {**common, **p.factors}, p.identity, result) for p, result in done]).encode()


FORMS: Mapping[str, Callable[[Sequence[Stored], str, Facts], bytes]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _jsonl,
}
"""End of a file's name -> function that makes its contents from points, the title of the sweep and its common options."""


def check(path: Path) -> None:
    """Raise UsageError for a file of another kind."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(
            f"--export takes a file that ends in {', '.join(FORMS)}, got {shown(path.name, quoted=False)}."
        )


def write(path: Path, points: Sequence[Stored], label: str, options: Facts) -> None:
    """Write the points to a new file, in the form that the end of its name says."""
    check(path)
    whole_files.create(path, FORMS[path.suffix.lower()](points, label, options))
