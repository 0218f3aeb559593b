"""A table as a data set: a ``.csv``, ``.tsv`` or ``.parquet`` file with one row an image and one column a value.

* Labels: the column `label`, `class`, `target` or `y` (in any case of letters), or the one that is named. Whole numbers or texts,
  without spaces around them; NA, null and None are texts like others.
* Split: a column `split` with `train`, `test` and, if wanted, `validation` in each row; without it the last 20 % of each class,
  rounded up, in the order of the file, are the test set. Without `validation` rows the validation part is the last 10 % of
  the training rows of each class, rounded up.
* All other columns are values, in the order of the file: numbers by the rule of `analog_ff.datasets.scale`.

Text files are UTF-8 with a line of names, separated by commas, semicolons (then with decimal commas or points) or tabs.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from analog_ff.datasets.base import Source, last_share_of_each_class
from analog_ff.datasets.files import assembled
from hardware_models import files
from hardware_models.check import UsageError, shown
from hardware_models.tables import closest

if TYPE_CHECKING:
    from pandas import DataFrame

LABELS = ("label", "class", "target", "y")
"""Names by which the column of the labels is found."""
SPLIT = "split"
PARTS = ("train", "test", "validation")
"""Entries of the column `SPLIT`."""
TESTED = 5
"""Without that column one row in so many of each class is for the test."""
CALLED = {
    "x_train": "the training part",
    "y_train": "the training part",
    "x_test": "the test part",
    "y_test": "the test part",
}
"""Array -> the part of a table that it comes from, in messages."""
SEPARATORS = ",;\t"
FEW = 6
"""Columns that a message lists at most."""


class Table(NamedTuple):
    """The columns of a table, told apart."""

    names: tuple[str, ...]  # of the values
    values: np.ndarray  # (n, d)
    labels: np.ndarray | None  # (n,) whole numbers or texts
    parts: np.ndarray | None  # (n,) a name of `PARTS` for each row
    notes: tuple[str, ...]


def read(path: str | Path, label_column: str | None = None) -> Source:
    """Return the data set in a table; raise UsageError, with file and column, if the file is none."""
    place = Path(path)
    table = columns_of(path, label_column)
    if table.labels is None:
        raise UsageError(
            f"{path} has no column of labels ({', '.join(LABELS)}), it has {_listed(table.names)}; name it by --label-column."
        )
    if table.parts is None:
        _check_counts(path, table.labels)
        test, validation = last_share_of_each_class(table.labels, TESTED), None
        split = f"the last 20 % of each class in the order of the file, {np.count_nonzero(test)} rows, are the test set"
    else:
        test, validation = table.parts == "test", table.parts == "validation"
        split = f"column {SPLIT} tells the parts: {np.count_nonzero(test)} rows are the test set"
        if not test.any() or test.all():
            raise UsageError(
                f"{path}: column {SPLIT} needs rows of 'train' and of 'test', it has those of one part alone."
            )
    with files.reading(path, "a data set"):
        arrays = {"x_train": table.values[~test], "y_train": table.labels[~test]}
        arrays |= {"x_test": table.values[test], "y_test": table.labels[test]}
        dataset, last = assembled(place, arrays, notes=(*table.notes, split), called=CALLED)
    held = last if validation is None or not validation.any() else validation[~test]
    return Source(dataset._replace(columns=table.names), held)


def _check_counts(path: str | Path, labels: np.ndarray) -> None:
    """Raise UsageError for a class without a row for training and one for the test."""
    classes, counts = np.unique(labels, return_counts=True)
    if (alone := np.flatnonzero(counts < 2)).size:
        raise UsageError(
            f"{path}: the label {shown(classes[alone[0]].item())} stands in one row alone; one row or more of each class is kept "
            f"for the test, so that each class needs at least 2 rows, or the table a column {SPLIT}."
        )


def columns_of(
    path: str | Path, label_column: str | None = None, wanted: tuple[str, ...] = (), usual: str | None = None
) -> Table:
    """Return the columns of a table; with `wanted` the values are those columns in this order, and others are left out.

    A column `usual` has the labels if it is there and no `label_column` is named.

    Raise UsageError, with file, column and row, for a table that cannot be read so.
    """
    frame = _frame(path)
    names = [str(name) for name in frame.columns]
    frame.columns = names
    label = usual if label_column is None and usual in names else _label_name(path, names, label_column)
    split = next((name for name in names if name.lower() == SPLIT and name != label), None)
    own = [name for name in names if name not in (label, split)]
    notes = () if label is None else (f"column {shown(label, quoted=False)} has the labels",)
    if wanted:
        if missing := [name for name in wanted if name not in own]:
            raise UsageError(
                f"{path} lacks the column {_listed(missing)}, which the run was trained on; it has {_listed(own)}."
            )
        if left := [name for name in own if name not in wanted]:
            notes = (*notes, f"left out, as the run does not know them: {_listed(left)}")
        own = list(wanted)
    if not own or not len(frame):
        raise UsageError(
            f"{path} has {len(frame)} rows and {len(own)} columns of values, expected at least one of each."
        )
    columns = [_numbers(path, name, frame[name].to_numpy()) for name in own]
    labels = None if label is None else _labels(path, label, frame[label].to_numpy())
    parts = None if split is None else _parts(path, split, frame[split].to_numpy())
    return Table(tuple(own), np.stack(columns, axis=1), labels, parts, notes)


def _frame(path: str | Path) -> DataFrame:
    """Return a file as a pandas table."""
    data = files.contents(path, "data file", most=files.LARGE)
    parquet = str(path).lower().endswith(".parquet")
    try:
        import pandas

        if parquet:
            import pyarrow  # noqa: F401  pandas would say less clearly that it is missing
    except ImportError as error:
        raise UsageError(
            f"{path} is a table, which needs the package {error.name}: install it by pip install 'analog-ff[tables]'."
        ) from None
    with files.reading(path, "a table of numbers"), warnings.catch_warnings():
        warnings.simplefilter("error", pandas.errors.ParserWarning)  # such as rows of more columns than there are names
        if parquet:
            frame = pandas.read_parquet(io.BytesIO(data), engine="pyarrow")
            names = [str(name) for name in frame.columns]
        else:
            text = files.text(data, path)
            if not text.strip():
                raise UsageError(
                    f"{path} is empty; expected a line with the names of the columns, and a row for each image."
                )
            head, _, rest = text.partition("\n")
            separator = max(SEPARATORS, key=head.count)
            names = next(csv.reader([head.rstrip("\r")], delimiter=separator), [])
            comma = separator != "," and re.search(rf"(^|{separator})\s*[-+]?\d*,\d", rest, re.M) is not None
            frame = pandas.read_csv(
                io.StringIO(text), sep=separator, decimal="," if comma else ".", index_col=False, skipinitialspace=True,
                low_memory=False,
            )  # fmt: skip
            _texts_as_they_stand(frame, text, separator)
    _check_names(path, [name.strip() for name in names])
    if len(names) != len(frame.columns):  # a name in quotation marks that goes on in the next line
        raise UsageError(
            f"{path}: the first line names {len(names)} columns, its rows have {len(frame.columns)}; expected one name a column."
        )
    frame.columns = [name.strip() for name in names]
    for name, kind in frame.dtypes.items():
        if pandas.api.types.is_numeric_dtype(kind) and not isinstance(
            kind, np.dtype
        ):  # Int64 and others with a missing value
            frame[name] = frame[name].to_numpy(np.float64, na_value=np.nan)
    return frame


def _texts_as_they_stand(frame: DataFrame, text: str, separator: str) -> None:
    """Give columns of texts back the words that pandas takes for missing numbers, such as NA, null or None."""
    import pandas

    gaps = [i for i in range(len(frame.columns)) if frame.iloc[:, i].isna().any()]
    if not gaps or len(gaps) > FEW:  # labels and parts are few columns; missing numbers are named later
        return
    raw = pandas.read_csv(
        io.StringIO(text), sep=separator, index_col=False, skipinitialspace=True, usecols=gaps, dtype=str, keep_default_na=False,
    )  # fmt: skip
    for n, i in enumerate(gaps):
        known, column = frame.iloc[:, i], raw.iloc[:, n]
        if not pandas.api.types.is_numeric_dtype(known) or (known.isna().all() and (column.str.strip() != "").all()):
            frame.isetitem(i, column)


def _check_names(path: str | Path, names: list[str]) -> None:
    if not names or "" in names:
        place = f"column {names.index('') + 1} of {len(names)}" if names else "the first line"
        raise UsageError(
            f"{path}: {place} has no name; give each column one, and write a table of pandas with index=False."
        )
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"{path} has two columns of the name {shown(twice)}; give each column a name of its own.")
    if all(_is_number(name) for name in names):
        raise UsageError(f"{path} begins with a row of numbers; expected the names of the columns in the first line.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_name(path: str | Path, names: list[str], wanted: str | None) -> str | None:
    """Return the name of the column of the labels, or None if there is none."""
    if wanted is not None:
        if wanted not in names:
            raise UsageError(f"{path} has no column {shown(wanted)}{closest(wanted, names)}; it has {_listed(names)}.")
        return wanted
    found = [name for name in names if name.lower() in LABELS]
    if len(found) > 1:
        raise UsageError(f"{path} has the columns {_listed(found)}; choose the one of the labels by --label-column.")
    return found[0] if found else None


def _numbers(path: str | Path, name: str, column: np.ndarray) -> np.ndarray:
    """Return a column of values as numbers."""
    if column.dtype.kind not in "biuf":
        bad = next((i for i, value in enumerate(column) if not isinstance(value, int | float | np.number)), 0)
        raise UsageError(
            f"{path}: column {shown(name)} holds {shown(column[bad])} in row {bad + 1}, expected numbers; leave the column out, "
            "or name it by --label-column if it has the labels."
        )
    if column.dtype.kind == "f" and not np.isfinite(column).all():
        bad = int(np.flatnonzero(~np.isfinite(column))[0])
        raise UsageError(f"{path}: column {shown(name)} has no number in row {bad + 1}, expected one in every row.")
    return column.astype(np.int64) if column.dtype.kind == "b" else column


def _labels(path: str | Path, name: str, column: np.ndarray) -> np.ndarray:
    """Return a column of labels as whole numbers or texts."""
    missing = [i for i, value in enumerate(column) if value is None or value != value or not str(value).strip()]
    if missing:
        raise UsageError(
            f"{path}: column {shown(name)} has no label in row {missing[0] + 1}, expected one in every row."
        )
    if column.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(column) | (column != np.rint(column)))
        if bad.size:
            raise UsageError(
                f"{path}: column {shown(name)} holds {column[bad[0]]:g} in row {bad[0] + 1}, expected whole numbers or texts "
                "as labels."
            )
        return column.astype(np.int64)
    if column.dtype.kind in "iu":
        return column
    return np.array([str(value).strip() for value in column])


def _parts(path: str | Path, name: str, column: np.ndarray) -> np.ndarray:
    """Return the part of each row."""
    parts = np.array([str(value).strip().lower() for value in column])
    if (wrong := np.flatnonzero(~np.isin(parts, PARTS))).size:
        raise UsageError(
            f"{path}: column {shown(name)} holds {shown(str(column[wrong[0]]))} in row {wrong[0] + 1}, expected "
            f"{', '.join(PARTS)}."
        )
    return parts


def _listed(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return shown(", ".join(names[:FEW]), 200, quoted=False) + more
