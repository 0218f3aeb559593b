"""What carries the learning: how the layers of a chip are wired."""

from __future__ import annotations

from types import MappingProxyType

NETWORKS = MappingProxyType({"stack": "analog_ff.network.stack:Stack"})
"""Networks by name."""
