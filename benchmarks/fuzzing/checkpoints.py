"""Changes to the facts and arrays of a checkpoint, which are then sealed with a right checksum."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

import numpy as np

from fuzzing.mutations import NAMES, of_tree


def changed(draw: random.Random, arrays: dict[str, np.ndarray], facts: Any) -> tuple[dict[str, Any], Any]:
    """Return arrays and facts of a checkpoint with one field or array changed."""
    if draw.random() < 0.4:
        return arrays, of_tree(draw, facts)
    made: dict[str, Any] = dict(arrays)
    name = draw.choice(list(made))
    kind = draw.randrange(7)
    if kind == 0:
        del made[name]
    elif kind == 1:
        made[draw.choice([n for n in NAMES if n and "." not in n])] = made.pop(name)
    elif kind == 2:
        made[name] = made[name].astype(draw.choice(("f8", "i8", "c8", "S3", "?", "f2")))
    elif kind == 3:
        made[name] = made[name].reshape(draw.choice(((-1,), (1, *made[name].shape), made[name].shape[::-1])))
    elif kind == 4:
        made[name] = np.full(made[name].shape, draw.choice((math.nan, -1.0, 1e300, 0.0)))
    elif kind == 5:
        made[name] = draw.choice(("text", 1, [[1, 2]], np.zeros(0)))
    else:
        other = draw.choice(list(made))
        made[name], made[other] = copy.copy(made[other]), made[name]
    return made, facts
