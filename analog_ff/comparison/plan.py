"""A comparison: every device with every learner and every seed, one run folder a point, resumed point by point.

The points of one seed share data, order of the images and chip (the chip seed moves with the seed), so that learners are
compared in pairs. Frozen random layers with a trained read-out are always among them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analog_ff.config.config import Config, recommended
from analog_ff.config.reading import read
from analog_ff.config.together import unread
from analog_ff.learners import LEARNERS
from analog_ff.output import folders
from analog_ff.output.messages import on_terminal
from analog_ff.plain import Document, Facts
from analog_ff.runs.execute import examine, execute
from analog_ff.runs.first_use import compiling_ahead
from analog_ff.runs.origin import check_alike
from analog_ff.runs.result_file import check
from analog_ff.runs.stored import lines_of
from hardware_models import files
from hardware_models.check import UsageError, in_range, positive_int, shown
from hardware_models.places import placed
from hardware_models.tables import closest, lookup

FROZEN = "random-features"
"""The learner that is always shown."""
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Point:
    """One run of a comparison."""

    device: str  # its name in the tables
    label: str  # of the learner
    seed: int
    config: Config

    @property
    def name(self) -> str:
        """Return the name of the point's folder."""
        return f"{self.device}-{self.label}-s{self.seed}"


def parse_devices(text: str) -> dict[str, str]:
    """Return {name in the tables: device} of ``memristor,my_device.toml``."""
    devices: dict[str, str] = {}
    for spec in _words("--devices", text):
        place, _, attribute = spec.partition(":")
        stem = attribute or Path(place).stem
        if stem in devices:
            raise UsageError(f"--devices names {shown(stem)} twice.")
        devices[stem] = spec
    return devices


def parse_learners(text: str) -> dict[str, str]:
    """Return {label: learner} of ``forward-forward,gentle=forward-forward``, frozen random layers last if not named."""
    learners: dict[str, str] = {}
    for word in _words("--learners", text):
        label, _, learner = word.rpartition("=")
        label = label or learner
        lookup("learner", learner, LEARNERS)
        if not LABEL.fullmatch(label):
            raise UsageError(f"--learners takes labels of letters, digits, '.', '_' and '-', got {shown(label)}.")
        if label in learners:
            raise UsageError(f"--learners names '{label}' twice; give one of them a label, such as other={learner}.")
        if label in LEARNERS and label != learner:
            raise UsageError(f"--learners cannot call {learner} '{label}', which is another learner.")
        learners[label] = learner
    if FROZEN not in learners.values():
        learners[FROZEN] = FROZEN
    return learners


def parse_settings(
    texts: Sequence[str], devices: Mapping[str, str], learners: Mapping[str, str]
) -> dict[str, Document]:
    """Return {learner, or device and learner: {field: value}} of ``[DEVICE/]LEARNER:OPTION=VALUE``."""
    who_is_there = [*learners, *(f"{device}/{label}" for device in devices for label in learners)]
    settings: dict[str, Document] = {}
    for text in texts:
        place, equals, value = text.partition("=")
        who, colon, name = place.rpartition(":")
        if not equals or not colon or not name:
            raise UsageError(f"--set reads LEARNER:OPTION=VALUE, such as backprop:learning-rate=1, got {shown(text)}.")
        if who not in who_is_there:
            near = closest(who, who_is_there)
            raise UsageError(
                f"--set names {shown(who)}, which is not compared{near} (compared: {', '.join(learners)})."
            )
        field, chosen = read(Config, name.removeprefix("--"), value)
        if field in ("device", "learner", "seed", "chip_seed", "out", "data_dir", "split", "technology"):
            raise UsageError(f"--set cannot change {name} for one learner: it is the same for all, or names the point.")
        settings.setdefault(who, {})[field] = chosen
    return settings


def points_of(
    devices: Mapping[str, str],
    learners: Mapping[str, str],
    seeds: int,
    common: Facts,
    settings: Mapping[str, Facts],
    folder: Path,
) -> list[Point]:
    """Return all points, seed by seed; raise UsageError, which names the point, for choices that do not go together.

    The recipe of a device and a learner comes first, then `common`, then `settings` of the learner, then those of the learner
    on the device. A learner that does not read one of the `common` options, as frozen layers a learning rate, runs without it
    if another learner of the comparison reads it. All points have one technology.
    """
    positive_int("a comparison", "--seeds", seeds, 1, 1000)
    without = {label: unread(Config, {**common, "learner": learner}) for label, learner in learners.items()}
    of_nobody = set.intersection(*without.values())
    points = []
    for k in range(seeds):
        for device, spec in devices.items():
            for label, learner in learners.items():
                own = {**settings.get(label, {}), **settings.get(f"{device}/{label}", {})}
                left_out = without[label] - of_nobody
                shared = {name: value for name, value in common.items() if name not in left_out}
                options = recommended({"device": spec, "learner": learner, **shared, **own})
                numbers = {name: int(common.get(name, 0)) + k for name in ("seed", "chip_seed")}
                point = Path(folder) / "points" / f"{device}-{label}-s{numbers['seed']}"
                try:
                    config = Config(**{**options, **numbers, "out": str(point)})
                except UsageError as error:
                    raise _at(device, label, error) from None
                points.append(Point(device, label, numbers["seed"], config))
    return _priced_alike(points)


