r"""The figures of a comparison: energies under uncertain prices, the curve of error against joules, paired differences.

All amounts are means over the seeds. The range of an energy is that of the prices (5 to 95 % of joint draws, the same draws
for all learners on a device); the scatter between seeds is given apart, by intervals of the paired differences,

.. math:: \bar d \pm t_{n-1,\,0.975}\, s_d/\sqrt{n}

with d of one seed and chip each, n of them. A ratio of two learners is taken draw by draw, so prices that both share cancel.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analog_ff.plain import Document, Facts
from analog_ff.runs.circuit import circuit_of_result
from hardware_models.energy.circuit import Circuit
from hardware_models.energy.components import NOMINAL, SCENARIOS
from hardware_models.energy.costs import component_of
from hardware_models.energy.load import Technology
from hardware_models.energy.uncertainty import Model, Prices, device_figures, probability_less, spread
from hardware_models.events import INTEGRALS
from hardware_models.keys import Key

PARTS: Mapping[str, tuple[str, ...]] = {
    "reads": ("reads", "read"),
    "writes": ("write", "half", "comparator", "rng"),
    "neurons": ("integrator", "nonlinearity", "goodness", "normalise"),
    "converters": ("dac", "adc"),
    "digital": ("mac", "add"),
    "memory": ("sram", "dram"),
    "static": ("time",),
}
"""Part of an energy -> families of events and integrals."""
KINDS = ("assumption", "estimate", "derived", "fitted", "simulated", "measured", "limit")
"""Kinds of a figure, the weakest ground first; a price is as good as its weakest figure."""
CONFIDENCE = 0.95
AMOUNTS = ("per_update", "per_image", "to_accuracy")
Counted = dict[str, float]


def mean_counted(lines: Sequence[Mapping[str, float]]) -> Counted:
    """Return the mean of several counts; a name that one of them lacks counts as 0."""
    names = {name for line in lines for name in line}
    return {name: math.fsum(line.get(name, 0.0) for line in lines) / len(lines) for name in sorted(names)}


def learned(result: Facts) -> Counted:
    """Return the counts of phase learn for one image."""
    integrals = {name: entry["value"] for name, entry in result["integrals"]["learn"].items()}
    images = max(result["images"]["learn"], 1)
    return {name: value / images for name, value in {**result["events"]["learn"], **integrals}.items()}


def inferred(result: Facts) -> Counted:
    """Return the counts of one image at the headline read-out."""
    readout = result["config"]["readout"]
    images = max(result["images"]["infer"] // len(result["events_by_readout"]), 1)
    whole = {**result["events_by_readout"][readout], **result["integrals_by_readout"][readout]}
    return {name: value / images for name, value in whole.items()}


def curve_of(result: Facts, metrics: Sequence[Mapping[str, float]]) -> list[float] | None:
    """Return the validation error [%] of the headline read-out after each epoch; None in a final run, which has none."""
    if result["split"] != "holdout":
        return None
    return [line[f"{result['config']['readout']}_error_percent"] for line in metrics]


def reached_at(errors: Sequence[float] | None, accuracy: float) -> int | None:
    """Return the index of the first error of a curve with that accuracy [%], or None."""
    return next((i for i, error in enumerate(errors or []) if 100.0 - error >= accuracy), None)


def row(
    device: str,
    label: str,
    runs: Sequence[tuple[Document, list[Document], list[dict[str, float]]]],
    accuracy: float,
) -> Document:
    """Return the row of one learner on one device: errors and counts, seeds in order, not yet priced."""
    kind = "test" if runs[0][0]["split"] == "final" else "validation"
    curves = [curve_of(result, metrics) for result, metrics, _ in runs]
    lines = [
        [{k: v for k, v in line.items() if k not in ("epoch", "images")} for line in counted] for *_, counted in runs
    ]
    reached = [reached_at(curve, accuracy) for curve in curves]
    whole = all(place is not None for place in reached)
    status = "not measured" if curves[0] is None else "reached" if whole else "not reached"
    counted = {
        "per_update": [learned(result) for result, *_ in runs],
        "per_image": [inferred(result) for result, *_ in runs],
        "to_accuracy": [line[place] for line, place in zip(lines, reached, strict=True)] if whole else [],  # type: ignore[index]
    }
    epochs = min(len(line) for line in lines)
    measured = [curve for curve in curves if curve is not None]
    return {
        "device": device,
        "learner": label,
        "error_kind": kind,
        "errors_percent": [result[f"{kind}_error_percent"] for result, *_ in runs],
        "to_accuracy_status": status,
        "to_accuracy_reached": sum(place is not None for place in reached),
        "counted": counted,
        "curve_counted": [mean_counted([line[e] for line in lines]) for e in range(epochs)],
        "curve_errors_percent": [[curve[e] for curve in measured] for e in range(epochs)] if measured else [],
        "pulses_per_weight": statistics.fmean(result["cells"]["pulses_per_weight"] for result, *_ in runs),
        "program_counted": mean_counted([_phase(result, "program") for result, *_ in runs]),
        "circuit_counted": circuit_of_result(runs[0][0]),
    }


def _phase(result: Facts, phase: str) -> Counted:
    return {**result["events"][phase], **{n: e["value"] for n, e in result["integrals"][phase].items()}}


class Cases(NamedTuple):
    """Prices of one circuit: the model, the joint draws and the three scenarios."""

    model: Model
    draws: Prices
    scenarios: Prices


class Pricing:
    """Prices of one device's rows: one set of draws for all of them, which a row's own circuit turns into prices."""

    def __init__(
        self, technology: Technology, rows: Sequence[Document], description: Facts,
        ranges: Mapping[str, Facts], draws: int,
    ) -> None:  # fmt: skip
        names: set[str] = set()
        for found in rows:
            for counted in (*(c for cs in found["counted"].values() for c in cs), found["program_counted"]):
                names |= set(counted)
        self.technology = technology
        self._cases: dict[Circuit, Cases] = {}
        for circuit in dict.fromkeys(found["circuit_counted"] for found in rows):
            model = Model(technology, device_figures(description, ranges), names, circuit)
            self._cases[circuit] = Cases(model, model.drawn(draws, Key(0, "technology")), model.scenarios())
        self.model = next(iter(self._cases.values())).model

    def of(self, found: Facts) -> Cases:
        """Return the prices of a row."""
        return self._cases[found["circuit_counted"]]

    def amount(self, counted: Sequence[Counted], prices: Cases) -> Document | None:
        """Return an energy [J] with its range, by scenario and by seed; None if nothing was counted."""
        if not counted:
            return None
        mean = mean_counted(counted)
        by = prices.scenarios.energy(mean)
        found: Document = dict(spread(prices.draws.energy(mean), by[NOMINAL])._asdict())
        found["by_scenario"] = dict(zip(SCENARIOS, (float(b) for b in by), strict=True))
        found["by_seed"] = [float(prices.scenarios.energy(c)[NOMINAL]) for c in counted]
        return found

    def priced(self, found: Document) -> Document:
        """Return a row with its energies in J."""
        errors, prices = found["errors_percent"], self.of(found)
        update = mean_counted(found["counted"]["per_update"])
        return {
            **{k: v for k, v in found.items() if not k.endswith("counted")},
            "error_percent": statistics.fmean(errors),
            "error_deviation": statistics.stdev(errors) if len(errors) > 1 else None,
            **{f"{name}_joule": self.amount(found["counted"][name], prices) for name in AMOUNTS},
            "program_joule": float(prices.scenarios.energy(found["program_counted"])[NOMINAL]),
            "parts": self.parts(update, prices),
            "grounds": self.grounds(update, prices),
            "curve": self.curve(found),
        }

    def curve(self, found: Facts) -> Document:
        """Return error [%] and cumulative joules of learning after each epoch."""
        lines, errors = found["curve_counted"], found["curve_errors_percent"]
        prices = self.of(found)
        drawn, by = prices.draws.energies(lines), prices.scenarios.energies(lines)
        low, median, high = (q.tolist() for q in np.percentile(drawn, (5.0, 50.0, 95.0), axis=1))
        return {
            "joule": {"nominal": by[:, NOMINAL].tolist(), "low": low, "median": median, "high": high},
            "error_percent": [statistics.fmean(e) for e in errors],
            "error_deviation": [statistics.stdev(e) if len(e) > 1 else None for e in errors],
        }

    def parts(self, counted: Counted, prices: Cases) -> dict[str, float]:
        """Return the nominal joules of an update by part, reads, writes and so on."""
        whole = {name: _one(prices, name, value) for name, value in counted.items()}
        found = dict.fromkeys(PARTS, 0.0)
        for name, joule in whole.items():
            family = name.partition(".")[0]
            part = next((p for p, families in PARTS.items() if family in families), "other")
            found[part] = found.get(part, 0.0) + joule
        return found

    def grounds(self, counted: Counted, prices: Cases) -> Document:
        """Return the shares of an update's nominal energy by kind of price, and those of recalled prices by component."""
        whole = {name: _one(prices, name, value) for name, value in counted.items()}
        total = math.fsum(whole.values())
        shares = dict.fromkeys(("device", *KINDS), 0.0)
        recalled: dict[str, float] = {}
        for name, joule in whole.items():
            if not joule or not total:
                continue
            if name in INTEGRALS:
                shares["device" if name != "time" else "estimate"] += joule / total
                continue
            component, _ = component_of(self.technology, name, prices.model.circuit)
            kinds = [figure.kind for figure in component.figures.values()]
            shares[min(kinds, key=KINDS.index)] += joule / total
            if component.recalled("nominal"):
                recalled[component.name] = recalled.get(component.name, 0.0) + joule / total
        return {"kinds": shares, "recalled": recalled}

    def difference(self, found: Document, reference: Document) -> Document:
        """Return the difference of a row from the reference: paired errors, ratios of energies, the prices that move these."""
        errors = [a - b for a, b in zip(found["errors_percent"], reference["errors_percent"], strict=True)]
        result: Document = {
            "device": found["device"],
            "learner": found["learner"],
            "reference": reference["learner"],
            "n": len(errors),
            "error_percent": interval(errors),
        }
        for name in AMOUNTS:
            above, below = found["counted"][name], reference["counted"][name]
            result[name] = ratio(above, self.of(found), below, self.of(reference)) if above and below else None
        return result


