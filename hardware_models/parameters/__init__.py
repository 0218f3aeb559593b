"""Parameter files of published devices, one TOML each: value, unit, range, kind and source of every number."""
