"""The way of a few learners and slopes into a chip: what no pin offers, and a sealed chip refuses."""

from __future__ import annotations

from hardware_models.port import ChipOracle, ChipPort


def inside(port: ChipPort) -> ChipOracle:
    """Return the look inside a chip; SealedChipError where the chip is sealed or lives in another process."""
    found: ChipOracle = port.oracle  # type: ignore[attr-defined]  # no pin: only who looks inside asks for it
    return found
