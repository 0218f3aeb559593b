"""Sections on learning: curves, goodness, confusion, the worst answers, and the weights of first neurons."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from analog_ff.output.quantities import readout_in_words
from analog_ff.report.charts import Chart, Curve
from analog_ff.report.finished import Finished
from analog_ff.report.parts import Gallery, Matrix, Part, Picture, Section, Table, Text, grey, missing, signed
from analog_ff.runs.looks import Looks
from analog_ff.runs.train import MONITORED

EARLIER = "the run comes from an earlier version, which did not note it; a new run notes it in looks.json"
"""Reason for what only a run of this version has noted."""
WIDEST = 30
"""Classes up to which a confusion matrix is drawn as a whole."""
PAIRS = 20
"""Confusions that are listed where there are more classes."""


def curves(run: Finished) -> Section:
    """Return the section of the learning curves, with the error of the test as a number."""
    said = ", ".join(f"{error:.2f} % by the {readout_in_words(name)}" for name, error in run.errors.items())
    tested = run.result["images"]["infer"] // max(len(run.errors), 1)
    parts: list[Part] = [Text(f"Error on the {tested} {run.kind} images at the end of the run: {said}.")]
    if not run.metrics:
        return Section(
            "curves", "Learning curves", [*parts, missing("The learning curve", "the folder has no metrics.csv")]
        )
    final = run.kind == "test"
    watched = f"at most {MONITORED} training images" if final else "validation images"
    epochs = [line["epoch"] for line in run.metrics]
    drawn = [
        Curve(f"{readout_in_words(name)}, {watched}", epochs, _column(run, f"{name}_error_percent"), n, marked=True)
        for n, name in enumerate(run.errors)
    ]
    note = "The chip is read for these errors after every epoch. "
    if "training_error_percent" in run.metrics[-1]:
        learned = _column(run, "training_error_percent")
        drawn.append(Curve("softmax read-out, training images while they are learned", epochs, learned, 7, dashed=True))
        note += (
            "The dashed line is the share of wrong answers to the training images of the epoch, each before the read-out learned "
            "from it. "
        )
    if final:
        note += "The run trained on the whole training set and so has no validation curve; --split holdout gives one."
    ends = "; ".join(f"{curve.name}: {_ends(curve.y)}" for curve in drawn)
    parts.append(
        Chart(
            "Error against epochs",
            "epoch",
            "error [%]",
            drawn,
            f"Error in percent against epochs. {ends}.",
            note.strip(),
        )
    )
    joule = _column(run, "learn_joule")
    if len(epochs) > 1 and all(value > 0.0 for value in joule):
        against = [Curve(c.name, joule, c.y, c.colour, c.dashed, c.marked) for c in drawn[: len(run.errors)]]
        alt = f"Error in percent against the energy of learning so far, from {joule[0]:.3g} to {joule[-1]:.3g} joules. {ends}."
        parts.append(
            Chart("Error against energy of learning", "energy of learning [J]", "error [%]", against, alt, log_x=True)
        )
    return Section("curves", "Learning curves", parts)


def goodness(run: Finished) -> Section:
    """Return the section of the goodness of positives and negatives, a chart a layer."""
    title = "Goodness of positives and negatives"
    words = (
        "Mean goodness of each layer over the last batch of an epoch. A layer learns to tell positives from negatives."
    )
    charts = goodness_charts(run, {"positive": "positives", "negative": "negatives"}, "goodness [1]")
    if not charts:
        learner = run.result["config"].get("learner", "this run")
        why = "the folder has no metrics.csv" if not run.metrics else f"{learner} contrasts no positives with negatives"
        return Section("goodness", title, [missing("The goodness of the layers", why)])
    return Section("goodness", title, [Text(words), *charts])


def goodness_charts(run: Finished, sides: Mapping[str, str], unit: str) -> list[Chart]:
    """Return the charts of the goodness of each layer; `sides` are the two in metrics.csv, each with its name in the legend."""
    first = f"goodness_{next(iter(sides))}_"
    layers = [name.removeprefix(first) for name in (run.metrics or [{}])[-1] if first in name]
    epochs = [line["epoch"] for line in run.metrics]
    charts = []
    for layer in layers:
        pair = [
            Curve(named, epochs, _column(run, f"goodness_{side}_{layer}"), n, dashed=n == 1, marked=True)
            for n, (side, named) in enumerate(sides.items())
        ]
        alt = f"Goodness of layer {layer} against epochs. " + "; ".join(f"{c.name}: {_ends(c.y)}" for c in pair) + "."
        charts.append(Chart(f"Layer {layer}", "epoch", unit, pair, alt))
    return charts


def confusion(run: Finished) -> Section:
    """Return the section of the confusion matrix of the headline's read-out, with the errors of each class by all read-outs."""
    title, looks = "Confusion matrix", run.looks
    if looks is None or not looks.confusion:
        why = EARLIER if looks is None else "there are too many classes for it"
        return Section("confusion", title, [missing("The confusion matrix", why)])
    headline = next(iter(run.errors))
    counts = looks.confusion[headline]
    caption = f"{readout_in_words(headline).capitalize()}: true labels (rows) and answers (columns), {run.kind} images"
    parts: list[Part] = []
    if len(looks.classes) <= WIDEST:
        note = "Numbers of images. The deeper the colour, the larger the share of the true label's images; empty cells are 0."
        parts.append(Matrix(caption, looks.classes, counts.tolist(), note))
    else:
        parts.append(_most_confused(counts, looks.classes, caption))
    shown = counts.sum(axis=1)
    rows = [
        [name, f"{shown[n]}", *(_share(found[n], n) for found in (looks.confusion[r] for r in run.errors))]
        for n, name in enumerate(looks.classes)
    ]
    titles = ["true label", "images", *(f"{readout_in_words(name)} [%]" for name in run.errors)]
    parts.append(Table("Error of each class", titles, rows, folded=len(rows) > WIDEST))
    return Section("confusion", title, parts)


