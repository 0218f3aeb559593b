"""A chip as it ages: its error and its goodness after waits, as it is and after its scales were measured again.

The chip waits switched off, and its clock runs; nothing is written. It is read as it is (`AS_IT_IS`), with one factor for
each layer, and with two numbers for each neuron, measured anew on training images without labels (`analog_ff.runs.rescaled`).
All draws of noise are the same at each age, so that a difference between ages is that of the cells.

Between two layers the network takes the length of a layer's activity away (`analog_ff.objective.normalise.rms`). A factor that
all cells of a layer have in common therefore changes nothing in the layers above nor in the softmax read-out, as long as
converters still resolve the currents; it changes the weight of that layer in the sum of the energy read-out. Thresholds theta
belong to learning: no read-out compares a goodness with them, and another theta would change no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from analog_ff.datasets.base import Dataset
from analog_ff.learners.base import CHUNK, Learner
from analog_ff.plain import Document, Facts
from analog_ff.runs.rescaled import Correction, Moments, RescaledPort, of_each_neuron, of_the_layer
from hardware_models.devices.ageing import no_law_of_time
from hardware_models.devices.base import BaseDevice
from hardware_models.energy import price
from hardware_models.events import Ledger, Tally
from hardware_models.keys import Key
from hardware_models.nonlinearities.base import changes_with_time
from hardware_models.port import ChipBench, ChipPort

AS_IT_IS = "as_it_is"
WAYS: Mapping[str, Callable[[Moments, Moments], Correction]] = {
    "factor_per_layer": of_the_layer,
    "factor_per_neuron": of_each_neuron,
}
"""Way of correcting an old chip -> the correction of one layer from its moments, fresh and old."""
IN_WORDS: Mapping[str, str] = {
    AS_IT_IS: "as it is",
    "factor_per_layer": "a factor per layer",
    "factor_per_neuron": "a factor per neuron",
}
"""Way of reading an old chip -> its name in tables and pictures."""
PHASES = ("program", "monitor")
"""Phases in which measurements of scales, and tests, are booked."""
MEASURED = 200
"""Training images, without their labels, on which scales are measured, or all if there are fewer."""


class Aged(NamedTuple):
    """Findings by age, and the counts of the tests and of the measurements of scales."""

    found: Document
    ledger: Ledger


def of_its_law(ages: Mapping[str, float], device: BaseDevice, nonlinearity: str) -> tuple[dict[str, float], str | None]:
    """Return the ages {name: seconds} at which a chip can be tested, and the sentence that leaves out the others, or None.

    A chip whose cells and neurons have no law of time is tested at once only: later errors would be the same by construction.
    """
    lawless = no_law_of_time(device)
    if lawless and changes_with_time(nonlinearity):
        lawless = None
    return {name: seconds for name, seconds in ages.items() if seconds == 0.0 or not lawless}, lawless


def described(aged: Aged, lawless: str | None, conditions: Facts) -> Document:
    """Return the entry ``ages`` of a result: what was found, its events and their energy at the `conditions` of pricing.

    It stands apart from the counts of the run, so that no energy of the run changes.
    """
    booked = aged.ledger.as_dict()
    events = {phase: booked["events"][phase] for phase in PHASES}
    integrals = {phase: booked["integrals"][phase] for phase in PHASES}
    joule = price(events, integrals, **conditions)
    counts: Document = {"events": events, "integrals": integrals, "by_component_joule": joule}
    return {**aged.found, "no_law_of_time": lawless, **counts}


def growing_old(port: ChipPort, ages: Mapping[str, float], key: Key) -> Iterator[str]:
    """Yield the names of the ages {name: seconds, rising}, each when the chip has waited so long in all."""
    passed = 0.0
    for age, seconds in ages.items():
        if seconds > passed:
            port.wait(seconds - passed, key=key.child("wait", int(seconds)))
            passed = seconds
        yield age


class Tested(NamedTuple):
    """The test of a network, by read-out."""

    errors: dict[str, float]  # [%]
    tallies: dict[str, Tally]
    answers: dict[str, np.ndarray]  # (n,) index of the class that was answered to each test image
    scores: dict[str, np.ndarray]  # (n, classes) score of each class; the best one is the answer


def tested(learner: Learner, data: Dataset, key: Key) -> Tested:
    """Show the test images to each read-out of a network in turn."""
    found = Tested({}, {}, {}, {})
    for name in learner.readouts:
        scores, found.tallies[name] = learner.scored(data.x_test, readouts=(name,), key=key)
        found.scores[name], found.answers[name] = scores[name], scores[name].argmax(axis=1)
        found.errors[name] = 100.0 * float(np.mean(found.answers[name] != data.y_test))
    return found


def aged(
    learner: Learner, port: ChipBench, data: Dataset, ages: Mapping[str, float], key: Key, *, test: Key | None = None
) -> Aged:
    """Test a chip now and at later ages, as it is and with its scales measured anew; it is older afterwards.

    Parameters
    ----------
    learner, port, data : a trained learner, the chip that it is on, and images for its test and its scales.
    ages : {name: seconds}, rising, from `of_its_law`; the first is the age 0.
    key : key of waits, of wrong labels and of the measurement of scales.
    test : key of the noise of all tests; by default a child of `key`.

    Returns
    -------
    Aged
        By age `seconds`, and for each way of reading the chip `error_percent_by_readout` [%] with the mean goodness of each
        layer for right labels (`goodness_positive`) and for wrong ones (`goodness_negative`), None for a network without
        labels. At once the chip is read as it is alone. In the ledger tests are of phase ``monitor``, measurements of scales of
        phase ``program``.
    """
    chosen = np.sort(key.child("scales").generator().permutation(len(data.x_train))[:MEASURED])
    images = data.x_train[chosen]
    ledger = Ledger()
    found: Document = {}
    fresh: dict[int, Moments] = {}
    for age in growing_old(port, ages, key):
        looks: Document = {AS_IT_IS: _looked(learner, data, key, test, ledger)}
        with _behind(learner) as rescaled:
            if len(ages) > 1 and not found:
                fresh = _measured(learner, rescaled, range(len(port.shapes)), images, key, ledger)
            for way, correction in WAYS.items() if found else ():
                rescaled.corrections = {}
                for layers in learner.network.parts:  # a layer's inputs are corrected before its own scale is measured
                    old = _measured(learner, rescaled, layers, images, key, ledger)
                    rescaled.corrections |= {layer: correction(fresh[layer], m) for layer, m in old.items()}
                rescaled.watch(())
                looks[way] = _looked(learner, data, key, test, ledger)
        found[age] = {"seconds": ages[age], **looks}
    theta = [layer.theta * layer.regions for layer in learner.network.goodness]
    return Aged({"scales_measured_on": len(images), "theta": theta, "by_age": found}, ledger)


def _looked(learner: Learner, data: Dataset, key: Key, test: Key | None, ledger: Ledger) -> Document:
    found = tested(learner, data, key.child("test") if test is None else test)
    for tally in found.tallies.values():
        ledger.book("monitor", tally)
    goodness = _goodness(learner, data, key.child("goodness"), ledger)
    return {"error_percent_by_readout": found.errors, **goodness}


def _goodness(learner: Learner, data: Dataset, key: Key, ledger: Ledger) -> dict[str, list[float] | None]:
    """Return the mean goodness of each layer over the test images, with their labels and with wrong ones drawn at random."""
    if learner.network.label_place == "none":
        return {"goodness_positive": None, "goodness_negative": None}
    others = key.generator().integers(1, learner.classes, len(data.y_test))
    shown = {"goodness_positive": data.y_test, "goodness_negative": (data.y_test + others) % learner.classes}
    sums = {what: np.zeros(len(learner.network.units)) for what in shown}
    for start in range(0, len(data.x_test), CHUNK):
        part = slice(start, start + CHUNK)
        for what, labels in shown.items():
            here = key.child(what, start)
            for activities, tally in learner.network.forward(  # noqa: B007
                learner.show(data.x_test[part], labels[part]), here, "layer"
            ):
                ledger.book("monitor", tally)
            for layer, goodness in enumerate(learner.network.goodness):  # of the last iteration
                sums[what][layer] += float(goodness.value(activities[layer].y).sum(dtype=np.float64))
    return {what: [float(value) for value in total / len(data.x_test)] for what, total in sums.items()}


def _measured(
    learner: Learner, port: RescaledPort, layers: range | tuple[int, ...], images: np.ndarray, key: Key, ledger: Ledger
) -> dict[int, Moments]:
    """Return the moments of z of some layers of the chip in one pass of images without labels."""
    port.watch(layers)
    one_pass = [name for name in learner.readouts if name not in ("energy", "both")]
    _, tally = learner.predict(images, readouts=one_pass, key=key.child("measured"))
    ledger.book("program", tally)
    return port.moments()


@contextmanager
def _behind(learner: Learner) -> Iterator[RescaledPort]:
    """Let a learner see its chip behind a correction of its neurons, until the end of the ``with``."""
    own = learner.port
    rescaled = RescaledPort(own)
    learner.port = learner.network.port = rescaled
    try:
        yield rescaled
    finally:
        learner.port = learner.network.port = own


@contextmanager
def as_before(learner: Learner, port: ChipBench) -> Iterator[None]:
    """Give a chip and its learner back the state that they had before the ``with``: its age, its cells and its counters."""
    chip, own = port.save(), learner.save()
    try:
        yield
    finally:
        port.restore(chip)
        learner.restore(own)
