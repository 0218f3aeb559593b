"""The configuration of one run: every choice, checked before anything is written, and its file ``config.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import expanduser, isfile
from pathlib import Path
from typing import ClassVar

from analog_ff.config.choices import Choices
from analog_ff.config.parts import (
    FAULTS,
    CellChoices,
    ChipChoices,
    CircuitChoices,
    DataChoices,
    LearningChoices,
    LineChoices,
    RunChoices,
)
from analog_ff.config.together import check_run
from analog_ff.learners import LEARNERS
from analog_ff.learners.options import (
    SLOPES,
    ArrayOptions,
    GoodnessOptions,
    LocalOptions,
    NegativesOptions,
    ReadoutOptions,
)
from analog_ff.network import NETWORKS
from analog_ff.objective.makers import NEGATIVES
from analog_ff.objective.schedule import SCHEDULES
from analog_ff.plain import Document, Facts
from analog_ff.registry.rows import carrying
from analog_ff.updates import UPDATES
from hardware_models.check import UsageError, positive_int, shown
from hardware_models.files import home
from hardware_models.places import placed

# Chosen in holdout runs on mnist-5k (benchmarks/experiments); a device without a line of its own uses "default".
RECIPES: dict[str, Document] = {
    "default": {"learning_rate": 0.01, "label_strength": 4.0, "input_scale": 12.0},
    "ideal": {"learning_rate": 0.02, "label_strength": 4.0, "input_scale": 12.0},
}


def recommended(options: Facts) -> Document:
    """Return the recipe of the device and the learner that the options name, and over it the options themselves."""
    return {**recipe(options.get("device", Config.device), options.get("learner", Config.learner)), **options}


def recipe(device: object, learner: object) -> Document:
    """Return the options that are at other defaults with a device and a learner; chosen in holdout runs, too."""
    of_device = RECIPES.get(device, RECIPES["default"]) if isinstance(device, str) else RECIPES["default"]
    row = LEARNERS.get(learner) if isinstance(learner, str) else None
    return {**of_device, **({} if row is None else row.recipe)}


def run_folder(options: Facts) -> Path:
    """Return the folder of the run that these options begin; options not given are at their defaults."""
    out, data, device, learner, seed, chip_seed = (
        options.get(name, getattr(Config, name)) for name in ("out", "data", "device", "learner", "seed", "chip_seed")
    )
    name = f"{Path(data).stem}-{Path(device.split(':')[0]).stem}-{learner}-s{seed}-c{chip_seed}"
    return home(out) if out else Path("runs") / name


@dataclass(frozen=True, kw_only=True)
@carrying(LEARNERS, UPDATES, SLOPES, NETWORKS, SCHEDULES, NEGATIVES)
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
    LearningChoices,
    DataChoices,
    ChipChoices,
    Choices,
):
    """All choices of a run; a wrong choice raises UsageError at construction.

    The parts are those that hold for many learners; `carrying` adds what single rows of the tables declare.
    """

    not_in_hash: ClassVar[tuple[str, ...]] = ("data_dir", "out", "columns_per_adc")
    telling: ClassVar[tuple[str, ...]] = ("layers", "learner")
    objects: ClassVar[tuple[str, ...]] = ("device",)
    recipes: ClassVar[Mapping[str, Facts]] = {
        **RECIPES,
        **{name: row.recipe for name, row in LEARNERS.items() if row.recipe},
    }

    def __post_init__(self) -> None:
        """Check every choice that can be checked without the data and the chip."""
        super().__post_init__()
        for size, least in zip(self.tile, (1, 2), strict=True):
            positive_int("a run", "--tile [cells]", size, least, 1_000_000)
        if self.fault_map is not None and not isfile(expanduser(self.fault_map)):
            raise UsageError(f"--fault-map {shown(self.fault_map, 200, quoted=False)} does not exist.")
        if self.program_to == "":
            raise UsageError("--program-to needs a device, such as --program-to nandakumar2019_pcm.")
        if self.program_to is not None and (self.sealed or self.port != "local"):
            raise UsageError("--program-to reads the trained weights off the chip, which a sealed chip does not allow.")
        self.check_circuit(self.adc, self.dac)
        check_run(self)

    def at_rest(self, name: str) -> bool:
        """Tell whether an option is at its default or at the value of the recipe, as if it had not been given."""
        default = self.__dataclass_fields__[name].default
        return getattr(self, name) in (default, recipe(self.device, self.learner).get(name, default))

    def faults(self) -> Document:
        """Return the faults of the chip as `Chip` takes them; empty if there are none."""
        rates: Document = {name: getattr(self, name) for name in FAULTS if getattr(self, name)}
        return rates | ({"map": str(placed(Path(expanduser(self.fault_map))))} if self.fault_map else {})

    def ageing(self) -> dict[str, float]:
        """Return wear and retention as `hardware_models.devices.ageing` takes them; empty if there are none."""
        given = {"endurance": self.endurance, "endurance_spread": self.endurance_spread, "retention": self.retention}
        return {name: value for name, value in given.items() if value}

    def folder(self) -> Path:
        """Return the run folder, named after the choices if none was given."""
        return run_folder(self.as_dict())
