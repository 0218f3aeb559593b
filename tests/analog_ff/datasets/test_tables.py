"""Tables as data, whole numbers of any range, and the images that a trained network is to name."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from analog_ff.datasets import images, load
from analog_ff.datasets.base import Dataset
from analog_ff.simulate import app, run_app
from hardware_models.check import UsageError

RNG = np.random.default_rng(7)
DIGITS = RNG.integers(0, 17, (60, 6))
DIGITS[0, 0] = 16
LABELS = np.array(["ape", "bee", "cat"] * 20)


def frame(**columns: Any) -> pandas.DataFrame:
    """Return a table of 60 rows of six whole numbers from 0 to 16, with more columns or others."""
    return pandas.DataFrame({**{f"p{i}": DIGITS[:, i] for i in range(6)}, "label": LABELS, **columns})


def test_a_table_is_the_same_in_every_form(tmp_path: Path) -> None:
    """Commas, semicolons with decimal commas, tabs and Parquet; the last fifth of each class is the test set."""
    table = frame()
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_csv(tmp_path / "b.csv", index=False, sep=";")
    table.to_csv(tmp_path / "c.tsv", index=False, sep="\t")
    table.to_parquet(tmp_path / "d.parquet")
    (tmp_path / "e.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "a.csv").read_bytes().replace(b"\n", b"\r\n"))
    top = DIGITS[: 3 * 16].max()  # four rows of each class, at the end, are tested
    for name in ("a.csv", "b.csv", "c.tsv", "d.parquet", "e.csv"):
        data = load(str(tmp_path / name))
        np.testing.assert_array_equal(data.x_train, (DIGITS[:48] / np.float32(top)).astype(np.float32))
        np.testing.assert_array_equal(data.x_test, (DIGITS[48:] / np.float32(top)).astype(np.float32))
        assert data.classes == ("ape", "bee", "cat") and data.y_test.tolist() == [0, 1, 2] * 4
        assert (data.height, data.width, data.full, data.columns) == (1, 6, top, tuple(f"p{i}" for i in range(6)))
        assert any("divided by 16" in note for note in data.notes) and any("last 20 %" in note for note in data.notes)
    held = load(str(tmp_path / "a.csv"), split="holdout")
    assert len(held.x_test) == 6 and np.bincount(held.y_test).tolist() == [2, 2, 2]


def test_whole_numbers_with_a_missing_value_of_pandas(tmp_path: Path) -> None:
    """Types such as Int64 are numbers, in values and in labels; a missing one is named."""
    table = frame(label=np.arange(60) % 3).convert_dtypes()
    table.to_parquet(tmp_path / "a.parquet")
    data = load(str(tmp_path / "a.parquet"))
    assert data.classes == (0, 1, 2) and data.full == DIGITS[:48].max()
    table.loc[4, "p2"] = pandas.NA
    table.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UsageError, match="column 'p2' has no number in row 5"):
        load(str(tmp_path / "b.parquet"))


def test_decimal_commas_and_floats_stay(tmp_path: Path) -> None:
    values = RNG.random((60, 6)).round(3)
    table = frame(**{f"p{i}": values[:, i] for i in range(6)})
    table.to_csv(tmp_path / "a.csv", index=False, sep=";", decimal=",")
    data = load(str(tmp_path / "a.csv"))
    np.testing.assert_array_equal(np.concatenate((data.x_train, data.x_test)), values.astype(np.float32))
    assert data.full == 1.0 and not any("divided" in note for note in data.notes)


def test_bytes_of_a_table_have_the_bits_of_bytes(tmp_path: Path) -> None:
    """Whole numbers up to 255 in a table are those of uint8 in a .npz file."""
    pixels = RNG.integers(0, 256, (60, 6))
    pixels[0] = 255
    frame(**{f"p{i}": pixels[:, i] for i in range(6)}).to_csv(tmp_path / "a.csv", index=False)
    y = np.arange(60) % 3
    parts = {"x_train": pixels[:48], "y_train": y[:48], "x_test": pixels[48:], "y_test": y[48:]}
    np.savez(tmp_path / "a.npz", **{n: a.astype(np.uint8) if n[0] == "x" else a for n, a in parts.items()})
    table, arrays = load(str(tmp_path / "a.csv")), load(str(tmp_path / "a.npz"))
    np.testing.assert_array_equal(table.x_train, arrays.x_train)
    np.testing.assert_array_equal(table.x_test, arrays.x_test)


def test_the_split_column_tells_the_parts(tmp_path: Path) -> None:
    parts = np.array(["train", "Test", "validation"])[RNG.integers(0, 3, 60)]
    parts[:9] = np.repeat(["train", "test", "validation"], 3)
    frame(split=parts).to_csv(tmp_path / "a.csv", index=False)
    lower = np.char.lower(parts)
    final, held = (load(str(tmp_path / "a.csv"), split=split) for split in ("final", "holdout"))
    assert len(final.x_test) == (lower == "test").sum() and len(final.x_train) == (lower != "test").sum()
    assert len(held.x_test) == (lower == "validation").sum() and len(held.x_train) == (lower == "train").sum()
    frame(split=np.where(lower == "test", "test", "train")).to_csv(tmp_path / "b.csv", index=False)
    assert len(load(str(tmp_path / "b.csv"), split="holdout").x_test) > 0


@pytest.mark.parametrize(("name", "chosen"), [("Class", None), ("y", None), ("kind", "kind")])
def test_the_column_of_the_labels(name: str, chosen: str | None, tmp_path: Path) -> None:
    frame().rename(columns={"label": name}).to_csv(tmp_path / "a.csv", index=False)
    assert load(str(tmp_path / "a.csv"), label_column=chosen).classes == ("ape", "bee", "cat")


def test_labels_are_the_texts_that_stand_there(tmp_path: Path) -> None:
    """Words that stand for missing numbers elsewhere are classes; spaces around a text are none of it."""
    for words in (("EU", "NA"), ("None", "null"), ("rot grün", "猫 cat")):
        lines = [f"{i // 2 % 3},{words[i % 2]}{' ' * (i % 3)}" for i in range(12)]
        (tmp_path / "a.csv").write_text(text("p,label", *lines), encoding="utf-8")
        assert load(str(tmp_path / "a.csv")).classes == words


def test_a_decimal_comma_in_a_later_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text("p;q;label", "0;1;a", "1;0;b", "0,25;1;a", "0,5;1;b", "0,5;0;a", "0,5;0;b"))
    assert load(str(tmp_path / "a.csv")).x_train[2, 0] == np.float32(0.25)


def text(head: str, *lines: str) -> str:
    return "\n".join([head, *lines]) + "\n"


ROWS = [f"{i % 5},{i % 3},{'ab'[i % 2]}" for i in range(20)]
BAD = {
    "no labels": (text("p,q", "1,2", "3,4"), "has no column of labels.*it has p, q"),
    "two columns of labels": (text("p,y,label", *ROWS), "has the columns y, label; choose"),
    "a text among numbers": (text("p,q,label", "1,x,a", *ROWS), "column 'q' holds 'x' in row 1"),
    "a label in one row": (
        text("p,label", "1,a", "2,a", "1,b"),
        "the label 'b' stands in one row alone.*at least 2 rows",
    ),
    "a missing number among labels": (text("p,label", "1,0", "2,1", "1,NA", "2,0", "3,1"), "has no label in row 3"),
    "a label of spaces": (text("p,label", "1,a", '2," "', "1,b"), "has no label in row 2"),
    "a missing number": (text("p,q,label", "1,,a", *ROWS), "column 'q' has no number in row 1"),
    "a missing label": (text("p,q,label", "1,2,", *ROWS), "column 'label' has no label in row 1"),
    "labels that are fractions": (text("p,q,label", "1,2,0.5", "1,2,1"), "holds 0.5 in row 1, expected whole numbers"),
    "no head": ("\n".join(["0,1,2", *["3,4,5"] * 9]), "begins with a row of numbers"),
    "an index": (text(",p,label", *ROWS), "column 1 of 3 has no name.*index=False"),
    "twice the same name": (text("p,p,label", *ROWS), "two columns of the name 'p'"),
    "an unknown part": (text("p,label,split", "1,a,tran", "1,a,test"), "column 'split' holds 'tran' in row 1"),
    "one part": (text("p,label,split", "1,a,train", "1,b,train"), "needs rows of 'train' and of 'test'"),
    "negative numbers": (text("p,q,label", "-1,2,a", *ROWS), "the training part has values from -1"),
    "more columns than names": (text("p,q,label", "1,2,3,a", "1,2,4,b"), "cannot be read as a table of numbers"),
    "a name over two lines": (
        'p,"q,r\ns",label\n1,2,3\n',
        "the first line names . columns, its rows have .;|has no name",
    ),
    "a row that is short": (text("p,q,label", "1,2,a", "1"), "column 'q' has no number in row 2"),
    "no rows": ("p,q,label\n", "has 0 rows"),
    "nothing": ("", "is empty"),
    "too large floats": (text("p,q,label", "0.5,2.25,a", *ROWS), "expected floats from 0 to 1.*scale each column"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_is_none_is_one_sentence(case: str, tmp_path: Path) -> None:
    content, words = BAD[case]
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=words) as caught:
        load(str(path))
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_other_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "bad.csv").write_bytes(b"p,label\n\xff,1\n")
    for name, words in (("bad.parquet", "cannot be read as a table"), ("bad.csv", "is not UTF-8"), ("no.csv", "exist")):
        with pytest.raises(UsageError, match=words):
            load(str(tmp_path / name))
    with pytest.raises(UsageError, match="belongs to a table"):
        load("toy", label_column="y")


def test_without_pandas_the_sentence_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame().to_csv(tmp_path / "a.csv", index=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"pip install 'analog-ff\[tables\]'"):
        load(str(tmp_path / "a.csv"))


# ---------------------------------------------------------------- whole numbers


def save(path: Path, x_train: np.ndarray, x_test: np.ndarray) -> str:
    np.savez(
        path, x_train=x_train, y_train=np.arange(len(x_train)) % 2, x_test=x_test, y_test=np.arange(len(x_test)) % 2
    )
    return str(path)


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, np.float64, bool])
def test_whole_numbers_are_divided_by_the_largest_of_training(kind: Any, tmp_path: Path) -> None:
    """Digits as scikit-learn has them, float64 from 0 to 16, are whole numbers too; the test set follows the training set."""
    x = DIGITS if kind is not bool else DIGITS > 8
    top = 16 if kind is not bool else 1
    data = load(
        save(tmp_path / "a.npz", x[:40].astype(kind), np.minimum(x[40:], top - (kind is not bool)).astype(kind))
    )
    np.testing.assert_array_equal(data.x_train, (x[:40].astype(np.float32) / np.float32(top)))
    np.testing.assert_array_equal(data.x_test, np.minimum(x[40:], top - (kind is not bool)) / np.float32(top))
    assert data.full == top and bool(data.notes) == (kind is not bool)


WRONG = {
    "negative": (DIGITS - 3, DIGITS, "x_train has values from -3 to 13, expected whole numbers from 0"),
    "a test above training": (
        np.minimum(DIGITS, 9),
        DIGITS,
        "x_test has values from 0 to 16, expected whole numbers from 0 to 9",
    ),
    "dark bytes": (DIGITS.astype(np.uint8), DIGITS.astype(np.uint8), "uint8 with values up to 16 alone.*int16"),
    "fractions in the test": (DIGITS, DIGITS / 16 + 0.01, "x_test has fractions, expected whole numbers from 0 to 16"),
    "fractions above 1": (DIGITS + 0.5, DIGITS, "x_train has values from 0.5 to 16.5, expected floats from 0 to 1"),
    "whole numbers beside floats": (DIGITS / 16, DIGITS, "x_test has values from 0 to 16, expected floats"),
}


@pytest.mark.parametrize("case", WRONG)
def test_ranges_that_cannot_be_told_are_refused(case: str, tmp_path: Path) -> None:
    train, test, words = WRONG[case]
    with pytest.raises(UsageError, match=words):
        load(save(tmp_path / "a.npz", train, test))


# ---------------------------------------------------------------- images of a trained network


def like(**changes: Any) -> Dataset:
    x, y = np.zeros((4, 6), np.float32), np.array([0, 1, 2, 0])
    names = tuple(f"p{i}" for i in range(6))
    made = Dataset("mine.csv", x, y, x, y, ("ape", "bee", "cat"), 1, 6, full=16.0, columns=names)
    return made._replace(**changes)


def test_images_of_a_table_follow_the_columns_of_training(tmp_path: Path) -> None:
    """Another order and further columns; the full scale is that of training."""
    table = frame(extra=1.5)[["p5", "label", "p0", "extra", "p1", "p2", "p4", "p3"]]
    table.to_csv(tmp_path / "a.csv", index=False)
    found = images.read(str(tmp_path / "a.csv"), like=like())
    np.testing.assert_array_equal(found.data.x_test, DIGITS / np.float32(16))
    assert found.labels is not None and found.labels.tolist() == LABELS.tolist() and "extra" in " ".join(found.notes)
    table.drop(columns="p4").to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(UsageError, match="lacks the column p4, which the run was trained on"):
        images.read(str(tmp_path / "b.csv"), like=like())
    frame(split=["train"] * 50 + ["test"] * 10).drop(columns="label").to_csv(tmp_path / "c.csv", index=False)
    rest = images.read(str(tmp_path / "c.csv"), like=like())
    assert len(rest.data.x_test) == 10 and rest.labels is None
    assert images.read(str(tmp_path / "c.csv"), like=like(), usual="kind").labels is None
    frame(kind=LABELS).drop(columns="label").to_csv(tmp_path / "d.csv", index=False)
    named = images.read(str(tmp_path / "d.csv"), like=like(), usual="kind")
    assert named.labels is not None and named.labels.tolist() == LABELS.tolist()
    with pytest.raises(UsageError, match="no column 'kid'; did you mean 'kind'"):
        images.read(str(tmp_path / "d.csv"), like=like(), label_column="kid")
    with pytest.raises(UsageError, match="belongs to a table"):
        images.read("toy", like=like(), label_column="y")


def test_images_of_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=DIGITS.reshape(60, 2, 3), y=LABELS)
    found = images.read(str(tmp_path / "a.npz"), like=like())
    assert (found.data.height, found.data.width) == (2, 3) and found.labels is not None
    np.testing.assert_array_equal(found.data.x_test, DIGITS / np.float32(16))
    whole = images.read(save(tmp_path / "b.npz", DIGITS, DIGITS[:7]), like=like())
    assert len(whole.data.x_test) == 7
    np.savez(tmp_path / "c.npz", z=DIGITS)
    for name, words in (("c.npz", "has no array x and no x_test"), ("d.npz", "does not exist")):
        with pytest.raises(UsageError, match=words):
            images.read(str(tmp_path / name), like=like())
    np.savez(tmp_path / "e.npz", x=DIGITS + 1)
    with pytest.raises(UsageError, match="expected whole numbers from 0 to 16, the full scale of the training images"):
        images.read(str(tmp_path / "e.npz"), like=like())


def test_a_run_on_a_table_says_how_it_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame().rename(columns={"label": "kind"}).to_csv(tmp_path / "a.csv", index=False)
    command = [
        "--preset",
        "plain",
        "--data",
        str(tmp_path / "a.csv"),
        "--layers",
        "5",
        "--epochs",
        "1",
        "--batch",
        "16",
    ]
    assert run_app(app, [*command, "--out", str(tmp_path / "run")]) == 2
    assert "--label-column" in capsys.readouterr().err
    assert run_app(app, [*command, "--label-column", "kind", "--out", str(tmp_path / "run"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["data_notes"][0] == "column kind has the labels" and "divided by 16" in result["data_notes"][-1]
    assert "data file a.csv" in result["inputs_sha256"]
