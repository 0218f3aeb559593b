"""What an image costs each rule: how often a cell is read for it, and how many outer products the arrays learn from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.runs.build import frame_of, learner_of, negatives_of, port_of, wiring_of
from analog_ff.updates.base import Update
from hardware_models.events import Events
from hardware_models.keys import Key

IMAGES = 30


class Counter(Update):
    """An update that changes nothing and notes the rows of each outer product."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def apply(self, x: np.ndarray, d: np.ndarray, images: int, rate: float, bias_rate: float, key: Key) -> Events:
        assert len(x) == len(d)
        self.rows.append(len(d))
        return Events()


@pytest.mark.parametrize(
    ("choices", "reads", "products"),
    [
        ({}, 3, 2),
        ({"goodness": "top-k"}, 3, 2),
        ({"collaboration": 1.0}, 3, 2),
        ({"negatives": "self-contrastive"}, 3, 2),
        ({"learner": "local-softmax"}, 1, 1),
        ({"learner": "competitive", "readout": "competition"}, 1, 1),
        ({"learner": "random-features"}, 1, 0),
    ],
    ids=lambda value: "-".join(map(str, value.values())) or "plain" if isinstance(value, dict) else str(value),
)
def test_reads_and_products_of_an_image(choices: dict[str, Any], reads: int, products: int) -> None:
    """A read of signed weights and positive inputs is one phase on the two cells of each weight."""
    config, data = Config(data="toy", device="ideal", layers=(12, 10), shift=0, **choices), load("toy")
    negatives = negatives_of(config, data)
    wiring = wiring_of(config, frame_of(config, data, negatives))
    port = port_of(config, wiring.shapes)
    made = learner_of(config, port, 2, wiring, negatives)
    made.initialise()
    counters = [Counter() for _ in port.shapes]
    if products:
        made.updates = counters
    tally = made.step(data.x_train[:IMAGES], data.y_train[:IMAGES], step=0, gain=1.0)
    weights = sum(inputs * neurons for inputs, neurons in port.shapes)
    assert tally.total()["reads.cells"] == reads * 2 * weights * IMAGES
    assert tally.total()["reads.transposed_cells"] == 0
    assert all(sum(one.rows) == products * IMAGES for one in counters)
