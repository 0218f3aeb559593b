"""Published ranges of the firing of principal cells in cortex, for test T2, with their sources.

A range is that of one source or the span of several; `read` tells how far it was checked. The windows of recordings are
longer than a presentation of 30 ms, in which a single spike is already a rate of 33 Hz: rates of active cells, and the
share of active cells, are therefore compared with figures for rates above 20 Hz. For a share or a sparseness S, the distance
from its range is also measured by 1 - S, which is about the share of cells or stimuli with a response.
"""

from __future__ import annotations

from dataclasses import replace

from analog_ff.spiking.cortex.base import Range

RANGES = (
    Range(
        "The mean rate", "mean_rate_hz", 0.1, 10.0, "Hz",
        "below one spike per stimulus in barrel cortex (de Kock 2007); most cells of freely moving rats above 1 Hz, 27 % above "
        "10 Hz (Vijayan 2010)", digits=1,
    ),
    Range(
        "The rate of active cells", "active_rate_hz", 20.0, 60.0, "Hz",
        "silence to more than 60 Hz (O'Connor 2010), driven rates above 50 Hz (Hromadka 2008)", digits=0,
    ),
    Range(
        "The share of active cells", "active_share", 0.0, 0.05, "",
        "fewer than 5 % above 20 Hz at any instant (Hromadka 2008); possibly fewer than 1 % (Lennie 2003)", digits=3, share=True,
    ),
    Range(
        "Population sparseness", "population_sparseness", 0.24, 0.95, "",
        "0.24 in inferior temporal cortex (Franco 2007, a = 0.77); upper end: 5 % of cells equally active, the rest silent "
        "(from Hromadka 2008)", share=True,
    ),
    Range(
        "Lifetime sparseness", "lifetime_sparseness", 0.24, 0.51, "",
        "0.24 and 0.36 in inferior temporal cortex (Franco 2007, a = 0.77; Rolls and Tovee 1995, a = 0.65), 0.51 of a V1 cell "
        "with its surround stimulated (Vinje and Gallant 2002)", share=True,
    ),
    Range(
        "The share of spikes in bursts (intervals up to 8 ms)", "burst_spike_share", 0.2, 0.6, "",
        "half of 507 cells in cat striate cortex had 42 % or more (DeBusk 1997); taken as 0.2 to 0.6", share=True,
    ),
    Range(
        "The share of silent cells", "silent_share", 0.1, 0.5, "",
        "some cells are silent (Barth and Poulet 2012); the "
        "figures are recalled", read="recalled", share=True,
    ),
    Range(
        "The deviation of log10 of the rates", "log10_rate_sd", 0.35, 0.6, "",
        "log-normal (Hromadka 2008; Buzsaki and Mizuseki 2014); the width is recalled", read="recalled",
    ),
)  # fmt: skip


def ranges_at(point: str, words: str) -> tuple[Range, ...]:
    """Return the deciding criteria for a point other than the null; `words` are added to the text of each demand."""
    return tuple(replace(r, point=point, demand=f"{r.demand}{words}") for r in RANGES if r.read != "recalled")
