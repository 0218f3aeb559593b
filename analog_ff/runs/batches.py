"""The division of an epoch's images into batches: all of them are shown, the last batch takes the remaining ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analog_ff.objective.schedule import Moment, Schedule
from hardware_models.keys import Key


class Batches:
    """The batches of an epoch.

    Parameters
    ----------
    rows : images of the training set.
    size : B, images of a full batch; if an epoch shows fewer, all of these.
    shown : images of an epoch, the first of its order; default: all.
    least : images that a batch must have; a last one of fewer joins the batch before it.
    """

    def __init__(self, rows: int, size: int, *, shown: int | None = None, least: int = 1) -> None:
        self._rows, self._shown = rows, min(rows, shown or rows)
        self.size = min(size, self._shown)
        whole, rest = divmod(self._shown, self.size)
        self.number = whole + (1 if rest >= least else 0) if rest else whole

    def rows(self, batch: int) -> slice:
        """Return the places of a batch's images in the order of an epoch."""
        last = batch + 1 == self.number
        return slice(batch * self.size, self._shown if last else (batch + 1) * self.size)

    def of_epoch(self, schedule: Schedule, epoch: int, seed: int) -> Iterator[tuple[Moment, np.ndarray]]:
        """Yield the moments of an epoch, each with the rows of its batch."""
        ordered, order = -1, np.empty(0, np.int64)
        for moment in schedule.moments(epoch):
            if moment.epoch != ordered:  # a sleep may go back to the epoch before
                ordered = moment.epoch
                order = Key(seed, "order", ordered).generator().permutation(self._rows)
            yield moment._replace(full=self.size), order[self.rows(moment.batch)]
