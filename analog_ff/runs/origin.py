"""The origin of a run: the contents of every file it read, the versions that decide its bits, and the run that it extends."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np

from analog_ff import __version__
from analog_ff.config.earlier import anew
from analog_ff.datasets.base import Dataset
from analog_ff.output.messages import tell
from analog_ff.plain import Document, Facts
from analog_ff.runs.model import MODEL
from hardware_models import opened
from hardware_models.check import UsageError, shown
from hardware_models.files import note_digest, noted_as

PACKAGES = ("numpy", "numba", "scipy")
AND = " and "
"""Words between the versions of several results."""


@dataclass
class Origin:
    """The inputs and versions that a run comes from.

    Parameters
    ----------
    inputs : dict
        {"<what> <file name>": SHA-256} of every file that was read to build the run, and of those that a user's own code
        has opened since, see `hardware_models.opened`.
    versions : dict
        Versions in use now, see `versions`.
    earlier_versions : list
        Other versions under which parts of the run were made before.
    extended_from : dict, optional
        Of a run that goes on beyond its last epoch: ``epochs`` before, ``gain`` of the first and the last added epoch, and
        ``extended_from``, the same of an extension before this one.
    """

    inputs: dict[str, str]
    versions: dict[str, str]
    earlier_versions: list[dict[str, str]] = field(default_factory=list)
    extended_from: Document | None = None

    def facts(self) -> Document:
        """Return the origin as the checkpoint keeps it."""
        return {
            "inputs_sha256": dict(sorted(self.inputs.items())),
            "versions": self.versions,
            "earlier_versions": self.earlier_versions,
            "extended_from": self.extended_from,
        }

    def result(self) -> Document:
        """Return the origin as result.json states it."""
        said: Document = {"inputs_sha256": dict(sorted(self.inputs.items()))}
        if self.earlier_versions:
            said["resumed_from_versions"] = self.earlier_versions
        if self.extended_from is not None:
            said["extended_from"] = self.extended_from
        return said

    def check_model(self, before: Mapping[str, str], folder: Path) -> None:
        """Raise UsageError if the run in `folder` was begun with another version of the model's rules; `before`: its versions."""
        if before.get("model") != self.versions.get("model"):
            raise UsageError(
                f"the run in {folder} was begun with version {before.get('model')} of the model's rules, now {MODEL} (what "
                f"changed is in the changelog): its end would belong to neither; {anew(before)}."
            )

    def check_inputs(self, kept: Mapping[str, str], folder: Path, before: Mapping[str, str]) -> None:
        """Raise UsageError, naming the files, if their contents differ from those that the run in `folder` was begun with.

        `before`: the versions of then, whose own files (of devices, of prices) may differ from those of today.
        """
        changed = sorted(name for name in {*kept, *self.inputs} if kept.get(name) != self.inputs.get(name))
        changed = [name for name in changed if not opened.agree(name, kept, self.inputs)]
        if changed:
            # A data set is made from its file: where both have changed, the message names the file, which the user knows.
            named = [name for name in changed if not name.startswith("data set ")] or changed
            files = ", ".join(shown(name, 200, quoted=False) for name in named)
            raise UsageError(
                f"the run in {folder} was begun with other contents of {files}; put back what has changed "
                f"(result and checkpoint keep each file's SHA-256), or {anew(before)}."
            )
        opened.goes_on(kept, self.inputs)

    def go_on_from(self, facts: Facts, folder: Path) -> None:
        """Restore the origin from a checkpoint's facts; warn if other versions made it."""
        self.earlier_versions, self.extended_from = list(facts["earlier_versions"]), facts["extended_from"]
        before = facts["versions"]
        if before == self.versions:
            return
        if before not in self.earlier_versions:
            self.earlier_versions.append(before)
        names = sorted({*before, *self.versions})
        changes = [
            f"{name} {before.get(name, 'unknown')} then, {self.versions.get(name, 'unknown')} now"
            for name in names
            if before.get(name) != self.versions.get(name)
        ]
        tell(
            f"warning: the run in {folder} goes on with other versions ({'; '.join(changes)}): its last bits may differ from "
            "those of a run that was not interrupted; result.json records both."
        )


def check_alike(results: Mapping[str, Facts]) -> None:
    """Raise UsageError if results that are to be compared, by folder, come from different inputs or models.

    Technology files are left out: they price the counts, and a comparison prices all its points alike.
    """
    seen: dict[str, tuple[str, str]] = {}
    for folder, result in results.items():
        known = {"the model's rules": result["versions"].get("model", "1"), **result.get("inputs_sha256", {})}
        for name, value in known.items():
            first, where = seen.setdefault(name, (value, folder))
            if value != first and not name.startswith("technology file "):
                raise UsageError(
                    f"{folder} and {where} were made with different contents of {name} and cannot stand side by side; remove "
                    "the older one, and --resume makes it again, or give another --out."
                )


def note_arrays(data: Dataset) -> None:
    """Note the SHA-256 of a data set's arrays: some are made, or lie in a package, and have no file of the user's."""
    digest = hashlib.sha256()
    named = {"x_train": data.x_train, "y_train": data.y_train, "x_test": data.x_test, "y_test": data.y_test}
    for name, values in named.items():
        array = np.ascontiguousarray(values)
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.data)
    note_digest("data set", data.name, digest.hexdigest())


def of_several(results: Iterable[Facts]) -> Document:
    """Return ``versions`` and ``inputs_sha256`` of several results together.

    A version that is not the same in all of them names each, as in "2.3.1 and 2.4.0"; a result that comes from several itself may
    have such a version. Two different files of one name are told apart by a number.
    """
    seen: dict[str, dict[str, None]] = {}
    inputs: dict[str, str] = {}
    for result in results:
        for name, version in result.get("versions", {}).items():
            seen.setdefault(name, {}).update(dict.fromkeys(str(version).split(AND)))
        for named, digest in result.get("inputs_sha256", {}).items():
            what, _, name = named.partition(" ")
            noted_as(inputs, what, name, digest)
    return {
        "versions": {name: AND.join(several) for name, several in seen.items()},
        "inputs_sha256": dict(sorted(inputs.items())),
    }


def versions() -> dict[str, str]:
    """Return the versions that decide the bits of a result, that of the model (`analog_ff.runs.model`) among them."""
    found = {
        "analog-ff": __version__,
        "model": str(MODEL),
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return {**found, "blas": _blas(), "cpu": _cpu()}


def _blas() -> str:
    """Return the BLAS libraries in use, with version and the processor they are cut for."""
    import scipy.linalg.cython_blas  # noqa: F401  Numba's products call this library: load it before looking
    from threadpoolctl import threadpool_info

    found = (lib for lib in threadpool_info() if lib.get("user_api") == "blas")
    named = {f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}".strip() for lib in found}
    return ", ".join(sorted(named)) or "unknown"


def _cpu() -> str:
    """Return the model of the processor, as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, "") or platform.processor() or "unknown"
