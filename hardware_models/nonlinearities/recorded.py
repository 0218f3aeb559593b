"""Neurons from recorded values: a table of z and y, with straight lines between its points and constant beyond its ends."""

from __future__ import annotations

import io

import numpy as np

from hardware_models import files
from hardware_models.check import UsageError, counted
from hardware_models.keys import Key

LOOKUP = "lookup:"
WHAT = "recorded neurons"


class _Curves:
    """Neurons of one layer."""

    def __init__(self, z: np.ndarray, y: np.ndarray) -> None:
        self._z, self._y = z, y

    def __call__(self, z: np.ndarray) -> np.ndarray:
        found = [np.interp(z[:, j], self._z, self._y[:, j]) for j in range(z.shape[1])]
        return np.ascontiguousarray(np.stack(found, axis=1), np.float32)


class Recorded:
    r"""Neurons of ``lookup:FILE``: y of recorded z, interpolated.

    .. math:: f_j(z) = y_{kj} + (y_{k+1,j} - y_{kj}) \frac{z - z_k}{z_{k+1} - z_k}, \qquad z_k \le z \le z_{k+1}

    A ``.npz`` file has the arrays z (K,) and y (K,) or (K, N); any other file is a table of numbers separated by commas, one z a
    line with its y, or with those of N neurons; a first line without numbers is a title. One y is that of every neuron, of
    several each neuron of a layer has its own column.

    Parameters
    ----------
    name : "lookup:" and the path of the file.

    Raises
    ------
    UsageError : the file cannot be read, its z do not rise, or it holds NaN or infinity.
    """

    analog = True

    def __init__(self, name: str) -> None:
        self.name = name
        path = name.removeprefix(LOOKUP)
        with files.reading(path, "recorded neurons: z and y in rows"):
            z, y = _npz(path) if path.endswith(".npz") else _csv(path)
        if z.ndim != 1 or y.ndim != 2 or len(z) != len(y) or len(z) < 2 or not y.shape[1]:
            raise UsageError(f"{path} should hold at least two z, each with its y, got z {z.shape} and y {y.shape}.")
        largest = float(np.finfo(np.float32).max)
        if not ((np.abs(z) <= largest).all() and (np.abs(y) <= largest).all() and (np.diff(z) > 0).all()):
            raise UsageError(
                f"{path} should hold finite numbers of at most {largest:.3g}, and z that rise from row to row."
            )
        self._z, self._y = z, y

    def fabricate(self, neurons: int, key: Key) -> _Curves:
        """Return the neurons of one layer, neuron j with column j; raise UsageError if the file has too few columns."""
        del key
        have = self._y.shape[1]
        if have not in (1, neurons) and have < neurons:
            raise UsageError(
                f"{self.name} holds the y of {counted(have, 'neuron')}, a layer has {neurons}: give one column for all, or "
                f"{neurons}."
            )
        return _Curves(self._z, np.repeat(self._y, neurons, axis=1) if have == 1 else self._y[:, :neurons])


def _npz(path: str) -> tuple[np.ndarray, np.ndarray]:
    found = files.arrays(path, WHAT, ("z", "y"))
    if found.keys() != {"z", "y"}:
        raise UsageError(f"{path} should hold the arrays z and y, it holds {', '.join(sorted(found)) or 'neither'}.")
    y = np.asarray(found["y"], np.float64)
    return np.asarray(found["z"], np.float64), y[:, None] if y.ndim == 1 else y


def _csv(path: str) -> tuple[np.ndarray, np.ndarray]:
    lines = files.text(files.contents(path, WHAT, most=files.LARGE), path).splitlines()
    if lines and not _numbers(lines[0]):
        del lines[0]
    if not lines:
        raise UsageError(f"{path} should hold at least two z, each with its y, it holds none.")
    table = np.loadtxt(io.StringIO("\n".join(lines)), delimiter=",", ndmin=2)
    return table[:, 0], table[:, 1:]


def _numbers(line: str) -> bool:
    try:
        return bool([float(part) for part in line.split(",")])
    except ValueError:
        return False
