"""Strings of letters: the data set, labels beside the window, and negatives that the network makes up itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2

from analog_ff.config.config import Config
from analog_ff.datasets import load
from analog_ff.datasets.base import first_windows
from analog_ff.datasets.characters import HELD, LENGTH, STRINGS, SYMBOLS, WINDOW, text
from analog_ff.learners.forward_forward import ForwardForward
from analog_ff.network.stack import Stack
from analog_ff.objective.goodness import LayerGoodness
from analog_ff.objective.labels import PLACES
from analog_ff.objective.negatives import load_negatives
from analog_ff.objective.schedule import Moment
from analog_ff.objective.self_generated import SelfGenerated, sample
from analog_ff.runs.build import frame_of, wiring_of
from analog_ff.runs.execute import execute
from hardware_models.check import RunError, UsageError
from hardware_models.chip import Chip
from hardware_models.events import Tally
from hardware_models.keys import Key

RARE = 1e-6
C = len(SYMBOLS)
SMALL, LONG, MADE = 6, 3, 5  # symbols, characters of a window, characters made up, of the small strings below


def rng(name: str) -> np.random.Generator:
    """Return a generator of its own for each test."""
    return Key(0, "test-sequences").child(name).generator()


def letters(windows: np.ndarray) -> np.ndarray:
    """Return one-hot windows (n, L C) as characters (n, L)."""
    return windows.reshape(len(windows), -1, C).argmax(axis=2)


# --- the data set ---


@pytest.mark.parametrize(("split", "strings"), [("final", STRINGS - HELD), ("holdout", STRINGS - 2 * HELD)])
def test_windows_slide_over_whole_strings(split: str, strings: int) -> None:
    """Every window is one-hot, the next one of its string is this one and its label, and all 90 of a string are there."""
    data = load("characters", split=split)
    steps = LENGTH - WINDOW
    assert data.x_train.shape == (strings * steps, WINDOW * C) and data.x_test.shape == (HELD * steps, WINDOW * C)
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.dtype == np.float32 and y.dtype == np.int64 and x.flags.c_contiguous and y.flags.c_contiguous
        assert np.array_equal(np.unique(x), [0, 1]) and (x.reshape(-1, C).sum(axis=1) == 1).all()
        window, label = letters(x).reshape(-1, steps, WINDOW), y.reshape(-1, steps)
        assert np.array_equal(window[:, 1:, :-1], window[:, :-1, 1:])
        assert np.array_equal(window[:, 1:, -1], label[:, :-1])
    assert set(data.y_train) == set(range(C)) and data.label_place in PLACES
    starts, found = first_windows(data)
    assert found == steps and np.array_equal(starts, data.x_train[::steps])
    assert np.array_equal(np.bincount(data.sequence), np.full(strings, steps))


def test_the_three_parts_are_the_text_and_no_string_is_in_two() -> None:
    """Put together again, the strings of training, validation and test are the text, in this order."""
    final, holdout = load("characters"), load("characters", split="holdout")
    parts = [(holdout.x_train, holdout.y_train), (holdout.x_test, holdout.y_test), (final.x_test, final.y_test)]
    strings = [
        np.concatenate((letters(x)[:: LENGTH - WINDOW], y.reshape(-1, LENGTH - WINDOW)), axis=1) for x, y in parts
    ]
    assert np.array_equal(np.concatenate(strings).reshape(-1), text())
    assert len({row.tobytes() for part in strings for row in part}) == STRINGS


def test_the_text_is_what_its_description_says() -> None:
    """Words of the grammar alone, and the figure that every result stands beside: always guessing the space errs 80.0 %."""
    told = "".join(SYMBOLS[i] for i in text())
    assert told.startswith("long ago the ant stole") and "{" not in told and " a a" not in told and "  " not in told
    data = load("characters")
    likeliest = np.bincount(data.y_train).argmax()
    assert SYMBOLS[likeliest] == " "
    assert 100 * np.mean(data.y_test != likeliest) == pytest.approx(80.0, abs=0.05)


# --- labels beside the window ---


def test_labels_stand_beside_the_window() -> None:
    """The chip is as many rows larger as there are classes, no value of a window is overwritten, unlabelled it is not."""
    data = load("characters", split="holdout")
    labelled, blind = load_negatives("hard", 300), type("Blind", (), {"labelled": False})()
    config = Config(layers=(9,))

    def inputs(data, negatives):
        return wiring_of(config, frame_of(config, data, negatives)).shapes[0][0] - 1

    assert [frame_of(config, data, n).label_place for n in (labelled, None, blind)] == ["appended", "appended", "none"]
    assert (inputs(data, labelled), inputs(data, blind)) == (330, 300)
    assert inputs(load("mnist-5k"), labelled) == 784
    port = Chip("ideal", ((331, 20),))
    network = Stack(port, [LayerGoodness("sum-of-squares", 20)], label_place="appended")
    learner = ForwardForward(network, classes=C, seed=0, label_strength=2.5)
    images, labels = data.x_train[:7], data.y_train[:7]
    shown = learner.show(images, labels).pixels
    assert np.array_equal(shown[:, C:], images) and np.array_equal(shown[:, :C], 2.5 * np.eye(C)[labels])
    assert np.allclose(learner.show(images, None).pixels[:, :C], 2.5 / C)


# --- strings that the network makes up ---


class Markov:
    """A believer that looks at a window's last character alone."""

    def __init__(self) -> None:
        self.table = rng("table").dirichlet(np.full(SMALL, 0.5), SMALL)
        self.seen: list[np.ndarray] = []

    def believe(self, images: np.ndarray, key: Key) -> tuple[np.ndarray, Tally]:
        """Return the row of the last character."""
        self.seen.append(images.reshape(len(images), -1, SMALL).argmax(axis=2))
        return self.table[self.seen[-1][:, -1]], Tally()


