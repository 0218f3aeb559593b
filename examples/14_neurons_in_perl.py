"""Neurons served by a program in Perl: you see a network learn through curves that only the program beside this file knows."""

import shutil
from pathlib import Path

from analog_ff.config.config import Config, recommended
from analog_ff.runs.execute import execute


def main() -> None:
    """Train through the box."""
    program = Path(__file__).with_name("neurons_in_perl.pl")
    choices = {"data": "digits", "only_classes": ("0", "1", "2", "3"), "layers": (12, 12), "epochs": 5, "batch": 40}
    choices |= {"preset": "plain", "learning_rate": 0.2, "shift": 0}
    for learner in ("random-features", "forward-forward"):
        given = {
            name: value for name, value in choices.items() if name != "learning_rate" or learner == "forward-forward"
        }
        box = {"nonlinearity": f"process:perl {program}", "learner": learner, "out": f"runs/perl-{learner}"}
        result, _ = execute(Config(**recommended({**given, **box})), quiet=True, pictures=False)
        print(f"{learner}: {result['test_error_percent']:.0f} % wrong")


if shutil.which("perl") is None:
    print("This machine has no perl, so that nothing is shown.")
else:
    main()
