"""Logs of a run beside ``metrics.csv``, for programs that show it while it learns (``simulate --log NAME``).

A log decides nothing of a run: it is no part of its configuration, of its key or of its checkpoint. Its lines are those of
``metrics.csv``, so that a run which goes on writes its log anew from them, and a finished run has one written afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from analog_ff.config.command_line import command_line
from analog_ff.config.config import Config
from analog_ff.plain import Document, Facts
from analog_ff.runs import stored
from hardware_models.check import UsageError
from hardware_models.files import contents, text
from hardware_models.tables import Row, lookup

if TYPE_CHECKING:
    from analog_ff.runs.train import Run


class Log(ABC):
    """One way of writing a log, in a folder of its own inside the folder of the run.

    Parameters
    ----------
    folder : folder of the run.

    Raises
    ------
    UsageError : if a file has the place of the log's folder.
    RunError : by every method, if the log cannot be written.
    """

    place: ClassVar[str]
    """Name of the folder of the log, inside that of the run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.place
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(
                f"{self.folder} should be a folder, for the log of the run; move that file to another place."
            )

    @classmethod
    @abstractmethod
    def check(cls) -> None:
        """Raise UsageError, with the command that helps, unless the library that writes the log is installed."""

    @abstractmethod
    def begin(self, texts: Mapping[str, str]) -> None:
        """Begin the log with texts (Markdown) by name; what an earlier log of this run has written is removed."""

    @abstractmethod
    def write(self, line: Facts, ago: float = 0.0) -> None:
        """Write a line of ``metrics.csv`` that was measured `ago` seconds before now, so that a viewer sees it at once."""

    @abstractmethod
    def end(self) -> None:
        """Close the files of the log."""


LOGS: Mapping[str, Row] = {
    "tensorboard": Row(
        "analog_ff.runs.tensorboard_log:TensorBoard", "event files in OUT/tensorboard; needs tensorboardX"
    ),
}
"""Choice of ``--log`` -> the class that writes it."""


def wanted(name: str | None) -> type[Log] | None:
    """Return the class of a log that is asked for; raise UsageError for a name that is none, and without its library."""
    if name is None:
        return None
    kind: type[Log] = lookup("log", name, LOGS)
    kind.check()
    return kind


def begun(folder: Path) -> type[Log] | None:
    """Return the class of the log that a run's folder holds already; None if there is none."""
    return next((wanted(name) for name in LOGS if (folder / lookup("log", name, LOGS).place).is_dir()), None)


@contextmanager
def logged(
    kind: type[Log] | None, folder: Path, run: Run, then: Callable[[int], None] | None
) -> Iterator[Callable[[int], None] | None]:
    """Keep the log of a run within the ``with``; yield the function for the end of every epoch, which calls `then` at last.

    `kind` is the log that is asked for; a run that goes on continues the one that its folder holds.
    """
    kind = kind or begun(folder)
    if kind is None:
        yield then
        return
    log = kind(folder)

    def after(epoch: int) -> None:
        log.write(run.metrics[-1])
        if then is not None:
            then(epoch)

    try:
        _write(log, folder, run.config, run.metrics)
        yield after
    finally:
        log.end()


def finished(config: Config, folder: Path, kind: type[Log] | None) -> Document | None:
    """Return the result that a run's folder holds, once the log that is asked for is written; None without a result."""
    result = stored.finished(config, folder)
    if result is not None and kind is not None:
        lines = stored.epochs_of(folder, "seconds")
        log = kind(folder)
        try:
            _write(log, folder, config, lines)
        finally:
            log.end()
    return result


def _write(log: Log, folder: Path, config: Config, lines: Sequence[Facts]) -> None:
    """Begin a log, and write the lines that there are already, each as long ago as the time of the run says."""
    place = folder / stored.CONFIG
    choices = text(contents(place, "configuration"), place)
    command = command_line(config, "python -m analog_ff.simulate")
    log.begin({"command": _code(command), "configuration": _code(choices)})
    for line in lines:
        log.write(line, ago=lines[-1]["seconds"] - line["seconds"])


def _code(words: str) -> str:
    return "".join(f"    {line}\n" for line in words.splitlines())
