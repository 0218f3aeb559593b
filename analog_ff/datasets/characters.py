r"""Strings of letters: 248 of 100 characters from 30 symbols; a window of 10 characters is to name the next one.

A training row is a window of L = 10 characters, one-hot over the 30 symbols (300 values), its label the character after it;
a string has 90 of them. Labels stand beside the window, whose every value is an input.

The size is that of Hinton's draft of the Forward-Forward paper (FFA13, 3), which took Aesop's Fables; the text here comes
from a grammar of this project's own (animals, what they want, a moral), always the same, so that it may go wherever the code
goes. It is easier than a book: its words repeat. The draft scored the strings that the network had learned from; here
the last 25 strings are the test set and the 25 before them the validation part, and no window reaches over two strings.
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
HELD = 25  # strings of the test set, and again of the validation part

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
"""The four sentences of a fable; each is one of its row."""


def read(data_dir: str | Path | None = None) -> Source:
    """Return 223 strings for training and 25 for the test, the same on every call; `data_dir` is not looked at."""
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
        # A window is no picture: it has no neighbours to the left and above, and is never shifted.
        height=1,
        width=WINDOW * len(SYMBOLS),
        sequence=sequence,
    )
    return Source(dataset, validation=sequence >= STRINGS - 2 * HELD)


def text() -> np.ndarray:
    """Return the whole text as indices into `SYMBOLS`, (24 800,) int64: fable after fable, cut where it is full."""
    generator = Key(0, "characters").generator()
    fables = ""
    while len(fables) < STRINGS * LENGTH:
        fables += _fable(generator)
    return np.array([SYMBOLS.index(letter) for letter in fables[: STRINGS * LENGTH]], np.int64)


def _fable(generator: np.random.Generator) -> str:
    """Draw one fable: sentence by sentence, word by word."""
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