def starts(strings: int) -> np.ndarray:
    """Return first windows (strings, L C)."""
    return np.eye(SMALL, dtype=np.float32)[rng("starts").integers(0, SMALL, (strings, LONG))].reshape(strings, -1)


def test_a_draw_follows_its_probabilities() -> None:
    """One draw a row, in proportion to float32 beliefs that need not add up to one exactly."""
    p = np.array([0.3, 0.0, 0.45, 0.25], np.float32)
    counts = np.bincount(sample(np.tile(p, (20000, 1)), rng("sample")), minlength=4)
    assert counts[1] == 0
    assert ((counts - 20000 * p)[p > 0] ** 2 / (20000 * p[p > 0])).sum() < chi2.isf(RARE, 2)
    with pytest.raises(RunError, match="diverged"):
        sample(np.array([[np.nan, 1.0]]), rng("nan"))


def test_roll_outs_are_drawn_and_not_the_likeliest_characters() -> None:
    """Each window is the string's last L characters, and transitions follow the believer (chi squared, all 36 of them).

    The likeliest characters alone would run in a circle of at most 6 windows for such a believer.
    """
    believer, steps = Markov(), 60
    maker = SelfGenerated(starts(300), steps, SMALL)
    maker.prepare(believer, 0, Key(0, "rollout"))
    for place, window in enumerate(believer.seen):
        assert np.array_equal(window, maker.text[:, place : place + LONG])
    before, after = maker.text[:, LONG - 1 : -1].ravel(), maker.text[:, LONG:].ravel()
    found = np.zeros((SMALL, SMALL))
    np.add.at(found, (before, after), 1)
    expected = found.sum(axis=1, keepdims=True) * believer.table
    common = expected > 5
    assert ((found - expected)[common] ** 2 / expected[common]).sum() < chi2.isf(RARE, common.sum())
    windows = np.lib.stride_tricks.sliding_window_view(maker.text[0, LONG:], LONG)
    assert len(np.unique(windows, axis=0)) > SMALL


