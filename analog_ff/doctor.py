"""``python -m analog_ff doctor``: what this machine has for the program, and what it lacks."""

from __future__ import annotations

import json
import sys

import typer

from analog_ff.cli.app import command_of, run_app
from analog_ff.output.messages import answer, tell
from analog_ff.plain import Document


def doctor(
    as_json: bool = typer.Option(False, "--json", help="print one JSON document on standard output and nothing else"),
) -> None:
    """Tell what this machine has for the program: versions, speed, compiled kernels, data and disk.

    The exit status is 0 if everything is there that the main job needs, and 1 with a sentence for each thing that is missing.
    """
    from analog_ff.health.facts import facts

    found = facts()
    if as_json:
        answer(json.dumps(found))
    else:
        show(found)
    for sentence in found["missing"]:
        tell(f"missing: {sentence}")
    if found["missing"]:
        raise typer.Exit(1)


def show(found: Document) -> None:
    """Print the facts, a row each, and the notes below them."""
    from rich.box import HORIZONTALS
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="this machine", box=HORIZONTALS, show_header=False, show_edge=False)
    table.add_column("what", no_wrap=True)
    table.add_column("value", overflow="fold")
    for name, value, style in _rows(found):
        table.add_row(name, Text(value, style=style))
    console = Console(markup=False, emoji=False)
    console.print(table)
    for note in found["notes"]:
        console.print(f"note: {note}", style="yellow", highlight=False)
    console.print(
        "everything that the main job needs is there" if not found["missing"] else "the main job cannot run here",
        style="red" if found["missing"] else "green", highlight=False,
    )  # fmt: skip


def _rows(found: Document) -> list[tuple[str, str, str]]:
    from analog_ff.health.facts import absent
    from analog_ff.output.quantities import quantity

    own, kernels = found["versions"], found["kernels"]
    warm = "warm" if kernels["compiled"] else "cold"
    rows = [
        ("analog-ff", f"{own['analog-ff']}, rules of version {own['model']}", "bold"),
        ("Python", f"{own['python']}, {own['machine']}", ""),
        *((name, version, "") for name, version in found["packages"].items() if name in ("numpy", "numba", "scipy", "brian2")),
        ("packages not installed", ", ".join(absent(found["packages"])) or "none", ""),
        ("processor", own["cpu"], ""),
        ("cores, threads of the kernels", f"{found['cores']}, {found['threads']}", ""),
        ("BLAS and its kernels", own["blas"], ""),
        ("   its speed on one thread", f"{found['blas_gflops']:.3g} GFLOP/s (float32 product)", ""),
        ("C++ compiler", found["compiler"] or "none", "" if found["compiler"] else "yellow"),
        (
            "compiled kernels", f"{warm}: {kernels['compiled']} of {kernels['known']} (a run calls some of them)",
            "green" if kernels["compiled"] else "yellow",
        ),
        ("   their folder", kernels["folder"] or "none that can be written to", "" if kernels["writable"] else "yellow"),
        *((f"data {name}", place or "not there", "" if place else "yellow") for name, place in found["data"].items()),
    ]  # fmt: skip
    for name, room in found["disk"].items():
        free = quantity(room["free_bytes"], "B")
        state = f"{free} free" if room["writable"] else "cannot be written to"
        rows.append((name, f"{room['folder']}, {state}", "" if room["writable"] else "red"))
    return rows


app = command_of(doctor)


def main(arguments: list[str] | None = None) -> None:
    """Run `doctor` and exit with its status."""
    sys.exit(run_app(app, arguments))


if __name__ == "__main__":
    main()
