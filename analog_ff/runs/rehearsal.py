"""A run in small: the same choices with few cells and images, whose kernels are interpreted and noted instead of compiled.

``NUMBA_DISABLE_JIT=1 python -m analog_ff.runs.rehearsal < config.toml`` writes the kernels that the run calls to standard output
(`hardware_models.kernels.calls`). A kernel that a run in small does not call is compiled by the run itself, when it calls it.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from analog_ff.config.config import Config
from analog_ff.network import NETWORKS
from analog_ff.plain import Document

NEURONS = 6
"""Neurons of each layer."""
LAYERS = 2
"""Most layers, and epochs: a greedy schedule has one for each layer."""
PATCH = 2
"""Side of what a neuron sees of an image, in networks of patches [pixels]."""
BATCH = 10
"""Images of a batch."""
SIDE = 4
"""Side of an image [pixels]."""
IMAGES = 2 * BATCH
"""Images for training, and for the test."""


def can_be_rehearsed(config: Config) -> bool:
    """Return True unless the run calls a user's own code (``file.py:name``), or kernels in another process."""
    named = [value for value in config.as_dict().values() if isinstance(value, str)]
    return config.port == "local" and isinstance(config.device, str) and not any(":" in value[2:] for value in named)


def in_small(config: Config, folder: Path) -> Config:
    """Return the choices of the run in small, in another folder."""
    patches: Document = {"patch": (PATCH,), "stride": None} if "patch" in NETWORKS[config.network].reads else {}
    layers = (NEURONS,) * (1 if patches else min(len(config.layers), LAYERS))
    return replace(
        config, layers=layers, epochs=LAYERS, consolidate=min(config.consolidate, LAYERS), batch=BATCH,
        images_per_epoch=IMAGES, data="toy", crop=SIDE,
        **patches, split="final", fault_map=None, program_to=None, ages=None, conductances=None, label_column=None,
        out=str(folder),
    )  # fmt: skip


def rehearse(config: Config) -> None:
    """Carry out a run in small, from its chip to its test."""
    from analog_ff.runs.execute import prepared
    from hardware_models.kernels.products import one_blas_thread

    with tempfile.TemporaryDirectory() as folder, one_blas_thread():
        with prepared(in_small(config, Path(folder)), images=IMAGES) as parts:
            parts.run.train(Path(folder), quiet=True)
            parts.run.test()


def main() -> None:
    """Rehearse the run of standard input, and write the kernels that it called even if it came to no end."""
    import warnings

    import numpy as np

    from hardware_models.kernels import calls

    warnings.simplefilter("ignore")
    np.seterr(all="ignore")  # Python's numbers say when they overflow, the compiled ones of the kernels do not
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "config.toml"
        given.write_bytes(sys.stdin.buffer.read())
        config = Config.from_toml(given)
    try:
        with redirect_stdout(sys.stderr):
            rehearse(config)
    finally:
        sys.stdout.buffer.write(calls.written())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