def worst(run: Finished) -> Section:
    """Return the section of the wrong answers with the largest lead over the true label."""
    title, looks = "Worst answers", run.looks
    if looks is None:
        return Section("worst", title, [missing("A picture of the worst answers", EARLIER)])
    said = f"The {readout_in_words(looks.readout)} answered {looks.wrong} of {looks.tested} {run.kind} images wrongly."
    if not looks.worst:
        return Section("worst", title, [Text(said)])
    if any(one.image is None or 1 in one.image.shape[:2] for one in looks.worst):
        rows = [[str(one.place), one.label, one.answer, f"{one.lead:.3g}"] for one in looks.worst]
        titles = ["image", "true label", "answer", "lead"]
        return Section(
            "worst", title, [Text(f"{said} {_LEAD}"), Table("Answers with the largest lead", titles, rows, (1, 2))]
        )
    pictures = [
        Picture(
            grey(one.image), f"image {one.place} of the label {one.label}, answered with {one.answer}",
            f"{one.label} → {one.answer}, no. {one.place}",
        )
        for one in looks.worst if one.image is not None
    ]  # fmt: skip
    note = "Below each image: true label → answer, and its number in the set (from 0)."
    return Section("worst", title, [Text(f"{said} {_LEAD}"), Gallery("Images with the largest lead", pictures, note)])


_LEAD = "The worst answers lead the true label by the most: score of the answer less that of the true label."


def fields(run: Finished) -> Section:
    """Return the section of the weights of first neurons, as pictures of the size of an image."""
    title, looks = "Receptive fields of the first layer", run.looks
    if looks is None:
        return Section("fields", title, [missing("A picture of weights", EARLIER)])
    if not looks.fields:
        return Section("fields", title, [missing("A picture of weights", _why_no_fields(looks))])
    values = [one.mean(axis=2) if one.ndim == 3 else one for one in looks.fields]
    if 1 in values[0].shape:
        rows = np.concatenate([one.reshape(1, -1) for one in values])
        alt = f"weights of {len(values)} neurons (rows) from {rows.shape[1]} values of a row of the table (columns)"
        return Section(
            "fields", title, [Gallery("Weights", [Picture(signed(rows), alt, "a row a neuron")], _colours(looks))]
        )
    pictures = [
        Picture(
            signed(one),
            f"weights of neuron {n} from every pixel, largest size {np.abs(one).max() * looks.largest:.2g}",
            f"{n}",
        )
        for n, one in enumerate(values)
    ]
    return Section("fields", title, [Gallery("Weights of the first neurons", pictures, _colours(looks))])


def _colours(looks: Looks) -> str:
    shown = f"{len(looks.fields)} of {looks.neurons} neurons. " if len(looks.fields) < looks.neurons else ""
    return (
        f"{shown}Blue weights are above 0, orange ones below, full colour is {looks.largest:.3g} [1]. Where labels are written "
        "over the first pixels, the first ones are the weights of the label."
    )


def _why_no_fields(looks: Looks) -> str:
    if looks.sealed:
        return "the chip is sealed, so that nobody sees its cells"
    return "the inputs of the first array are not the values of an image, or an image has too many values"


def _most_confused(counts: np.ndarray, classes: list[str], caption: str) -> Table:
    """Return the most frequent confusions of many classes."""
    others = counts - np.diag(np.diag(counts))
    order = np.argsort(-others, axis=None, kind="stable")[:PAIRS]
    pairs = [(int(place) // len(classes), int(place) % len(classes)) for place in order]
    rows = [[classes[a], classes[b], str(counts[a, b])] for a, b in pairs if others[a, b]]
    return Table(f"{caption}: the most frequent confusions", ["true label", "answer", "images"], rows, (1,))


def _share(line: np.ndarray, own: int) -> str:
    return f"{100.0 * (1.0 - line[own] / line.sum()):.1f}" if line.sum() else "-"


def _column(run: Finished, name: str) -> list[float]:
    """Return a column of metrics.csv; NaN for a line that has none."""
    return [line.get(name, math.nan) for line in run.metrics]


def _ends(values: object) -> str:
    known = [v for v in values if v is not None and math.isfinite(v)] if isinstance(values, list) else []
    return f"{known[0]:.3g} first, {known[-1]:.3g} last" if known else "no values"
