"""The former place of `hardware_models.chip.joined_port`."""

from hardware_models.chip.joined_port import JoinedOracle, JoinedPort, a_chip_a_layer

__all__ = ["JoinedOracle", "JoinedPort", "a_chip_a_layer"]
