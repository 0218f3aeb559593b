"""Paths from chip to chip: what a copy keeps, what it costs, and that the first chip is none the worse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config, recommended
from analog_ff.mortality.paths import Halves, Path, Verify, epochs_for, halves
from analog_ff.mortality.specimen import Specimen, specimen

PERFECT: dict[str, Any] = {
    "data": "toy", "device": "ideal", "layers": (16, 12), "epochs": 15, "batch": 20, "learning_rate": 0.2, "dac": None,
    "adc": None, "readout_rate": 0.5, "shift": 0,
}  # fmt: skip
"""A network on cells without noise, whose copy on any chip is the same network."""
NOISY: dict[str, Any] = {"data": "toy", "device": "nandakumar2020_pcm", "layers": (8,), "epochs": 1, "batch": 20}
"""Cells with noise that drift by the chip's clock."""


def nothing() -> None:
    """Never ask for an end."""


@contextmanager
def grown(options: dict[str, Any]) -> Iterator[tuple[Specimen, Halves]]:
    with specimen(Config(**options), 3, nothing) as old:
        parts = halves(old)
        old.begin()
        old.teach(parts.first, old.config.epochs)
        yield old, parts


def test_halves_share_no_image_and_are_balanced() -> None:
    with specimen(Config(**NOISY), 0, nothing) as chip:
        parts = halves(chip)
        rows = {row.tobytes() for row in chip.data.x_train}
        first, second = ({row.tobytes() for row in part.images} for part in parts)
        assert len(rows) == len(chip.data.x_train) and not first & second and first | second == rows
        of_class = [part.answers.sum(axis=0) for part in parts]
        assert np.abs(of_class[0] - of_class[1]).max() <= 1.0
        again = halves(chip)
        assert all(np.array_equal(a.images, b.images) for a, b in zip(parts, again, strict=True))
        other = halves_of_seed(1)
        assert not np.array_equal(other.first.images, parts.first.images)


def halves_of_seed(seed: int) -> Halves:
    with specimen(Config(**NOISY, seed=seed), 0, nothing) as chip:
        return halves(chip)


def test_a_copy_without_noise_errs_as_the_first_chip_and_a_chip_without_transfer_does_not() -> None:
    """The same weights are the same network; the random neurons of another chip make another one of them."""
    with grown(PERFECT) as (old, parts):
        learned = old.lived()["error_percent_by_readout"]
        assert max(learned.values()) < 40.0  # of 90 % by chance
        path = Path(old, parts, 4, Verify(2, 1, 0.0))
        copied = path.copied()["error_percent_by_readout"]
        assert copied == pytest.approx(learned, abs=1.0)  # one image of 100, for the last bits of a weight
        assert path.nothing()["error_percent_by_readout"]["softmax"] > learned["softmax"] + 20.0
    with grown(PERFECT | {"nonlinearity": "random"}) as (old, parts):
        learned = old.lived()["error_percent_by_readout"]
        copied = Path(old, parts, 4, Verify(2, 1, 0.0)).copied()["error_percent_by_readout"]
        assert copied["energy"] > learned["energy"] + 5.0


def test_the_first_chip_is_after_each_path_as_it_was_before() -> None:
    """Reading and asking let its clock run; paths are then the same in any order."""
    with grown(NOISY) as (old, parts):
        before = {name: np.array(value) for name, value in old.port.save().items()}
        path = Path(old, parts, 4, Verify(1, 1, 0.1))
        with old.as_learned():
            asked = path.distilled(30)
            assert any(not np.array_equal(before[name], value) for name, value in old.port.save().items())
        assert all(np.array_equal(before[name], value) for name, value in old.port.save().items())
        with old.as_learned():
            path.copied()
        with old.as_learned():
            assert path.distilled(30) == asked


def test_what_each_path_costs_is_counted_where_it_is_spent() -> None:
    with grown(NOISY) as (old, parts):
        path = Path(old, parts, 4, Verify(1, 1, 0.1))
        with old.as_learned():
            copied = path.copied()
        with old.as_learned():
            tuned = path.copied(40, 1)
        assert copied["joule"]["learn"] == 0.0 < copied["joule"]["old"] and copied["labels"] == 0 < tuned["labels"]
        assert tuned["joule"]["learn"] > 0.0 and tuned["joule"]["program"] == copied["joule"]["program"]
        asked, anew, none = path.distilled(40), path.anew(200), path.nothing()
        assert asked["queries"] == 40 and asked["labels"] == 0 and anew["labels"] == 200
        assert 0.0 < asked["joule"]["old"] < asked["joule"]["learn"] and anew["joule"]["old"] == 0.0
        assert none["joule"]["program"] == anew["joule"]["program"] > 0.0 == none["joule"]["learn"]
        for end in (copied, tuned, asked, anew, none):
            assert end["joule"]["all"] == pytest.approx(sum(end["joule"][part] for part in ("old", "program", "learn")))


def test_twice_the_queries_take_twice_the_energy_of_the_first_chip_and_as_many_images_teach() -> None:
    with grown(NOISY) as (old, parts):
        path = Path(old, parts, 4, Verify(1, 1, 0.1))
        once, twice = (path.distilled(queries)["joule"]["old"] for queries in (100, 200))
        assert twice == pytest.approx(2.0 * once, rel=0.02)
    assert epochs_for(20, 2000, 4000) == 10 and epochs_for(20, 2000, 500) == 80 and epochs_for(1, 10, 1000) == 1


def test_weights_of_a_digital_computer_are_the_same_for_every_chip_and_written_to_each() -> None:
    options = {name: value for name, value in NOISY.items() if name != "learning_rate"}
    digital = Config(**recommended(options | {"learner": "backprop-programmed", "preset": "plain"}))
    with grown(NOISY) as (old, parts):
        ends = [Path(old, parts, chip, Verify(1, 1, 0.1)).written(replace(digital, epochs=2)) for chip in (4, 5)]
        assert ends[0]["joule"]["learn"] == ends[1]["joule"]["learn"] > 0.0
        assert ends[0]["joule"]["program"] != ends[1]["joule"]["program"] > 0.0
