"""Faults and tiles: you see how stuck cells change what a chip holds, and how tiles change what a read costs."""

import numpy as np

from hardware_models import Chip, Key

x, wanted = np.ones((1, 64)), np.full((64, 16), 0.1)
for name, faults in (
    ("no faults", None),
    ("5 % stuck low, a tenth of the rows dead", {"stuck_low": 0.05, "dead_rows": 0.1}),
):
    chip = Chip("ideal", [(64, 16)], faults=faults)
    chip.program(0, wanted, key=Key(0, "program"))
    print(f"{name}: mean weight {chip.oracle.weights(0).mean():.3f}, wanted 0.100")
for tile in ((64, 32), (16, 32)):
    _, events = Chip("ideal", [(64, 16)], tile=tile).observe(0, x, key=Key(0, "read"))
    print(f"tiles of {tile[0]} rows: {events['adc.8']} conversions a read, one for each tile and neuron")
