"""Kernels of a user's own files are compiled in every process, whatever ``cache=True`` says.

Numba takes a compiled function from the disk as long as the function's own file is unchanged. The arrays and numbers of the
module, and the functions of other modules, are frozen in what it has kept: after an edit of a table or of an imported module,
a run would compute with the old ones and be recorded with the digests of the new ones.
"""

from __future__ import annotations

from collections.abc import Callable

from hardware_models import opened


def keep_none() -> None:
    """Have Numba keep no functions of the user's from now on; before the user's code runs."""
    import numba.core.dispatcher
    from numba.core.caching import FunctionCache, NullCache

    def cache_of(function: Callable[..., object]) -> object:
        """Return Numba's cache on disk, or one that keeps nothing for a function that is not an installed package's."""
        users = opened.is_users(function.__module__, function.__code__.co_filename)
        return NullCache() if users else FunctionCache(function)

    vars(numba.core.dispatcher)["FunctionCache"] = cache_of
