"""A device that passes its trial and changes its ways later, or hides what a trial of one array does not show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from hardware_models import examine_device
from hardware_models.check import RunError
from hardware_models.crossbar import Crossbar
from hardware_models.devices.ideal import Ideal
from hardware_models.keys import Key


@dataclass(frozen=True, kw_only=True)
class Late(Ideal):
    """Gives what `answer` makes of the conductances; nothing at first."""

    answer: ClassVar[Any] = None

    def conductance(self, state: Any, time: float) -> Any:
        """Return an array of conductances, or whatever else."""
        g = super().conductance(state, time)
        return g if Late.answer is None else Late.answer(g)


@pytest.mark.parametrize("answer", [lambda g: g[:1], lambda g: g[0, 0], lambda g: g + 1j, lambda g: g.T])
def test_conductances_of_another_shape_or_kind(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """Law: a kernel is given the array that it reads, whatever a device makes of it in the midst of a run."""
    array = Crossbar(Late(), (5, 4), key=Key(0, "x"))
    monkeypatch.setattr(Late, "answer", staticmethod(answer))
    for use in (lambda: array.pulse(np.ones((5, 4), np.int32)), lambda: array.wait(1.0), array.save):
        with pytest.raises(RunError, match=r"conductance of device 'ideal' should return \(5, 8\) real numbers"):
            use()


MADE: dict[tuple[int, int], Any] = {}


@dataclass(frozen=True, kw_only=True)
class OneForAll(Ideal):
    """Hands the same cells to every array of a shape."""

    def fabricate(self, shape: tuple[int, int], key: Key) -> Any:
        """Return the cells that were made for the first array of that shape."""
        return MADE.setdefault(shape, super().fabricate(shape, key))


def test_arrays_that_share_their_cells_are_refused_before_a_run() -> None:
    """The short examination, which every run makes, sees it: two layers of one shape would be one."""
    assert "share the memory" in str(examine_device(OneForAll(), quick=True).failures)
