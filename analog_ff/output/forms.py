"""Make the bytes of a table, a JSON document or a picture, complete in memory before anything is written, and write HDF5."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from io import RawIOBase
from typing import IO, Any, Literal

from analog_ff.plain import Facts


def table(lines: Sequence[Facts]) -> str:
    """Return lines as CSV with a column for every name in any line; a missing value is written as 0."""
    text = io.StringIO(newline="")
    names = dict.fromkeys(name for line in lines for name in line)
    writer = csv.DictWriter(text, names, restval=0, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def document(value: Facts) -> str:
    """Return indented JSON with one value on each line."""
    return json.dumps(value, indent=1) + "\n"


def panels(
    rows: int = 1,
    columns: int = 1,
    *,
    size: tuple[float, float],
    share_x: Literal["none", "all", "row", "col"] | bool = False,
    **layout: Any,
) -> tuple[Any, Any]:
    """Return a Matplotlib figure of `size` [inch] and its axes: one, or an array of them for several panels.

    The figure is not registered with pyplot: importing pyplot would take longer than a small run, and the backend chosen by a
    notebook stays in use. `layout` holds further arguments of `Figure.subplots`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, sharex=share_x, **layout)


def picture(figure: Any, dpi: int, form: str = "png") -> bytes:
    """Return the bytes of a Matplotlib figure as PNG, PDF or SVG."""
    image = io.BytesIO()
    figure.savefig(image, dpi=dpi, format=form)
    return image.getvalue()


def hdf5(file: IO[bytes] | RawIOBase, fill: Callable[[Any], None], *, before: int = 0) -> None:
    """Write an HDF5 file filled by `fill` into `file`, behind a user block of `before` bytes."""
    import h5py

    with h5py.File(file, "w", userblock_size=before) as made:
        fill(made)
