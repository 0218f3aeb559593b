"""Technology files, one TOML each: value, unit, range, kind, status and source of every price."""
