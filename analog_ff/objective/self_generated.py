r"""Self-generated negatives: strings that the network writes itself, character by character.

From the first window w of each training string,

.. math:: c_t \sim P(c \mid w_t), \qquad w_{t+1} = (w_t \text{ without its first character}, c_t), \qquad t = 0 \dots T-1

where P is the probability of the softmax read-out in a pass with the neutral label. A negative is a window with the character
that the network has put after it (Hinton's draft FFA13, 3). The character is drawn from P; always taking the most likely
character would soon repeat a cycle, so that the negatives would be only a few windows. The strings are written again every
`every` batches and used until then, so that learning from positives and from generated strings happens at the same time.
"""

from __future__ import annotations

import numpy as np

from analog_ff.objective.negatives import Believer, Negatives, Setting, checked_belief
from hardware_models.check import UsageError, positive_int
from hardware_models.events import Events, Tally
from hardware_models.keys import Key

UNIFORM_BITS = 53
"""Number of random bits of one uniform number in float64."""


def sample(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return one class (B,) int64 for each row of probabilities (B, classes), drawn with one uniform number a row."""
    cumulated = checked_belief(probabilities).cumsum(axis=1)
    target = generator.random(len(cumulated)) * cumulated[:, -1]
    return (cumulated <= target[:, None]).sum(axis=1)


class SelfGenerated(Negatives):
    """Maker of windows from the network's own strings, with the characters that it has put after them.

    Parameters
    ----------
    starts : (strings, L classes) first windows of the training strings, one-hot, character by character.
    steps : T, number of generated characters of each string.
    classes : number of symbols.
    every : number of batches between two generations of strings; the first is before the first batch, by an untrained network.

    Raises
    ------
    UsageError
        If the data are not windows of strings.
    """

    needs_belief = True

    def __init__(self, starts: np.ndarray, steps: int, classes: int, every: int = 200) -> None:
        if not len(starts) or not steps or starts.shape[1] % classes:
            raise UsageError(
                "self-generated negatives need windows of strings: choose --data characters, or --negatives hard."
            )
        self._classes, self._steps = classes, steps
        self._every = positive_int("self-generated negatives", "--rollout-every", every, 1, 10**9)
        first = starts.reshape(len(starts), -1, classes).argmax(axis=2)
        self._window = first.shape[1]
        self.text = np.concatenate((first, np.zeros((len(first), steps), np.int64)), axis=1)
        """The last generated strings (strings, L + T), as indices of characters."""
        self._made = -1  # step at which the strings were generated

    @classmethod
    def of(cls, setting: Setting) -> SelfGenerated:
        """Return the maker of self-generated negatives for a data set."""
        return cls(setting.starts, setting.steps, setting.classes, setting.rollout_every)

    def prepare(self, learner: Believer, step: int, key: Key) -> Tally:
        """Generate all strings again if `every` batches have passed, and return the events of the passes and the draws."""
        tally = Tally()
        if 0 <= self._made and step < self._made + self._every:
            return tally
        for place in range(self._steps):
            here = key.child("character", place)
            believed, events = learner.believe(self._windows(self.text[:, place : place + self._window]), here)
            self.text[:, place + self._window] = sample(believed, here.child("draw").generator())
            tally = tally + events
        tally.add("readout", Events({"rng.bits": UNIFORM_BITS * self._steps * len(self.text)}))
        self._made = step
        return tally

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, believed: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return as many random windows of the generated strings as there are images, and the characters after them."""
        row, place = np.divmod(generator.integers(0, len(self.text) * self._steps, len(images)), self._steps)
        shown = self.text[row[:, None], place[:, None] + np.arange(self._window)]
        return self._windows(shown), self.text[row, place + self._window]

    def _windows(self, characters: np.ndarray) -> np.ndarray:
        """Return characters (B, L) as one-hot windows (B, L classes) float32."""
        return np.eye(self._classes, dtype=np.float32)[characters].reshape(len(characters), -1)

    def save(self) -> dict[str, np.ndarray]:
        """Return the generated strings and the step of their generation."""
        return {"text": self.text.copy(), "made": np.array(self._made)}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Restore a state returned by `save`."""
        self.text[:] = saved["text"]
        self._made = int(saved["made"])
