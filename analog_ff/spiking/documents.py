"""Plain values by name, as JSON and TOML hold them: result.json, and the choices of a configuration.

What a name holds is checked where a document is read; the shape of cortex.json is written down in `cortex.document`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]  # who makes it may still add to it
Facts: TypeAlias = Mapping[str, Any]  # only read
