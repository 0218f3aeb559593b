"""A sealed chip in a process of its own: you see equal answers on both sides of the pipe, and a look inside refused."""

import numpy as np

from hardware_models import Chip, Key, ProcessPort, SealedChipError

if __name__ == "__main__":  # a process is started: the file is imported there
    x, key = np.ones((2, 9)), Key(0, "read")
    here = Chip("memristor", [(9, 4)], sealed=True)
    there = ProcessPort("memristor", [(9, 4)], sealed=True)
    for port in (here, there):
        port.program(0, np.full((9, 4), 0.1), key=Key(0, "program"))
    print("equal to the bit:", np.array_equal(here.observe(0, x, key=key)[0], there.observe(0, x, key=key)[0]))
    try:
        print(here.oracle.weights(0))
    except SealedChipError as refused:
        print("refused:", refused)
    there.close()
