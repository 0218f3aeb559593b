"""The cost of each non-ideality: the same run with each one switched off in turn, and with all of them off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from analog_ff.config.config import Config
from analog_ff.config.parts import ADC_FAULTS, DAC_FAULTS
from analog_ff.output import folders, whole_files
from analog_ff.output.forms import document
from analog_ff.plain import Document
from analog_ff.runs.build import loaded_device
from analog_ff.runs.execute import execute
from analog_ff.runs.origin import check_alike
from hardware_models.check import UsageError
from hardware_models.places import placed

FAULTS_OFF: Document = {
    "stuck_low": 0.0,
    "stuck_high": 0.0,
    "dead_rows": 0.0,
    "dead_columns": 0.0,
    "fault_map": None,
}
FAULTLESS: Document = {
    **dict.fromkeys((*ADC_FAULTS, *DAC_FAULTS), 0.0),
    "calibrate": "none",
    "calibration_reads": Config.calibration_reads,
}
SWITCHES: dict[str, Document] = {
    "read noise": {"read_noise": False},
    "access transistors": {"access_transistor": False},
    "line noise": {"johnson_noise": False, "chip_temperature": 300.0, "shot_noise": 0.0},
    "write noise": {"write_noise": False},
    "device spread": {"device_spread": False},
    "step nonlinearity": {"step_nonlinearity": False},
    "converters": {"dac": None, "adc": None, **FAULTLESS},
    "converter faults": FAULTLESS,
    "wires": {"wires": "off", "wire_resistance": None, "wire_tolerance": Config.wire_tolerance},
    "faults": FAULTS_OFF,
    "wear": {"endurance": None, "endurance_spread": 0.0},
    "retention": {"retention": None},
}
"""Name of each non-ideality -> the choices of a run that is free of it."""


def cases(config: Config) -> dict[str, Config]:
    """Return the runs of an ablation by name: as given, without each non-ideality that the run has, without all of them."""
    device = loaded_device(config)
    without = {"read_noise": "read_noise", "write_noise": "write_noise", "device_spread": "spread",
               "step_nonlinearity": "nonlinearity"}  # fmt: skip
    contained = config.read_noise and device.read_noise_contains_thermal  # then no Johnson noise is added
    idle = {"access transistors": not device.r_access, "line noise": contained and not config.shot_noise}
    present = {}
    for name, off in SWITCHES.items():
        if idle.get(name) or all(getattr(config, key) == value for key, value in off.items()):
            continue
        switch = without.get(next(iter(off)))
        if switch is not None and device.without(**{switch: True}) == device:
            continue
        present[name] = off
    if not present:
        raise UsageError(f"device '{config.device}' has no non-ideality left to switch off.")
    folder = config.folder()
    runs = {"as given": replace(config, out=str(folder / "as-given"))}
    for name, off in present.items():
        runs[f"no {name}"] = replace(config, **off, out=str(folder / f"no-{name.replace(' ', '-')}"))
    if len(present) > 1:
        everything = {key: value for off in present.values() for key, value in off.items()}
        runs["all of these off"] = replace(config, **everything, out=str(folder / "none"))
    return runs


def ablate(
    config: Config, *, resume: bool = False, keep: str = "last", say: Callable[[str], None] = print
) -> tuple[Document, Path]:
    """Run every case into a folder of its own and return the table, also kept as ``ablation.json``.

    What stays in these folders is chosen by `keep`, see `analog_ff.runs.execute.execute`.
    Raise UsageError before anything is written if the folder exists and is not resumed.
    """
    folder = config.folder()
    if not resume:
        folders.must_be_new(placed(folder))
    runs = cases(config)
    kind = "test" if config.split == "final" else "validation"
    rows: list[Document] = []
    found: dict[str, Document] = {}
    for name, case in runs.items():
        say(f"{name}: {case.out}")
        result, _ = execute(case, resume=resume and Path(case.out).exists(), keep=keep)
        found[case.out] = result
        check_alike(found)
        rows.append(
            {
                "case": name,
                f"{kind}_error_percent": result[f"{kind}_error_percent"],
                f"{kind}_error_percent_by_readout": result[f"{kind}_error_percent_by_readout"],
                "share_at_bound": result["cells"]["share_at_bound"],
                "share_worn": result["cells"].get("share_worn"),
                "energy_per_update_joule": result["energy"]["per_update_joule"],
            }
        )
    base = rows[0][f"{kind}_error_percent"]
    for row in rows:
        row["costs_percent"] = base - row[f"{kind}_error_percent"]
    table = {"schema": 1, "config": config.as_dict(), "seed": config.seed, "chip_seed": config.chip_seed, "rows": rows}
    whole_files.write(folder / "ablation.json", document(table))
    return table, folder


def show(table: Document, folder: Path) -> None:
    """Print the table of an ablation."""
    from rich.console import Console
    from rich.table import Table

    kind = "test" if table["config"]["split"] == "final" else "validation"
    shown = Table(title=f"{table['config']['device']}: what each non-ideality costs (one seed, one chip)")
    shown.add_column("run")
    for column in (f"{kind} error", "cost", "at a bound"):
        shown.add_column(column, justify="right")
    for row in table["rows"]:
        share = row["share_at_bound"]
        cost = "" if row["case"] == "as given" else f"{row['costs_percent']:+.2f} points"
        bound = "sealed" if share is None else f"{100 * share:.1f} %"
        shown.add_row(row["case"], f"{row[f'{kind}_error_percent']:.2f} %", cost, bound)
    console = Console(markup=False, emoji=False)
    console.print(shown)
    console.print(
        f"cost: {kind} error as given less that of the run. One seed has no interval: repeat with other --seed and "
        "--chip-seed before a small cost, or a cost below zero, is believed.",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    console.print(f"folder: {folder}", soft_wrap=True, highlight=False)
