"""Count the values that a chip converts, as events and by layer."""

from __future__ import annotations

import numpy as np


def priced(kind: str, bits: int | None, number: int) -> dict[str, int]:
    """Return conversions ("dac" or "adc") as counts of events; a perfect converter, without bits, costs nothing."""
    return {} if bits is None else {f"{kind}.{bits}": number}


class Conversions:
    """Converted and clipped values of each layer since fabrication."""

    def __init__(self, layers: int) -> None:
        self.counts = np.zeros((layers, 4), np.int64)  # DAC converted, DAC clipped, ADC converted, ADC clipped

    def dac(self, layer: int, converted: int, clipped: int) -> None:
        """Count values on their way in."""
        self.counts[layer, :2] += (converted, clipped)

    def adc(self, layer: int, converted: int, clipped: int) -> None:
        """Count values on their way out."""
        self.counts[layer, 2:] += (converted, clipped)

    def clipped_share(self) -> list[dict[str, float | None]]:
        """Return for each layer the share of converted values that were clipped, None where nothing was converted."""
        return [
            {"dac": int(c[1]) / int(c[0]) if c[0] else None, "adc": int(c[3]) / int(c[2]) if c[2] else None}
            for c in self.counts
        ]
