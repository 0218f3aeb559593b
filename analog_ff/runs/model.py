"""The version of the simulated physics, rules and defaults that a result comes from, and the changes since.

`MODEL` is raised whenever the same configuration with the same inputs would give another result: a law of a device, a rule of
learning, the default of an option's field (values of presets are part of the configuration). `CHANGES` lists each change and the
runs that it touches, so that a stored result of an older version is still current where nothing that it depends on has changed.
Parameter files and data are no part of the version: a run keeps digests of the files that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from analog_ff.plain import Facts


class Change(NamedTuple):
    """One change that makes the same run give another result."""

    version: int  # the first version with the change
    before: str  # the last commit without it
    what: str
    touches: tuple[Mapping[str, tuple[Any, ...]], ...]
    """A run is touched if its choices have, for any of these mappings, one of the values of each choice named; the entry
    ``command`` is "simulate" or "spiking"."""
    counts_alone: bool = False
    """True for a change of counts: `analog_ff.runs.earlier` corrects them when a result is read, so that a stored result stays
    current. A run of an earlier version cannot go on, since its counts would be of two kinds."""


_PHASE_CHANGE = ("nandakumar2019_pcm", "nandakumar2020_pcm")
CHANGES: tuple[Change, ...] = (
    Change(
        2,
        "c924f2a",
        "labels stand beside images whose first inputs are not 0 in all of training",
        (
            {"command": ("simulate",), "learner": ("forward-forward",), "data": ("toy", "digits", "fashion-mnist")},
            {"command": ("simulate",), "learner": ("forward-forward",), "crop": tuple(range(1, 27))},
        ),
    ),
    Change(
        3,
        "c924f2a",
        "the last, shorter batch of an epoch is shown",
        (
            {"command": ("simulate",), "data": ("digits", "characters")},
            {"command": ("simulate",), "data": ("toy",), "split": ("holdout",)},
        ),
    ),
    Change(
        4,
        "c924f2a",
        "the scale of spiking inputs is that of the training images alone",
        ({"command": ("spiking",)},),
    ),
    Change(
        5,
        "c924f2a",
        "1/f noise of phase change is a share of the drifted conductance",
        ({"device": _PHASE_CHANGE}, {"program_to": _PHASE_CHANGE}),
    ),
    Change(
        6,
        "c924f2a",
        "a device without a law of time is tested at once only",
        ({"program_to": ("joshi2020_pcm", "milo2021_rram", "wan2022_reram", "wan2022_rram_verified")},),
    ),
    Change(
        7,
        "5371627",
        "a value that drives a row takes a conversion in each column tile",
        ({"command": ("simulate",)},),
        counts_alone=True,
    ),
)
"""All changes in the order of their versions."""
MODEL = max((change.version for change in CHANGES), default=1)
"""The version of this code."""


def changes_since(version: int, command: str, choices: Facts) -> list[Change]:
    """Return the changes after `version` that touch a result of `command` with these choices (`Choices.as_dict`)."""
    known = {"command": command, **choices}
    return [
        change
        for change in CHANGES
        if change.version > version
        and not change.counts_alone
        and any(all(known.get(name) in values for name, values in wanted.items()) for wanted in change.touches)
    ]
