r"""The file ``looks.json``, noted once at the end of a run: all that a report shows beside the result.

It has the confusion matrix of each read-out, the worst answers of the headline's read-out with their images, histograms of
conductance and of pulses received, and the weights of first neurons. Everything was measured already: the answers are those of
the run's own test, the cells are those of the bench. Nothing is read from the chip, so no number of the result changes.

An answer is the worse the larger its lead over the true label c is,

.. math:: lead = \max_k S_k - S_c

with S the scores of the read-out, in its own units.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analog_ff.datasets.base import Dataset
from analog_ff.output import folders, whole_files
from analog_ff.output.forms import document
from analog_ff.plain import Document, Facts
from analog_ff.runs import cells, described
from analog_ff.runs.cells import Pictured, binned
from analog_ff.runs.looks_shape import LooksFile
from analog_ff.runs.train import Run
from hardware_models import figures, files, hdf5
from hardware_models.check import shown

NAME = "looks.json"
SCHEMA = 1
WORST = 24
"""Wrong answers that are noted."""
NEURONS = 24
"""Neurons of the first layer whose weights are noted."""
MOST_VALUES = 4096
"""Values of an image up to which images and weights are noted, so that the file stays small."""
BINS = 60
"""Bins of the pulses received, at most."""
CLASSES = 100
"""Classes up to which the confusion matrix is noted."""


class Tested(NamedTuple):
    """The images of the last test, and what the network answered."""

    data: Dataset  # whose classes and sizes of an image are noted
    images: np.ndarray  # (images, values) from 0 to 1
    labels: np.ndarray  # (images,) true labels
    answers: Mapping[str, np.ndarray]  # (images,) by read-out
    readout: str  # that of the headline
    scores: np.ndarray  # (images, classes) of that read-out


def write(folder: Path, run: Run, seen: Mapping[int, Pictured]) -> None:
    """Write looks.json as a whole; `seen` are the cells that the bench saw, by layer, none of a sealed chip."""
    data, readout = run.data, run.config.readout
    tested = Tested(data, data.x_test, data.y_test, run.answers, readout, run.scores[readout])
    sealed = run.port.sealed
    cells = {str(layer): _histograms(one) for layer, one in seen.items()}
    note(folder, tested, cells, None if sealed else fields(run), sealed=sealed)


def note(folder: Path, tested: Tested, cells: Document, fields: Document | None, *, sealed: bool = False) -> None:
    """Write looks.json as a whole from its parts; `cells` and `fields` are those of the file."""
    data, classes = tested.data, len(tested.data.classes)
    found: Document = {
        "schema": SCHEMA,
        "classes": [str(label) for label in data.classes],
        "image": [data.height, data.width, tested.images.shape[1] // (data.height * data.width)],
        "confusion_by_readout": {name: confusion(tested, name) for name in tested.answers if classes <= CLASSES},
        "worst": worst(tested),
        "cells": cells,
        "fields": fields,
        "sealed": sealed,
    }
    whole_files.write(folder / NAME, document(found))


def confusion(tested: Tested, readout: str) -> list[list[int]]:
    """Return the numbers of images of each class (rows) that were answered with each class (columns) in the last test."""
    classes = len(tested.data.classes)
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (tested.labels, tested.answers[readout]), 1)
    found: list[list[int]] = counts.tolist()
    return found


def worst(tested: Tested) -> Document:
    """Return the wrong answers of the headline's read-out with the largest leads, the largest first, and their images."""
    labels, scores, answers = tested.labels, tested.scores, tested.answers[tested.readout]
    rows = np.arange(len(labels))
    lead = (scores[rows, answers] - scores[rows, labels]).astype(np.float64)
    wrong = rows[answers != labels]
    chosen = wrong[np.argsort(-lead[wrong], kind="stable")][:WORST]
    small = tested.images.shape[1] <= MOST_VALUES
    images = [
        {
            "index": int(n), "label": int(labels[n]), "answer": int(answers[n]), "lead": float(lead[n]),
            "pixels": _bytes(np.rint(255.0 * np.clip(tested.images[n], 0.0, 1.0))) if small else None,
        }
        for n in chosen
    ]  # fmt: skip
    return {"readout": tested.readout, "wrong": len(wrong), "tested": len(labels), "images": images}


