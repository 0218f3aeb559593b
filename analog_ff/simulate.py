"""The main job: ``python -m analog_ff.simulate --device memristor``."""

from __future__ import annotations

import json
import sys
from typing import Any

import typer

from analog_ff.output import starting
from analog_ff.output.messages import NoAnswerError, Nowhere, answer, standard_output, tell
from analog_ff.runs.config import Config, recommended, run_folder
from analog_ff.runs.interrupt import Terminated
from analog_ff.runs.options import given, parameters, with_signature
from analog_ff.runs.stored import asked_for, finished
from hardware_models.check import CommandError, RunError, UsageError, shown
from hardware_models.places import in_place
from hardware_models.user_faults import guarded

AGAIN = "if the run's folder is there already, --resume with the same --out goes on with it"
INTERRUPTED = f"interrupted; {AGAIN}"
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def simulate(
    *,
    threads: int = typer.Option(
        None,
        "--threads",
        help="threads [default: all cores]; the result is the same for any number",
        show_default=False,
    ),
    resume: bool = typer.Option(False, "--resume", help="go on with the interrupted run in --out, bit for bit"),
    ablate: bool = typer.Option(
        False, "--ablate", help="run again without each non-ideality in turn, and tabulate what each costs"
    ),
    as_json: bool = typer.Option(False, "--json", help="print result.json on standard output and nothing else"),
    **options: Any,
) -> None:
    """Train a network in situ on a simulated analog chip by Forward-Forward, and count every pulse."""
    config = _configure(given(Config, options), resume and not ablate)
    if threads is not None:
        set_threads(threads)
    if ablate:
        _ablate(config, resume, as_json)
        return
    from analog_ff.runs.execute import execute
    from analog_ff.runs.results import show

    if resume and not as_json and finished(config, config.folder()) is not None:
        tell("this run is finished; its result:")
    result, folder = execute(config, resume=resume)
    if as_json:
        answer(json.dumps(result))
    else:
        show(result, folder)


app.command()(with_signature(simulate, parameters(Config)))


def _ablate(config: Config, resume: bool, as_json: bool) -> None:
    from analog_ff.runs import ablate

    table, folder = ablate.ablate(config, resume=resume, say=tell)
    if as_json:
        answer(json.dumps(table))
    else:
        ablate.show(table, folder)


def _configure(options: dict[str, Any], resume: bool) -> Config:
    """Return the configuration: recipe of the device, then the options given; a resumed run takes its own."""
    folder = run_folder(options)
    begun = asked_for(Config, options, folder) if resume else None
    # The folder of a run that was killed before it could say what it is: the options given are all that is known.
    return begun or Config(**recommended(options))


def set_threads(threads: int) -> None:
    """Let the kernels use so many threads; UsageError for more than the machine has."""
    import numba

    most = int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))
    if not 1 <= threads <= most:
        raise UsageError(f"--threads takes a whole number from 1 to {most} on this machine, got {threads}.")
    numba.set_num_threads(threads)


def program() -> str:
    """Return what was typed to start this program: ``python -m analog_ff.simulate``, or the installed ``analog-ff``."""
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
        # What the library's own `main` does but for its errors: it takes a file that ends too early for Ctrl-C.
        with in_place(), standard_output(kept="--json" in words), guarded(RunError):
            with command.make_context(program(), list(words)) as context:
                command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except UsageError as error:
        return _say(str(error), 2)
    except NoAnswerError as error:
        sys.stdout = Nowhere()  # or Python would end with a status of its own when it empties the stream
        return _say(str(error), 1)
    except CommandError as error:
        return _say(str(error), 1)
    except RunError as error:
        return _say(f"the run stopped: {str(error).rstrip('.')}; {AGAIN}", 1)
    except Terminated:
        return _say(INTERRUPTED, 143)
    except (KeyboardInterrupt, typer.Abort):
        return _say(INTERRUPTED, 130)
    except BrokenPipeError:  # nobody reads the table or the JSON any more, such as `| head`
        sys.stdout = Nowhere()
        return 1
    except Exception as error:
        # The command line's own errors (an unknown option, a word where a number should stand) know how to say it; their
        # classes moved between versions of the library. Anything else is a fault of the program and keeps its traceback.
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 0
        parameter = getattr(error, "param", None)
        option = f"{parameter.opts[0]}: " if parameter is not None and getattr(parameter, "opts", None) else ""
        return _say(f"{option}{error.format_message()}; see --help", 2)
    return 0


def _say(sentence: str, status: int) -> int:
    tell(f"error: {shown(' '.join(sentence.split()), 1500, quoted=False).rstrip('.')}.")
    return status


def main(arguments: list[str] | None = None) -> None:
    """Run `simulate` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
