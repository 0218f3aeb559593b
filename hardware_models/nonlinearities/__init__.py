"""Neurons: the functions f that a chip applies to z. They are fabricated with the chip, and no code outside it sees inside."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from hardware_models.check import UsageError
from hardware_models.tables import Row


@dataclass(frozen=True)
class NeuronKind(Row):
    """A nonlinearity by name.

    Attributes
    ----------
    remembers : whether its neurons have a memory (`hardware_models.nonlinearities.base.Stateful`), drift among it.
    """

    remembers: bool = False


def remembering(name: str) -> UsageError:
    """Return the error of a nonlinearity that remembers and is asked to stand between two layers."""
    return UsageError(
        f"nonlinearity {name} remembers, and a box between layers keeps no state: choose --box-place inside, or another "
        "--nonlinearity."
    )


NONLINEARITIES = MappingProxyType(
    {
        "relu": NeuronKind("hardware_models.nonlinearities.rectifier:Relu"),
        "linear": NeuronKind("hardware_models.nonlinearities.linear:Linear"),
        "tanh": NeuronKind("hardware_models.nonlinearities.sigmoid:Tanh"),
        "sigmoid": NeuronKind("hardware_models.nonlinearities.logistic:Sigmoid"),
        "student-t": NeuronKind("hardware_models.nonlinearities.student_t:StudentT"),
        "saturating": NeuronKind(
            "hardware_models.nonlinearities.amplifier:Saturating", "a rectifying amplifier with a ceiling"
        ),
        "random": NeuronKind(
            "hardware_models.nonlinearities.black_box:RandomMonotone", "a random rising curve a neuron"
        ),
        "random-nonmonotone": NeuronKind("hardware_models.nonlinearities.black_box:RandomNonMonotone", "with a ripple"),
        "random-spread": NeuronKind(
            "hardware_models.nonlinearities.black_box:RandomSpread", "gains that differ by orders of magnitude"
        ),
        "random-waves": NeuronKind("hardware_models.nonlinearities.harsh:RandomWaves", "a wave a neuron"),
        "mixing": NeuronKind("hardware_models.nonlinearities.harsh:Mixing", "random curves that leak into one another"),
        "crosstalk": NeuronKind(
            "hardware_models.nonlinearities.crosstalk:Crosstalk", "rectifiers that see their neighbours' sums"
        ),
        "noisy": NeuronKind("hardware_models.nonlinearities.stochastic:Noisy", "random curves with noise inside"),
        "switching": NeuronKind("hardware_models.nonlinearities.stochastic:Switching", "on with a probability"),
        "hysteretic": NeuronKind(
            "hardware_models.nonlinearities.hysteretic:Hysteretic", "with backlash", remembers=True
        ),
        "drifting": NeuronKind(
            "hardware_models.nonlinearities.drifting:Drifting", "random curves that drift", remembers=True
        ),
        "drifting-hard": NeuronKind(
            "hardware_models.nonlinearities.drifting:DriftingHard", "that drift farther", remembers=True
        ),
    }
)
"""Nonlinearities by name; a user gives an own function as ``file.py:function``, a measured transfer as ``measured:FILE.csv``."""
