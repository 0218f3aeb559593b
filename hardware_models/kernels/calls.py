"""Kernels that Python interprets (``NUMBA_DISABLE_JIT=1``) and the types that they are called with.

A run with small arrays calls the same kernels with the same types as one with large arrays, in seconds and without compiling any.
"""

from __future__ import annotations

import functools
import pickle

import numba

_noted: dict[tuple[str, str, tuple[object, ...]], None] = {}


def noted(function):
    """Return an interpreted kernel that notes the types of its arguments."""

    @functools.wraps(function)
    def call(*args):
        _noted[function.__module__, function.__name__, tuple(map(numba.typeof, args))] = None
        return function(*args)

    call.py_func = function
    return call


def written():
    """Return module, name and types of every call so far, each once and in the order of first calls, as bytes."""
    return pickle.dumps(list(_noted))
