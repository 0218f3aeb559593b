"""The learning rate's course over a run."""

from __future__ import annotations

from hardware_models.check import UsageError


def gain(epoch: int, epochs: int) -> float:
    r"""Return the factor on all learning rates in an epoch counted from 0: 1 at first, falling to 3/E.

    .. math:: \mathrm{gain}(e) = \min\!\left(1, \frac{1 + 2(E - e)}{E}\right)

    This is Hinton's formula with e counted from 0. It exceeds 1 in the first half, and also just after it
    ((E+1)/E at e = E/2), hence the clip. Errors: UsageError if the epoch is not one of the run.
    """
    if not 0 <= epoch < epochs:
        raise UsageError(f"the gain needs an epoch in 0..{epochs - 1} of a run of {epochs} epochs, got {epoch}.")
    return min(1.0, (1.0 + 2.0 * (epochs - epoch)) / epochs)
