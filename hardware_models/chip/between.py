r"""A box on the way from one layer of a chip to the next: the neurons are known, what their outputs pass afterwards is not.

.. math:: x = ADC\!\left((1 - s)\, a + s\, h(a)\right)

with a (B, n) the normalised outputs of a layer, h the box of the chip and s its strength. The box is driven by DACs, which are
counted and taken as perfect, and its outputs are converted before they drive the next array: a learner is told x, what the next
array sees. A box has no clock of its own here, so boxes that remember or age stand inside a layer.
"""

from __future__ import annotations

import numpy as np

from hardware_models.chip.conversions import priced
from hardware_models.chip.oracle import difference
from hardware_models.converters.adc import Adc
from hardware_models.events import Events
from hardware_models.keys import Key
from hardware_models.nonlinearities import remembering
from hardware_models.nonlinearities.base import Nonlinearity, Stateful, answer
from hardware_models.port import LayerSheet, SealedChipError


class Between:
    """The box between two layers of a chip.

    Parameters
    ----------
    nonlinearity : what is on the way, blended with the identity (``load_nonlinearity(..., known="linear")``).
    lines : number of lines n.
    above : data sheet of the layer that is driven, whose converters and input scale those of the box are.
    key : fabrication of the box.
    sealed : whether a look inside raises SealedChipError.

    Raises
    ------
    UsageError
        For a box that remembers or ages.
    """

    def __init__(
        self, nonlinearity: Nonlinearity, lines: int, above: LayerSheet, key: Key, *, sealed: bool = False
    ) -> None:
        self.__box = nonlinearity.fabricate(lines, key)
        if isinstance(self.__box, Stateful):
            raise remembering(nonlinearity.name)
        self._adc = Adc(above.adc_bits, above.input_scale)
        self._dac_bits, self._sealed = above.dac_bits, sealed

    def __call__(self, a: np.ndarray, key: Key) -> tuple[np.ndarray, Events]:
        """Return x (B, n) float32 for a (B, n), and the events."""
        out = answer(self.__box, a, key)
        x, _ = self._adc.convert(np.ascontiguousarray(out, np.float32)[None], 1.0, None, key)
        counts = priced("dac", self._dac_bits, a.size) | priced("adc", self._adc.bits, a.size)
        return x, Events({"nonlinearity": a.size} | counts)

    def slope(self, a: np.ndarray) -> np.ndarray:
        """Return dx_j/da_j (B, n), for the learner with a perfect model alone; raise SealedChipError on a sealed chip."""
        if self._sealed:
            raise SealedChipError("this chip is sealed: the boxes between its layers cannot be looked at.")
        return difference(self.__box, self.__box, a)
