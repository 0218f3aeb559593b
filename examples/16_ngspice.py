"""Neurons that are circuits in ngspice: you see a network learn through differential pairs that it knows nothing of."""

import shutil
import sys
from pathlib import Path

from analog_ff.config.config import Config, recommended
from analog_ff.runs.execute import execute


def main() -> None:
    """Train through the box."""
    server = Path(__file__).with_name("ngspice_neurons.py")
    given = {"data": "digits", "only_classes": ("0", "1"), "layers": (8,), "epochs": 2, "batch": 30, "preset": "plain"}
    given |= {
        "nonlinearity": f"process:{sys.executable} {server}",
        "learning_rate": 0.2,
        "shift": 0,
        "out": "runs/spice",
    }
    result, _ = execute(Config(**recommended(given)), quiet=True, pictures=False)
    print(f"{result['test_error_percent']:.0f} % wrong after {result['images']['learn']} images through circuits")


if shutil.which("ngspice") is None:
    print("This machine has no ngspice, so that nothing is shown.")
else:
    main()
