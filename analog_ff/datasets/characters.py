r"""Strings of letters: 248 strings of 100 characters from 30 symbols; the task is to predict the character after a window of 10.

A training row is a window of L = 10 characters, one-hot over the 30 symbols (300 values), and its label is the character after
it; a string has 90 windows. Labels are shown beside the window, because all values of the window are inputs.

The size is that of Hinton's draft of the Forward-Forward paper (FFA13, 3), which took Aesop's Fables; the text here comes
from this project's own grammar (animals, their wishes, a moral) and is always the same, so that it may be distributed with the
code. It is easier than a book, because its words repeat. The draft scored the strings that the network had learned from; here
the last 25 strings are the test set and the 25 before them the validation part, and no window spans two strings.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analog_ff.datasets.base import Dataset, Source
from hardware_models.keys import Key

SYMBOLS = "abcdefghijklmnopqrstuvwxyz ,.;"
STRINGS = 248
LENGTH = 100  # characters of a string
WINDOW = 10  # characters of a window
HELD = 25  # number of strings of the test set, and also of the validation part

WORDS: dict[str, tuple[str, ...]] = {
    "animal": (
        "ant", "badger", "cat", "crow", "dog", "donkey", "dove", "eagle", "fox", "frog", "goat", "hare", "hedgehog", "heron",
        "jay", "kid", "lamb", "lion", "mole", "mouse", "owl", "ox", "peacock", "quail", "raven", "stork", "tortoise", "viper",
        "wolf", "zebra",
    ),
    "nature": (
        "greedy", "proud", "lazy", "vain", "quick", "young", "sly", "timid", "hungry", "wise", "jealous", "thirsty", "weary",
        "old", "quiet", "foolish",
    ),
    "place": (
        "by the river", "in the wood", "near a dry well", "under an oak", "on a high rock", "behind the mill",
        "in the vineyard", "at the edge of a field", "upon the road to the market", "beside a frozen pond",
    ),
    "thing": (
        "a piece of cheese", "a jar of honey", "a bunch of grapes", "a bag of corn", "a fine bone", "a dry fig",
        "a loaf of bread", "an old net", "a golden cup", "a warm nest",
    ),
    "wish": (
        "share it with me", "lend me your strength", "show me the way home", "sing for me once more", "let me rest here",
        "carry me across the water", "keep watch while i sleep", "tell me who is king",
    ),
    "answer": (
        "i would sooner trust the wind", "first let me see your teeth", "a gift from you is never free",
        "only if you leave me half", "come back when the snow is gone", "your tongue is sweeter than your heart",
        "what you lost by pride you may win by work",
    ),
    "end": (
        "lost both the prize and a friend", "went away ashamed", "fell asleep with an empty belly", "was caught in the trap",
        "laughed until the moon rose", "learned to be silent", "ran home by the longest path", "had to begin again",
    ),
    "moral": (
        "he who wants too much keeps nothing", "a kind word costs little", "look twice before you jump",
        "fine feathers do not fill the stomach", "the weak may help the strong", "do not praise the day before the evening",
        "a quiet enemy is worse than a loud one", "those who mock are soon mocked", "slow feet reach the gate as well",
        "a borrowed coat is never warm",
    ),
}  # fmt: skip
SENTENCES = (
    ("once {a:nature} {animal} met {a:animal} {place}, and it carried {thing}. ",
     "{a:animal} and {a:nature} {animal} lived together {place}. ",
     "a {animal} that was {nature} found {thing} {place}; ",
     "long ago the {animal} stole {thing} from the {nature} {animal}. "),
    ("please {wish}, said the {animal}; {answer}, said the {animal}. ",
     "the {animal} begged the {nature} {animal}, {wish}, for i am {nature}. ",
     "but the {animal} cried, {answer}; ",
     "when a {nature} {animal} came {place}, it asked, will you {wish}. "),
    ("so the {animal} {end}. ", "in the end the {nature} {animal} {end}. ", "at last the {animal} {end}; "),
    ("{moral}. ", "this shows that {moral}. ", "remember, {moral}. "),
)  # fmt: skip
"""The four sentences of a fable; for each, one entry of its row is chosen."""


def read(data_dir: str | Path | None = None) -> Source:
    """Return 223 strings for training and 25 for the test, the same on every call; `data_dir` is ignored."""
    strings = text().reshape(STRINGS, LENGTH)
    windows = np.lib.stride_tricks.sliding_window_view(strings, WINDOW, axis=1)[:, :-1]
    one_hot = np.eye(len(SYMBOLS), dtype=np.float32)[windows].reshape(*windows.shape[:2], -1)
    following = strings[:, WINDOW:]
    kept, tested = slice(0, STRINGS - HELD), slice(STRINGS - HELD, STRINGS)
    sequence = np.repeat(np.arange(STRINGS - HELD), LENGTH - WINDOW)
    dataset = Dataset(
        name="characters",
        x_train=one_hot[kept].reshape(len(sequence), -1),
        y_train=following[kept].reshape(-1),
        x_test=one_hot[tested].reshape(HELD * (LENGTH - WINDOW), -1),
        y_test=following[tested].reshape(-1),
        classes=tuple(SYMBOLS),
        # A window is not a picture: its values have no neighbours, so it is never shifted.
        height=1,
        width=WINDOW * len(SYMBOLS),
        sequence=sequence,
        full=1.0,
    )
    return Source(dataset, validation=sequence >= STRINGS - 2 * HELD)


def text() -> np.ndarray:
    """Return the complete text (24 800,) int64 as indices into `SYMBOLS`: fable after fable, the last one cut."""
    generator = Key(0, "characters").generator()
    fables = ""
    while len(fables) < STRINGS * LENGTH:
        fables += _fable(generator)
    return np.array([SYMBOLS.index(letter) for letter in fables[: STRINGS * LENGTH]], np.int64)


def _fable(generator: np.random.Generator) -> str:
    """Return one random fable, drawn sentence by sentence and word by word."""
    told = ""
    for kinds in SENTENCES:
        for part in kinds[generator.integers(len(kinds))].replace("}", "{").split("{"):
            article, _, name = part.rpartition(":")
            if name not in WORDS:
                told += part
                continue
            word = WORDS[name][generator.integers(len(WORDS[name]))]
            told += f"{'an' if word[0] in 'aeiou' else 'a'} {word}" if article else word
    return told
