"""Arrays of a chip by layer and name, and their lines as the chip's owner sees them."""

from __future__ import annotations

from hardware_models.crossbar import Crossbar
from hardware_models.port import MissingPinError
from hardware_models.wires import Interconnect


class Layers:
    """Base of a chip: its arrays, of which each layer has one called "main", the groups of their lines and the wires."""

    shapes: tuple[tuple[int, int], ...]
    _arrays: dict[tuple[int, str], Crossbar]

    def _main(self) -> list[Crossbar]:
        return [self._arrays[layer, "main"] for layer in range(len(self.shapes))]

    def _array(self, layer: int, name: str) -> Crossbar:
        if (layer, name) not in self._arrays:
            raise MissingPinError(f"layer {layer} of this chip has no array '{name}'.")
        return self._arrays[layer, name]

    def lay_wires(self, interconnect: Interconnect) -> None:
        """Give all arrays wires with resistance from now on, to see a chip that was trained without."""
        for array in self._arrays.values():
            array.lay_wires(interconnect)

    def wire_tracking(self) -> list[dict[str, float | None]]:
        """Return for each layer how its wires were followed, see `hardware_models.crossbar.wired.Wired.tracking`."""
        return [array.wire_tracking() for array in self._main()]

    def fix_groups(self) -> None:
        """End the search for groups of lines; reads and writes may from now on use up the margin before they are repeated."""
        for array in self._arrays.values():
            if array.cells.watch is not None:
                array.cells.watch.fix()

    def line_groups(self) -> list[dict[str, object]] | None:
        """Return for each layer the groups of lines and the largest currents; None without a limit. See `LineWatch.report`."""
        watches = [array.cells.watch for array in self._main()]
        return [watch.report() for watch in watches if watch is not None] or None
