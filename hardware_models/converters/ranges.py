"""Ranges of the errors of converters, and what a calibration may correct; read by options before any compiled loop is loaded."""

from __future__ import annotations

MOST_LSB = 100.0
"""Largest standard deviation of an error [LSB]."""
MOST_SPREAD = 0.2
"""Largest standard deviation of a gain [1]."""
MOST_READS = 1_000_000
"""Most conversions that a calibration averages."""
CALIBRATIONS = ("offset", "offset-gain")
"""Errors that a calibration corrects."""
