"""The command ``python -m analog_ff spiking --cortex``: run the chosen cortex tests and write their outcome."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from analog_ff.output.messages import answer, tell
from analog_ff.plain import Document, Facts
from analog_ff.spiking.config import SpikingConfig
from analog_ff.spiking.cortex.base import Test
from analog_ff.spiking.cortex.document import ScoreCard
from analog_ff.spiking.cortex.table import TESTS
from hardware_models.check import UsageError, positive_int
from hardware_models.files import home
from hardware_models.tables import closest

DEFAULTS: Mapping[str, object] = {"layers": (300,), "epochs": 4, "split": "holdout", "shift": 0}
"""Options in which the base configuration of the tests differs from a spiking run: a small network, and no shifts."""


def base_of(options: Facts) -> SpikingConfig:
    """Return the base configuration: the defaults of the tests, replaced by the given options."""
    chosen: Document = {**DEFAULTS, **options}
    config = SpikingConfig(**chosen)
    if config.split != "holdout":
        raise UsageError(
            "--cortex looks at the validation part alone, since points are tuned on it: leave --split out."
        )
    return config


def parse_tests(text: str) -> list[Test]:
    """Return the tests in a text such as ``T1,T3``; all tests for an empty text."""
    chosen = [part.strip().upper() for part in text.split(",") if part.strip()] or list(TESTS)
    for key in chosen:
        if key not in TESTS:
            raise UsageError(f"--tests has no cortex test '{key}'{closest(key, TESTS)} (known: {', '.join(TESTS)}).")
    return [TESTS[key] for key in TESTS if key in chosen]


def run(options: Facts, tests: str, seeds: int, *, as_json: bool = False) -> ScoreCard:
    """Run the missing points of the tests, write and show the score card, and return the contents of cortex.json.

    Raises UsageError before anything is run if the given options make a point of a test impossible.
    """
    chosen = parse_tests(tests)
    positive_int("the cortex tests", "--seeds", seeds, 1, 1000)
    base = base_of(options)
    for test in chosen:
        for config in test.configurations(base, range(base.seed, base.seed + 1)):
            del config  # constructing it is the check
    folder = home(base.out) if base.out else Path("runs") / f"cortex-{Path(base.data).stem}"
    if folder.exists() and any(folder.iterdir()) and not (folder / "points").is_dir():
        raise UsageError(f"the folder {folder} exists and holds no cortex tests; give another --out.")
    from analog_ff.spiking.cortex import report
    from analog_ff.spiking.cortex.measure import measure
    from analog_ff.spiking.cortex.sweep import Sweep
    from analog_ff.spiking.simulation import data_of

    data = data_of(base)
    sweep = Sweep(folder, base, seeds)
    sweep.run(chosen, data, measure, tell)
    document = report.write(sweep, chosen)
    if as_json:
        answer(json.dumps(document))
    else:
        report.show(document, folder)
    return document
