"""Fit a measured pulse train: you see what a train was made with, and what the fit finds in it, with intervals."""

from hardware_models import load_device
from hardware_models.fitting import FORMS, fit, synthetic, write_pulse_train
from hardware_models.fitting.pulse_train import read_pulse_train

truth = load_device("park2013_pcmo")
write_pulse_train(synthetic(truth, cells=3, cycles=2, pulses=50), "train.csv")  # your instrument writes such a file

tried = {name: FORMS[name] for name in ("exponential_step",)}  # without `forms=` the fit tries all and chooses
found = fit(read_pulse_train("train.csv"), forms=tried)
for number in found.parameters:
    known = number.instead or f"[{number.low:.3g}, {number.high:.3g}]"
    print(f"{number.name}: {number.value:.3g} {known} {number.unit}, made with {getattr(truth, number.name):.3g}")
