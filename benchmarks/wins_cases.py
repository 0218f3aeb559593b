"""Rows of stored results for the page `wins_page`: which rule learned what, on which chip, at which cost.

A case is one row of an experiment with its results. Its rule are its choices of a kind (learner, update, schedule, slope). Its
job and chip are the choices of the chip, the data and the size but for those that change no figure: a sealed chip has the
physics of an open one. Two cases are compared, seed by seed, where job and chip are equal.
"""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

from catalogue import HERE, command_of, experiments, judged_on, results_of

from analog_ff.config.array_parts import CellChoices, CircuitChoices, LineChoices
from analog_ff.config.config import Config
from analog_ff.config.parts import ChipChoices, DataChoices
from analog_ff.learners import LEARNERS
from analog_ff.registry.rows import kinds
from analog_ff.updates import UPDATES

PARTS = (ChipChoices, CellChoices, CircuitChoices, LineChoices, DataChoices)
"""Parts of a configuration that are the chip and its job."""
SAME = ("sealed", "port", "chip_seed", "columns_per_adc", "data_dir", "wire_tolerance")
"""Choices of these parts that change no error."""
JOB = ("layers", "epochs", "batch", "box_place")
"""Choices of learning, and of the way between layers, that are the same for all rules that are compared."""
DIGITAL = {"accumulate": "digital average, fp32", "accumulate-int8": "digital average, 8 bits"}
"""Update -> its name in the tables, where its own name does not say it."""


@cache
def choices() -> dict[str, Any]:
    """Return the choices of a person for the page (wins.toml)."""
    return tomllib.loads((HERE / "wins.toml").read_text(encoding="utf-8"))


@cache
def _defaults() -> dict[str, Any]:
    return {f.name: f.default for f in fields(Config)}


@cache
def kinds_of_choice() -> tuple[str, ...]:
    """Return the names of the options whose values are kinds of a rule, such as learner and update."""
    return tuple(f.name for f in fields(Config) if kinds(f.metadata.get("table")))


class Case(NamedTuple):
    """A row with results."""

    experiment: str
    title: str
    label: str
    results: Sequence[dict[str, Any]]
    judged: str
    """Part of the data that it is judged on: validation or test."""

    def chosen(self, name: str) -> Any:
        """Return a choice of the row's runs; one that is younger than the results had its default."""
        value = self.results[0]["config"].get(name, _defaults()[name])
        return tuple(value) if isinstance(value, list) else value

    @property
    def learner(self) -> str:
        """Name of the learner."""
        return str(self.chosen("learner"))

    @property
    def rule(self) -> tuple[Any, ...]:
        """The kinds that the row chose, of those that its learner reads: what it is compared by."""
        reads = {"learner", "network", "schedule", *LEARNERS[self.learner].reads}
        return tuple(self.chosen(name) if name in reads else None for name in kinds_of_choice())

    @property
    def chip(self) -> tuple[Any, ...]:
        """Everything that two cases share that can be compared: chip, data and size of the job."""
        names = [f.name for part in PARTS for f in fields(part) if f.name not in SAME]
        return tuple(self.chosen(name) for name in (*names, *JOB))

    @property
    def size(self) -> str:
        """The layers as text, such as 4 x 64."""
        layers = self.chosen("layers")
        return f"{len(layers)} x {layers[0]}" if len(set(layers)) == 1 else "-".join(map(str, layers))

    @property
    def where(self) -> str:
        """Device, size, neurons and data as text."""
        neurons = self.chosen("nonlinearity")
        said = [self.chosen("device"), self.size, *([] if neurons == "relu" else [neurons]), self.chosen("data")]
        return ", ".join(said)

    @property
    def ours(self) -> bool:
        """True for a rule of the Forward-Forward family."""
        return self.learner not in {entry["learner"] for entry in choices()["competitors"]}

    @property
    def errors(self) -> dict[int, float]:
        """Error [%] by seed."""
        by_energy = self.label in choices()["by_energy"].get(self.experiment, [])
        readout = "energy" if by_energy else self.chosen("readout")
        return {r["options"]["seed"]: r[f"{self.judged}_error_percent_by_readout"][readout] for r in self.results}

    @property
    def memory_bits(self) -> int:
        """Bits of digital memory a weight, of the learner and of its update."""
        row = LEARNERS[self.learner]
        return row.memory_bits + (UPDATES[self.chosen("update")].memory_bits if "update" in row.reads else 0)

    @property
    def stored(self) -> float | None:
        """Most activities that wait in a memory for an update, an image; None where the result does not say it."""
        found = [r["activity"]["peak_stored"] for r in self.results if r.get("activity")]
        return None if not found else max(found) / (self.chosen("batch") or 1)

    @property
    def weights(self) -> float | None:
        """Number of weights, from the shapes of the arrays or, in results of earlier versions, from the pulses."""
        one = self.results[0]
        if one.get("shapes"):
            return float(sum(inputs * neurons for inputs, neurons in one["shapes"]))
        pulses = one["cells"].get("pulses_per_weight")
        return one["events"]["learn"]["write.selected"] / pulses if pulses else None

    def reads(self, *, transposed: bool) -> float | None:
        """Return the reads of each cell an image in learning, forwards or backwards (transposed); counted, read-out included."""
        if self.weights is None:
            return None
        name = "reads.transposed_cells" if transposed else "reads.cells"
        cells = 2.0 * self.weights * self.chosen("pairs")
        return statistics.fmean(
            r["events"]["learn"].get(name, 0) / (cells * max(r["images"]["learn"], 1)) for r in self.results
        )

    def energy(self, end: str) -> float | None:
        """Return the mean energy of an update [J] at the "low", "nominal" or "high" prices."""
        key = {"low": "low_joule", "nominal": "per_update_joule", "high": "high_joule"}[end]
        found = [(r.get("energy") or {}).get(key) for r in self.results]
        return None if any(value is None for value in found) else statistics.fmean(found)

    @property
    def to_90(self) -> float | None:
        """Mean energy [J] to 90 % accuracy; None unless all runs reached it at prices of today."""
        if any(r["dear"] for r in self.results):
            return None
        found = [((r.get("energy") or {}).get("to_accuracy_joule") or {}).get("90") for r in self.results]
        return None if any(value is None for value in found) else statistics.fmean(found)

    def of_chip(self, name: str, end: str = "nominal") -> float | None:
        """Return a figure of the chip while it learns, area_m2 or seconds_per_image, at an end of its range as in `energy`."""
        chips = [((r.get("energy") or {}).get("chip") or {}).get("learn") for r in self.results]
        found = [None if chip is None else chip.get("ranges", {}).get(name, {}).get(end) for chip in chips]
        return None if any(value is None for value in found) else statistics.fmean(found)


def cases() -> list[Case]:
    """Return the cases of the page: of all experiments with results of several rules, devices or depths, but those left out."""
    found = []
    for name, experiment in experiments([]).items():
        if name in choices()["left_out"] or command_of(experiment) != "simulate":
            continue
        if any("grid" in part for part in (experiment, *experiment["rows"])):
            continue  # its runs choose rates for another experiment
        own = list(_of_one(name, experiment))
        if len({(case.rule, case.chosen("device"), case.chosen("layers")) for case in own}) > 1:
            found += own
    return found


def _of_one(name: str, experiment: Mapping[str, Any]) -> Iterator[Case]:
    for row in experiment["rows"]:
        results = results_of(name, experiment, row)
        if results and results[0]["config"].get("program_to") is None:
            yield Case(name, experiment["title"], row["label"], results, judged_on(experiment))
