"""The state of every cell after a run, as the bench sees it: ``cells.h5`` and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from analog_ff.output import whole_files
from analog_ff.output.forms import hdf5, panels, picture
from hardware_models.port import ChipBench

NAME = "cells.h5"
PICTURED = 8
"""Layers of the chip in the picture at most; the file has all."""
UNITS = {"conductance": "S", "pulses": "1", "at_low": "1", "at_high": "1", "sample": "1", "asymmetry": "1",
         "symmetry_point": "S"}  # fmt: skip


def write(folder: Path, port: ChipBench) -> bool:
    """Write cells.h5 and cells.png as a whole; return False for a chip that cannot be looked into."""
    if port.sealed:
        return False
    looks = [port.cells(layer) for layer in range(len(port.shapes))]

    def fill(file: Any) -> None:
        for layer, look in enumerate(looks):
            group = file.create_group(f"layer{layer}")
            group.attrs["note"] = "bit lines alternate: G+ and G- of a weight are neighbours; sample: flat positions"
            for name, unit in UNITS.items():
                values = getattr(look, name)
                item = group.create_dataset(name, data=values, compression="gzip" if values.size > 1000 else None)
                item.attrs["unit"] = unit

    whole_files.write(folder / NAME, hdf5(fill))
    shown = np.unique(np.linspace(0, len(looks) - 1, min(PICTURED, len(looks))).round().astype(int))
    whole_files.write(folder / "cells.png", _picture({int(layer): looks[layer] for layer in shown}))
    return True


def _picture(looks: dict[int, Any]) -> bytes:
    """Return the histograms of conductance and of pulses received, a row a layer."""
    figure, axes = panels(len(looks), 2, size=(8.5, 2.6 * len(looks)), squeeze=False, share_x="col")
    # One scale for all layers, so that they can be compared.
    most = max(float(np.quantile(look.pulses, 0.999)) for look in looks.values())
    width = -(-int(most) // 60) or 1  # whole pulses a bin
    for (layer, look), (left, right) in zip(looks.items(), axes, strict=True):
        plus, minus = look.conductance[:, 0::2].ravel() * 1e6, look.conductance[:, 1::2].ravel() * 1e6
        low, high = float(min(plus.min(), minus.min())), float(max(plus.max(), minus.max()))
        edges = np.linspace(low, max(high, low * (1 + 1e-4), 1e-12), 81)  # cells of one conductance need bins, too
        for values, name in ((plus, "G+"), (minus, "G-")):
            left.hist(values, bins=edges, density=True, histtype="step", label=name)
        for bound in look.range:
            left.axvline(bound * 1e6, color="0.6", linestyle=":", linewidth=1)
        share = 100.0 * float((look.at_low | look.at_high).mean())
        left.set(ylabel=f"layer {layer}: density [1/uS]", title=f"{share:.1f} % at a bound (dotted: nominal bounds)")
        left.legend()
        right.hist(look.pulses.ravel(), bins=np.arange(-0.5, max(most, 1.0) + width, width), color="C2")
        right.set(ylabel="cells", title=f"mean {look.pulses.mean():.1f} pulses a cell")
    axes[-1, 0].set_xlabel("conductance [uS]")
    axes[-1, 1].set_xlabel("pulses received, programming included")
    return picture(figure, dpi=120)
