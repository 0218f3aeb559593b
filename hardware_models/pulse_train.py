"""The former place of `hardware_models.fitting.pulse_train`."""

from hardware_models.fitting.pulse_train import PulseTrain, parse_pulse_train, read_pulse_train

__all__ = ["PulseTrain", "parse_pulse_train", "read_pulse_train"]
