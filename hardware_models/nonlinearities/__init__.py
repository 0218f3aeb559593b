"""Neurons: the functions f that a chip applies to z. They are fabricated with the chip, and no code outside it sees inside."""

from __future__ import annotations

from types import MappingProxyType

from hardware_models.tables import Row

NONLINEARITIES = MappingProxyType(
    {
        "relu": Row("hardware_models.nonlinearities.rectifier:Relu"),
        "linear": Row("hardware_models.nonlinearities.linear:Linear"),
        "tanh": Row("hardware_models.nonlinearities.sigmoid:Tanh"),
        "sigmoid": Row("hardware_models.nonlinearities.logistic:Sigmoid"),
        "student-t": Row("hardware_models.nonlinearities.student_t:StudentT"),
        "saturating": Row(
            "hardware_models.nonlinearities.amplifier:Saturating", "a rectifying amplifier with a ceiling"
        ),
        "random": Row("hardware_models.nonlinearities.black_box:RandomMonotone", "a random rising curve a neuron"),
        "random-nonmonotone": Row("hardware_models.nonlinearities.black_box:RandomNonMonotone", "with a ripple"),
        "random-spread": Row(
            "hardware_models.nonlinearities.black_box:RandomSpread", "gains that differ by orders of magnitude"
        ),
        "random-waves": Row("hardware_models.nonlinearities.harsh:RandomWaves", "a wave a neuron"),
        "mixing": Row("hardware_models.nonlinearities.harsh:Mixing", "random curves that leak into one another"),
        "crosstalk": Row(
            "hardware_models.nonlinearities.crosstalk:Crosstalk", "rectifiers that see their neighbours' sums"
        ),
        "noisy": Row("hardware_models.nonlinearities.stochastic:Noisy", "random curves with noise inside"),
        "switching": Row("hardware_models.nonlinearities.stochastic:Switching", "on with a probability"),
        "hysteretic": Row("hardware_models.nonlinearities.hysteretic:Hysteretic", "with backlash"),
        "drifting": Row("hardware_models.nonlinearities.drifting:Drifting", "random curves that drift"),
        "drifting-hard": Row("hardware_models.nonlinearities.drifting:DriftingHard", "that drift farther"),
    }
)
"""Nonlinearities by name; a user gives an own function as ``file.py:function``, a measured transfer as ``measured:FILE.csv``."""
