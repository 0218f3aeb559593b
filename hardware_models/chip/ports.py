"""Places of a chip that this project simulates; nothing is imported before it is used."""

from __future__ import annotations

from types import MappingProxyType

from hardware_models.tables import Row

PORTS = MappingProxyType(
    {
        "local": Row("hardware_models.chip.chip:Chip", "in this process"),
        "process": Row("hardware_models.chip.process_port:ProcessPort", "in a process of its own"),
    }
)
"""Places by name; a chip from outside is named as `hardware_models.protocol.links.FORMS` says."""
