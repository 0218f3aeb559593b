"""The main job: ``python -m analog_ff.simulate --device memristor``."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from typing import Any

import typer

from analog_ff.runs.config import Config, recommended
from analog_ff.runs.options import given, parameters, with_signature
from hardware_models.check import CommandError, RunError, UsageError, shown

INTERRUPTED = "interrupted; a run that had kept a checkpoint goes on with --resume and the same --out"
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

    if resume and not as_json and (config.folder() / "result.json").is_file():
        print("this run is finished; its result:", file=sys.stderr)
    result, folder = execute(config, resume=resume)
    if as_json:
        print(json.dumps(result))
    else:
        show(result, folder)


app.command()(with_signature(simulate, parameters(Config)))


def _ablate(config: Config, resume: bool, as_json: bool) -> None:
    from analog_ff.runs import ablate

    table, folder = ablate.ablate(config, resume=resume, say=lambda line: print(line, file=sys.stderr))
    if as_json:
        print(json.dumps(table))
    else:
        ablate.show(table, folder)


def _configure(options: dict[str, Any], resume: bool) -> Config:
    """Return the configuration: recipe of the device, then the options given; a resumed run takes its own."""
    if resume:
        asked = Config(**options) if options else Config()
        folder = asked.folder()
        if not (folder / "config.toml").is_file():
            raise UsageError(f"there is no run to resume in {folder}; name its folder with --out.")
        config = Config.from_toml(folder / "config.toml")
        for name, value in options.items():
            if name not in ("out", "data_dir") and getattr(config, name) != value:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{folder} was begun with {option} {getattr(config, name)}, not {value}.")
        return Config(**{**{f.name: getattr(config, f.name) for f in fields(Config)}, "out": str(folder)} | (
            {"data_dir": options["data_dir"]} if "data_dir" in options else {}
        ))  # fmt: skip
    return Config(**recommended(options))


def set_threads(threads: int) -> None:
    """Let the kernels use so many threads; UsageError for more than the machine has."""
    import numba

    most = int(getattr(numba.config, "NUMBA_NUM_THREADS", 1))
    if not 1 <= threads <= most:
        raise UsageError(f"--threads takes a whole number from 1 to {most} on this machine, got {threads}.")
    numba.set_num_threads(threads)


def run_app(application: typer.Typer, arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; every error is one sentence on standard error."""
    command = typer.main.get_command(application)
    try:
        # Some versions of the library turn Ctrl-C into a status of 130 that they return, others raise Abort.
        status = command.main(args=arguments, standalone_mode=False, prog_name="analog_ff")
    except UsageError as error:
        return _say(str(error), 2)
    except CommandError as error:
        return _say(str(error), 1)
    except RunError as error:
        return _say(
            f"the run stopped: {str(error).rstrip('.')}; a run that had kept a checkpoint goes on with --resume", 1
        )
    except (KeyboardInterrupt, typer.Abort):
        return _say(INTERRUPTED, 130)
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
    return _say(INTERRUPTED, 130) if status == 130 else 0


def _say(sentence: str, status: int) -> int:
    print(f"error: {shown(' '.join(sentence.split()), 1500, quoted=False).rstrip('.')}.", file=sys.stderr)
    return status


def main(arguments: list[str] | None = None) -> None:
    """Run `simulate` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
