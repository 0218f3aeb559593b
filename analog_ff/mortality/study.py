"""A study of mortal computation: for every seed a chip that learns, and for every further chip all paths to it.

What was found stands in one file, which is written anew after each path: a study that was stopped goes on with the path that was
not finished. The first chip of a seed is taught again only if a path to one of its followers is missing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from analog_ff.config.config import Config
from analog_ff.mortality.life import Days, lived_on
from analog_ff.mortality.paths import Halves, Verify, halves
from analog_ff.mortality.paths import Path as Way
from analog_ff.mortality.specimen import Specimen, specimen
from analog_ff.output import whole_files
from analog_ff.output.forms import document
from analog_ff.plain import Document
from analog_ff.runs.identity import key
from analog_ff.runs.interrupt import Interruptible
from analog_ff.runs.origin import Origin, of_several
from hardware_models.check import CommandError, RunError, UsageError, counted
from hardware_models.files import LARGE, contents, reading, text

NAME = "mortal.json"
GROWING = ("seeds", "queries", "kinds", "known", "generations", "days", "daily")
"""Wishes that a study which goes on may have other values for: each path stands by itself."""
VERIFY = Verify()
OLD, NOTHING, COPIED, TUNED, ANEW = "the first chip", "no transfer", "copied", "copied and tuned", "taught anew"
WRITTEN = "digital, written"
"""Names of the paths that every study has; those of distillation are made by `distilled`."""
MOST_SEED = 10**9
"""Largest --seed and --chip-seed of a study, whose further chips have seeds made from them."""
APART = 10**6
"""Difference of the chip seeds of two generations: more than the chips and the seeds of a study."""
AGAIN = "the same command goes on with the study"


@dataclass(frozen=True)
class Wishes:
    """Wishes for a study.

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
    generations : chips in a row for each seed, each taught by the answers of the one before; 0: none.
    days : days at whose end a first chip that lives on is tested, rising; none: no life.
    daily : images that it learns from each day, for the ways of care that learn.
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
    generations: int = 0
    days: tuple[int, ...] = ()
    daily: int = 100

    def paths(self, images: int, digital: Config | None) -> dict[str, Callable[[Way], Document]]:
        """Return all paths to one further chip by name.

        images : number of images in the second half of the training set.
        digital : a run of a learner off the chip, for a path of its own.
        """
        found: dict[str, Callable[[Way], Document]] = {
            NOTHING: lambda way: way.nothing(),
            COPIED: lambda way: way.copied(),
            TUNED: lambda way: way.copied(self.tuned_with, self.tuned_epochs),
            ANEW: lambda way: way.anew(images),
        }
        if digital is not None:
            found[WRITTEN] = _writing(digital)
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


def _writing(digital: Config) -> Callable[[Way], Document]:
    return lambda way: way.written(digital)


