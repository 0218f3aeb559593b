"""A stored result against a run of today: the configuration of its point, and whether their keys agree.

The key is that of every run (`analog_ff.runs.identity`), here of the resolved configuration, recipes included.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analog_ff.runs.identity import key
from analog_ff.runs.model import changes_since
from analog_ff.sweeps.points import resolved


def out_of_date(command: str, options: Mapping[str, Any], stored: Mapping[str, Any]) -> list[str]:
    """Return the reasons why a run with these options would not give the stored result today; empty if it would."""
    config = resolved(command, options)
    now, then = key(command, config), stored.get("key")
    if then is None:
        return ["it was stored without a key"]
    reasons = []
    if now["configuration"] != then["configuration"]:
        reasons.append("another configuration")
    for what in sorted(now["inputs"].keys() | then["inputs"].keys()):
        if now["inputs"].get(what) != then["inputs"].get(what):
            reasons.append(f"{what} changed")
    reasons += [change.what for change in changes_since(then["model"], command, config.as_dict())]
    return reasons


def older(found: Mapping[str, Any], command: str, choices: Mapping[str, Any] = {}) -> str:
    """Return the mark of a result whose model version ("model", default 1) is older than a change that affects it; else ""."""
    changes = changes_since(found.get("model", 1), command, choices)
    commits = dict.fromkeys(change.before for change in changes)
    return (
        f"before the correction, commit {', '.join(commits)}: {'; '.join(c.what for c in changes)}" if changes else ""
    )
