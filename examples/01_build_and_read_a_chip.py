"""Build a chip, write weights, read it: you see what was asked for, what the cells hold, and what it cost in events."""

import numpy as np

from hardware_models import Chip, Key

chip = Chip("memristor", [(4, 3)])  # one layer: 4 word lines (the last is the bias), 3 neurons
weights = np.array([[0.5, -0.5, 0.0], [0.0, 0.25, 0.5], [-0.5, 0.0, 0.25], [0.0, 0.0, 0.0]])
written = chip.program(0, weights, key=Key(0, "program"))
y, read = chip.observe(0, np.array([[1.0, 2.0, 3.0, 6.0]]), key=Key(0, "read"))

print(chip)
print("asked for:", *weights, sep="\n  ")
print("held:", *chip.oracle.weights(0).round(2), sep="\n  ")
print("outputs:", y.round(2))
print(f"pulses: {written['write.selected']}, conversions: {read['dac.8']} in, {read['adc.8']} out")