def fields(run: Run) -> Document | None:
    """Return the weights of the first neurons of the first array from every value of an image, as signed bytes.

    The neurons are those of the first columns. The result is None where an input of the array is no value of an image, as in a
    network that convolves or whose arrays see parts of an image, and for large images.
    """
    inputs, neurons = run.port.shapes[0]
    values = run.data.x_test.shape[1]
    codes = inputs - 1 - values  # inputs of the label beside the image; the last row is the bias
    place = run.learner.network.label_place
    if codes != (len(run.data.classes) if place == "appended" else 0) or values > MOST_VALUES:
        return None
    look, pairs = run.port.cells(0), run.config.pairs
    signed = (look.conductance[:, 0::2] - look.conductance[:, 1::2]).reshape(inputs, neurons, pairs).sum(axis=2)
    weights = signed[codes:-1, :NEURONS].T / float(described.of_layer(run, 0)["g_unit"].value)
    return weights_of(weights, neurons, len(run.data.classes) if place == "pixels" else 0)


def weights_of(weights: np.ndarray, neurons: int, label_over_pixels: int = 0) -> Document:
    """Return the entry `fields`: weights (neurons, values of an image) of the first of so many neurons, as signed bytes."""
    largest = float(np.abs(weights).max()) or 1.0
    return {
        "neurons": neurons,
        "largest": largest,
        "label_over_pixels": label_over_pixels,
        "weights": [_bytes(np.rint(127.0 * one / largest) + 128.0) for one in weights],
    }


def histograms(conductance: np.ndarray, pulses: np.ndarray | None, bounds: tuple[float, float]) -> Document:
    """Return the entry of a layer in `cells`, from what `cells.binned` takes."""
    return _histograms(binned(conductance, pulses, bounds, 0.0))


