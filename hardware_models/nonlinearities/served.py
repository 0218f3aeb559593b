"""Neurons outside of this process: a program or an instrument that answers for f, spoken to by the line protocol.

The chip asks for y = f(z) of whole batches, (B, neurons) float32, layer by layer. Nothing else is known of f. A box says in its
hello whether it has `save` and `restore`, whose arrays become part of the chip's checkpoint, and whether it is repeatable: one
with a memory or noise that nothing can save is not, and a run with it does not repeat.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hardware_models.check import RunError, UsageError
from hardware_models.keys import Key
from hardware_models.protocol.line import ANSWER_WITHIN, Line


class _Remote:
    """Neurons of one layer behind a line that all layers of a chip share."""

    def __init__(self, line: Line, layer: int, *, repeatable: bool) -> None:
        self._line, self._layer = line, layer
        self.repeatable = repeatable  # False: the box has a memory or noise of its own that nothing can save

    def __call__(self, z: np.ndarray) -> np.ndarray:
        answer = self._line.call("neurons", layer=self._layer, arrays={"z": z})
        return self._line.array(answer, "y", z.shape)

    def close(self) -> None:
        """Close the line of all layers."""
        self._line.close()


class _Remembering(_Remote):
    """Neurons that remember, and whose memory can be saved."""

    def save(self) -> dict[str, np.ndarray]:
        """Return the state of the box as arrays."""
        state = self._line.call("save", layer=self._layer).arrays
        if not state:
            raise self._line.refuse(f"should send its memory for 'save' of layer {self._layer}, it sent no array")
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self._line.call("restore", layer=self._layer, arrays=state)

    def __deepcopy__(self, memo: dict[int, object]) -> _Remembering:
        return _Copy(self._line, self._layer, self.save(), repeatable=self.repeatable)


class _Copy(_Remembering):
    """Neurons with a state of their own, in a box that has one: each call leaves the box as it was."""

    def __init__(self, line: Line, layer: int, state: Mapping[str, np.ndarray], *, repeatable: bool) -> None:
        super().__init__(line, layer, repeatable=repeatable)
        self._state = dict(state)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        before = super().save()
        super().restore(self._state)
        try:
            y = super().__call__(z)
            self._state = super().save()
        finally:
            super().restore(before)
        return y

    def save(self) -> dict[str, np.ndarray]:
        """Return the state of this copy."""
        return dict(self._state)

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Restore a state of this copy."""
        self._state = dict(state)


class Served:
    """Neurons behind ``process:COMMAND`` or ``tcp://127.0.0.1:PORT``; the box is reached when the first layer is made.

    Parameters
    ----------
    name : where the box is.
    within : time for every answer [s].
    """

    analog = True

    def __init__(self, name: str, within: float | None = None) -> None:
        self.name = name
        self._within = ANSWER_WITHIN if within is None else within
        self._line: Line | None = None
        self._hello: Mapping[str, object] = {}
        self._layers = 0

    def fabricate(self, neurons: int, key: Key) -> _Remote:
        """Return the neurons of the next layer of a chip, after the box has taken `key` and was tried on a range of z.

        Raises
        ------
        UsageError : the box cannot be reached, is none for neurons, or fails at the first z.
        """
        if self._line is None:
            self._line = Line.to(self.name, "neurons", self._within)
            self._hello = self._line.hello("neurons")
        line, layer, self._layers = self._line, self._layers, self._layers + 1
        kind = _Remembering if self._hello["save"] else _Remote
        made = kind(line, layer, repeatable=bool(self._hello["repeatable"]))
        try:
            line.call("fabricate", layer=layer, key=key, arguments={"neurons": neurons})
            self._try(made, neurons)
        except BaseException as error:
            line.close()
            if isinstance(error, RunError):
                raise UsageError(str(error)) from None
            raise
        return made

    def _try(self, made: _Remote, neurons: int) -> None:
        """Show the neurons a range of z, twice if they have no memory: the same z then has the same y."""
        z = np.linspace(-8.0, 8.0, 17, dtype=np.float32)[:, None].repeat(neurons, axis=1)
        before = made.save() if isinstance(made, _Remembering) else None
        first = made(z)
        if isinstance(made, _Remembering) and before is not None:
            made.restore(before)
        if made.repeatable and first.tobytes() != made(z).tobytes():
            raise UsageError(
                f"the box of neurons at {self.name} returned two results for one z: its hello should say '\"repeatable\":false', "
                "or 'save' and 'restore' should carry all that it remembers."
            )
        if isinstance(made, _Remembering) and before is not None:
            made.restore(before)
