"""Learning: networks that learn by Forward-Forward on simulated analog chips."""

from __future__ import annotations

__version__ = "0.1.0"
