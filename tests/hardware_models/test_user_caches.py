"""What Numba has kept of a user's code is never taken for the code of another day."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

NEURON = """
import sys
from pathlib import Path
import numpy as np
import pytest
from numba import njit
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from helper_of_a_kernel import slope
TABLE = np.load(HERE / "table.npy")
@njit(cache=True)
def neuron(z):
    return slope(z) * TABLE[0]
"""
HELPER = "from numba import njit\n@njit(cache=True)\ndef slope(z):\n    return z * {}\n"
ASK = (
    "import sys\nfrom hardware_models.tables import load_object\nprint(load_object(sys.argv[1] + ':neuron', 'x')(1.0))"
)


@pytest.mark.slow
def test_a_table_and_a_module_that_a_kernel_uses_are_edited(tmp_path: Path) -> None:
    """Law: a kernel of the user's computes with what lies there now, in every process."""
    own = tmp_path / "mine.py"
    own.write_text(NEURON)
    for factor, entry in ((1.0, 1.0), (3.0, 1.0), (3.0, 5.0)):
        (tmp_path / "helper_of_a_kernel.py").write_text(HELPER.format(factor))
        np.save(tmp_path / "table.npy", np.array([entry]))
        found = subprocess.run([sys.executable, "-c", ASK, str(own)], capture_output=True, text=True, check=True)
        assert float(found.stdout) == factor * entry
    assert not list(tmp_path.rglob("*.nbi"))
