# %% [markdown]
# # Notebook: a black box, and the dither
#
# This notebook trains through neurons whose curve rises and falls. The learner never sees the curve. It learns once without
# any slope, and once with slopes that it measures at the pins by a dither.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from analog_ff import Config, execute

Path("my_box.py").write_text("""import numpy as np


def wave(z):
    return 1 + np.sin(z)
""")
z = np.linspace(-6, 6, 200)
figure, panel = plt.subplots(figsize=(6, 2.4), layout="constrained")
panel.plot(z, 1 + np.sin(z))
panel.set(xlabel="input z of a neuron", ylabel="output y")

# %% [markdown]
# ## Three ways to learn
#
# `dropped` leaves the slope out of the rule. `dither` shows each layer a common bias of +0.5 and -0.5 and takes the
# difference of the answers. A learning rate of 0 leaves the layers as they were made, and the read-out alone learns. Each
# way has three seeds.

# %%
options = {"data": "digits", "layers": (64,), "epochs": 6, "batch": 20, "shift": 0, "nonlinearity": "my_box.py:wave"}
ways = {
    "dropped": {"slope": "dropped", "learning_rate": 0.1},
    "dither": {"slope": "dither", "dither": 0.5, "learning_rate": 0.1},
    "layers frozen": {"learning_rate": 0.0},
}
means = {}
for way, choice in ways.items():
    runs = []
    for seed in range(3):
        config = Config(sealed=True, seed=seed, chip_seed=seed, out=f"runs/{way}-{seed}", **options, **choice)
        runs.append(execute(config, quiet=True)[0]["test_error_percent"])
    means[way] = np.mean(runs)
    print(f"{way:14} {means[way]:5.1f} % wrong", [round(error, 1) for error in runs])

# %% [markdown]
# ## The errors
#
# This curve falls as often as it rises. Without the slope, half of all changes go the wrong way, and learning ruins the
# layer. Measured slopes repair that. They do not beat frozen layers here: on so small a task random features suffice, and
# the intervals of three seeds overlap. [Deep and
# unknown](../explanation/forward-forward.md#deep-and-unknown-the-rule-was-the-limit-not-the-slope) compares the ways in
# networks of up to four layers.

# %%
figure, panel = plt.subplots(figsize=(5, 2.4), layout="constrained")
panel.barh(list(means), list(means.values()))
panel.set(xlabel="test error [%], mean of three seeds")

# %% [markdown]
# Next: [Your black box](../tutorials/black-box.md) does the same from the command line.
