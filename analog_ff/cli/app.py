"""Making, starting and ending a command: its threads, its errors in one sentence, its exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from analog_ff.cli.parameters import Grouped
from analog_ff.output import starting
from analog_ff.output.messages import NoAnswerError, Nowhere, ReaderGoneError, answer, standard_output, tell
from analog_ff.registry.options import parse_whole
from analog_ff.runs.interrupt import Terminated
from hardware_models.check import CommandError, RunError, UsageError, shown
from hardware_models.places import in_place
from hardware_models.user_faults import guarded

AGAIN = "if the run's folder is there already, --resume with the same --out goes on with it"
WIDE = {"max_content_width": 140}
"""Settings of a command's context: the help uses the width of the terminal up to so many columns."""
INTERRUPTED = f"interrupted; {AGAIN}"
READER_GONE = 141
"""Exit status where the reader of standard output has ended: that of SIGPIPE in a shell."""


def command_of(function: Callable[..., None]) -> typer.Typer:
    """Return the application of one command whose function has the parameters of its options."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(cls=Grouped, context_settings=WIDE)(function)
    return app


def set_threads(given: str) -> None:
    """Let the kernels use so many threads; raise UsageError for more than the machine has."""
    import numba

    threads = parse_whole("--threads", given)

    most = int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))
    if not 1 <= threads <= most:
        raise UsageError(f"--threads takes a whole number from 1 to {most} on this machine, got {threads}.")
    numba.set_num_threads(threads)


def program() -> str:
    """Return the command that started this program: ``python -m analog_ff.simulate``, or the installed ``analog-ff``."""
    spec = sys.modules["__main__"].__spec__
    if spec is None or not spec.name.startswith("analog_ff"):
        return "analog-ff"
    return f"python -m {spec.name.removesuffix('.__main__')}"


def run_app(application: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; every error is one sentence on standard error."""
    starting.done()
    command = typer.main.get_command(application)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        with in_place(), standard_output(kept="--json" in words), guarded(RunError):
            _invoke(command, words)
    except typer.Exit as end:
        return end.exit_code
    except UsageError as error:
        return _say(str(error), 2)
    except ReaderGoneError:  # `cat` ends with this status and without a word, too
        sys.stdout = Nowhere()
        return READER_GONE
    except NoAnswerError as error:
        sys.stdout = Nowhere()  # or Python would end with a status of its own when it empties the stream
        return _say(str(error), 1)
    except CommandError as error:
        return _say(str(error), 1)
    except RunError as error:
        return _say(f"the run stopped: {str(error).rstrip('.')}; {AGAIN}", 1)
    except Terminated as stopped:
        return _say(str(stopped) or INTERRUPTED, 143)
    except (KeyboardInterrupt, typer.Abort) as stopped:
        return _say(str(stopped) or INTERRUPTED, 130)
    except Exception as error:
        # The command line's own errors (an unknown option, a word where a number should stand) format their own message; their
        # classes moved between versions of the library. Anything else is a fault of the program and keeps its traceback.
        if not hasattr(error, "format_message"):
            raise
        parameter = getattr(error, "param", None)
        option = f"{parameter.opts[0]}: " if parameter is not None and getattr(parameter, "opts", None) else ""
        return _say(f"{option}{error.format_message().rstrip('.')}; see --help", 2)
    return 0


def _invoke(command: Any, words: list[str]) -> None:  # a class of the library that moved between versions
    """Carry a command out as the library's own `main` does, except for errors; without a word print the help.

    The library would treat a file that ends too early as Ctrl-C.
    """
    try:
        with command.make_context(program(), list(words)) as context:
            command.invoke(context)
    except Exception as error:
        if type(error).__name__ != "NoArgsIsHelpError" or not hasattr(error, "format_message"):
            raise
        answer(error.format_message())


def _say(sentence: str, status: int) -> int:
    tell(f"error: {shown(' '.join(sentence.split()), 1500, quoted=False).rstrip('.')}.")
    return status
