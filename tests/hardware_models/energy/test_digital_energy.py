"""Digital backpropagation by its operations: the closed forms, and the table of the reference to its last digit."""

from __future__ import annotations

import itertools

import pytest

from hardware_models.check import UsageError
from hardware_models.energy.digital import (
    ACTIVATIONS,
    FORMATS,
    MEMORIES,
    inference,
    joules,
    layers_of,
    price_at,
    training,
)

SMALL, LARGE = (784, 500, 500, 10), (784, 2000, 2000, 2000, 2000, 10)
WAYS = ((1, "fp16", "sram"), (128, "fp16", "sram"), (128, "int8", "sram"), (1, "fp16", "dram"))
# energy.md, section 3.1: widths with their head, node [nm], scenario, then J per image for WAYS, with 2 to 3 digits.
TABLE = (
    (SMALL, 130.0, "nominal", ("223e-6", "13.4e-6", "2.6e-6", "2.7e-3")),
    (SMALL, 45.0, "nominal", ("77.1e-6", "4.62e-6", "897e-9", "934e-6")),
    (SMALL, 32.0, "low", ("46.1e-6", "3.18e-6", "593e-9", "621e-6")),
    (SMALL, 32.0, "nominal", ("54.5e-6", "3.76e-6", "701e-9", "734e-6")),
    (SMALL, 32.0, "high", ("83.9e-6", "5.78e-6", "1.1e-6", "1.13e-3")),
    (SMALL, 22.0, "nominal", ("37.4e-6", "3.0e-6", "538e-9", "564e-6")),
    (SMALL, 7.0, "nominal", ("12.1e-6", "1.55e-6", "250e-9", "252e-6")),
    (LARGE, 45.0, "nominal", ("1.85e-3", "116e-6", "22.1e-6", "22.4e-3")),
    (LARGE, 32.0, "low", ("1.11e-3", "79.6e-6", "14.6e-6", "14.9e-3")),
    (LARGE, 32.0, "nominal", ("1.31e-3", "94e-6", "17.3e-6", "17.6e-3")),
    (LARGE, 32.0, "high", ("2.0e-3", "145e-6", "26.5e-6", "27.2e-3")),
    (LARGE, 7.0, "nominal", ("290e-6", "38.7e-6", "6.1e-6", "6.1e-3")),
)


@pytest.mark.parametrize(("widths", "node", "scenario", "row"), TABLE)
def test_the_table_is_reproduced(widths, node: float, scenario: str, row) -> None:
    """Within 0.4 %, and half of a last digit where only two are printed (2 % of 1.1, 0.8 % of 6.1)."""
    for (batch, form, memory), printed in zip(WAYS, row, strict=True):
        operations = training(layers_of(widths), batch)
        found = sum(joules(operations, batch, form=form, memory=memory, node=node, scenario=scenario).values())
        digits = printed.split("e")[0]
        last = 10.0 ** (-len(digits.partition(".")[2])) * 10.0 ** float(printed.split("e")[1])
        assert abs(found - float(printed)) <= max(0.5 * last, 0.004 * float(printed)) * 1.0000001


@pytest.mark.parametrize("batch", [1, 7])
def test_operations_are_the_closed_forms(batch: int) -> None:
    """B (2W + W') + uW multiply-adds; 2W - n0 n1 words to compute, (1 + s) W more read and written by the optimiser."""
    widths = (11, 7, 5, 3)
    w, w0, m = 11 * 7 + 7 * 5 + 5 * 3, 11 * 7, sum(widths)
    for name, u, s in (("sgd", 1, 0), ("momentum", 2, 1), ("adam", 5, 2)):
        found = training(layers_of(widths), batch, optimiser=name)
        assert found.macs == batch * (2 * w + w - w0) + u * w
        assert found.weight_reads == 2 * w - w0 + (1 + s) * w and found.weight_writes == (1 + s) * w
        assert found.activation_reads == found.activation_writes == 2 * batch * m
    events = training(layers_of(widths), batch).events("fp16")
    assert events["mac.fp16"] == batch * (3 * w - w0) + w
    assert events["sram.words_written"] == w + 2 * batch * m
    once = inference(layers_of(widths), batch)
    assert once == (batch * w, w, 0, batch * m, batch * m)


def test_it_is_linear_and_falls_with_the_batch() -> None:
    """Control is a share of the rest; weight traffic per image goes as 1/B, the rest stays (but for uW/B)."""
    layers = layers_of(SMALL)
    one, many = (joules(training(layers, b), b) for b in (1, 64))
    assert many["weights"] == pytest.approx(one["weights"] / 64) and many["activations"] == pytest.approx(
        one["activations"]
    )
    assert one["control"] == pytest.approx(0.3 * (one["mac"] + one["weights"] + one["activations"]))
    assert many["mac"] < one["mac"]
    fp32 = joules(training(layers, 1), 1, form="fp32")
    assert fp32["weights"] == pytest.approx(2 * one["weights"]) and fp32["mac"] > one["mac"]


def test_prices_fall_with_the_node_and_meet_their_ends() -> None:
    nodes = (7.0, 10.0, 22.0, 32.0, 45.0, 65.0, 130.0)
    for price in (ACTIVATIONS, *MEMORIES.values(), *(form.mac for form in FORMATS.values())):
        at = [price_at(price, node) for node in nodes]
        assert all(a < b for a, b in itertools.pairwise(at))
        assert at[0] == pytest.approx(price.at_7) and at[4] == pytest.approx(price.at_45)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"form": "fp61"}, "did you mean 'fp16'"),
        ({"memory": "drum"}, "did you mean 'dram'"),
        ({"node": 3.0}, "in \\[7, 1000\\] nm"),
        ({"scenario": "worst"}, "low, nominal, high"),
    ],
)
def test_bad_choices_are_one_sentence(options: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        joules(training(layers_of(SMALL)), 1, **options)
    with pytest.raises(UsageError, match="at least two widths"):
        layers_of((784,))
    with pytest.raises(UsageError, match="sgd, momentum, adam"):
        training(layers_of(SMALL), 1, optimiser="newton")
