"""The main job: ``python -m analog_ff.simulate --device memristor``."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from typing import Any

import typer

from analog_ff.runs.config import RECIPES, Config, parse_bits, parse_layers, parse_tile
from hardware_models.check import CommandError, RunError, UsageError

INTERRUPTED = "interrupted; the last checkpoint is kept, go on with --resume and the same --out"
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _option(help_text: str, *names: str) -> Any:
    return typer.Option(None, *names, help=help_text, show_default=False)


_DEFAULTS = {f.name: f.default for f in fields(Config)}


def _d(name: str) -> str:
    value = _DEFAULTS[name]
    if isinstance(value, tuple):
        value = ("x" if name == "tile" else ",").join(str(v) for v in value)
    return f"[default: {value}]"


@app.command()
def simulate(
    device: str = _option(
        f"name, .toml parameter file, file.py:Class or package.module:Class {_d('device')}", "--device"
    ),
    learner: str = _option(f"forward-forward or random-features {_d('learner')}", "--learner"),
    update: str = _option(f"how updates reach the array: accumulate, coincidence {_d('update')}", "--update"),
    goodness: str = _option(
        f"sum-of-squares, sum (unsquared); min-... where positives are to have a low one {_d('goodness')}", "--goodness"
    ),
    negatives: str = _option(f"wrong labels: hard or random {_d('negatives')}", "--negatives"),
    readout: str = _option(f"headline read-out: softmax or energy {_d('readout')}", "--readout"),
    readout_layers: str = _option(f"all or all-but-first {_d('readout_layers')}", "--readout-layers"),
    nonlinearity: str = _option(
        f"relu, saturating, random, random-nonmonotone, file.py:function {_d('nonlinearity')}", "--nonlinearity"
    ),
    sealed: bool = typer.Option(False, "--sealed", help="refuse any look inside the chip"),
    port: str = _option(f"where the chip lives: local, or process (a process of its own) {_d('port')}", "--port"),
    data: str = _option(f"mnist-5k, mnist, fashion-mnist, digits, toy, or a .npz file {_d('data')}", "--data"),
    data_dir: str = _option("folder of the data sets (also ANALOG_FF_DATA)", "--data-dir"),
    split: str = _option(f"final: test once; holdout: validation part of the training set {_d('split')}", "--split"),
    shift: int = _option(f"random shift of training images [pixels], 0: none; vectors stay {_d('shift')}", "--shift"),
    layers: str = _option(f"neurons of the hidden layers {_d('layers')}", "--layers"),
    epochs: int = _option(f"passes over the training set {_d('epochs')}", "--epochs"),
    batch: int = _option(f"images per update {_d('batch')}", "--batch"),
    learning_rate: float = _option(f"eta [1] {_d('learning_rate')}, ideal: .02", "--learning-rate"),
    momentum: float = _option(f"of the leaky average, accumulate [1] {_d('momentum')}", "--momentum"),
    rounding: str = _option(f"to whole pulses: stochastic or nearest {_d('rounding')}", "--rounding"),
    slots: int = _option(f"pulse slots per sample, coincidence {_d('slots')}", "--slots"),
    theta: float = _option(
        "goodness threshold per neuron [units of the goodness] [default: 1; .5 if unsquared]", "--theta"
    ),
    temperature: float = _option(f"of the logistic [units of z^2] {_d('temperature')}", "--temperature"),
    peer: float = _option(f"strength of peer normalisation [1] {_d('peer')}", "--peer"),
    label_strength: float = _option(f"label input, white pixel = 1 {_d('label_strength')}", "--label-strength"),
    readout_rate: float = _option(f"learning rate of the softmax read-out {_d('readout_rate')}", "--readout-rate"),
    weight_range: float = _option(f"k: |W| <= k/sqrt(fan-in) {_d('weight_range')}", "--weight-range"),
    input_scale: float = _option(f"input at full-scale voltage [units of x] {_d('input_scale')}", "--input-scale"),
    adc_range: float = _option(f"full scale of one conversion [units of z] {_d('adc_range')}", "--adc-range"),
    dac: str = _option(f"bits of the row drivers, or none {_d('dac')}", "--dac"),
    adc: str = _option(f"bits of the column converters, or none {_d('adc')}", "--adc"),
    tile: str = _option(f"largest tile, rows x columns [cells] {_d('tile')}", "--tile"),
    partial_sums: str = _option(f"sums over tiles: digital or analog {_d('partial_sums')}", "--partial-sums"),
    no_read_noise: bool = typer.Option(False, "--no-read-noise", help="switch the read noise off"),
    no_write_noise: bool = typer.Option(False, "--no-write-noise", help="switch the cycle-to-cycle noise off"),
    no_device_spread: bool = typer.Option(False, "--no-device-spread", help="switch the device-to-device spread off"),
    no_step_nonlinearity: bool = typer.Option(
        False, "--no-step-nonlinearity", help="steps that do not depend on the state, where the model has that limit"
    ),
    stuck_low: float = _option("share of cells stuck at low conductance [1] [default: 0]", "--stuck-low"),
    stuck_high: float = _option("share of cells stuck at high conductance [1] [default: 0]", "--stuck-high"),
    dead_rows: float = _option("share of word lines that carry nothing [1] [default: 0]", "--dead-rows"),
    dead_columns: float = _option("share of bit lines that carry nothing [1] [default: 0]", "--dead-columns"),
    fault_map: str = _option("explicit faults: .npz file with entries such as 0.stuck_low", "--fault-map"),
    program_to: str = _option(
        "device: write the trained weights once to a chip of it, and test that chip as it ages", "--program-to"
    ),
    technology: str = _option(f"energy technology: a name or a .toml file {_d('technology')}", "--technology"),
    seed: int = _option(f"seed of the experiment {_d('seed')}", "--seed"),
    chip_seed: int = _option(f"seed of the physical chip {_d('chip_seed')}", "--chip-seed"),
    threads: int = _option("threads [default: all cores]; the result is the same for any number", "--threads"),
    out: str = _option("run folder; must not exist [default: runs/DATA-DEVICE-LEARNER-sSEED-cCHIP]", "--out"),
    resume: bool = typer.Option(False, "--resume", help="go on with the interrupted run in --out, bit for bit"),
    ablate: bool = typer.Option(
        False, "--ablate", help="run again without each non-ideality in turn, and tabulate what each costs"
    ),
    as_json: bool = typer.Option(False, "--json", help="print result.json on standard output and nothing else"),
) -> None:
    """Train a network in situ on a simulated analog chip by Forward-Forward, and count every pulse."""
    given = dict(locals())
    for name in ("threads", "resume", "as_json", "no_read_noise", "no_write_noise", "no_device_spread",
                 "no_step_nonlinearity", "ablate"):  # fmt: skip
        given.pop(name)
    parsers = {
        "layers": parse_layers,
        "tile": parse_tile,
        "dac": lambda text: parse_bits("--dac", text),
        "adc": lambda text: parse_bits("--adc", text),
    }
    options = {k: parsers[k](v) if k in parsers else v for k, v in given.items() if v is not None and v is not False}
    switches = {"read_noise": no_read_noise, "write_noise": no_write_noise, "device_spread": no_device_spread,
                "step_nonlinearity": no_step_nonlinearity}  # fmt: skip
    options |= {name: False for name, off in switches.items() if off}
    config = _configure(options, resume and not ablate)
    if threads is not None:
        _set_threads(threads)
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
    recipe = RECIPES.get(options.get("device", Config.device), RECIPES["default"])
    return Config(**{**recipe, **options})


def _set_threads(threads: int) -> None:
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
        return _say(f"the run stopped: {str(error).rstrip('.')}; its last checkpoint is kept, go on with --resume", 1)
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
    print(f"error: {' '.join(sentence.split()).rstrip('.')}.", file=sys.stderr)
    return status


def main(arguments: list[str] | None = None) -> None:
    """Run `simulate` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