def _histograms(one: Pictured) -> Document:
    """Return the histograms of a layer: of conductance in equal bins, and of pulses received in bins of whole pulses."""
    most = int(np.searchsorted(one.pulses.cumsum(), 0.999 * one.pulses.sum()))  # what 999 of 1000 cells do not exceed
    width = -(-(most + 1) // BINS)
    padded = np.zeros(-(-(most + 1) // width) * width, np.int64)
    kept = one.pulses[: len(padded)]
    padded[: len(kept)] = kept
    return {
        "edges_microsiemens": [float(f"{edge:.9g}") for edge in one.edges],
        "plus": one.plus.tolist(),
        "minus": one.minus.tolist(),
        "bounds_microsiemens": list(one.bounds),
        "pulses_a_bin": width,
        "pulses": padded.reshape(-1, width).sum(axis=1).tolist() if one.pulses.size else [],
        "cells": int(one.plus.sum() + one.minus.sum()),
    }


def _bytes(values: np.ndarray) -> str:
    return base64.b64encode(values.astype(np.uint8).tobytes()).decode()


class Histograms(NamedTuple):
    """The histograms of a layer."""

    edges: np.ndarray  # borders of the bins of conductance [uS]
    plus: np.ndarray  # cells G+ in each bin
    minus: np.ndarray  # cells G- in each bin
    bounds: tuple[float, float]  # nominal bounds of the conductance [uS]
    pulses_a_bin: int
    pulses: np.ndarray  # cells in each bin of pulses received, without the highest 1 in 1000; empty where not counted
    cells: int


class WrongAnswer(NamedTuple):
    """A wrong answer of the last test."""

    place: int  # place of the image in the test set
    label: str
    answer: str
    lead: float  # score of the answer less that of the label
    image: np.ndarray | None  # (height, width) or (height, width, channels) uint8; None for large images


class Looks(NamedTuple):
    """The contents of looks.json."""

    classes: list[str]
    confusion: dict[str, np.ndarray]  # (classes, classes) by read-out
    readout: str  # that of the worst answers
    wrong: int
    tested: int
    worst: list[WrongAnswer]
    cells: dict[int, Histograms]  # by layer of the chip
    fields: list[
        np.ndarray
    ]  # weights of first neurons from every value of an image, (height, width, channels), over `largest`
    neurons: int
    largest: float  # largest size of these weights [1]
    sealed: bool


def read(folder: Path) -> Looks | None:
    """Return the contents of looks.json of a folder, None where there is none; raise UsageError for a damaged file."""
    place = folder / NAME
    if not folders.has(folder, NAME):
        return None
    found = files.json_object(files.contents(place, "looks", most=files.LARGE), place, "what a report shows of a run")
    where = shown(str(place), 200, quoted=False)
    figures.schema(found, where)
    files.shaped(found, LooksFile, where)
    with files.reading(place, "what a report shows of a run"):
        return _looks(found)


def _looks(found: Facts) -> Looks:
    height, width, channels = found["image"]
    names, worst = [str(name) for name in found["classes"]], found["worst"]
    square = len(names), len(names)
    kept = found["fields"] or {"weights": [], "neurons": 0, "largest": 0.0}
    return Looks(
        classes=names,
        confusion={
            str(name): np.array(counts, np.int64).reshape(square)
            for name, counts in found["confusion_by_readout"].items()
        },
        readout=str(worst["readout"]),
        wrong=int(worst["wrong"]),
        tested=int(worst["tested"]),
        worst=[
            WrongAnswer(
                int(one["index"]), names[one["label"]], names[one["answer"]], float(one["lead"]),
                None if one["pixels"] is None else _values(one["pixels"], (height, width, channels)).squeeze(axis=2)
                if channels != 3 else _values(one["pixels"], (height, width, 3)),
            )
            for one in worst["images"]
        ],
        cells={int(layer): _histograms_of(one) for layer, one in found["cells"].items()},
        fields=[(_values(one, (height, width, channels)).astype(np.float32) - 128.0) / 127.0 for one in kept["weights"]],
        neurons=int(kept["neurons"]),
        largest=float(kept["largest"]),
        sealed=found.get("sealed", found["fields"] is None and not found["cells"]),
    )  # fmt: skip


def in_cells(folder: Path, bounds: tuple[float, float]) -> dict[int, Histograms]:
    """Return the histograms of the cells in cells.h5, by layer, for a run that noted none; `bounds` are the nominal ones [S].

    The result is empty where there is no such file, or one without the pulses of the cells.
    """
    place = folder / cells.NAME
    if not folders.has(folder, cells.NAME):
        return {}
    kept = hdf5.tree(place, "file of cells")
    with files.reading(place, "the cells of a run"):
        layers = {int(name[5:]): group for name, group in kept.items() if re.fullmatch("layer[0-9]+", name)}
        return {
            layer: _histograms_of(histograms(group["conductance"], group["pulses"], bounds))
            for layer, group in sorted(layers.items())[: cells.PICTURED]
            if "pulses" in group
        }


def _histograms_of(one: Facts) -> Histograms:
    low, high = one["bounds_microsiemens"]
    edges, plus, minus = (np.array(one[name], float) for name in ("edges_microsiemens", "plus", "minus"))
    if not len(edges) - 1 == len(plus) == len(minus):
        raise ValueError("a histogram has one edge more than bins")
    pulses = np.array(one["pulses"], np.int64)
    return Histograms(
        edges, plus, minus, (float(low), float(high)), int(one["pulses_a_bin"]), pulses, int(one["cells"])
    )


def _values(text: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text, validate=True), np.uint8).reshape(shape)
