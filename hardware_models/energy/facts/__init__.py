"""Facts about a run beside its energy: physical limits and the distance from them, latency, area, currents of lines, wear."""
