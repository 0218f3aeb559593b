"""Learning: networks that learn by Forward-Forward on simulated analog chips. Names are imported when first used."""

from __future__ import annotations

from typing import Any

from analog_ff.output import starting

__version__ = "0.1.0"

_PUBLIC = {
    "Config": "analog_ff.config.config",
    "ForwardForwardClassifier": "analog_ff.estimator",
    "execute": "analog_ff.runs.execute",
    "load_run": "analog_ff.runs.loaded",
    "recommended": "analog_ff.config.config",
}

__all__ = sorted((*_PUBLIC, "__version__"))


starting.begin()


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'analog_ff' has no attribute '{name}'")
    import importlib

    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return __all__