class Study:
    """The paths of a study, those that were walked among them.

    Parameters
    ----------
    config : the run by which every chip learns; its seed and its chip seed are the first ones.
    digital : a run of a learner off the chip for the path `WRITTEN`; None: the study does not have this path.
    wishes : what is tried.
    folder : folder of the answer.

    Raises
    ------
    UsageError : if the folder holds the answer of another study, or a file that is none.
    """

    def __init__(self, config: Config, digital: Config | None, wishes: Wishes, folder: Path) -> None:
        if max(config.seed, config.chip_seed) > MOST_SEED:
            raise UsageError(
                f"a study takes --seed and --chip-seed up to {MOST_SEED}, got {config.seed} and {config.chip_seed}."
            )
        self.config, self.digital, self.wishes, self._file = config, digital, wishes, folder / NAME
        plain: Document = {"config": _asked(config), "wishes": asdict(wishes) | {"verify": wishes.verify._asdict()}}
        plain["digital"] = None if digital is None else _asked(digital)
        plain["of"] = {k: v for k, v in key("mortal", config).items() if k != "configuration"}
        asked: Document = json.loads(document(plain))
        self.found: Document = {"schema": 1, **asked, "walked": {}, "generations": {}, "lives": {}}
        if self._file.exists():
            self.found |= _kept(self._file, asked)

    @property
    def walked(self) -> dict[str, dict[str, Document]]:
        """The ends of the paths so far: {"seed 0, chip 1": {path: end}}; the first chip of a seed has the path `OLD`."""
        found: dict[str, dict[str, Document]] = self.found["walked"]
        return found

    def carry_out(self, say: Callable[[str], None]) -> Document:
        """Walk every path that is missing, and return the answer; one process at a time may do so.

        Raises
        ------
        CommandError : if a chip could not go on; paths that were walked are kept.
        KeyboardInterrupt : if the study was stopped, between two steps of learning.
        """
        with Interruptible() as stopping:
            try:
                for seed in range(self.wishes.seeds):
                    self._of_seed(seed, say, stopping.check)
            except RunError as error:
                raise CommandError(f"the study stopped: {str(error).rstrip('.')}; {AGAIN}.") from error
            except KeyboardInterrupt as stopped:
                raise type(stopped)(f"interrupted; {AGAIN}") from None
        self._write()  # the wishes of a study that has gone on may be new
        return self.found

    def _of_seed(self, seed: int, say: Callable[[str], None], check: Callable[[], None]) -> None:
        chips = range(1, self.wishes.chips)
        names = set(self.wishes.paths(0, self.digital))
        done = all(names <= self.walked.get(_place(seed, chip), {}).keys() for chip in chips)
        if self._old(seed) and done and len(self.chain(seed)) >= self.wishes.generations and self._has_lived(seed):
            return
        own = replace(self.config, seed=self.config.seed + seed)
        first = self.config.chip_seed + seed * self.wishes.chips
        with specimen(own, first, check) as old:
            parts = halves(old)
            say(f"{_place(seed, 0)} learns from {counted(len(parts.first.images), 'image')}")
            self._note_origin(old.run.origin)
            old.begin()
            old.teach(parts.first, own.epochs)
            if not self._old(seed):
                with old.as_learned():
                    self._note(_place(seed, 0), OLD, old.lived(labels=len(parts.first.images)))
            for chip in chips:
                self._to_chip(Way(old, parts, first + chip, self.wishes.verify), _place(seed, chip), say)
            if len(self.chain(seed)) < self.wishes.generations:
                with old.as_learned():
                    self._generations(old, parts, seed, first, say)
            if not self._has_lived(seed):
                say(f"{_place(seed, 0)} lives on for {self.wishes.days[-1]} days")
                days = Days(self.wishes.days, self.wishes.daily, self.wishes.sharpness)
                self._lives[f"seed {seed}"] = lived_on(old, parts.second, days)
                self._write()

    @property
    def _lives(self) -> dict[str, Document]:
        lives: dict[str, Document] = self.found["lives"]
        return lives

    def _has_lived(self, seed: int) -> bool:
        """Tell whether the life that is wished for is in the answer; one of other days is lived again."""
        life = self._lives.get(f"seed {seed}")
        asked = [[0, *self.wishes.days], self.wishes.daily]
        return not self.wishes.days or (life is not None and [life["days"], life["images_a_day"]] == asked)

    def _generations(self, old: Specimen, parts: Halves, seed: int, first: int, say: Callable[[str], None]) -> None:
        """Let a row of chips teach each other; each is asked about the half of the images that it has not been taught with."""
        with ExitStack() as living:
            for generation in range(1, self.wishes.generations + 1):
                say(f"seed {seed}: generation {generation} of {self.wishes.generations}")
                way = Way(old, parts, first + generation * APART, self.wishes.verify)
                old, end = living.enter_context(way.taught(max(self.wishes.queries), sharpness=self.wishes.sharpness))
                parts = Halves(parts.second, parts.first)
                if generation > len(self.chain(seed)):
                    self.found["generations"][f"seed {seed}"] = [*self.chain(seed), end]
                    self._write()

    def chain(self, seed: int) -> list[Document]:
        """Return the ends of the generations of a seed so far, from the first chip's pupil on."""
        chains: dict[str, list[Document]] = self.found["generations"]
        return chains.get(f"seed {seed}", [])

    def _to_chip(self, way: Way, place: str, say: Callable[[str], None]) -> None:
        paths = self.wishes.paths(len(way.parts.second.images), self.digital)
        for number, (name, walk) in enumerate(paths.items(), 1):
            if name not in self.walked.get(place, {}):
                say(f"{place}: {name} ({number} of {len(paths)})")
                with way.old.as_learned():
                    self._note(place, name, walk(way))

    def _old(self, seed: int) -> bool:
        return OLD in self.walked.get(_place(seed, 0), {})

    def _note_origin(self, of: Origin) -> None:
        """Add the versions and the files of a chip, from which all chips come, to those of earlier parts of the study."""
        self.found |= of_several([self.found, {"versions": of.versions, **of.result()}])

    def _note(self, place: str, path: str, end: Document) -> None:
        self.walked.setdefault(place, {})[path] = end
        self._write()

    def _write(self) -> None:
        whole_files.write(self._file, document(self.found))


def _asked(config: Config) -> Document:
    """Return the options of a run that decide a study: its folder and that of the data do not."""
    return config.as_dict() | {"out": "", "data_dir": None}


def _kept(file: Path, asked: Document) -> Document:
    """Return the answer in a file; raise UsageError if it is none, or that of a study with which something else was `asked`.

    An answer of an earlier version lacks the options that came later; its runs were what their defaults are.
    """
    with reading(file, "the answer of a study"):
        kept: Document = json.loads(text(contents(file, "answer of a study", most=LARGE), file))
        later: Document = json.loads(document(Config.came_later()))
        kept |= {run: later | kept[run] for run in ("config", "digital") if kept[run] is not None}
        own, other = ({k: v for k, v in d["wishes"].items() if k not in GROWING} for d in (kept, asked))
        same = own == other and all(kept[name] == value for name, value in asked.items() if name != "wishes")
        if not all(
            isinstance(end["joule"]["all"], float) for paths in kept["walked"].values() for end in paths.values()
        ):
            raise ValueError("an end has no energy")
    if not same:
        raise UsageError(f"{file} is the answer of another study: give another --folder, or the options of that study.")
    return kept | {"wishes": asked["wishes"]}


def _place(seed: int, chip: int) -> str:
    return f"seed {seed}, chip {chip}"


def asked_for(found: Document) -> Document:
    """Return the ends of an answer, by place, of the seeds that its wishes ask for."""
    seeds = {f"seed {number}" for number in range(found["wishes"]["seeds"])}
    return {place: paths for place, paths in found["walked"].items() if place.partition(",")[0] in seeds}


def ends(found: Document) -> Iterator[tuple[str, list[tuple[Document, Document]]]]:
    """Yield each path with its ends: (end of the path, end of the first chip of the same seed), one a further chip.

    An answer may hold more seeds than are asked for.
    """
    walked = asked_for(found)
    order: dict[str, list[tuple[Document, Document]]] = {}
    for place, paths in walked.items():
        old = walked[f"{place.partition(',')[0]}, chip 0"][OLD]
        for name, end in paths.items():
            order.setdefault(name, []).append((end, old))
    yield from order.items()
