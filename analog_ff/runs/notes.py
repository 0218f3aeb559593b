"""Notes on a finished run: why its error says little of the device, where that can be seen.

Two rules. A run of fewer than `ENOUGH` updates has hardly begun to learn. The energy read-out shows what the hidden layers have
learned; at the default learning rate it was no better than guessing up to 21 updates on mnist-5k (``--batch 500``) and up to 65
on digits (both ``--split holdout --layers 100,100``, one seed, ``metrics.csv``). And a headline error within two standard errors
of guessing shows no learning at all, whatever the number of updates.
"""

from __future__ import annotations

import math

import numpy as np

from hardware_models.check import counted

ENOUGH = 100
"""Updates below which a run has hardly begun to learn."""


def notes_on(error: float, labels: np.ndarray, updates: int, epochs: int) -> list[str]:
    """Return sentences on a run of so many updates and epochs with this headline error [%] on images with these labels (n,).

    Guessing means to answer the most frequent label; its error q has the standard error sqrt(q (1 - q)/n).
    """
    q = 1.0 - float(np.bincount(labels).max()) / len(labels)
    least = 100.0 * (q - 2.0 * math.sqrt(q * (1.0 - q) / len(labels)))
    guessed = f"the error of {error:.1f} % is no better than guessing ({100.0 * q:.1f} %, on {len(labels)} images)"
    if updates < ENOUGH:
        more = math.ceil(ENOUGH * epochs / updates)
        why = f"; {guessed}" if error >= least else ""
        return [
            f"only {counted(updates, 'update')}, and below about {ENOUGH} a network has hardly begun to learn"
            f"{why}: --epochs {more} gives {more * updates // epochs}, and a smaller --batch gives more of them in each epoch."
        ]
    if error >= least:
        return [
            f"{guessed} after {updates} updates: see whether --device ideal learns with the same options; if it does, the device "
            "is the reason, else give another --learning-rate or more --epochs."
        ]
    return []
