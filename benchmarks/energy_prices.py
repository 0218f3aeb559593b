"""Write the prices of the default technology, with their ranges, laws and sources, as the tables of the page on energy.

    python benchmarks/energy_prices.py [--write]

With --write the tables go to docs/explanation/energy.md, between their marks.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from analog_ff.output.quantities import quantity
from hardware_models.energy import load_technology
from hardware_models.energy.components import Component, Figure
from hardware_models.energy.load import Technology

TECHNOLOGY = "cmos-32nm-wide"
"""Technology of the main job."""
UNITS = {"energy": "J", "capacitance": "F", "power": "W", "time": "s", "frequency": "Hz", "voltage": "V", "current": "A",
         "resistance": "Ohm"}  # fmt: skip
"""SI unit of each dimension of a price; a number and an area are written without a prefix."""


def amount(value: float, figure: Figure) -> str:
    """Return a value of a figure with its unit."""
    unit = UNITS.get(figure.dimension)
    return quantity(value, unit) if unit else f"{value:.3g}"


def row(name: str, law: str, figure: Figure) -> str:
    """Return the row of one figure: nominal value, range, kind and keys of its sources."""
    low, nominal, high = (amount(value, figure) for value in figure.values)
    recalled = ", recalled" if "recalled" in figure.statuses else ""
    keys = ", ".join(f"`{key}`" for key in dict.fromkeys(figure.sources))
    return f"| {name} | {law} | {nominal} | {low} to {high} | {figure.kind}{recalled} | {keys} |"


def of_event(name: str, component: Component) -> list[str]:
    """Return the rows of an event's price: one for each figure of its law."""
    if component.carried_by:
        return [f"| `{name}` | in the integral `{component.carried_by}` | - | - | - | - |"]
    several = len(component.figures) > 1
    law = f"`{component.law}`"
    return [row(f"`{name}`, {key}" if several else f"`{name}`", law, f) for key, f in component.figures.items()]


def prices(technology: Technology) -> list[str]:
    """Return the table of the prices of all events."""
    rows = (line for name, component in technology.components.items() for line in of_event(name, component))
    return ["| event | law | nominal | range | kind | sources |", "|---|---|---|---|---|---|", *rows]


def figures(technology: Technology) -> list[str]:
    """Return the table of the figures that are the price of no single event."""
    one: Mapping[str, Figure | None] = {
        "read voltage, where the device gives none": technology.read_voltage,
        "supply of the drivers": technology.supply,
        "full scale over the mean voltage of a read": technology.drive_ratio,
        "share of clock and control in digital work": technology.control,
        "static power": technology.static_power,
        "leakage of a byte of memory": technology.leakage,
        "current that a line bears": technology.line_current,
        "resistance of a line from cell to cell": technology.line_resistance,
    }
    many = {f"time: {name}": f for name, f in technology.times.items()}
    many |= {f"area: {name.replace('_', ' ')} [{_area(f)}]": f for name, f in technology.areas.items()}
    named: Iterable[tuple[str, Figure | None]] = (*one.items(), *many.items())
    rows = [row(name, "-", figure) for name, figure in named if figure is not None]
    return ["| figure | law | nominal | range | kind | sources |", "|---|---|---|---|---|---|", *rows]


def _area(figure: Figure) -> str:
    """Return the unit of an area: square metres, or squares of the node for a cell."""
    return "m²" if figure.dimension == "area" else "F²"


def sources(technology: Technology) -> list[str]:
    """Return the table of the sources, by the keys that the other tables name."""
    lines = ["| key | source |", "|---|---|"]
    for key, source in technology.sources.items():
        doi = f", [{source['doi']}](https://doi.org/{source['doi']})" if "doi" in source else ""
        said = "; ".join(str(source[part]) for part in ("title", "basis") if part in source)
        lines.append(f"| `{key}` | {said}{doi} |")
    return lines


def tables() -> dict[str, list[str]]:
    """Return the lines of each table by its mark."""
    technology = load_technology(TECHNOLOGY)
    return {"prices": prices(technology), "figures": figures(technology), "sources": sources(technology)}


def main() -> None:
    """Print the tables, and with --write put them into the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/explanation/energy.md")
    write = parser.parse_args().write
    for mark, lines in tables().items():
        print("\n".join(lines), end="\n\n")
        if write:
            from energy_acceptance import put

            put(mark, lines)


if __name__ == "__main__":
    main()
