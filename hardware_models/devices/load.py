"""The former place of `hardware_models.load`."""

from hardware_models.load import (
    device_from_toml,
    has_table,
    installed_devices,
    load_device,
    named_device,
    published,
    read_table,
)

__all__ = [
    "device_from_toml", "has_table", "installed_devices", "load_device", "named_device", "published", "read_table",
]  # fmt: skip
