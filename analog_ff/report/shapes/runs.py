"""The shapes of result.json: of a run of `simulate`, and of one of `spiking`."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from analog_ff.report.shapes import Made
from hardware_models.files import SOME


class RunConfig(TypedDict):
    """The choices of a run that its report names."""

    device: str
    data: str
    layers: list[int]
    epochs: int
    seed: int
    technology: str


class ChipRunConfig(RunConfig):
    """The same of a run of `simulate`."""

    learner: str
    update: str


class Images(TypedDict):
    """Images that were shown."""

    learn: int
    infer: int


class Finished(Made):
    """Entries that the results of all runs have."""

    split: str
    wall_seconds: float
    images: Images
    test_error_percent_by_readout: NotRequired[dict[str, float] | None]
    validation_error_percent_by_readout: NotRequired[dict[str, float] | None]


class CellsOfALayer(TypedDict):
    """The cells of a layer at the end of a run; which figures there are depends on the device and the version."""

    share_at_low: NotRequired[float | None]
    share_at_high: NotRequired[float | None]
    share_faulty: NotRequired[float | None]
    pulses_mean: NotRequired[float | None]
    pulses_90_percent: NotRequired[float | None]
    pulses_max: NotRequired[int | None]
    weight_spread: NotRequired[float | None]


class Cells(TypedDict):
    """The cells of a chip at the end of a run."""

    pulses_per_cell: float
    share_at_bound: float | None
    share_worn: NotRequired[float | None]
    memory_left: NotRequired[float | None]
    share_worn_by_layer: NotRequired[list[float | None] | None]
    clipped_share: NotRequired[list[dict[str, float | None]] | None]
    layers: NotRequired[list[CellsOfALayer] | None]


class SomeDevice(TypedDict):
    """Description of the device of a run."""

    name: NotRequired[str]
    source: NotRequired[str | None]
    assumptions: NotRequired[list[str]]


class ChipRun(Finished):
    """The result of a run of `simulate`."""

    config: ChipRunConfig
    device: SomeDevice
    cells: Cells
    notes: NotRequired[list[str]]
    data_notes: NotRequired[list[str]]


class Firing(TypedDict):
    """Rates and shares of the cells of a layer while an image is shown."""

    mean_rate_hz: float
    active_share: float
    active_rate_hz: float | None
    active_rate_95_hz: float | None
    silent_share: float
    population_sparseness: float | None
    lifetime_sparseness: float | None


class FiringOfALayer(TypedDict):
    """The same with the right label and with a wrong one."""

    right_label: Firing
    wrong_label: Firing
    burst_share: float | None


class Spikes(TypedDict):
    """Spikes of a presentation, of the input and of each layer."""

    training: list[float]
    testing: list[float]


class Published(TypedDict):
    """Published energies of a synaptic operation."""

    source: str
    joule: dict[str, float]


class SpikingEnergy(TypedDict):
    """The energies of a spiking run whose synapses are devices [J]."""

    per_decision_joule: float | None
    per_training_image_joule: float | None
    per_synaptic_operation_joule: float | None
    per_synaptic_operation_array_joule: float | None
    per_synaptic_operation_by_component_joule: dict[str, float]
    published_per_synaptic_operation: Published


class SpikingRun(Finished):
    """The result of a run of `spiking`; the last entries are those of synapses that are devices."""

    config: RunConfig
    firing: Annotated[list[FiringOfALayer], SOME]
    spikes_per_presentation: Spikes
    energy: NotRequired[SpikingEnergy]
    synaptic_operations: NotRequired[dict[str, int]]
    device: NotRequired[SomeDevice]
    cells: NotRequired[Cells]
