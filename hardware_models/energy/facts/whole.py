r"""Time, area, power and power density of the whole chip: the arrays with their circuits, and the digital block.

.. math:: T = \sum_l \max\left(T_l,\ T^{write}_l + \frac{N_l^{ADC}}{n_l} t_{conv}\right)
          + \frac{N_{mac}}{L f} + \frac{N_{word}}{w f}, \qquad
          P = E/T + p\,M, \qquad q = P/A

T_l is the clocked time of layer l, N_l its conversions on n_l converters of t_conv each, which run while the next input is
read; L multiply-adds and w words of memory are done in one cycle of a clock f. The three sums follow each other: products need
the activities of the whole batch, and the next batch reads the cells that these products write. Products and words could
overlap, so that T is at most twice too long in them. p M is the leakage of a memory of M bytes, which no price holds. The digital
block has L units of each number format that the run counts.

Each quantity has a range. Its high end takes every figure at the end of its range that makes the quantity larger, its low end
the other one:

.. math:: T^{high} = T(t_{conv}^{high}, f^{low}), \qquad
          P^{high} = E^{high}/T^{low} + p^{high} M, \qquad q^{high} = P^{high}/A^{low}

E, T, p and A have no figure in common, so that no choice of figures within their ranges leads out of these ends. The longest time
and the highest power are those of two different chips.

A package carries away about 100 W/cm2 (`HEAT_FLUX`, an estimate): closed liquid loops for processors have been measured at 12 to
72 W/cm2 (F. M. Naduvilakath-Mohammed et al., Case Studies in Thermal Engineering 50:103472, 2023,
doi:10.1016/j.csite.2023.103472); more takes channels in the silicon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from hardware_models.energy.circuit import Circuit
from hardware_models.energy.components import SCENARIOS
from hardware_models.energy.facts.area import converters_of
from hardware_models.energy.load import Technology
from hardware_models.tiles import Tiling

HEAT_FLUX = 1e6
"""Power that a package carries away from an area [W/m²]."""
TOO_HOT = "more than a package carries away"
OTHER: Mapping[str, str] = MappingProxyType({"low": "high", "nominal": "nominal", "high": "low"})
"""End of a range -> the end at which a figure lies that makes the quantity smaller as it grows."""
Counts = Mapping[str, int]


class _Work(NamedTuple):
    """Time [s] of the arrays and of the digital block in one phase."""

    array: float
    digital: float


def analog_seconds(
    counts: Counts, clocked: float, shape: Sequence[int], tile: tuple[int, int], read_time: float, conversion: float,
    circuit: Circuit, steps: tuple[int, int] = (1, 1), pairs: int = 1,
) -> float:  # fmt: skip
    """Return the time [s] of one layer of a shape (inputs, neurons): its clocked time, or that of its conversions if longer.

    `steps` are the reads of groups of lines in place of one read, and in place of one transposed read; `pairs` those of a weight.
    """
    inputs, neurons = shape
    cells = 2 * pairs * inputs * neurons
    looked = steps[0] * counts.get("reads.cells", 0) + steps[1] * counts.get("reads.transposed_cells", 0)
    reads = min(clocked, looked / cells * read_time)  # reads of before there were groups took fewer steps
    converted = sum(count for name, count in counts.items() if name.partition(".")[0] == "adc")
    shared = converters_of(Tiling.of_weights(inputs, neurons, tile, pairs), circuit)
    return clocked + max(0.0, converted / shared * conversion - reads)


def digital_seconds(counts: Counts, clock: float, circuit: Circuit) -> float:
    """Return the time [s] of digital work: multiply-adds on the lanes, and words through the port of the memory."""
    products = sum(count for name, count in counts.items() if name.partition(".")[0] in ("mac", "add"))
    if not circuit.analog_sums:
        products += counts.get("goodness", 0) + counts.get("normalise", 0)
    words = sum(count for name, count in counts.items() if name.partition(".")[0] == "sram")
    return products / (circuit.lanes * clock) + words / (circuit.words_per_cycle * clock)


def whole(
    by_layer: Mapping[str, Counts],
    integrals_by_layer: Mapping[str, Mapping[str, Any]],
    shapes: Sequence[Sequence[int]],
    technology: Technology,
    *,
    tile: tuple[int, int],
    circuit: Circuit,
    read_time: float,
    images: int,
    joule: Mapping[str, float],
    area: Mapping[str, float] | None,
    steps: Sequence[tuple[int, int]] | None = None,
    scenario: str = "nominal",
    pairs: int = 1,
) -> dict[str, Any] | None:
    """Return time, power and power density of one phase; None where the technology has no clock, or nothing was shown.

    Parameters
    ----------
    by_layer, integrals_by_layer : mappings by layer
        Counts and integrals of the phase.
    shapes, tile, circuit : the chip as drawn.
    read_time : [s] of one phase of a read.
    images : of the phase.
    joule : {"low", "nominal", "high": energy of the phase in all [J]}.
    area : {"low", "nominal", "high": area of the whole chip [m²]}, None if it is unknown.
    steps : of each layer, see `analog_seconds`; None for one.
    scenario : "low", "nominal" or "high", the end of its own range at which each quantity is given.
    pairs : pairs of cells of a weight.

    Returns
    -------
    dict
        ``seconds_per_image`` and of it ``array_seconds``, ``digital_seconds``; ``multiply_adds_per_second`` and
        ``words_per_second``, which a digital block that keeps up with the array would need; ``leakage_watt``; ``watt``,
        ``area_m2``, ``watt_per_m2`` (None without an area) and ``label``, empty or "more than a package carries away"; and
        ``ranges``, of each of these {"low", "nominal", "high"}.
    """
    if not images or "conversion" not in technology.times or "clock" not in technology.times:
        return None

    def work(end: str) -> _Work:
        conversion, clock = technology.times["conversion"].at(end), technology.times["clock"].at(OTHER[end])
        array = digital = 0.0
        for layer, counts in by_layer.items():
            clocked = float(integrals_by_layer.get(layer, {}).get("time", {"value": 0.0})["value"])
            if layer.isdecimal() and int(layer) < len(shapes):
                own = (1, 1) if steps is None else steps[int(layer)]
                array += analog_seconds(
                    counts, clocked, shapes[int(layer)], tile, read_time, conversion, circuit, own, pairs
                )
            else:
                array += clocked
            digital += digital_seconds(counts, clock, circuit)
        return _Work(array, digital)

    works = {end: work(end) for end in SCENARIOS}
    products, words = (_counted(by_layer, family) for family in ("mac", "sram"))
    found: dict[str, dict[str, Any]] = {}
    for end in SCENARIOS:
        long, short = works[end], works[OTHER[end]]
        leakage = technology.leakage.at(end) * circuit.memory_bytes if technology.leakage else 0.0
        watt = joule[end] / sum(short) + leakage if sum(short) else None
        density = None if watt is None or not area else watt / area[OTHER[end]]
        found[end] = {
            "seconds_per_image": sum(long) / images,
            "array_seconds": long.array / images,
            "digital_seconds": long.digital / images,
            "multiply_adds_per_second": products / short.array if short.array else None,
            "words_per_second": words / short.array if short.array else None,
            "leakage_watt": leakage,
            "watt": watt,
            "area_m2": area[end] if area else None,
            "watt_per_m2": density,
            "label": TOO_HOT if density is not None and density > HEAT_FLUX else "",
        }
    given = found[scenario]
    return {**given, "ranges": {name: {end: found[end][name] for end in SCENARIOS} for name in given}}


def _counted(by_layer: Mapping[str, Counts], family: str) -> int:
    """Return the events of a family in all layers."""
    return sum(
        count for counts in by_layer.values() for name, count in counts.items() if name.partition(".")[0] == family
    )
