"""Energy: a pure function of counted events, a technology file and the device's own voltages and times."""

from hardware_models.energy.costs import price
from hardware_models.energy.files import TECHNOLOGIES
from hardware_models.energy.load import load_technology
from hardware_models.energy.report import report

__all__ = ["TECHNOLOGIES", "load_technology", "price", "report"]
