# %% [markdown]
# # Notebook: a first network, and what it learned
#
# This notebook trains one layer on 8 x 8 images of digits, on a chip of memristors, and looks at what the layer has
# learned. It has one seed: its numbers are an illustration and no result.

# %%
import matplotlib.pyplot as plt
import numpy as np

from analog_ff import Config, execute, load_run

options = {"data": "digits", "layers": (64,), "epochs": 6, "batch": 20, "learning_rate": 0.1, "shift": 0}
config = Config(out="runs/notebook", **options)
result, folder = execute(config, quiet=True)
run = load_run(folder)
print(f"{result['test_error_percent']:.1f} % wrong; guessing errs on 90 %")

# %% [markdown]
# ## What a neuron looks for
#
# A column of the weights belongs to one neuron. Its first 64 entries stand over the pixels. The chip of this run is not
# sealed, so that the oracle shows its weights; a real chip has no oracle.

# %%
weights = run.chip.oracle.weights(0)
figure, axes = plt.subplots(2, 8, figsize=(9, 2.6), layout="constrained")
for neuron, panel in enumerate(axes.flat):
    panel.imshow(weights[:64, neuron].reshape(8, 8), cmap="RdBu", vmin=-1, vmax=1)
    panel.set_axis_off()

# %% [markdown]
# ## The goodness of each label
#
# The network is shown one image with each of the ten labels. The label with the largest goodness is the answer of the
# energy read-out.

# %%
goodness = run.goodness(run.data.x_test[:3])
figure, axes = plt.subplots(1, 3, figsize=(9, 2.6), layout="constrained", sharey=True)
for image, panel in enumerate(axes):
    right = int(run.data.y_test[image])
    panel.bar(np.arange(10), goodness[image], color=["C1" if label == right else "C0" for label in range(10)])
    panel.set(title=f"image of a {right}", xlabel="label", xticks=range(10))
axes[0].set_ylabel("goodness")

# %% [markdown]
# The orange bar is the right label. Next: [the same by hand](../tutorials/learner.md), or [a device from a
# CSV](device_from_a_csv.md).
