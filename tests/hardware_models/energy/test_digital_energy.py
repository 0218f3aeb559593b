"""Digital backpropagation by its operations: the closed forms, and the rule by which a chip's own digital work is priced."""

from __future__ import annotations

import itertools
import math

import pytest

from hardware_models.check import UsageError
from hardware_models.energy import load_technology, price
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.digital import (
    DRAM,
    dram_price,
    inference,
    joules,
    layers_of,
    memory_bytes,
    training,
)

SMALL = (784, 500, 500, 10)
MACS = {"fp32": 4.6e-12, "fp16": 1.5e-12, "int8": 0.3e-12}
"""Energy of a multiply-add [J] at 45 nm (M. Horowitz, ISSCC 2014): 3.7 + 0.9, 1.1 + 0.4, 0.2 + 0.1 pJ."""
BITS = {"fp32": 32, "fp16": 16, "int8": 8}


@pytest.fixture(scope="module")
def technology():
    return load_technology("cmos-45nm")


def access(size: float) -> float:
    """Return the energy [J] of 64 bits in a memory of `size` bytes, by the line through three published points."""
    x, y = [math.log(k) for k in (8, 32, 1024)], [math.log(e) for e in (10, 20, 100)]
    slope = sum((a - sum(x) / 3) * (b - sum(y) / 3) for a, b in zip(x, y, strict=True))
    slope /= sum((a - sum(x) / 3) ** 2 for a in x)
    return 1e-12 * math.exp(sum(y) / 3 + slope * (math.log(size / 1024) - sum(x) / 3))


@pytest.mark.parametrize(("form", "batch"), [*itertools.product(MACS, (1, 100))])
def test_an_image_costs_what_its_operations_cost(technology, form: str, batch: int) -> None:
    """784-500-500-10, SGD, all by hand: 30 % for clock and control on top of products and words."""
    w, w0, m = 784 * 500 + 500 * 500 + 500 * 10, 784 * 500, 784 + 500 + 500 + 10
    layers = layers_of(SMALL)
    size = memory_bytes(layers, batch, form=form)
    assert size == (w + 2 * batch * m) * BITS[form] // 8
    macs = batch * (3 * w - w0) + w
    values = (2 * w - w0) + w + w + 2 * 2 * batch * m
    by_hand = 1.3 * (macs * MACS[form] + values * BITS[form] / 64 * access(size)) / batch
    found = joules(training(layers, batch), batch, technology, size, form=form)
    assert math.fsum(found.values()) == pytest.approx(by_hand, rel=1e-3)


def test_the_same_events_cost_the_same_on_a_chip_and_off_it(technology) -> None:
    """Digital backpropagation is priced by the function that prices a chip's own counters."""
    layers = layers_of(SMALL)
    operations, size = training(layers, 7), memory_bytes(layers, 7, form="int8")
    beside = math.fsum(joules(operations, 7, technology, size, form="int8").values())
    events = operations.events("int8")
    on_chip = price(
        {"x": events.counts}, {}, technology, read_time=1e-8, write_voltage=1.0, circuit=Circuit(memory_bytes=size)
    )
    assert beside == pytest.approx(math.fsum(on_chip["x"].values()) / 7, rel=1e-12)


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
        assert memory_bytes(layers_of(widths), batch, form="fp32", optimiser=name) == 4 * ((1 + s) * w + 2 * batch * m)
    for form, share in (("fp32", 1), ("fp16", 2), ("int8", 4)):
        events = training(layers_of(widths), batch).events(form)
        assert events[f"mac.{form}"] == batch * (3 * w - w0) + w
        assert events["sram.words_written"] == -(-(w + 2 * batch * m) // share)
    once = inference(layers_of(widths), batch)
    assert once == (batch * w, w, 0, batch * m, batch * m)


def test_it_is_linear_and_falls_with_the_batch(technology) -> None:
    """Control is a share of the rest; in a memory of one size the traffic of weights falls as 1/B, the rest stays but uW/B."""
    layers = layers_of(SMALL)
    size = memory_bytes(layers, 64, form="fp16")
    one, many = (joules(training(layers, b), b, technology, size) for b in (1, 64))
    assert one["control"] == pytest.approx(0.3 * (one["mac"] + one["memory"]))
    assert many["mac"] < one["mac"] and many["memory"] < 0.1 * one["memory"]
    fp32 = joules(training(layers, 1), 1, technology, size, form="fp32")
    assert fp32["memory"] == pytest.approx(2 * one["memory"]) and fp32["mac"] > one["mac"]
    far = joules(training(layers, 1), 1, technology, size, memory="dram")
    assert far["memory"] > 10 * one["memory"] and far["mac"] == one["mac"]
    assert far["control"] == pytest.approx(0.3 * (far["mac"] + far["memory"]))


def test_dram_falls_with_the_node_and_meets_its_ends() -> None:
    at = [dram_price(node) for node in (7.0, 10.0, 22.0, 32.0, 45.0, 65.0, 130.0)]
    assert all(a < b for a, b in itertools.pairwise(at))
    assert at[0] == pytest.approx(DRAM[1]) and at[4] == pytest.approx(DRAM[0]) == pytest.approx(at[5] * 45 / 65)
    with pytest.raises(UsageError, match=r"in \[7, 1000\] nm"):
        dram_price(3.0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"form": "fp61"}, "did you mean 'fp16'"),
        ({"memory": "drum"}, "did you mean 'dram'"),
        ({"scenario": "worst"}, "low, nominal, high"),
    ],
)
def test_bad_choices_are_one_sentence(technology, options: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        joules(training(layers_of(SMALL)), 1, technology, 1000, **options)
    with pytest.raises(UsageError, match="at least two widths"):
        layers_of((784,))
    with pytest.raises(UsageError, match="sgd, momentum, adam"):
        training(layers_of(SMALL), 1, optimiser="newton")


@pytest.mark.parametrize(
    ("form", "batch", "joule"), [("fp16", 1, 84e-6), ("fp16", 128, 4.2e-6), ("int8", 100, 1074e-9)]
)
def test_the_figures_of_the_explanation_are_computed(form: str, batch: int, joule: float) -> None:
    """docs/explanation/energy.md: 784-500-500 with a head of ten, SGD, `cmos-32nm`, all words in SRAM; to the digits given."""
    layers = layers_of(SMALL)
    size = memory_bytes(layers, batch, form=form)
    found = joules(training(layers, batch), batch, load_technology("cmos-32nm"), size, form=form)
    assert sum(found.values()) == pytest.approx(joule, rel=0.01)
