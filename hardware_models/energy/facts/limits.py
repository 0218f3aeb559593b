r"""Lower bounds that physics sets to the energy of an operation at temperature T.

.. math:: E_{Johnson} = 3kT\,4^b, \qquad E_{sampling} = 12kT\,4^b, \qquad E_{Landauer} = n\,kT\ln 2

for a value of b bits read on a column against thermal noise (SNR = 1.5 4^b), a value of b bits sampled on a
capacitor (kT/C, which is also the class-B bound of a converter), and n bits overwritten. At 300 K and 8
bits: 0.81 fJ, 3.26 fJ; one bit: 2.87 zJ. Sources: Johnson noise and kT/C by the textbook; Landauer, IBM J.
Res. Dev. 5, 1961, 10.1147/rd.53.0183.
"""

from __future__ import annotations

import math

from hardware_models.units import BOLTZMANN

SIGNAL_BITS = 8  # assumed precision of analog parts that have no number of bits of their own


def johnson(bits: int, temperature: float) -> float:
    """Return the least energy [J] of reading one column to `bits` bits at `temperature` [K]."""
    return 3.0 * BOLTZMANN * temperature * 4.0**bits


def sampling(bits: int, temperature: float) -> float:
    """Return the least energy [J] of sampling or converting one value of `bits` bits at `temperature` [K]."""
    return 12.0 * BOLTZMANN * temperature * 4.0**bits


def landauer(bits: int, temperature: float) -> float:
    """Return the least energy [J] of overwriting `bits` bits at `temperature` [K]."""
    return bits * BOLTZMANN * temperature * math.log(2.0)


_LIMITS = {
    "adc": (sampling, None),
    "dac": (sampling, None),
    "integrator": (johnson, SIGNAL_BITS),
    "reads.columns": (sampling, SIGNAL_BITS),
    "reads.transposed_columns": (sampling, SIGNAL_BITS),
    "comparator": (landauer, 1),
    "rng.bits": (landauer, 1),
    "sram.words_read": (landauer, 32),
    "sram.words_written": (landauer, 32),
}


def floor(component: str, temperature: float, bits: int | None = None) -> float:
    """Return the least energy [J] of one event of `component`; 0 if no bound is known.

    Only converters need `bits`; the precision of other parts is fixed. Raises ValueError for a converter without `bits`.
    """
    if component not in _LIMITS:
        return 0.0
    law, fixed = _LIMITS[component]
    precision = bits if fixed is None else fixed
    if precision is None:
        raise ValueError(f"the limit of '{component}' needs a number of bits")
    return law(precision, temperature)
