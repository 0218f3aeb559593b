"""Sessions of a change's checks: `nox` runs tests, lint, types and docs; `nox -s benchmarks` measures speed.

Each session makes an environment of its own; `nox -r` keeps it for the next time, `nox -s tests -- -k chip` passes words on.
"""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests", "docs"]
PYTHON = ["3.11"]
"""Of the sessions; another one by `nox -P VERSION`."""


@nox.session(python=PYTHON)
def tests(session: nox.Session) -> None:
    """Run the tests, shared between two processes; `-n 0` runs them in one."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHON)
def lint(session: nox.Session) -> None:
    """Check rules and form of the source; changes nothing."""
    session.install("ruff>=0.11")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=PYTHON)
def types(session: nox.Session) -> None:
    """Check the types of both packages."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "mypy")


@nox.session(python=PYTHON)
def docs(session: nox.Session) -> None:
    """Build the pages into site/; a broken link, anchor or name of the reference is an error."""
    session.install("-e", ".[docs]")
    session.run("python", "-m", "mkdocs", "build", "--strict", *session.posargs)


@nox.session(python=PYTHON)
def benchmarks(session: nox.Session) -> None:
    """Compare the speed of all operations with the baseline, time an epoch, and write the pages of results anew."""
    session.install("-e", ".[benchmarks]")
    session.run("python", "benchmarks/speed/baseline.py", *session.posargs)
    session.run("python", "benchmarks/speed/epoch.py")
    session.run("python", "benchmarks/run.py", "--tables")
