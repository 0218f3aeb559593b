r"""Write and verify: weights are written to an array, read back through its pins, and corrected until they are close enough.

.. math:: \hat W_{ij} = \frac1{sR} \sum_{r=1}^{R} z_j^{(r)}(x = s\,e_i), \qquad
          n_{ij} = \mathrm{rint}\!\left(\frac{W_{ij} - \hat W_{ij}}{\Delta W}\right)
          \;\text{where}\; |W_{ij} - \hat W_{ij}| > \tau W_{max}, \; 0 \;\text{elsewhere}

after a first write, `rounds` times or until nothing is left to correct. Fresh cells are first written without a look at them;
cells that hold weights already are read first, and every weight is moved by n, with tau = 0. s is the input at full scale,
DeltaW the nominal change by one pulse, R the reads that are averaged. A chip does not show its weights: one word line is driven
after the other, with the converter and the noise of any read, and the converter's step limits the verification. Without a
tolerance the noise of the pulses would undo in every round the gain of the round before.
"""

from __future__ import annotations

import numpy as np

from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.port import ChipPort


def write_verified(
    port: ChipPort,
    layer: int,
    weights: np.ndarray,
    *,
    rounds: int,
    reads: int,
    tolerance: float,
    key: Key,
    fresh: bool = True,
) -> Events:
    """Write weights (inputs, neurons), correct them, and return the events.

    Parameters
    ----------
    port, layer : the chip and the layer that is written.
    weights : the wanted weights; values beyond the layer's range are clipped.
    rounds : most corrections after the first write; 0: written without verification.
    reads : R, reads of each weight that are averaged.
    tolerance : tau, error that is left as it is, in units of the largest weight [1].
    fresh : whether the cells are as they were fabricated.
    """
    sheet = port.datasheet[layer]
    wanted = np.clip(np.asarray(weights, np.float64), -sheet.weight_limit, sheet.weight_limit)
    turns = [(key.child("round", turn), tolerance) for turn in range(rounds)]
    events = Events()
    if fresh:
        events += port.program(layer, wanted, key=key.child("write"))
    else:
        turns.insert(0, (key.child("write"), 0.0))
    for here, left in turns:
        seen, read = read_back(port, layer, reads, here)
        events += read
        off = wanted - seen
        counts = np.where(np.abs(off) > left * sheet.weight_limit, np.rint(off / sheet.weight_step), 0.0)
        events += Events({"add.fp32": off.size, "sram.words_read": off.size})
        if not counts.any():
            break
        events += port.fire_cells(layer, counts.astype(np.int32), key=here.child("write"))
    return events


def read_back(port: ChipPort, layer: int, reads: int, key: Key) -> tuple[np.ndarray, Events]:
    """Return the weights (inputs, neurons) float64 as the mean of `reads` reads of every word line, and the events."""
    sheet = port.datasheet[layer]
    rows = np.zeros((sheet.inputs, sheet.inputs), np.float32)
    np.fill_diagonal(rows, sheet.input_scale)
    total = np.zeros((sheet.inputs, sheet.neurons))
    events = Events()
    for number in range(reads):
        z, read = port.read(layer, rows, key=key.child("read", number))
        total += z
        events += read
    return total / (reads * sheet.input_scale), events + Events({"mac.fp32": total.size})
