"""Answers as labels: their laws, what a chip is asked, and the halves of the training images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analog_ff.mortality.teaching import QUERIES, Lessons, asked, labelled, sharpened

ANSWERS = np.array([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.0, 1.0, 0.0]])


def test_an_answer_that_is_sure_draws_its_label() -> None:
    labels = np.arange(1000) % 7
    given = labelled(np.zeros((1000, 2), np.float32), labels, 7)
    assert np.array_equal(given.labels(np.random.default_rng(1)), labels)


def test_labels_come_in_proportion_to_the_answer_and_anew_each_time() -> None:
    """The count of each class in n draws scatters by sqrt(n p (1 - p)); 5 of these bound it."""
    n = 30_000
    for answer in ANSWERS:
        given = Lessons(np.zeros((n, 1), np.float32), np.tile(answer, (n, 1)))
        drawn = given.labels(np.random.default_rng(2))
        for label, p in enumerate(answer):
            assert abs(int((drawn == label).sum()) - n * p) <= 5.0 * math.sqrt(n * p * (1.0 - p))
    mixed = Lessons(np.zeros((n, 1), np.float32), np.tile(ANSWERS[0], (n, 1)))
    assert not np.array_equal(mixed.labels(np.random.default_rng(3)), mixed.labels(np.random.default_rng(4)))


def test_sharpened_answers_have_the_limits_of_their_law() -> None:
    assert np.allclose(sharpened(ANSWERS, 1.0), ANSWERS, rtol=0.0, atol=1e-15)
    assert np.allclose(sharpened(ANSWERS, 2.0)[0], np.array([0.36, 0.09, 0.01]) / 0.46)
    assert np.array_equal(sharpened(ANSWERS, math.inf), np.eye(3)[[0, 2, 1]])
    assert np.allclose(sharpened(ANSWERS, 1e4), sharpened(ANSWERS, math.inf))
    assert np.allclose(sharpened(ANSWERS[:2], 1e-9), 1.0 / 3.0)
    small = np.full((1, 3), 1e-30, np.float32) * np.array([1.0, 2.0, 1.0], np.float32)
    assert np.allclose(sharpened(small, 300.0), [[0.0, 1.0, 0.0]])  # the power of a small number alone would be 0


def test_noise_keeps_the_values_of_each_pixel_and_no_image() -> None:
    images = np.arange(400, dtype=np.float32).reshape(100, 4)
    made = QUERIES["noise"](images, np.random.default_rng(5))
    assert np.array_equal(np.sort(made, axis=0), images)
    together = (made // 4).astype(int)  # the row from which each pixel comes
    assert np.mean(together[:, 0] == together[:, 1]) < 0.1  # 1 of 100 rows on average
    assert np.array_equal(QUERIES["images"](images, np.random.default_rng(5)), images)


@pytest.mark.parametrize("queries", [3, 5, 12])
def test_queries_begin_again_where_the_images_end(queries: int) -> None:
    images = np.arange(5.0)[:, None]
    assert np.array_equal(asked(images, queries)[:, 0], np.arange(queries) % 5)
