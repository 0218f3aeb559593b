"""Access of a few learners and slopes to the inside of a chip, which no pin offers and a sealed chip refuses."""

from __future__ import annotations

from hardware_models.port import ChipOracle, ChipPort


def inside(port: ChipPort) -> ChipOracle:
    """Return the oracle of a chip; raise SealedChipError if the chip is sealed or lives in another process."""
    found: ChipOracle = port.oracle  # type: ignore[attr-defined]  # no pin: only a learner or slope that looks inside asks for it
    return found
