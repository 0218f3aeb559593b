"""Every number that prices a run, derived again without the code that counts it: counts exactly, integrals to 1e-4."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from analog_ff.config.config import Config
from analog_ff.runs.execute import execute
from hardware_models.chip import Chip

IMAGES, BATCH, CLASSES = 400, 40, 2
SHAPES = ((67, 12), (13, 8))  # 64 pixels, 2 labels beside them and a bias; 12 neurons and a bias
ROW_TILES, COLUMN_TILES = (5, 1), (3, 2)  # of 16 rows and 10 bit lines: 67 and 13 rows, 24 and 16 bit lines
PASSES = 3  # neutral, positive, negative
FEATURES = 12 + 8
BATCHES = IMAGES // BATCH
WEIGHTS = sum(n * m for n, m in SHAPES)
SUM_OF_NEURONS = PASSES * IMAGES * FEATURES


def slots(pulses: np.ndarray) -> np.ndarray:
    """Return the slots of each row in each column tile of 10 bit lines: as many as the largest number of pulses there."""
    return np.stack([pulses[:, first : first + 10].max(axis=1) for first in range(0, pulses.shape[1], 10)], axis=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, float]]:
    """Return the result of a short run, and what a bystander saw at the pins and in the cells of its chip."""
    seen = dict.fromkeys(("v2g", "pulses", "v2gt", "charges", "seconds"), 0.0)
    observe, fire = Chip.observe, Chip.fire_cells

    def watched_read(self: Chip, layer: int, x: np.ndarray, **more: Any):
        """Add V^2 G of every cell, in float64, of the voltages that an 8-bit driver gives."""
        v = 0.5 * np.rint(np.clip(np.asarray(x, np.float64) / 12.0, 0.0, 1.0) * 255.0) / 255.0
        g = self._arrays[layer, "main"].conductances.astype(np.float64).sum(axis=(0, 2))
        seen["v2g"] += float((v**2 @ g).sum())
        return observe(self, layer, x, **more)

    def watched_write(self: Chip, layer: int, counts: np.ndarray, **more: Any):
        """Add V^2 t (G + G')/2 for every pulse that a device has received."""
        array = self._arrays[layer, "main"]
        before, had = array.state.g.astype(np.float64), array.received.astype(np.int64)
        events = fire(self, layer, counts, **more)
        seen["pulses"] += int(np.abs(counts).sum())
        got = array.received - had
        seen["v2gt"] += 1.6**2 * 50e-9 * float((got * 0.5 * (before + array.state.g)).sum())
        up = np.sign(counts).repeat(2, axis=1) * np.tile([1, -1], counts.shape[1]) > 0
        steps = slots(np.where(up, got, 0)) + slots(np.where(up, 0, got))
        seen["charges"] += int(steps.sum() + got.sum())
        seen["seconds"] += 50e-9 * max(
            float(steps[first : first + 16].sum(axis=0).max()) for first in range(0, len(got), 16)
        )
        return events

    config = Config(
        data="toy", layers=(12, 8), epochs=1, batch=BATCH, shift=0, tile=(16, 10), peer=0.0,
        out=str(tmp_path_factory.mktemp("numbers") / "run"),
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chip, "observe", watched_read)
        patch.setattr(Chip, "fire_cells", watched_write)
        result, _ = execute(config, quiet=True)
    return result, seen


READ = {
    "reads.cells": PASSES * IMAGES * 2 * WEIGHTS,
    "reads.columns": PASSES * IMAGES * sum(t * 2 * m for t, (_, m) in zip(ROW_TILES, SHAPES, strict=True)),
    "integrator": PASSES * IMAGES * sum(t * m for t, (_, m) in zip(ROW_TILES, SHAPES, strict=True)),
    "adc.8": PASSES * IMAGES * sum(t * m for t, (_, m) in zip(ROW_TILES, SHAPES, strict=True)),
    "dac.8": PASSES * IMAGES * sum(t * n for t, (n, _) in zip(COLUMN_TILES, SHAPES, strict=True)),
    "nonlinearity": SUM_OF_NEURONS,
    "goodness": SUM_OF_NEURONS,
    "normalise": SUM_OF_NEURONS,
}
DIGITAL = {
    # Two samples an image and two operations a word of the average; the read-out's products forward twice and back once, three
    # operations a word of it.
    "mac.fp32": (2 * IMAGES + 2 * BATCHES) * WEIGHTS + (3 * IMAGES + 3 * BATCHES) * FEATURES * CLASSES,
    "rng.bits": 24 * BATCHES * WEIGHTS,
    "add.fp32": IMAGES * CLASSES,
    # x and d of both samples, the average; of the read-out its weights to believe, weights and average to learn.
    "sram.words_read": 2 * IMAGES * sum(n + m for n, m in SHAPES) + BATCHES * (WEIGHTS + 3 * FEATURES * CLASSES),
    "sram.words_written": 2 * IMAGES * sum(n + m for n, m in SHAPES) + BATCHES * (WEIGHTS + 2 * FEATURES * CLASSES),
}


@pytest.mark.parametrize("name", [*READ, *DIGITAL])
def test_a_count_is_what_the_network_asks_for(run, name: str) -> None:
    result, _ = run
    assert result["images"]["learn"] == IMAGES
    assert result["events"]["learn"][name] == (READ | DIGITAL)[name]


def test_integrals_are_those_of_the_cells(run) -> None:
    """V^2 G of all reads to 1e-4; every pulse that was asked for was counted, with its V^2 G t to 1e-4."""
    result, seen = run
    read = math.fsum(result["integrals"][phase]["read.v2g"]["value"] for phase in result["integrals"])
    assert read == pytest.approx(seen["v2g"], rel=1e-4)
    selected = sum(result["events"][phase]["write.selected"] for phase in ("learn", "monitor", "infer"))
    assert selected == seen["pulses"] > 0
    written = math.fsum(result["integrals"][phase]["write.v2gt"]["value"] for phase in ("learn", "monitor", "infer"))
    assert written == pytest.approx(seen["v2gt"], rel=1e-4)


def test_lines_and_time_are_those_of_the_pulses(run) -> None:
    """A pulse charges its bit line, a slot its row's word line in the tile; the slowest tile and all reads give the time."""
    result, seen = run
    assert result["events"]["learn"]["write.line_charges"] == seen["charges"] > seen["pulses"]
    reads = PASSES * IMAGES * len(SHAPES) * 5e-9
    assert result["integrals"]["learn"]["time"]["value"] == pytest.approx(reads + seen["seconds"], rel=1e-9)
    assert seen["seconds"] > 0.1 * reads


def test_the_energy_of_an_update_is_the_sum_of_its_numbers(run) -> None:
    """By the published figures of cmos-32nm, nominal, to 1e-4; the average, the read-out and its average share one memory."""
    result, _ = run
    events = result["events"]["learn"]
    memory = 4 * (WEIGHTS + 2 * FEATURES * CLASSES) / 1024  # KB
    word = 0.5e-12 * math.exp(np.polyval(np.polyfit(np.log([8, 32, 1024]), np.log([10, 20, 100]), 1), math.log(memory)))
    joule = {
        "adc.8": 0.197411e-12 * 8 + 1.3841e-18 * 4**8, "dac.8": 0.032e-12 * 8 + 4.9704e-20 * 4**8,
        "reads.cells": 0.2e-15 * 0.5**2, "reads.columns": 10e-15, "integrator": 0.85e-12 + 3e-6 * 5e-9,
        "nonlinearity": 0.1e-12, "write.line_charges": 16 * 0.2e-15 * 1.6**2,
    }  # fmt: skip
    digital = {"mac.fp32": 4.6e-12, "goodness": 4.6e-12, "normalise": 4.6e-12, "add.fp32": 0.9e-12, "rng.bits": 20e-15,
               "sram.words_read": word, "sram.words_written": word}  # fmt: skip
    analog = math.fsum(events[name] * price for name, price in joule.items())
    on_top = 1.3 * math.fsum(events[name] * price for name, price in digital.items())
    integrals = {name: entry["value"] for name, entry in result["integrals"]["learn"].items()}
    cells = integrals["read.v2g"] * 5e-9 * 0.9 * 4.5 / 0.5 + integrals["write.v2gt"]
    assert result["energy"]["per_update_joule"] * IMAGES == pytest.approx(analog + on_top + cells, rel=1e-4)
    assert result["energy"]["circuit"]["memory_bytes"] == 1024 * memory
    assert result["energy"]["circuit"]["line_cells"] == 16
