"""A crossbar: its cells and what is kept of them, its reads, its writes, the renewal of its pairs, a look at every cell."""

from hardware_models.crossbar.crossbar import Crossbar

__all__ = ["Crossbar"]
