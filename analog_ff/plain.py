"""Types of plain values, as JSON, TOML and the command line hold them; their shape is checked where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
"""A table of plain values by name, such as result.json; the function that makes it may still add to it."""
Facts = Mapping[str, Any]
"""Plain values by name that are only read."""
