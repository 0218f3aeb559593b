"""Neurons: the functions f that a chip applies to z. They are fabricated with the chip, and no code outside it sees inside."""

from __future__ import annotations

from types import MappingProxyType

NONLINEARITIES = MappingProxyType(
    {
        "relu": "hardware_models.nonlinearities.rectifier:Relu",
        "linear": "hardware_models.nonlinearities.linear:Linear",
        "tanh": "hardware_models.nonlinearities.sigmoid:Tanh",
        "sigmoid": "hardware_models.nonlinearities.logistic:Sigmoid",
        "student-t": "hardware_models.nonlinearities.student_t:StudentT",
        "saturating": "hardware_models.nonlinearities.amplifier:Saturating",
        "random": "hardware_models.nonlinearities.black_box:RandomMonotone",
        "random-nonmonotone": "hardware_models.nonlinearities.black_box:RandomNonMonotone",
        "random-spread": "hardware_models.nonlinearities.black_box:RandomSpread",
        "random-waves": "hardware_models.nonlinearities.harsh:RandomWaves",
        "mixing": "hardware_models.nonlinearities.harsh:Mixing",
        "hysteretic": "hardware_models.nonlinearities.hysteretic:Hysteretic",
        "drifting": "hardware_models.nonlinearities.drifting:Drifting",
        "drifting-hard": "hardware_models.nonlinearities.drifting:DriftingHard",
    }
)
"""Nonlinearities by name; a user gives an own function as ``file.py:function``."""
