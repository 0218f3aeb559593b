"""Measure presentations per second of the spiking network in standalone float32, and of its twin in NumPy.

    python benchmarks/speed/spiking.py [--layers 300] [--presentations 64000] [--json]

Both train on the same images of mnist-5k with the default settings. The times are processor seconds of one core: of the
compiled program, including its reading and writing, and of the twin on the input spikes of the same encoder.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from analog_ff.datasets import load
from analog_ff.registry.options import parse_layers
from analog_ff.spiking import model as models
from analog_ff.spiking import presentations as plans
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.simulation import first_weights, simulate
from analog_ff.spiking.twin import Twin

TWIN = 300
"""Number of presentations for the timing of the twin."""


def regular(
    config: SpikingConfig, shown: models.Shown, image: int, label: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the spikes (steps, inputs) of the regular encoder for one presentation."""
    p = np.concatenate([shown.pixels[image] * config.peak_rate, np.zeros(shown.classes * config.label_cells)]) * 1e-3
    start = shown.pixels.shape[1] + label * config.label_cells
    p[start : start + config.label_cells] = config.label_rate * 1e-3
    phase = generator.random(p.size) + np.outer(np.arange(config.present_steps + 1), p)
    return np.diff(np.floor(phase), axis=0) > 0


def main() -> None:
    """Measure both speeds and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", default="300")
    parser.add_argument("--presentations", type=int, default=64000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    layers = parse_layers("--layers", options.layers)
    data = load("mnist-5k")
    epochs = max(1, options.presentations // (2 * len(data.x_train)))
    config = SpikingConfig(layers=layers, epochs=epochs, images_per_epoch=min(len(data.x_train), options.presentations // 2),
                           test_images=1)  # fmt: skip
    outcome = simulate(config, data, quiet=True)
    done = len(outcome.training) + outcome.scores[0].size + 2 + 2
    fast = done / outcome.seconds["core"]
    shown = models.Shown(models.scaled(data.x_train), len(data.classes))
    show = plans.training(config, data.y_train, shown.classes)
    twin = Twin(config, first_weights(config, models.sizes(config, shown)))
    generator = np.random.default_rng(0)
    trains = [regular(config, shown, show.image[k], show.label[k], generator) for k in range(TWIN)]
    start = time.process_time()
    for k, spikes in enumerate(trains):
        twin.present(spikes, float(show.rate[k]))
    slow = TWIN / (time.process_time() - start)
    found = {"inputs": twin.weights[0].shape[0], "layers": list(layers), "presentations": done,
             "standalone_float32_per_second": fast, "numpy_twin_per_second": slow, "ratio": fast / slow}  # fmt: skip
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(
        f"{found['inputs']}-{'-'.join(map(str, layers))}, one core: standalone in float32 {fast:.0f} presentations a second,"
    )
    print(f"the twin in NumPy {slow:.0f}, {fast / slow:.1f} times fewer")


if __name__ == "__main__":
    main()
