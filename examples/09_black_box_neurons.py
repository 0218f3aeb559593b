"""Neurons that nobody knows: you see that a network learns through a curve of your own, on a chip that nobody looks into."""

from pathlib import Path

from analog_ff import Config, execute

Path("my_neuron.py").write_text("""import numpy as np


def hump(z):
    return np.maximum(z, 0) * np.exp(-0.1 * z)
""")
options = {"data": "toy", "layers": (64,), "epochs": 6, "batch": 20, "shift": 0, "learning_rate": 0.3}
result, _ = execute(Config(nonlinearity="my_neuron.py:hump", sealed=True, out="run", **options), quiet=True)
print(f"{result['test_error_percent']:.0f} % wrong (guessing: 50 %)")
