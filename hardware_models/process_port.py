"""The former place of `hardware_models.chip.process_port`."""

from hardware_models.chip.process_port import ProcessPort

__all__ = ["ProcessPort"]
