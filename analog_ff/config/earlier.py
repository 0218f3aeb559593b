"""Advice for the folder of a run that another version wrote: the end of a sentence that has named the reason."""

from __future__ import annotations

from analog_ff import __version__
from analog_ff.plain import Facts
from hardware_models.check import shown

PACKAGE = "analog-ff"
"""Name of this program among the versions that a folder keeps."""


def another_version(versions: Facts) -> str | None:
    """Return the version of this program that wrote a folder, by its table of versions; None if that is the present one."""
    said = versions.get(PACKAGE)
    return shown(said, quoted=False) if isinstance(said, str) and said != __version__ else None


def anew(versions: Facts) -> str:
    """Return the advice for a folder of these versions."""
    wrote = another_version(versions)
    other = "" if wrote is None else f", or install version {wrote} of analog-ff, which wrote it"
    return f"start the run anew in another folder{other}"


def not_of_this_version(versions: Facts) -> str:
    """Return the version that wrote a folder, with the advice; `versions` is empty where the folder keeps none."""
    wrote = another_version(versions)
    if wrote is not None:
        return f"version {wrote} wrote it, and this version, {__version__}, cannot go on with it; {anew(versions)}"
    who = f"an earlier state of version {__version__}" if PACKAGE in versions else "a version that it does not name"
    return f"either {who} wrote it, or lines were changed; {anew(versions)}, or put back what was changed"
