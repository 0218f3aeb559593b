"""A log for TensorBoard: event files that its page shows while a run learns.

An event file is a series of records, each an event with a time and a step. The step is the epoch; every other column of
``metrics.csv`` is a scalar of the same name, whose unit and meaning stand beside it. The library tensorboardX makes events and
records. Records are written by the run's own thread: a disk that is full stops the run in one sentence.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from analog_ff.plain import Facts
from analog_ff.runs.columns import column
from analog_ff.runs.logs import Log
from hardware_models.check import RunError, UsageError, shown

if TYPE_CHECKING:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

NAME = "events.out.tfevents.{seconds}.{machine}"
"""Names of event files, by which TensorBoard knows them and their order."""
VERSION = "brain.Event:2"
"""Form of the events, which the first one of a file names."""
SCALARS = "scalars"
"""Part of TensorBoard that shows numbers."""
STEP = "epoch"
"""Column whose number is the step of a line."""


class TensorBoard(Log):
    """Event files in the folder ``tensorboard`` of a run: one for every time that the run is begun or goes on."""

    place: ClassVar[str] = "tensorboard"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._writer: RecordWriter | None = None

    @classmethod
    def check(cls) -> None:
        """Raise UsageError unless tensorboardX is installed."""
        try:
            import tensorboardX.record_writer  # noqa: F401
        except ImportError:
            raise UsageError(
                "--log tensorboard needs the library tensorboardX: pip install 'analog-ff[tensorboard]'."
            ) from None

    def begin(self, texts: Mapping[str, str]) -> None:
        """Open a new file that takes the place of earlier ones, and write texts with step 0.

        An event tells a page that is open to forget what it has read before: the file says it again.
        """
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.record_writer import RecordWriter
        from tensorboardX.summary import text

        now = time.time()
        with self._said():
            self.folder.mkdir(exist_ok=True)
            for earlier in self.folder.glob(NAME.format(seconds="*", machine="*")):
                earlier.unlink()
            name = NAME.format(seconds=int(now), machine=socket.gethostname())
            self._writer = RecordWriter(str(self.folder / name))
        first = (
            Event(wall_time=now, file_version=VERSION),
            Event(wall_time=now, session_log=SessionLog(status=SessionLog.START)),
        )
        said = [Event(wall_time=now, step=0, summary=text(name, words)) for name, words in texts.items()]
        self._events([*first, *said])

    def write(self, line: Facts, ago: float = 0.0) -> None:
        """Write every column but the step as a scalar (float32), and force it onto the disk."""
        from tensorboardX.proto.event_pb2 import Event

        now, step = time.time() - ago, int(line[STEP])
        columns = ((name, value) for name, value in line.items() if name != STEP)
        self._events([Event(wall_time=now, step=step, summary=_scalar(name, value)) for name, value in columns])

    def end(self) -> None:
        """Close the file."""
        if self._writer is not None:
            with self._said():
                self._writer.close()

    def _events(self, events: list[Event]) -> None:
        if self._writer is None:
            raise ValueError("a log is begun before lines are written to it")
        with self._said():
            for event in events:
                self._writer.write(event.SerializeToString())
            self._writer.flush()

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn a failure of the disk inside the ``with`` into a RunError; the file is given up then."""
        try:
            yield
        except OSError as error:
            if self._writer is not None:
                with suppress(OSError):
                    self._writer.close()
                self._writer = None
            where = shown(str(self.folder), 200, quoted=False)
            raise RunError(
                f"the log in {where} could not be written ({error.strerror or type(error).__name__})"
            ) from error


def _scalar(name: str, value: float) -> Summary:
    """Return a value of a column, in the form in which TensorBoard keeps a title and a description beside it.

    The library's own `scalar` writes an older form, of which TensorBoard shows the bare name.
    """
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboardX.proto.tensor_pb2 import TensorProto
    from tensorboardX.proto.types_pb2 import DT_FLOAT

    unit, meaning = column(name)
    beside = SummaryMetadata(
        display_name=name if unit == "1" else f"{name} [{unit}]",
        summary_description=f"{meaning} [{unit}]",
        plugin_data=SummaryMetadata.PluginData(plugin_name=SCALARS),
    )
    number = TensorProto(dtype=DT_FLOAT, float_val=[value])
    return Summary(value=[Summary.Value(tag=name, metadata=beside, tensor=number)])
