"""The configuration of a spiking run: every option with its unit, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from analog_ff.config.choices import Choices
from analog_ff.config.together import check_together
from analog_ff.plain import Facts
from analog_ff.registry.options import flag
from analog_ff.spiking.parts import CellChoices, InputChoices, LearningChoices, RunChoices, SynapseChoices
from hardware_models.check import UsageError
from hardware_models.files import home

NOT_IN_HASH = ("data_dir", "out", "target")


def run_folder(options: Facts) -> Path:
    """Return the folder of the run that these options begin; options not given are at their defaults."""
    out, data, device, seed, chip_seed = (
        options.get(name, getattr(SpikingConfig, name)) for name in ("out", "data", "device", "seed", "chip_seed")
    )
    name = f"spiking-{Path(data).stem}-{Path(device.split(':')[0]).stem}-s{seed}-c{chip_seed}"
    return home(out) if out else Path("runs") / name


@dataclass(frozen=True, kw_only=True)
class SpikingConfig(RunChoices, SynapseChoices, LearningChoices, CellChoices, InputChoices, Choices):
    """All options of a spiking run; its construction raises UsageError for a wrong or impossible value."""

    not_in_hash: ClassVar[tuple[str, ...]] = NOT_IN_HASH
    what: ClassVar[str] = "a spiking run"
    telling: ClassVar[tuple[str, ...]] = ("layers", "encoder")

    def __post_init__(self) -> None:
        """Raise UsageError for any option that is wrong by itself, without the data and the chip."""
        super().__post_init__()
        check_together(self)
        for name, duration in (
            ("present", self.present), ("gap", self.gap), ("refractory", self.refractory), ("delay", self.delay),
            ("delay_spread", self.delay_spread),
        ):  # fmt: skip
            if abs(duration / self.step - round(duration / self.step)) > 1e-6:
                raise UsageError(f"{flag(name)} is a whole number of steps of {self.step:g} ms, got {duration:g} ms.")
        if self.delay_spread > self.delay:
            raise UsageError(
                f"--delay-spread is at most the mean delay of {self.delay:g} ms, got {self.delay_spread:g} ms."
            )
        if self.online and self.goodness == "saturating":
            raise UsageError(
                "--online needs --goodness squared or linear: a decaying saturating sum is not event-driven."
            )
        if self.eligibility == "synaptic" and (self.online or self.device != "none"):
            raise UsageError(
                "--eligibility synaptic belongs to synapses that are numbers, with a reset between presentations."
            )
        if self.chip == "auto":
            tables = self.device != "none" and self.target == "standalone"
            object.__setattr__(self, "chip", "table" if tables else "exact")
        if self.device != "none" and self.chip == "exact" and self.target == "standalone":
            raise UsageError("a device pulsed exactly needs --target cython; for standalone give --chip table.")

    def at_rest(self, name: str) -> bool:
        """Tell whether an option is at its default; so is the way of pulsing that ``auto`` stands for with plain numbers."""
        plain = name == "chip" and self.device == "none" and self.chip == "exact"
        return plain or super().at_rest(name)

    @property
    def present_steps(self) -> int:
        """Number of clock steps of one presentation."""
        return round(self.present / self.step)

    @property
    def period_steps(self) -> int:
        """Number of clock steps from the start of one presentation to that of the next."""
        return self.present_steps + round(self.gap / self.step)

    def folder(self) -> Path:
        """Return the run folder; without `out` it is named after the options."""
        return run_folder(self.as_dict())
