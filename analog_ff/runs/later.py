"""Tell what a result says of later ages: of the run's own chip, or of the chip to which its weights are written once."""

from __future__ import annotations

from typing import Any

from analog_ff.config.ages import ages_of
from analog_ff.plain import Document
from analog_ff.runs.ages import aged, as_before, described, of_its_law
from analog_ff.runs.build import device_of
from analog_ff.runs.deploy import deploy
from analog_ff.runs.train import Run
from hardware_models.keys import Key


def ages_of_the_run(run: Run, conditions: Document) -> Document:
    """Return {"ages": ...} of a tested run that asks for ages of its own chip, which is left as it was before; else {}.

    With ``--program-to`` the ages are those of the chip that is written, which `deploy` tests. `conditions`: those for pricing.
    """
    config = run.config
    if config.ages is None or config.program_to:
        return {}
    ages, lawless = of_its_law(ages_of("--ages", config.ages), device_of(config), config.nonlinearity)
    with as_before(run.learner, run.port):
        found = aged(run.learner, run.port, run.data, ages, Key(config.seed, "ages"), test=run.test_key)
    return {"ages": described(found, lawless, conditions)}


def ages_of_the_answer(run: Run, target: Any, conditions: Document) -> Document:
    """Return the entry ``ages`` of a tested run that asks for ages: of the chip of `target` if it has one, else of its own."""
    if target is None:
        ages: Document = ages_of_the_run(run, conditions)["ages"]
    else:
        ages = deploy(run, target, conditions)["ages"]
    return ages
