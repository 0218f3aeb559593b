"""Networks: the wiring between the layers of a chip."""

from __future__ import annotations

from types import MappingProxyType

NETWORKS = MappingProxyType(
    {
        "stack": "analog_ff.network.stack:Stack",
        "recurrent": "analog_ff.network.recurrent:Recurrent",
        "local": "analog_ff.network.local:Local",
        "convolution": "analog_ff.network.convolution:Convolution",
    }
)
"""Networks by name."""
