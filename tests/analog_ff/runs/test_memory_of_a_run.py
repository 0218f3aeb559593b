"""The capacity of a run's digital memory: what learning keeps, and at least the outputs of one image."""

from __future__ import annotations

from typing import Any

import pytest

from analog_ff.runs.circuit import memory_bytes
from hardware_models.energy import load_technology, price
from hardware_models.energy.circuit import Circuit

WEIGHTS, NEURONS = 785 * 20 + 21 * 20, 40


def config(**options: Any) -> dict[str, Any]:
    return {"learner": "forward-forward", "update": "coincidence", "softmax_readout": False, **options}


def test_a_chip_that_keeps_no_word_a_weight_holds_the_outputs_of_one_image() -> None:
    assert memory_bytes(config(), WEIGHTS, NEURONS) == 4 * NEURONS


def test_words_of_weights_and_of_the_readout_are_more_than_one_image() -> None:
    assert memory_bytes(config(softmax_readout=True), WEIGHTS, NEURONS, 10) == 8 * NEURONS * 10
    assert memory_bytes(config(update="accumulate"), WEIGHTS, NEURONS) == 4 * WEIGHTS


@pytest.mark.parametrize("scenario", ["low", "nominal", "high"])
def test_words_of_the_smallest_memory_have_a_price(scenario: str) -> None:
    circuit = Circuit(memory_bytes=memory_bytes(config(), WEIGHTS, NEURONS))
    parts = price(
        {"a": {"sram.words_read": 1}}, {}, load_technology("cmos-32nm"), scenario=scenario, read_time=1e-7,
        write_voltage=1.0, circuit=circuit,
    )  # fmt: skip
    assert parts["a"]["sram.words_read"] > 0
