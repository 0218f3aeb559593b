"""A whole chip in C behind its pins: you see it compiled, asked for its data sheet, and trained as if it were an instrument."""

import shutil
import subprocess
from pathlib import Path

from analog_ff.config.config import Config, recommended
from analog_ff.runs.execute import execute
from hardware_models.chip.foreign_port import ForeignPort


def main() -> None:
    """Train through the box."""
    chip = Path("chip").resolve()
    subprocess.run(["cc", "-O2", "-o", chip, Path(__file__).with_name("chip_in_c.c"), "-lm"], check=True)
    with ForeignPort(f"process:{chip}", "memristor", [(9, 4)]) as port:
        print("pins:", ", ".join(sorted(port.pins)))
        print("data sheet:", port.datasheet[0])
    given = {"data": "digits", "only_classes": ("0", "1", "2", "3"), "layers": (12, 12), "epochs": 5, "batch": 40}
    given |= {"preset": "plain", "learning_rate": 0.2, "shift": 0, "port": f"process:{chip}", "out": "runs/c"}
    result, _ = execute(Config(**recommended(given)), quiet=True, pictures=False)
    print(f"{result['test_error_percent']:.0f} % wrong")


if shutil.which("cc") is None:
    print("This machine has no compiler of C (cc), so that nothing is shown.")
else:
    main()
