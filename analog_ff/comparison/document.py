"""The document of a comparison, compare.json, collected from its points, and all files that are made of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analog_ff.comparison.digital_reference import against, digital_reference
from analog_ff.comparison.plan import Point, load
from analog_ff.comparison.pricing import Pricing, row
from analog_ff.comparison.table import table
from analog_ff.config.config import Config
from analog_ff.output import whole_files
from analog_ff.plain import Document, Facts
from analog_ff.runs.chip_parts import box_of
from analog_ff.runs.origin import of_several
from analog_ff.runs.results import plain
from hardware_models.energy import load_technology
from hardware_models.load import has_table, read_table

LABELS = ("data", "layers", "epochs", "batch", "dac", "adc", "update", "gate", "nonlinearity", "sealed")
"""Choices that every picture and table names."""
DEVICE_FIGURES = ("t_read", "v_read", "v_up", "t_up", "v_down", "t_down", "g_max")


def collect(
    points: Sequence[Point], *, accuracy: float, draws: int, fixed_device: bool = False,
    common: Facts | None = None, settings: Sequence[str] = (), command: str | None = None,
) -> Document:  # fmt: skip
    """Return the document of finished points, ready for JSON; `command` is the one that repeats the comparison."""
    first = points[0].config
    technology = load_technology(first.technology)
    labels = list(dict.fromkeys(p.label for p in points))
    devices, rows, differences, results = [], [], [], []
    for device in dict.fromkeys(p.device for p in points):
        here = [p for p in points if p.device == device]
        runs = {label: [load(p) for p in here if p.label == label] for label in labels}
        ranges = {} if fixed_device else ranges_of(here[0].config)
        results += [result for several in runs.values() for result, *_ in several]
        description = runs[labels[0]][0][0]["device"]
        found = [row(device, label, runs[label], accuracy) for label in labels]
        pricing = Pricing(technology, found, description, ranges, draws)
        rows += [pricing.priced(r) for r in found]
        differences += [pricing.difference(r, found[0]) for r in found[1:]]
        shown = {name: description[name] for name in DEVICE_FIGURES if description.get(name) is not None}
        devices.append(
            {
                "name": device,
                "spec": here[0].config.device,
                "figures": shown,
                "kinds": {name: entry["kind"] for name, entry in ranges_of(here[0].config).items()},
                "ranges": sorted(
                    path for same in pricing.model.quantities.values() for path in same if "device." in path
                ),
                "line_current_ratio": _line_currents([result for several in runs.values() for result, *_ in several]),
                "assumptions": list(description.get("assumptions", ())),
            }
        )
    return plain(
        {
            "schema": 1,
            "technology": technology.name,
            "technology_sha256": technology.sha256,
            "node_nm": technology.node_nm,
            "static": technology.static_statement,
            "omitted": list(technology.omits),
            "split": first.split,
            "accuracy_percent": accuracy,
            "draws": draws,
            "seeds": list(dict.fromkeys(p.seed for p in points)),
            "reference": labels[0],
            "labels": {name: _values(points, name) for name in LABELS} | {"nonlinearity": boxes(points)},
            "common": dict(common or {}),
            "settings": list(settings),
            **({} if command is None else {"command": command}),
            **of_several(results),
            "devices": devices,
            "rows": rows,
            "differences": differences,
            "digital": [
                r | {"ratio_per_update": against(r, [x for x in rows if x["learner"] == labels[0]])}
                for r in digital_reference(first, technology)
            ],
        }
    )


def ranges_of(config: Config) -> dict[str, Document]:
    """Return the entries of a device's parameter file that have a range; none for a device without such a file.

    A figure that the run replaces has no range: it is that of another device.
    """
    entries = read_table(config.device)[0] if has_table(config.device) else {}
    replaced = {given.name for given in config.single_figures()}
    return {
        name: entries[name]
        for name in DEVICE_FIGURES
        if name not in replaced
        and isinstance(entries.get(name), dict)
        and {"low", "value", "high"} <= set(entries[name])
    }


def _line_currents(results: Sequence[Facts]) -> dict[str, float] | None:
    """Return the largest current of a line over its limit, for reads and for writes, of all runs on a device."""
    found = [r["energy"]["line_currents"]["line_current_ratio"] for r in results if r["energy"]["line_currents"]]
    return {what: max(ratio[what] for ratio in found) for what in ("read", "write")} if found else None


def _values(points: Sequence[Point], name: str) -> list[Any]:
    values = [getattr(p.config, name) for p in points]
    return list(dict.fromkeys(",".join(map(str, v)) if isinstance(v, tuple) else v for v in values))


def boxes(points: Sequence[Point]) -> list[str]:
    """Return the nonlinearities of all points, each with its strength and its place where they are not the defaults."""
    return list(dict.fromkeys(box_of(p.config) for p in points))


def write(document: Document, folder: Path) -> str:
    """Write compare.json, compare.md and three pictures, each as a whole; return the table."""
    from analog_ff.comparison.plots import draw_amounts, draw_comparison, draw_tornado

    lines = table(document)
    whole_files.write(folder / "compare.json", json.dumps(document, indent=1) + "\n")
    whole_files.write(folder / "compare.md", "\n".join(lines) + "\n")
    draw_comparison(document, folder / "compare.png")
    draw_amounts(document, folder / "amounts.png")
    draw_tornado(document, folder / "tornado.png")
    return "\n".join([*lines, "", f"folder: {folder}"])
