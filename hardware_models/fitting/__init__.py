r"""Fit a device to a measured pulse train: choose the model, find its numbers, and tell how well the data determine them.

Each form in `FORMS` is a model with its free parameters. The mean step of a candidate is computed by pulsing a noiseless
population set to a grid of states once, so that any model can be fitted; the likelihood of the train then follows from
a Kalman filter (`hardware_models.kernels.trains`) that separates the noise of a pulse, which stays in the cell, from the
noise of a reading, which does not, and knows that a cell stops at its bounds.

1. Every form is fitted to all cells at once by Fisher scoring; each cell has a factor of its own on its steps.
2. The form is chosen by the likelihood of cycles that were held out. A difference below its standard error does not count;
   among such forms the one with the fewest free numbers is chosen.
3. The chosen form is fitted to each cell alone. A number of the device is the mean over the cells (of the logarithm
   where the number is positive), and its 95 % interval is Student's t interval of that mean: it includes the spread of the
   measured cells as well as the noise. Cell-to-cell spread is the variance between the cells minus that of the estimates.
"""

from __future__ import annotations

from hardware_models.fitting.assumed import Given
from hardware_models.fitting.forms import FORMS, Form, Free, Hints, model_of
from hardware_models.fitting.result import Fit, Parameter, Score
from hardware_models.fitting.search import fit, fit_file
from hardware_models.fitting.synthetic import synthetic, write_pulse_train

__all__ = [
    "FORMS", "Fit", "Form", "Free", "Given", "Hints", "Parameter", "Score", "fit", "fit_file", "model_of", "synthetic",
    "write_pulse_train",
]  # fmt: skip