def ratio(above: Sequence[Counted], of_above: Cases, below: Sequence[Counted], of_below: Cases) -> Document | None:
    """Return the ratio of two energies with its range, the probability that the one below is cheaper, and a tornado.

    Return None where either costs nothing.
    """
    a, b = mean_counted(above), mean_counted(below)
    top, bottom = of_above.scenarios.energy(a), of_below.scenarios.energy(b)
    if min(*top, *bottom) <= 0.0:
        return None
    drawn = of_above.draws.energy(a), of_below.draws.energy(b)
    seeds = [
        math.log(_nominal(of_above.scenarios, x) / _nominal(of_below.scenarios, y))
        for x, y in zip(above, below, strict=True)
    ]
    between = interval(seeds)
    return {
        **spread(drawn[0] / drawn[1], top[NOMINAL] / bottom[NOMINAL])._asdict(),
        "by_scenario": dict(zip(SCENARIOS, (float(r) for r in top / bottom), strict=True)),
        "probability_reference_cheaper": probability_less(drawn[1], drawn[0]),
        "between_seeds": {k: v if v is None or k == "n" else math.exp(v) for k, v in between.items()},
        "tornado": [swing._asdict() for swing in of_above.model.tornado(a, b, of_below.model)],
    }


def _one(prices: Cases, name: str, value: float) -> float:
    return value * float(prices.scenarios.joule[prices.model.names.index(name), NOMINAL])


def _nominal(scenarios: Prices, counted: Counted) -> float:
    return float(scenarios.energy(counted)[NOMINAL])


def interval(values: Sequence[float]) -> Document:
    """Return mean, n and the 95 % t interval of the mean; no interval for one value."""
    n, mean = len(values), statistics.fmean(values)
    if n < 2:
        return {"mean": mean, "low": None, "high": None, "n": n}
    from scipy.stats import t

    half = float(t.ppf(0.5 + CONFIDENCE / 2.0, n - 1)) * statistics.stdev(values) / math.sqrt(n)
    return {"mean": mean, "low": mean - half, "high": mean + half, "n": n}
