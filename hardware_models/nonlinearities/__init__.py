"""Neurons: what a chip does to z. A nonlinearity is fabricated with the chip; no code outside the chip sees inside."""

from __future__ import annotations

from types import MappingProxyType

NONLINEARITIES = MappingProxyType(
    {
        "relu": "hardware_models.nonlinearities.rectifier:Relu",
        "saturating": "hardware_models.nonlinearities.amplifier:Saturating",
        "random": "hardware_models.nonlinearities.black_box:RandomMonotone",
        "random-nonmonotone": "hardware_models.nonlinearities.black_box:RandomNonMonotone",
    }
)
"""Nonlinearities by name; a user's own function is named ``file.py:function``."""
