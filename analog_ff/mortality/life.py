r"""The life of one chip: its clock runs for days, and what is done for it decides how well it still answers.

`CARES` are the ways: nothing; scales that are measured anew (`analog_ff.runs.rescaled`); a little learning each day, with true
labels or with the chip's own answers as labels. Each way begins with the chip as its learning left it. Learning goes on at the
rates of the last epoch.

A cell of median endurance N_0 that gets r pulses for an image lives for

.. math:: n = N_0 / r

images of training, where r is the mean over all cells; cells that are used more die before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analog_ff.mortality.specimen import Specimen
from analog_ff.mortality.teaching import Lessons, sharpened
from analog_ff.objective.schedule import gain
from analog_ff.plain import Document
from analog_ff.runs.ages import AS_IT_IS, IN_WORDS, WAYS, aged
from hardware_models.keys import Key

DAY = 86400.0
"""Length of a day [s]."""
LABELS, ANSWERS = "learning each day, labels", "learning each day, its own answers"
CARES: dict[str, str] = {
    AS_IT_IS: "no care",
    **{way: f"scales measured anew: {IN_WORDS[way]}" for way in WAYS},
    LABELS: LABELS,
    ANSWERS: ANSWERS,
}
"""Ways to care for a chip -> their names in tables."""


class Days(NamedTuple):
    """The length of a life and the learning in it."""

    tested: Sequence[int]  # days at whose end the chip is tested, rising
    images: int  # images a day
    sharpness: float  # exponent of its own answers


def lived_on(chip: Specimen, given: Lessons, days: Days) -> Document:
    """Return the errors of a grown chip at the end of days for every way of `CARES`, and what its learning takes.

    Parameters
    ----------
    chip : a chip that has learned; it is afterwards as it is now.
    given : images with true labels that it learns from, one part after the other; they begin again.
    days : the days.

    Returns
    -------
    dict
        `days`, the day 0 first; `error_percent` {care: {read-out: errors by day}} [%]; `joule_a_day` {care: energy of learning}
        [J]; `pulses_an_image`, mean pulses of a cell for an image; `images_of_life`, None for cells without an endurance.
    """
    found: Document = {"days": [0, *days.tested], "images_a_day": days.images, "error_percent": {}, "joule_a_day": {}}
    found |= _wear(chip)
    found["error_percent"] |= _without_learning(chip, days)
    for care in (LABELS, ANSWERS):
        with chip.as_learned():
            before = chip.joule("learn")
            found["error_percent"][care] = _by_readout(_learning(chip, given, days, own=care == ANSWERS))
            found["joule_a_day"][care] = (chip.joule("learn") - before) / days.tested[-1]
    return found


def _wear(chip: Specimen) -> Document:
    cells = 2 * sum(inputs * neurons for inputs, neurons in chip.port.shapes)
    pulses = chip.run.ledger.phase("learn").total()["write.selected"]
    rate = pulses / (cells * max(chip.run.images, 1))
    wear = chip.port.description.get("wear")
    endurance = wear["endurance"] if isinstance(wear, dict) else None
    return {"pulses_an_image": rate, "images_of_life": endurance / rate if endurance and rate else None}


def _without_learning(chip: Specimen, days: Days) -> dict[str, dict[str, list[float]]]:
    ages = {str(day): day * DAY for day in (0, *days.tested)}
    key = Key(chip.config.seed, "life")
    with chip.as_learned():
        looks = aged(chip.learner, chip.port, chip.data, ages, key, test=chip.run.test_key).found["by_age"]
    first = looks["0"][AS_IT_IS]
    return {
        way: _by_readout([look.get(way, first)["error_percent_by_readout"] for look in looks.values()])
        for way in (AS_IT_IS, *WAYS)
    }


def _learning(chip: Specimen, given: Lessons, days: Days, *, own: bool) -> list[dict[str, float]]:
    """Return the errors by read-out of each test of a chip that learns a little each day."""
    config = chip.config
    errors = [chip.test()]
    for day in range(1, days.tested[-1] + 1):
        key = Key(config.seed, "life", day)
        chip.port.wait(DAY, key=key.child("wait"))
        chip.check()
        rows = np.arange((day - 1) * days.images, day * days.images) % len(given.images)
        today = Lessons(given.images[rows], given.answers[rows])
        if own:
            answers, _ = chip.ask(today.images, key.child("asked"))
            today = today._replace(answers=sharpened(answers, days.sharpness))
        chip.teach(today, 1, rate=gain(config.epochs - 1, config.epochs))
        if day in days.tested:
            errors.append(chip.test())
    return errors


def _by_readout(errors: list[dict[str, float]]) -> dict[str, list[float]]:
    return {readout: [error[readout] for error in errors] for readout in errors[0]}
