"""The configuration of one run: every choice, checked before anything is written, and its file ``config.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import expanduser, isfile
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from analog_ff.config.ages import parse_ages
from analog_ff.config.array_parts import FAULTS, CellChoices, CircuitChoices, LineChoices
from analog_ff.config.choices import Choices
from analog_ff.config.outside import check_outside
from analog_ff.config.parts import ChipChoices, DataChoices, LearningChoices, RunChoices
from analog_ff.config.presets import BUILDABLE, FORWARD_FORWARD, PLAIN, PRESETS, RECIPES, recipe, values
from analog_ff.config.together import check_run, unread
from analog_ff.learners import LEARNERS
from analog_ff.learners.goodness_options import GoodnessOptions, NegativesOptions
from analog_ff.learners.options import FINAL_WEIGHTS, READOUTS, SLOPES, ArrayOptions, LocalOptions, ReadoutOptions
from analog_ff.network import NETWORKS
from analog_ff.objective.makers import NEGATIVES
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.plain import Document, Facts
from analog_ff.registry.options import parse_figures
from analog_ff.registry.rows import carrying
from analog_ff.updates import UPDATES
from analog_ff.updates.consolidation import ConsolidationOptions
from hardware_models.check import UsageError, positive_int, shown
from hardware_models.files import home
from hardware_models.places import placed

if TYPE_CHECKING:
    from hardware_models.devices.single_figures import Given


def recommended(options: Facts) -> Document:
    """Return the options, and where they give none the values of the preset, of the device and of the learner.

    A value of the preset that no chosen kind reads is left out, such as the momentum of coincident pulse trains.
    """
    named = {"device": Config.device, "learner": Config.learner, **options}
    every = {**recipe(named), **options}
    idle = unread(Config, every) & values(every["preset"], named["learner"]).keys() - options.keys()
    return {name: value for name, value in every.items() if name not in idle}


def run_folder(options: Facts) -> Path:
    """Return the folder of the run that these options begin; options not given are at their defaults."""
    out, data, device, learner, seed, chip_seed = (
        options.get(name, getattr(Config, name)) for name in ("out", "data", "device", "learner", "seed", "chip_seed")
    )
    name = f"{Path(data).stem}-{Path(device.split(':')[0]).stem}-{learner}-s{seed}-c{chip_seed}"
    return home(out) if out else Path("runs") / name


@dataclass(frozen=True, kw_only=True)
@carrying(LEARNERS, READOUTS, FINAL_WEIGHTS, UPDATES, SLOPES, NETWORKS, SCHEDULES, NEGATIVES)
class Config(
    RunChoices,
    CircuitChoices,
    LineChoices,
    CellChoices,
    NegativesOptions,
    GoodnessOptions,
    LocalOptions,
    ReadoutOptions,
    ArrayOptions,
    ConsolidationOptions,
    LearningChoices,
    DataChoices,
    ChipChoices,
    Choices,
):
    """All choices of a run; a wrong choice raises UsageError at construction.

    The parts are those that hold for many learners; `carrying` adds what single rows of the tables declare.
    """

    not_in_hash: ClassVar[tuple[str, ...]] = ("data_dir", "out", "columns_per_adc", "preset", "answer_within")
    telling: ClassVar[tuple[str, ...]] = ("layers", "learner")
    objects: ClassVar[tuple[str, ...]] = ("device",)
    usual: ClassVar[Facts] = {"preset": PRESETS[0], **BUILDABLE, **FORWARD_FORWARD}
    plainly: ClassVar[Mapping[str, str]] = {
        "preset": "--device ideal",
        **dict.fromkeys(BUILDABLE, f"--preset {PLAIN}"),
        **dict.fromkeys(FORWARD_FORWARD, f"--preset {PLAIN} or another learner"),
    }
    recipes: ClassVar[Mapping[str, Facts]] = {
        **RECIPES,
        **{name: row.recipe for name, row in LEARNERS.items() if row.recipe},
    }

    def __post_init__(self) -> None:
        """Check every choice that can be checked without the data and the chip."""
        super().__post_init__()
        if self.figures:
            object.__setattr__(self, "figures", tuple(sorted(parse_figures("--figure", ",".join(self.figures)))))
        for size, least in zip(self.tile, (1, 2), strict=True):
            positive_int("a run", "--tile [cells]", size, least, 1_000_000)
        if self.tile[1] < 2 * self.pairs:
            raise UsageError(
                f"--pairs {self.pairs} puts {2 * self.pairs} bit lines of a weight on one tile: give --tile of {2 * self.pairs} "
                f"columns or more, got {self.tile[1]}."
            )
        if self.consolidate > self.epochs:
            raise UsageError(
                f"--consolidate is at most the number of epochs of the run, {self.epochs}, got {self.consolidate}."
            )
        if self.fault_map is not None and not isfile(expanduser(self.fault_map)):
            raise UsageError(f"--fault-map {shown(self.fault_map, 200, quoted=False)} does not exist.")
        if self.conductances is not None:
            if not isfile(expanduser(self.conductances)):
                raise UsageError(f"--conductances {shown(self.conductances, 200, quoted=False)} does not exist.")
            if self.sealed or self.port != "local":
                raise UsageError("--conductances sets the cells of the chip, which a sealed chip does not allow.")
        if self.program_to == "":
            raise UsageError("--program-to needs a device, such as --program-to nandakumar2019_pcm.")
        if self.program_to is not None and (self.sealed or self.port != "local"):
            raise UsageError("--program-to reads the trained weights off the chip, which a sealed chip does not allow.")
        if self.ages is not None:
            object.__setattr__(self, "ages", parse_ages("--ages", self.ages))
        check_outside(self)
        self.check_circuit(self.adc, self.dac)
        check_run(self)

    def at_rest(self, name: str) -> bool:
        """Tell whether an option is at its default or at the value of its device's or learner's recipe, as if not given.

        A value of the preset that no chosen kind reads is left out by `recommended`, so that one that is there was given.
        """
        default = self.__dataclass_fields__[name].default
        return getattr(self, name) in (default, recipe(vars(self) | {"preset": PLAIN}).get(name, default))

    @property
    def wires_of_technology(self) -> bool:
        """Tell whether the run depends on the technology's wires: their resistance, or the current that they bear."""
        return self.line_groups == "auto" or (self.wires != "off" and self.wire_resistance is None)

    def faults(self) -> Document:
        """Return the faults of the chip as `Chip` takes them; empty if there are none."""
        rates: Document = {name: getattr(self, name) for name in FAULTS if getattr(self, name)}
        return rates | ({"map": str(placed(Path(expanduser(self.fault_map))))} if self.fault_map else {})

    def single_figures(self) -> tuple[Given, ...]:
        """Return the figures of the device that the run replaces."""
        if not self.figures:
            return ()
        from hardware_models.devices.single_figures import parsed

        return tuple(map(parsed, self.figures))

    def ageing(self) -> dict[str, float]:
        """Return wear, retention and failing cells as `hardware_models.devices.ageing` takes them; empty if there are none."""
        given = {"endurance": self.endurance, "endurance_spread": self.endurance_spread, "retention": self.retention}
        failing = {"failure_time": self.failure_time, "failure_high": self.failure_high} if self.failure_time else {}
        return {name: value for name, value in given.items() if value} | failing

    def folder(self) -> Path:
        """Return the run folder, named after the choices if none was given."""
        return run_folder(self.as_dict())
