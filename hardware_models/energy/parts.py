"""The four parts of an energy: array, converters with drivers, digital work, memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from hardware_models.energy.circuit import Circuit
from hardware_models.energy.costs import CONTROL, DRIVER, GATE, SQUARES, STATIC

PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "array": (
            "read.v2g", "write.v2gt", "half.v2gt", "further.write", GATE, "reads.cells", "reads.transposed_cells",
            "write.line_charges",
        ),
        "converters": (
            "adc", "dac", DRIVER, "integrator", "reads.columns", "reads.transposed_columns", "comparator", "nonlinearity",
        ),
        "digital": ("mac", "add", "rng", CONTROL, STATIC),
        "memory": ("sram",),
    }
)  # fmt: skip
"""Part -> its components, by name or by family; clock and control of the memory are part of the digital work."""


def part_of(component: str, circuit: Circuit) -> str:
    """Return the part that a component of `price` belongs to; squares and lengths are analog only where sums are."""
    if component in SQUARES:
        return "converters" if circuit.analog_sums else "digital"
    family = component.partition(".")[0]
    return next(part for part, names in PARTS.items() if component in names or family in names)


def split(joules: Mapping[str, float], circuit: Circuit) -> dict[str, float]:
    """Return the energy [J] of each part, from the energies of the components of one phase."""
    return {
        part: math.fsum(joule for name, joule in joules.items() if joule and part_of(name, circuit) == part)
        for part in PARTS
    }