def test_negatives_are_made_up_windows_with_what_came_after_them() -> None:
    """Every negative is a window of the roll-outs with its next character; all strings and places are used."""
    maker = SelfGenerated(starts(4), MADE, SMALL)
    maker.prepare(Markov(), 0, Key(0, "rollout"))
    known = {(*row[t : t + LONG], row[t + LONG]) for row in maker.text.tolist() for t in range(MADE)}
    ignored = np.zeros((500, LONG * SMALL), np.float32), np.zeros(500, int), np.zeros((500, SMALL))
    images, labels = maker(*ignored, rng("negatives"))
    characters = images.reshape(500, LONG, SMALL)
    assert images.dtype == np.float32 and (characters.sum(axis=2) == 1).all()
    assert {(*w, c) for w, c in zip(characters.argmax(axis=2).tolist(), labels.tolist(), strict=True)} == known


def learner(every: int) -> ForwardForward:
    """Return an initialised learner of the small strings."""
    port = Chip("memristor", ((LONG * SMALL + SMALL + 1, 15), (16, 10)))
    network = Stack(port, [LayerGoodness("sum-of-squares", n) for _, n in port.shapes], label_place="appended")
    made = ForwardForward(network, classes=SMALL, seed=3, negatives=SelfGenerated(starts(4), MADE, SMALL, every))
    made.initialise()
    return made


def batch(step: int) -> tuple[np.ndarray, np.ndarray]:
    """Return 8 windows and labels."""
    draw = Key(5, "batch", step).generator()
    windows = np.eye(SMALL, dtype=np.float32)[draw.integers(0, SMALL, (8, LONG))].reshape(8, -1)
    return windows, draw.integers(0, SMALL, 8)


def test_roll_outs_are_made_when_due_and_booked() -> None:
    """Every third batch costs 4 x 5 further passes, to the cell; a wake moment never rolls out."""
    made, texts, reads = learner(3), [], []
    for step in range(7):
        reads.append(made.step(*batch(step), step=step, gain=1.0).total()["reads.cells"])
        texts.append(made._negatives.text.copy())
    weights = sum(n * m for n, m in made.port.shapes)
    more = 4 * MADE * 2 * weights
    assert [n - min(reads) for n in reads] == [more, 0, 0, more, 0, 0, more]
    changed = [not np.array_equal(a, b) for a, b in zip(texts, texts[1:], strict=False)]
    assert changed == [False, False, True, False, False, True]
    awake = learner(3)
    awake.step(*batch(0), step=0, gain=1.0, moment=Moment(0, 0, negative=False))
    assert not awake._negatives.text[:, LONG:].any()


def test_resume_is_bit_for_bit_between_two_roll_outs() -> None:
    """What was made up before the interruption serves after it, and the next roll-out comes when it was due."""
    first, second = learner(3), learner(3)
    for step in range(2):
        first.step(*batch(step), step=step, gain=1.0)
    second.port.restore(first.port.save())
    second.restore(first.save())
    for made in (first, second):
        for step in range(2, 5):
            made.step(*batch(step), step=step, gain=1.0)
    for mine, other in ((first.save(), second.save()), (first.port.save(), second.port.save())):
        assert mine.keys() == other.keys() and all(np.array_equal(v, other[k]) for k, v in mine.items())


def test_data_without_strings_are_refused(tmp_path: Path) -> None:
    """One sentence with a remedy, and no folder."""
    with pytest.raises(UsageError, match="choose --data characters"):
        execute(Config(data="toy", negatives="self-generated", out=str(tmp_path / "run")), quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("negatives", ["hard", "self-generated"])
def test_a_short_run_beats_guessing_the_commonest_character(negatives: str, tmp_path: Path) -> None:
    """After one epoch a small ideal network errs well below the 79.8 % of always guessing the space."""
    options = {"data": "characters", "split": "holdout", "device": "ideal", "layers": (60,), "epochs": 1}
    result, _ = execute(Config(**options, readout_rate=0.3, negatives=negatives, out=str(tmp_path / "run")), quiet=True)
    assert result["validation_error_percent_by_readout"]["softmax"] < 75.0
