"""The configuration of a run that the parameters of the classifier make: the same choices, under the classifier's names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from analog_ff.config.config import Config
from analog_ff.config.presets import PLAIN, recipe
from analog_ff.config.together import unread
from analog_ff.plain import Facts
from hardware_models.check import UsageError, positive_int, shown
from hardware_models.tables import closest

NOT_SETTINGS = frozenset(
    {
        "device", "layers", "epochs", "batch", "learning_rate", "readout", "label_strength", "technology", "seed",
        "chip_seed", "network", "port", "data", "data_dir", "split", "shift", "crop", "binarise",
        "pool", "only_classes", "images_per_epoch", "label_column", "conductances", "program_to", "ages", "out",
        "line_groups", "current_margin", "preset", "final_weights",
    }
)  # fmt: skip
"""Choices of a run that the classifier takes by a name of its own, or that have no meaning here."""
LABEL_STRENGTH = 1.0
"""Default of the classifier's `label_strength`."""


def config_of(given: Facts, epochs: Any) -> Config:
    """Return all choices of the classifier with the parameters `given`, for so many epochs, as those of a run.

    Raises UsageError, in the classifier's own names, for a parameter that is wrong or does not go with another.
    """
    extra, hidden, seed = (given[name] for name in ("settings", "hidden", "random_state"))
    if not isinstance(extra, Mapping | None):
        raise UsageError(f"settings are a dictionary of choices by their name, got {shown(extra)}.")
    settings = {str(name): value for name, value in (extra or {}).items()}
    known = {f.name for f in fields(Config)} - NOT_SETTINGS
    for name in sorted(settings.keys() - known):
        raise UsageError(f"settings have no {shown(name)}{closest(name, known)}; see `analog_ff.config.config.Config`.")
    if settings.get("wires") == "test":
        raise UsageError(
            "wires 'test' belongs to a run, which ends with one test: choose 'refreshed' or 'exact', or call chip_.lay_wires on "
            "a fitted classifier."
        )
    if not isinstance(hidden, Sequence) or isinstance(hidden, str) or not hidden:
        raise UsageError(f"hidden names the neurons of each hidden layer, such as (500, 500), got {shown(hidden)}.")
    learner = settings.get("learner", Config.learner)
    usual = recipe({"device": given["device"], "learner": learner, "preset": PLAIN})
    if isinstance(seed, bool | np.bool_):
        raise UsageError(f"random_state is a whole number, a RandomState or None, got {seed}.")
    if not isinstance(seed, int | np.integer):
        from sklearn.utils import check_random_state  # slow to import

        seed = check_random_state(seed).randint(2**31 - 1)
    chosen = {
        "device": given["device"],
        "layers": tuple(positive_int("hidden", "every layer", width) for width in hidden),
        "epochs": epochs,
        "batch": given["batch"],
        **_read(learner, usual, given),
        "readout": given["readout"],
        "technology": given["technology"],
        "seed": int(seed),
        "chip_seed": given["chip_seed"],
        "shift": 0,
        "data": "",
    }
    try:
        return Config(**(usual | settings | chosen))
    except UsageError as error:  # its message names the options of the command line
        raise UsageError(re.sub(r"--([a-z-]+)", lambda m: m[1].replace("-", "_"), str(error))) from None


def _read(learner: Any, usual: Facts, given: Facts) -> dict[str, Any]:
    """Return learning rate and label strength, without those at rest that the learner does not read."""
    rate = usual["learning_rate"] if given["learning_rate"] is None else given["learning_rate"]
    values = {"learning_rate": rate, "label_strength": given["label_strength"]}
    rest = {
        "learning_rate": given["learning_rate"] is None,
        "label_strength": given["label_strength"] == LABEL_STRENGTH,
    }
    idle = unread(Config, {"learner": learner, **values})
    return {name: value for name, value in values.items() if name not in idle or not rest[name]}
