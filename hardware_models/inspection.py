"""The former place of `hardware_models.crossbar.inspection`."""

from hardware_models.crossbar.inspection import Inspection, inspect_cells, pulse_noise, pulse_step

__all__ = ["Inspection", "inspect_cells", "pulse_noise", "pulse_step"]
