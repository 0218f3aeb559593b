"""Draw laws of physics beside what the simulator does: `python benchmarks/validation_figures.py [--write]`.

Each check runs the code of the packages on a small case, compares it with a closed form in float64, and states the largest
deviation beside the one that is allowed, with the reason. A check that is further off ends the script with an error. With --write
the pictures go to docs/img/validation_*.png, and the table to docs/validation.md between its marks.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
from validation_cells import ERRORS, KEY, SIZE, Check, beside, pulse_noise, quiet, staircase, time_laws, wear

from analog_ff.output import whole_files
from analog_ff.output.forms import panels, picture
from hardware_models.chip import Chip
from hardware_models.converters.adc import Adc
from hardware_models.converters.dac import Dac
from hardware_models.crossbar import Crossbar
from hardware_models.crossbar.line_noise import LineNoise
from hardware_models.energy.oracles.closed_forms import added, neurons, read, times
from hardware_models.units import BOLTZMANN, ELECTRON
from hardware_models.wires import solve

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
PAGE = DOCS / "validation.md"
WIRES = HERE / "results" / "wires_accuracy.json"


def line_noise() -> Check:
    """Return the variance of read currents beside 2kT sum(G)/t and q sum(I)/t."""
    figure, axes = panels(size=(4.6, 2.9))
    draws, worst = 4000, 0.0
    seconds = np.array([1e-9, 1e-8, 1e-7, 1e-6])
    volts = np.full((1, 20), 0.2, np.float32)
    for number, (label, noise) in enumerate(
        [("Johnson, 300 K", LineNoise(johnson=True)), ("Johnson, 150 K", LineNoise(johnson=True, temperature=150.0)),
         ("shot, F = 1, 0.2 V", LineNoise(fano=1.0))]
    ):  # fmt: skip
        seen, law = [], []
        for t in seconds:
            bar = Crossbar(quiet().with_read_time(float(t)), (20, 6), key=KEY, noise=noise)
            bar.program(np.random.default_rng(0).standard_normal((20, 6)) / 5.0, key=KEY.child("weights"))
            sums = bar.conductances.sum(axis=(0, 1), dtype=np.float64)
            clean = volts.astype(np.float64) @ bar.differences
            noisy, _ = bar.read(np.repeat(volts, draws, axis=0), key=KEY.child("read"))
            expected = ELECTRON * 0.2 * sums / t if noise.fano else 2 * BOLTZMANN * noise.temperature * sums / t
            ratio = np.mean((noisy - clean) ** 2, axis=0) / expected
            worst = max(worst, float(np.abs(ratio - 1.0).max()))
            seen.append(float(np.mean((noisy - clean) ** 2)))
            law.append(float(expected.mean()))
        axes.plot(seconds, seen, "o", ms=4, color=f"C{number}", label=label)
        axes.plot(seconds, law, lw=1, color="black")
    beside(axes, "noise of a line of 20 pairs of cells", "read time [s]", "variance [A²]", xscale="log", yscale="log")
    axes.legend(fontsize="small")
    return Check("line_noise", "variance of a read, share of itself", worst, ERRORS * math.sqrt(2 / draws),
                 f"{ERRORS:g} standard errors of the variance of {draws} reads", figure)  # fmt: skip


def converters() -> Check:
    """Return the error of converters beside that of uniform rounding."""
    figure, axes = panels(size=(4.6, 2.9))
    number, worst = 100_000, 0.0
    bits = np.arange(3, 13)
    values = np.random.default_rng(0).uniform(0.0, 0.99, number).astype(np.float32)
    adc, dac, adc_law, dac_law = [], [], [], []
    for b in bits:
        there = Adc(bits=int(b), full_scale=1.0)
        z, _ = there.convert(values[None, None], 1.0, None, KEY)
        v, _ = Dac(bits=int(b)).convert(values[None], 1.0)
        adc.append(float(np.sqrt(np.mean((z[0] - values.astype(np.float64)) ** 2))))
        dac.append(float(np.sqrt(np.mean((v[0] - values.astype(np.float64)) ** 2))))
        adc_law.append(1.0 / (2 ** (b - 1) - 1) / math.sqrt(12))
        dac_law.append(1.0 / (2**b - 1) / math.sqrt(12))
    for label, seen, law in (("ADC", adc, adc_law), ("DAC", dac, dac_law)):
        axes.plot(bits, seen, "o", ms=4, label=label)
        axes.plot(bits, law, lw=1, color="black")
        use = bits >= 6  # coarser converters do not see a uniform part of each step
        worst = max(worst, float(np.abs(np.array(seen) / np.array(law) - 1.0)[use].max()))
    beside(axes, "root mean square error of a conversion", "bits", "error, full scale 1", yscale="log")
    axes.legend(fontsize="small")
    return Check("converters", "error of 6 bits and more, share of step/sqrt(12)", worst,
                 ERRORS * 0.5 * math.sqrt(0.8 / number) + 0.02,
                 f"{ERRORS:g} standard errors of {number} conversions, and 2 % for steps cut by the range", figure)  # fmt: skip


def wires() -> Check:
    """Return voltages along one line beside the closed form of a ladder, and stored errors against other solvers."""
    figure, (left, right) = panels(1, 2, size=SIZE)
    n, g, worst = 64, 1e-4, 0.0
    at = np.arange(1, n + 1)
    for number, r in enumerate((0.5, 2.0, 8.0)):
        t = math.acosh(1.0 + 0.5 * r * g)
        law = np.cosh((n + 0.5 - at) * t) / math.cosh((n + 0.5) * t)
        seen = solve(np.full((1, n), g), [[1.0]], r, 0.0, tolerance=1e-12)[0] / g
        left.plot(at[::4], seen[::4], "o", ms=4, color=f"C{number}", label=f"{r:g} ohm a segment")
        left.plot(at, law, lw=1, color="black")
        worst = max(worst, float(np.abs(seen / law - 1.0).max()))
    beside(left, "voltage along a word line, cells of 10 kOhm", "cell", "share of the driver's voltage")
    left.set_ylim(0.0, 1.03)
    left.legend(fontsize="x-small", loc="lower left")
    rows = json.loads(WIRES.read_text(encoding="utf-8"))["rows"]
    for number, against in enumerate(dict.fromkeys(row["against"] for row in rows)):
        found = [row for row in rows if row["against"] == against]
        right.plot([math.prod(row["shape"]) for row in found], [row["of_own"] for row in found], "o", ms=4,
                   color=f"C{number}", label=against)  # fmt: skip
    right.axhline(1e-6, lw=1, color="black")
    right.legend(fontsize="x-small")
    beside(right, "currents against other solvers (stored)", "cells", "error of a current, of itself",
           xscale="log", yscale="log")  # fmt: skip
    return Check("wires", "voltage along a line, share of itself", worst, 1e-11,
                 "a solution to 1e-12 of a current, and the rounding of 64 segments in float64", figure)  # fmt: skip


def energy() -> Check:
    """Return counts and V² G of reads beside their closed forms."""
    figure, (left, right) = panels(1, 2, size=SIZE)
    sizes, images, worst = (8, 16, 32, 64, 128), 4, 0.0
    names = ("reads.cells", "dac.8", "adc.8", "nonlinearity")
    counted, law, joules, exact = [], [], [], []
    for n in sizes:
        chip = Chip("memristor", [(n, n // 2)], nonlinearity="sigmoid", tile=(128, 128))
        rng = np.random.default_rng(n)
        chip.program(0, rng.standard_normal((n, n // 2)) / math.sqrt(n), key=KEY)
        scale = chip.sheet(0).input_scale
        x = rng.uniform(0.0, scale, (images, n)).astype(np.float32)
        _, events = chip.observe(0, x, key=KEY.child("read"))
        wanted = times(images, added(read(n, n // 2, dac=8, adc=8), neurons(n // 2)))
        counted.append([events[name] for name in names])
        law.append([wanted[name] for name in names])
        volts = chip.device.v_read * np.rint(255 * np.clip(x.astype(np.float64) / scale, 0.0, 1.0)) / 255
        sums = chip.oracle.conductances(0).astype(np.float64).sum(axis=(0, 2))
        joules.append(events.integrals["read.v2g"])
        exact.append(float((volts**2 @ sums).sum()))
    for k, name in enumerate(names):
        left.plot(sizes, [row[k] for row in counted], "o", ms=4, color=f"C{k}", label=name)
        left.plot(sizes, [row[k] for row in law], lw=1, color="black")
    right.plot(sizes, joules, "o", ms=4, label="read.v2g")
    right.plot(sizes, exact, lw=1, color="black")
    beside(left, f"events of {images} reads", "rows", "number", xscale="log", yscale="log")
    beside(right, "dissipation in the cells", "rows", "sum of V² G [W]", xscale="log", yscale="log")
    left.legend(fontsize="x-small")
    if counted != law:
        raise SystemExit(f"counts of reads are {counted}, their closed forms {law}")
    worst = float(np.abs(np.array(joules) / np.array(exact) - 1.0).max())
    return Check("energy", "V² G of reads, share of itself (counts are equal)", worst, 1e-5,
                 "voltages in float32, sums in float64", figure)  # fmt: skip


CHECKS = (staircase, pulse_noise, line_noise, time_laws, wear, converters, wires, energy)


def table(checks: list[Check]) -> list[str]:
    """Return the lines of the table of deviations."""
    lines = ["| picture | what is compared | largest deviation | allowed | why so much |", "|---|---|---|---|---|"]
    for check in checks:
        link = f"[{check.name.replace('_', ' ')}](img/validation_{check.name}.png)"
        lines.append(f"| {link} | {check.what} | {check.deviation:.2g} | {check.allowed:.2g} | {check.why} |")
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Run all checks; with --write leave their pictures and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="write docs/img/validation_*.png and the table of the page"
    )
    options = parser.parse_args(arguments)
    checks = [make() for make in CHECKS]
    print("\n".join(table(checks)))
    for check in checks:
        if not check.deviation <= check.allowed:
            raise SystemExit(
                f"validation_{check.name}: {check.what} is off by {check.deviation:.3g}, allowed {check.allowed:.3g}"
            )
    if options.write:
        for check in checks:
            whole_files.write(DOCS / "img" / f"validation_{check.name}.png", picture(check.figure, dpi=110))
        head, rest = PAGE.read_text(encoding="utf-8").split("<!-- deviations -->\n")
        tail = rest.split("<!-- end deviations -->")[1]
        body = "\n".join(table(checks))
        whole_files.write(PAGE, f"{head}<!-- deviations -->\n{body}\n<!-- end deviations -->{tail}")


if __name__ == "__main__":
    main()
