"""Presets: values that options take where the command line gives none.

`buildable` is the default of a run. It is a chip within its limits: resistive wires, groups of lines that keep the limit of
electromigration, thermal noise, access transistors; and the cheap update. `plain` has the defaults of the single options: an
abstract chip without these effects, and an average in fp32. A device or a learner may have a recipe of its own; the ideal device
stays plain, because no chip of it could be built.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analog_ff.learners import LEARNERS
from analog_ff.plain import Document, Facts

BUILDABLE: Facts = MappingProxyType(
    {
        "technology": "cmos-32nm-wide",
        "tile": (128, 128),
        "wires": "refreshed",
        "line_groups": "auto",
        "johnson_noise": True,
        "access_transistor": True,
        "skip_silent": True,
        "update": "accumulate-int8",
        "readout_format": "int8",
    }
)
"""Values of the preset `buildable`; docs/how-to/presets.md has the reason of each, and the holdout runs of
benchmarks/experiments/35_physical_search.toml have what single changes cost."""
FORWARD_FORWARD: Facts = MappingProxyType({"gate": 0.1})
"""Values of the preset `buildable` for Forward-Forward alone, chosen in holdout runs (experiment 24_cheap_ff)."""
PLAIN = "plain"
PRESETS = ("buildable", PLAIN)
"""Presets by name; the first is that of a run whose device has no other."""
RECIPES: Mapping[str, Facts] = MappingProxyType(
    {
        "default": {"learning_rate": 0.01, "label_strength": 4.0, "input_scale": 12.0},
        "ideal": {"preset": PLAIN, "learning_rate": 0.02, "label_strength": 4.0, "input_scale": 12.0},
    }
)
"""Recipes of devices, chosen in holdout runs on mnist-5k (benchmarks/experiments); others than those named use "default"."""


def preset(options: Facts) -> str:
    """Return the preset of the options given: the one that they name, or that of their learner or device."""
    recipes = (_of_learner(options.get("learner")), _of_device(options.get("device")))
    named = [facts["preset"] for facts in (options, *recipes) if "preset" in facts]
    return str(named[0]) if named else PRESETS[0]


def recipe(options: Facts) -> Document:
    """Return the options that are at other defaults with the preset, the device and the learner of the options given."""
    device, learner = options.get("device"), options.get("learner")
    chosen = preset(options)
    return {**_of_device(device), **values(chosen, learner), **_of_learner(learner), "preset": chosen}


def values(chosen: str, learner: object) -> Document:
    """Return the values of a preset for a learner."""
    if chosen == PLAIN:
        return {}
    return {**BUILDABLE, **(FORWARD_FORWARD if learner == "forward-forward" else {})}


def _of_device(device: object) -> Facts:
    return RECIPES.get(device, RECIPES["default"]) if isinstance(device, str) else RECIPES["default"]


def _of_learner(learner: object) -> Facts:
    row = LEARNERS.get(learner) if isinstance(learner, str) else None
    return {} if row is None else row.recipe
