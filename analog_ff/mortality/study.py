"""A study of mortal computation: for every seed a chip that learns, and for every further chip all paths to it.

What was found stands in one file, which is written anew after each path: a study that was stopped goes on with the path that was
not finished. The first chip of a seed is taught again only if a path to one of its followers is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from analog_ff.config.config import Config
from analog_ff.mortality.paths import Halves, Verify, halves
from analog_ff.mortality.paths import Path as Way
from analog_ff.mortality.specimen import Specimen, specimen
from analog_ff.output import whole_files
from analog_ff.output.forms import document
from analog_ff.plain import Document
from hardware_models.check import UsageError
from hardware_models.files import LARGE, contents, text
from hardware_models.kernels.products import one_blas_thread

NAME = "mortal.json"
VERIFY = Verify()
OLD, NOTHING, COPIED, TUNED, ANEW = "the first chip", "no transfer", "copied", "copied and tuned", "taught anew"
"""Names of the paths that every study has; those of distillation are made by `distilled`."""


@dataclass(frozen=True)
class Wishes:
    """What a study tries.

    Attributes
    ----------
    chips : chips of each seed, the first one among them.
    seeds : seeds, each with chips of its own.
    queries : numbers of images that a first chip is asked about, one path each.
    kinds : what it is asked, names of `analog_ff.mortality.teaching.QUERIES`.
    known : whether a path uses the true labels beside the answers, too.
    sharpness : exponent of the answers.
    tuned_with, tuned_epochs : labelled images, and passes over them, of a copied network that goes on learning.
    verify : the care with which weights are copied.
    """

    chips: int = 2
    seeds: int = 1
    queries: tuple[int, ...] = (500, 1000, 2000, 4000)
    kinds: tuple[str, ...] = ("images",)
    known: bool = False
    sharpness: float = 3.0
    tuned_with: int = 500
    tuned_epochs: int = 4
    verify: Verify = VERIFY

    def paths(self, images: int) -> dict[str, Callable[[Way], Document]]:
        """Return all paths to one further chip by name; the second half of the training set has so many `images`."""
        found: dict[str, Callable[[Way], Document]] = {
            NOTHING: lambda way: way.nothing(),
            COPIED: lambda way: way.copied(),
            TUNED: lambda way: way.copied(self.tuned_with, self.tuned_epochs),
            ANEW: lambda way: way.anew(images),
        }
        for kind in self.kinds:
            for number in self.queries:
                found[distilled(kind, number)] = _asking(number, kind, 0.0, self.sharpness)
        if self.known:
            for number in self.queries:
                found[distilled("images and labels", number)] = _asking(number, "images", 0.5, self.sharpness)
        return found


def distilled(kind: str, queries: int) -> str:
    """Return the name of a path of distillation."""
    return f"distilled, {queries} queries, {kind}"


def _asking(queries: int, kind: str, known: float, sharpness: float) -> Callable[[Way], Document]:
    return lambda way: way.distilled(queries, kind, known, sharpness)


class Study:
    """The paths of a study, those that were walked among them.

    Parameters
    ----------
    config : the run by which every chip learns; its seed and its chip seed are the first ones.
    wishes : what is tried.
    folder : folder of the answer, which exists.

    Raises
    ------
    UsageError : if the folder holds the answer of another study.
    """

    def __init__(self, config: Config, wishes: Wishes, folder: Path) -> None:
        self.config, self.wishes, self._file = config, wishes, folder / NAME
        asked = json.loads(document({"config": config.as_dict() | {"out": ""}, "wishes": _plain(wishes)}))
        self.found: Document = asked | {"walked": {}}
        if self._file.exists():
            kept = json.loads(text(contents(self._file, "answer of a study", most=LARGE), self._file))
            if {name: kept.get(name) for name in asked} != asked:
                raise UsageError(
                    f"{self._file} is the answer of another study: choose another --folder, or give the options of that study."
                )
            self.found = kept

    @property
    def walked(self) -> dict[str, dict[str, Document]]:
        """The ends of the paths so far: {"seed 0, chip 1": {path: end}}; the first chip of a seed has the path `OLD`."""
        found: dict[str, dict[str, Document]] = self.found["walked"]
        return found

    def carry_out(self, say: Callable[[str], None]) -> Document:
        """Walk every path that is missing and return the answer."""
        for seed in range(self.wishes.seeds):
            with one_blas_thread():
                self._of_seed(seed, say)
        return self.found

    def _of_seed(self, seed: int, say: Callable[[str], None]) -> None:
        chips = range(1, self.wishes.chips)
        if all(len(self.walked.get(_place(seed, chip), {})) == self._number for chip in chips) and self._old(seed):
            return
        own = replace(self.config, seed=self.config.seed + seed)
        first = self.config.chip_seed + seed * self.wishes.chips
        with specimen(own, first) as old:
            parts = halves(old)
            say(f"seed {seed}: chip 0 learns from {len(parts.first.images)} images")
            old.begin()
            old.teach(parts.first, own.epochs)
            if not self._old(seed):
                self._note(_place(seed, 0), OLD, old.lived())
            for chip in chips:
                self._to_chip(old, parts, seed, chip, first + chip, say)

    def _to_chip(
        self, old: Specimen, parts: Halves, seed: int, chip: int, chip_seed: int, say: Callable[[str], None]
    ) -> None:
        place = _place(seed, chip)
        way = Way(old, parts, chip_seed, self.wishes.verify)
        for name, walk in self.wishes.paths(len(parts.second.images)).items():
            if name not in self.walked.get(place, {}):
                say(f"{place}: {name}")
                self._note(place, name, walk(way))

    @property
    def _number(self) -> int:
        return len(self.wishes.paths(0))

    def _old(self, seed: int) -> bool:
        return OLD in self.walked.get(_place(seed, 0), {})

    def _note(self, place: str, path: str, end: Document) -> None:
        self.walked.setdefault(place, {})[path] = end
        whole_files.write(self._file, document(self.found))


def _place(seed: int, chip: int) -> str:
    return f"seed {seed}, chip {chip}"


def _plain(wishes: Wishes) -> Document:
    return asdict(wishes) | {"verify": wishes.verify._asdict()}


def ends(found: Document) -> Iterator[tuple[str, list[tuple[Document, Document]]]]:
    """Yield each path with its ends: (end of the path, end of the first chip of the same seed), one a further chip."""
    walked = found["walked"]
    order: dict[str, list[tuple[Document, Document]]] = {}
    for place, paths in walked.items():
        old = walked[f"{place.partition(',')[0]}, chip 0"][OLD]
        for name, end in paths.items():
            order.setdefault(name, []).append((end, old))
    yield from order.items()