def _priced_alike(points: Sequence[Point]) -> list[Point]:
    """Return the points with one technology: presets may differ, but one technology prices the whole comparison.

    A point whose training depends on no technology takes that of the others. Raise UsageError if those differ.
    """
    needed = list(dict.fromkeys(p.config.technology for p in points if p.config.wires_of_technology))
    if len(needed) > 1:
        raise UsageError(
            f"a comparison has one technology, these points have {' and '.join(needed)}: give --technology."
        )
    one = (needed or [points[0].config.technology])[0]
    return [replace(p, config=replace(p.config, technology=one)) for p in points]


def run(points: Sequence[Point], folder: Path, *, resume: bool, say: Callable[[str], None]) -> None:
    """Run every point that is not finished yet.

    Everything that can be wrong with any point is found before the first one starts. Raise UsageError if the folder exists
    and is not resumed, or if one of its points was begun with other options.
    """
    if not resume:
        folders.must_be_new(placed(folder))
    left = [p for p in points if not _finished(p)]
    for point in {(p.device, p.label): p for p in left}.values():
        try:
            examine(point.config)
        except UsageError as error:
            raise _at(point.device, point.label, error) from None
    begin = time.monotonic()
    for done, point in enumerate(left):
        seconds = (time.monotonic() - begin) * (len(left) - done) / max(done, 1)
        left_over = f", about {seconds:.0f} s left" if done else ""
        say(f"{done + 1}/{len(left)}: {point.device}, {point.label}, seed {point.seed}{left_over}")
        place = point.config.folder()
        begun = place.exists()
        technology = _stored(point).technology if (place / "config.toml").is_file() else point.config.technology
        config = replace(point.config, technology=technology)
        with compiling_ahead(config):
            execute(config, resume=begun, quiet=not on_terminal())
        # Points finished before must come from the same device and data as those made now.
        check_alike({str(p.config.folder()): load(p)[0] for p in points if p.device == point.device and _finished(p)})


def load(point: Point) -> tuple[Document, list[Document], list[dict[str, float]]]:
    """Return result, metrics and cumulative counts, epoch by epoch, of a finished point."""
    folder = point.config.folder()
    try:
        result = files.json_object(files.contents(folder / "result.json", "result"), folder / "result.json")
        check(result, str(folder / "result.json"))
        tables = [lines_of(folder / name) for name in ("metrics.csv", "events.csv")]
        with files.reading(folder, "a finished run"):
            _check_point(result, tables[0], tables[1], str(folder))
    except UsageError as error:
        sentence = str(error).rstrip(".")
        raise UsageError(
            f"the point {folder} cannot be read: {sentence}; remove that folder, and --resume makes it again."
        ) from None
    return result, tables[0], tables[1]


def _check_point(
    result: Facts,
    metrics: Sequence[Mapping[str, float]],
    counted: Sequence[Mapping[str, float]],
    place: str,
) -> None:
    """Raise an exception unless a point has the entries that a comparison uses beside those of an account."""
    readout = result["config"]["readout"]
    kind = "test" if result["split"] == "final" else "validation"
    in_range(place, f"{kind}_error_percent", result[f"{kind}_error_percent"], 0.0, 100.0, "%")
    in_range(place, "pulses_per_weight", result["cells"]["pulses_per_weight"], 0.0, 1e18)
    if readout not in result["events_by_readout"]:
        raise UsageError(f"{place}: 'events_by_readout' lacks the headline read-out {shown(readout)}.")
    lines = result["energy"]["line_currents"]
    for what in ("read", "write") if lines is not None else ():
        in_range(place, "line_current_ratio", lines["line_current_ratio"][what], 0.0, 1e30)
    for line in metrics if kind == "validation" else ():
        in_range(place, "the error of each line of metrics.csv", line[f"{readout}_error_percent"], 0.0, 100.0, "%")
    if len(metrics) != len(counted):
        raise UsageError(f"{place}: metrics.csv has {len(metrics)} lines, events.csv {len(counted)}; expected as many.")
    for line in counted:
        for name, value in line.items():
            in_range(place, f"{shown(name)} of each line of events.csv", value, 0.0, 1e30)


def _finished(point: Point) -> bool:
    """Tell whether a point is finished; refuse one that was begun with other options, or another technology's wires."""
    folder = point.config.folder()
    if not folders.has(folder, "config.toml"):
        return False
    stored = _stored(point)
    if not stored.wires_of_technology:  # then it prices the counts and changes no bit of the training
        stored = replace(stored, technology=point.config.technology)
    if stored.digest() != point.config.digest():
        raise UsageError(f"{folder} was begun with other options; give those of its config.toml, or another --out.")
    return folders.has(folder, "result.json")


def _stored(point: Point) -> Config:
    """Return the configuration that a point was begun with."""
    return Config.from_toml(point.config.folder() / "config.toml")


def _at(device: str, label: str, error: UsageError) -> UsageError:
    sentence = str(error).rstrip(".")
    return UsageError(f"{label} on {device}: {sentence} (--set LEARNER:OPTION=VALUE gives a choice to one learner).")


def _words(option: str, text: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise UsageError(f"{option} takes names separated by commas, got {shown(text)}.")
    return words
