"""Make the example tables of optical transfers: a published law, sampled with 1 % of noise, in the form of a measurement.

python examples/transfers/make.py saturable_absorber > examples/transfers/saturable_absorber.csv
python examples/transfers/make.py modulator > examples/transfers/modulator.csv
"""

from __future__ import annotations

import sys

import numpy as np

NOISE = 0.01
"""Standard deviation of an output, as a share of it."""


def saturable_absorber(u: np.ndarray) -> np.ndarray:
    """Return v = u T(u) with u = ln(T/T_0)/(2 (1 - T)) and T_0 = 0.1, found by halving the range of T."""
    low, high = np.full_like(u, 0.1), np.ones_like(u)
    for _ in range(60):
        middle = (low + high) / 2
        below = np.log(middle / 0.1) < 2 * u * (1 - middle)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return u * low


def modulator(u: np.ndarray) -> np.ndarray:
    """Return v = sin²(pi u/2) of a Mach-Zehnder modulator that is dark at rest, u in units of its half-wave voltage."""
    return np.sin(np.pi * u / 2) ** 2


LAWS = {
    "saturable_absorber": (
        saturable_absorber,
        np.arange(0.0, 8.01, 0.1),
        1.0,
        "input [saturation intensities],output [saturation intensities]",
        "A. C. Selden, Br. J. Appl. Phys. 18 (1967) 743, doi:10.1088/0508-3443/18/6/306, as in Y. Shen et al., Nature Photonics "
        "11 (2017) 441, doi:10.1038/nphoton.2017.93",
    ),
    "modulator": (
        modulator,
        np.arange(-2.0, 3.01, 0.05),
        0.5,
        "input [half-wave voltages],output [share of the light]",
        "as used in I. A. D. Williamson et al., IEEE J. Sel. Top. Quantum Electron. 26 (2020) 7700412, "
        "doi:10.1109/JSTQE.2019.2930455",
    ),
}
"""Name -> law, inputs, input that stands for z = 1, titles of the columns, source."""


def table(name: str) -> str:
    """Return the text of an example's file."""
    law, u, one, titles, source = LAWS[name]
    noise = 1 + NOISE * np.random.Generator(np.random.PCG64(1)).standard_normal(len(u))
    lines = [
        f"# Computed from the published law of {name.replace('_', ' ')}s with {NOISE:.0%} of noise, not measured.",
        f"# Law: {law.__doc__.partition(chr(10))[0].removeprefix('Return ').rstrip('.') if law.__doc__ else ''}",
        f"# Source: {source}",
        f"# input at 1: {one:g}",
        f"# output at 1: {float(law(np.array([one]))[0]):.6g}",
        titles,
        *(f"{a:.4g},{b:.6f}" for a, b in zip(u, law(u) * noise, strict=True)),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(sys.argv[1]))
