"""The store of a sweep: one SQLite file that holds every point with its key, its state and, once it is done, its result.

One process alone writes it, the client of the sweep, and other processes only read it: the file needs no shared memory
(write-ahead logging, which does not work on a network file system), and a killed client leaves it as of its last whole entry.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from analog_ff.plain import Document
from analog_ff.sweeps.points import Point
from hardware_models.check import CommandError, UsageError, shown
from hardware_models.files import home
from hardware_models.places import placed

NAME = "sweep.sqlite"
"""Usual name of a store in the folder of its sweep."""
APPLICATION = 0x414E4653
"""Number in the head of the file by which a store of this program is known."""
SCHEMA = 1
"""Version of the tables."""
PATIENCE = 60.0
"""Time for which a reader or the writer waits for the other one [s]."""
WAITING, RUNNING, DONE, FAILED = STATES = ("waiting", "running", "done", "failed")
DIED, INTERRUPTED = "died", "interrupted"
"""Ends of an attempt after which the point is run again."""
DOCUMENTS = ("factors", "config", "identity", "result")
"""Columns that hold JSON."""
_TABLES = """
CREATE TABLE points (
    key TEXT PRIMARY KEY, place INTEGER NOT NULL, command TEXT NOT NULL, factors TEXT NOT NULL, config TEXT NOT NULL,
    identity TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT, result TEXT, seconds REAL, worker TEXT
);
CREATE TABLE attempts (
    key TEXT NOT NULL REFERENCES points (key), begun REAL NOT NULL, ended REAL, worker TEXT,
    outcome TEXT CHECK (outcome IN ('done', 'failed', 'died', 'interrupted')), reason TEXT
);
CREATE INDEX attempts_of_a_point ON attempts (key);
"""


class Stored(NamedTuple):
    """A point as the store holds it."""

    key: str
    command: str
    factors: Document
    config: Document
    identity: Document
    state: str
    attempts: int  # how often it was begun
    reason: str | None  # why it failed, or why its last attempt ended
    result: Document | None
    seconds: float | None  # duration of the attempt that succeeded [s]
    worker: str | None


class Attempt(NamedTuple):
    """One time at which a point was given to a worker."""

    key: str
    begun: float  # time since 1970 [s]
    ended: float | None
    worker: str | None
    outcome: str | None  # "done", "failed", "died" or "interrupted"; None while it runs
    reason: str | None


class Store:
    """The store in a file; it is made where there is none, unless it is only read.

    Raises UsageError for a file that is no store, is damaged, or has another version; the file is not changed.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = placed(home(path, "the store"))
        self._named = shown(str(path), 200, quoted=False)
        self._file: sqlite3.Connection | None = None  # a new file is made with its first entry
        exists = os.path.lexists(self.path)
        if not exists and read_only:
            raise UsageError(f"there is no store {self._named}; a sweep makes it.")
        if exists and not self.path.is_file():
            raise UsageError(f"{self._named} is no file, so it cannot be the store of a sweep.")
        if exists:
            with self._said(UsageError, "read as the store of a sweep"):
                self._file = self._checked(read_only=read_only)

    def _opened(self, mode: str) -> sqlite3.Connection:
        place = f"{self.path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(place, uri=True, timeout=PATIENCE, isolation_level=None)

    def _checked(self, *, read_only: bool) -> sqlite3.Connection | None:
        """Return the open file; None for one without any table, as a client leaves it that was killed at once."""
        file = self._opened("ro" if read_only else "rw")
        try:
            if not self._has_tables(file):
                file.close()
                return None
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_READONLY_ROLLBACK":
                raise
            # A client was killed in the middle of an entry. SQLite takes the entry back, which needs more than reading.
            file.close()
            file = self._opened("rw")
            file.execute("PRAGMA query_only = ON")
        self._check(file)
        return file

    @staticmethod
    def _has_tables(file: sqlite3.Connection) -> bool:
        return bool(file.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0])

    def _make(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self._opened("rwc")
        file.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";\n"):
            file.execute(statement)
        file.execute(f"PRAGMA application_id = {APPLICATION}")
        file.execute(f"PRAGMA user_version = {SCHEMA}")
        file.execute("COMMIT")
        return file

    def _check(self, file: sqlite3.Connection) -> None:
        application = file.execute("PRAGMA application_id").fetchone()[0]
        schema = file.execute("PRAGMA user_version").fetchone()[0]
        if application != APPLICATION:
            raise UsageError(f"{self._named} is a database of another program, not the store of a sweep.")
        if schema != SCHEMA:
            raise UsageError(
                f"{self._named} is a store of version {schema}, this program reads version {SCHEMA}; give another folder."
            )
        if (fault := file.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(fault)

    @contextmanager
    def _said(self, kind: type[UsageError] | type[CommandError], what: str) -> Iterator[None]:
        """Turn a failure of the file inside the ``with`` into one sentence of class `kind`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            reason = " ".join(str(getattr(error, "strerror", None) or error).split())
            raise kind(f"{self._named} cannot be {what} ({shown(reason, 160, quoted=False)}).") from error

    @contextmanager
    def _written(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside the ``with`` at once, or nothing of it."""
        with self._said(CommandError, "written"):
            if self._file is None:
                self._file = self._make()
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:  # SQLite itself takes an entry back when the disk is full
                    self._file.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # --- what the client writes ---

    def add(self, points: Iterable[Point]) -> None:
        """Enter points that wait; one that is there already keeps its state, its result and its factors."""
        rows = [(p.key, p.command, *map(json.dumps, (dict(p.factors), p.config.as_dict(), p.identity))) for p in points]
        with self._written() as file:
            file.executemany(
                "INSERT OR IGNORE INTO points (place, key, command, factors, config, identity, state) "
                f"VALUES ((SELECT COUNT(*) FROM points), ?, ?, ?, ?, ?, '{WAITING}')",
                rows,
            )

    def begin(self, key: str) -> None:
        """Note that a point was given to a worker."""
        with self._written() as file:
            file.execute(
                "UPDATE points SET state = ?, attempts = attempts + 1 WHERE key = ? AND state = ?",
                (RUNNING, key, WAITING),
            )
            file.execute("INSERT INTO attempts (key, begun) VALUES (?, ?)", (key, time.time()))

    def finish(self, key: str, result: Document, *, seconds: float, worker: str) -> None:
        """Keep the result of a point."""
        with self._written() as file:
            file.execute(
                "UPDATE points SET state = ?, reason = NULL, result = ?, seconds = ?, worker = ? WHERE key = ?",
                (DONE, json.dumps(result), seconds, worker, key),
            )
            _end(file, key, DONE, None, worker)

    def fail(self, key: str, reason: str, *, worker: str | None = None, outcome: str = FAILED) -> None:
        """Note that a point failed for good, with the reason; `outcome` is how its last attempt ended."""
        with self._written() as file:
            file.execute(
                "UPDATE points SET state = ?, reason = ?, worker = ? WHERE key = ?", (FAILED, reason, worker, key)
            )
            _end(file, key, outcome, reason, worker)

    def wait(self, keys: Iterable[str], reason: str, *, worker: str | None = None, outcome: str = DIED) -> None:
        """Let points wait again whose attempt came to no end: their worker has died, or the sweep was interrupted."""
        with self._written() as file:
            for key in keys:
                file.execute("UPDATE points SET state = ?, reason = ? WHERE key = ?", (WAITING, reason, key))
                _end(file, key, outcome, reason, worker)

    def take(self, points: Iterable[Stored], attempts: Iterable[Attempt]) -> None:
        """Take points that another store has ended, with their attempts; a point that is done here stays as it is."""
        here = self.states()
        ended = [p for p in points if p.state in (DONE, FAILED) and here.get(p.key) != DONE]
        keys = {point.key for point in ended}
        with self._written() as file:
            file.executemany("DELETE FROM attempts WHERE key = ?", [(key,) for key in keys])
            file.executemany(
                "INSERT INTO points (place, key, command, factors, config, identity, state, attempts, reason, result, seconds, "
                "worker) VALUES ((SELECT COUNT(*) FROM points), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
                "state = excluded.state, attempts = excluded.attempts, reason = excluded.reason, result = excluded.result, "
                "seconds = excluded.seconds, worker = excluded.worker",
                [tuple(json.dumps(value) if isinstance(value, dict) else value for value in point) for point in ended],
            )
            file.executemany(
                "INSERT INTO attempts (key, begun, ended, worker, outcome, reason) VALUES (?, ?, ?, ?, ?, ?)",
                [attempt for attempt in attempts if attempt.key in keys],
            )

    # --- what anybody reads ---

    def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:  # the columns that the statement names
        with self._said(UsageError, "read"):
            return [] if self._file is None else self._file.execute(statement, values).fetchall()

    def points(self, keys: Iterable[str] | None = None) -> list[Stored]:
        """Return points in the order in which they were entered: all of them, or those of `keys`."""
        wanted = self.states(keys)
        rows = self._rows(
            "SELECT key, command, factors, config, identity, state, attempts, reason, result, seconds, worker FROM points "
            "ORDER BY place"
        )
        return [_stored(Stored(*row)) for row in rows if row[0] in wanted]

    def states(self, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Return the state of each point by its key, in the order in which they were entered: of all, or of those of `keys`."""
        wanted = None if keys is None else set(keys)
        found = self._rows("SELECT key, state FROM points ORDER BY place")
        return {key: state for key, state in found if wanted is None or key in wanted}

    def reasons(self) -> dict[str, str]:
        """Return the reason of each point that has one, by its key: why it failed, or why its last attempt ended."""
        return dict(self._rows("SELECT key, reason FROM points WHERE reason IS NOT NULL"))

    def result(self, key: str) -> Document | None:
        """Return the result of a point; None as long as it has none."""
        rows = self._rows("SELECT result FROM points WHERE key = ? AND result IS NOT NULL", key)
        return json.loads(rows[0][0]) if rows else None

    def attempts(self, key: str | None = None) -> list[Attempt]:
        """Return the attempts at one point, or at all of them, in the order in which they began."""
        chosen = (
            "SELECT key, begun, ended, worker, outcome, reason FROM attempts WHERE ? IS NULL OR key = ? ORDER BY rowid"
        )
        return [Attempt(*row) for row in self._rows(chosen, key, key)]


def _stored(row: Stored) -> Stored:
    """Return a row of the file with its documents read."""
    texts = {name: value for name, value in row._asdict().items() if name in DOCUMENTS and value is not None}
    return row._replace(**{name: json.loads(text) for name, text in texts.items()})


def _end(file: sqlite3.Connection, key: str, outcome: str, reason: str | None, worker: str | None) -> None:
    """Note how the attempt at a point that is at work has ended."""
    file.execute(
        "UPDATE attempts SET ended = ?, outcome = ?, reason = ?, worker = ? WHERE key = ? AND ended IS NULL",
        (time.time(), outcome, reason, worker, key),
    )
