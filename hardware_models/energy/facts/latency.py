r"""Time of the chip for one image, by the chip's own clock and not the computer's.

.. math:: T = \sum_l T_l, \qquad T_{pipelined} = \max_l T_l

T_l is the integral ``time`` of layer l: the time of its reads, phase by phase and sample by sample, and of its writes. The
layers of a pipeline work at the same time on different images, so that in steady state the slowest layer sets the pace; a
learner whose layers wait for an error from above (backprop) cannot work as a pipeline within one update. A conversion is
assumed to fit into the time of the next read.
"""

from __future__ import annotations

from collections.abc import Mapping

from hardware_models.events import Quantity


def latency(integrals_by_layer: Mapping[str, Mapping[str, Quantity]], images: int) -> dict[str, float | str | None]:
    """Return the chip's time [s] per image, layer after layer and as a pipeline, and the slowest layer.

    Parameters
    ----------
    integrals_by_layer : {layer: {"time": {"value", "unit"}}}
        Integrals of one phase, as in `Ledger.as_dict()["integrals_by_layer"]`.
    images : int
        Number of images in the phase.

    Returns
    -------
    dict
        ``seconds_per_image``, ``pipelined_seconds_per_image``, ``slowest_layer``; all None without images or times.
    """
    seconds = {layer: float(parts["time"]["value"]) for layer, parts in integrals_by_layer.items() if "time" in parts}
    if not images or not seconds:
        return {"seconds_per_image": None, "pipelined_seconds_per_image": None, "slowest_layer": None}
    slowest = max(seconds, key=lambda layer: seconds[layer])
    return {
        "seconds_per_image": sum(seconds.values()) / images,
        "pipelined_seconds_per_image": seconds[slowest] / images,
        "slowest_layer": slowest,
    }
