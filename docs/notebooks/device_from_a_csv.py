# %% [markdown]
# # Notebook: a device from a CSV, judged
#
# This notebook fits a device to a table of pulses and readings, looks at the fit, and asks what the device does to a
# network. The table is made from a published device, so that the truth is known.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from analog_ff import Config, execute
from hardware_models import Key, fit_file, load_device
from hardware_models.fitting import synthetic, write_pulse_train

truth = load_device("park2013_pcmo")
write_pulse_train(synthetic(truth, cells=3, cycles=2, pulses=50), "train.csv")
print("".join(Path("train.csv").read_text().splitlines(keepends=True)[:4]))

# %% [markdown]
# ## Fit
#
# The fit tries all forms of the step and chooses by cycles that it did not see. A number has a
# 95 % interval, unless the train tells it in a product with another one only; the last line then says so.

# %%
found = fit_file("train.csv")
print("form:", found.form)
for number in found.parameters:
    interval = "none" if number.instead else f"[{number.low:.3g}, {number.high:.3g}]"
    made = getattr(truth, number.name)
    print(f"{number.name:13} {number.value:9.3g} {interval:22} {number.unit:2} made with {made:.3g}")
for note in sorted({number.instead for number in found.parameters if number.instead}):
    print("none:", note)

# %% [markdown]
# ## One cycle of twenty cells
#
# The grey lines are cells of the fitted device, the black line is their mean: 50 pulses up, then 50 down.

# %%
device = found.device
state = device.fabricate((1, 20), Key(0, "cells"))
readings = [device.conductance(state, 0.0)[0].copy()]
for pulse in range(100):
    device.pulse(state, np.full((1, 20), 1 if pulse < 50 else -1, dtype=np.int32), Key(0, "pulse", pulse))
    readings.append(device.conductance(state, 0.0)[0].copy())
figure, panel = plt.subplots(figsize=(7, 3), layout="constrained")
panel.plot(1e9 * np.array(readings), color="0.75", lw=0.8)
panel.plot(1e9 * np.mean(readings, axis=1), color="black")
panel.set(xlabel="pulse", ylabel="conductance [nS]")

# %% [markdown]
# ## What it does to a network
#
# The same small network learns on the fitted device and on the ideal one, with three seeds each. The mean error and the
# three errors stand in a line.

# %%
Path("fitted.toml").write_text(found.toml())
options = {"data": "digits", "layers": (32,), "epochs": 6, "batch": 20, "shift": 0}
for name in ("fitted.toml", "ideal"):
    errors = []
    for seed in range(3):
        config = Config(device=name, seed=seed, chip_seed=seed, out=f"runs/{name}-{seed}", **options)
        errors.append(execute(config, quiet=True)[0]["test_error_percent"])
    print(f"{name:12} {np.mean(errors):5.1f} % wrong", [round(error, 1) for error in errors])

# %% [markdown]
# Next: [Ask what a device would do](../how-to/judge-a-device.md), or [which figure to improve](../tutorials/improve.md).
