"""The seven cortex tests; `base` defines the verdicts. Every alternative of a grid was chosen on the validation part alone.

docs/explanation/cortex.md explains each criterion by the cortex, with its source; `published` holds the published ranges of T2.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from analog_ff.spiking.cortex.base import BASE, Above, Loss, Point, Test, Times
from analog_ff.spiking.cortex.published import RANGES, ranges_at

WHOLE_EPOCH = 10**6
"""Length of a block that is longer than any epoch."""
SLOWER = "slower cells"
UNCHANGED = Point(BASE, place=0.0)


def rates(*factors: float) -> tuple[Mapping[str, Times], ...]:
    """Return a grid of learning rates, given as factors on that of the base configuration."""
    return tuple({"learning_rate": Times(f)} for f in factors)


T1 = Test(
    "T1", "wake and sleep apart",
    "How many presentations awake may follow each other before the first one asleep?",
    (
        Point(BASE, place=1.0),
        Point("blocks of 10", {"block": 10}, place=10.0),
        Point("blocks of 50", {"block": 50}, place=50.0),
        Point("blocks of 200", {"block": 200}, place=200.0),
        Point("blocks of 1000", {"block": 1000}, place=1000.0),
        Point("blocks of 1000, a tenth of the learning rate", {"block": 1000, "learning_rate": Times(0.1)}, place=1000.0),
        Point("a whole epoch", {"block": WHOLE_EPOCH}, place=3500.0),
        Point("a whole epoch, a tenth of the learning rate",
              {"block": WHOLE_EPOCH, "learning_rate": Times(0.1)}, place=3500.0),
    ),
    (
        Loss("Alternating every 10 presentations (0.3 s, a slow theta cycle)", "blocks of 10"),
        Loss("Alternating every 200 presentations (6 s)", "blocks of 200"),
        Loss("An epoch awake, then an epoch asleep (minutes each; sleep takes hours)", "a whole epoch"),
    ),
    "line", "presentations of one sign in a row",
    "Theta cycles of 100 to 300 ms separate phases of potentiation and depotentiation in the hippocampus (Hasselmo 2002).",
)  # fmt: skip
T2 = Test(
    "T2", "firing statistics",
    "Do the cells fire as cortical cells do?",
    (UNCHANGED, Point(SLOWER, {
        "present": 120.0, "peak_rate": 100.0, "label_rate": 200.0, "initial": 1.5, "adaptation": 0.4, "refractory": 3.0,
    }, rates(0.25, 0.5, 1.0, 2.0))),
    (
        *RANGES,
        Loss("Slowing the cells down (120 ms, half the input rate, adaptation, a refractory period)", SLOWER),
        *ranges_at(SLOWER, " (slower)"),
    ),
    "ranges",
    comment="Layer 1 after training, images it was not trained on, with the right label. The slower network has four times the "
    "time, half the input rate, a threshold that rises by 0.4 with each spike and decays in 100 ms, and 3 ms refractory.",
)  # fmt: skip
T3 = Test(
    "T3",
    "Dale's law",
    "Does learning survive if every cell is excitatory and inhibition is uniform?",
    (UNCHANGED, Point("Dale's law", {"dale": True}, place=1.0)),
    (Loss("Excitatory synapses only, with uniform feed-forward inhibition", "Dale's law"),),
    "bars",
)
T4 = Test(
    "T4", "noise and encoding",
    "Does it depend on regular, long, noiseless input?",
    (
        UNCHANGED,
        Point("Poisson input", {"encoder": "poisson"}, rates(0.5, 1.0, 2.0)),
        Point("one spike per pixel, by latency", {"encoder": "latency"}, rates(1.0, 3.0, 10.0, 30.0, 100.0)),
        Point("membrane noise 0.1", {"noise": 0.1}),
        Point("membrane noise 0.3", {"noise": 0.3}),
        Point("15 ms per presentation", {"present": 15.0}, rates(1.0, 3.0, 10.0)),
        Point("one label cell per class", {"label_cells": 1}),
    ),
    (
        Loss("Poisson input", "Poisson input"),
        Loss("Input of one spike per pixel, timed by intensity,", "one spike per pixel, by latency"),
        Loss("Membrane noise of 0.3 thresholds", "membrane noise 0.3"),
        Loss("Half the time per presentation", "15 ms per presentation"),
        Loss("A single label cell per class", "one label cell per class"),
    ),
    "bars",
)  # fmt: skip
T5 = Test(
    "T5",
    "delays and the online stream",
    "Does it need instantaneous axons and a reset of all cells before each stimulus?",
    (
        UNCHANGED,
        Point("5 ms, no gap", {"delay": 5.0}),
        Point("5 ms, 6 ms of silence", {"delay": 5.0, "gap": 6.0}),
        Point("1 to 9 ms, no gap", {"delay": 5.0, "delay_spread": 4.0}),
        Point("1 to 9 ms, 10 ms of silence", {"delay": 5.0, "delay_spread": 4.0, "gap": 10.0}),
        Point("online, no reset", {"online": True}, rates(0.3, 1.0, 3.0)),
        Point("online, 30 ms of silence", {"online": True, "gap": 30.0}, rates(1.0, 3.0, 10.0)),
    ),
    (
        Loss("A delay of 5 ms with a silent gap", "5 ms, 6 ms of silence"),
        Loss("Delays of 1 to 9 ms with a silent gap", "1 to 9 ms, 10 ms of silence"),
        Loss("A stream of stimuli without any reset", "online, no reset"),
    ),
    "bars",
    comment="Without a gap the last spikes of an image arrive during the next one, and carry its label there.",
)
TWO, NO_POOL = "two layers", "two layers, no pool"
T6 = Test(
    "T6", "without each non-local signal",
    "Which of the signals that are not local to a synapse does learning depend on?",
    (
        UNCHANGED,
        *(Point(f"sign wrong in {100 * q:g} %", {"sign_noise": q}, place=q) for q in (0.05, 0.1, 0.2, 0.3, 0.5)),
        Point("sign a presentation late", {"sign_delay": 1}),
        Point("sign late, blocks of 10", {"sign_delay": 1, "block": 10}),
        Point("each cell's own rate", {"third_factor": "own-rate"}, rates(0.3, 1.0, 3.0)),
        Point("linear goodness", {"goodness": "linear"}, (
            {"theta": 0.3, "learning_rate": Times(1.0)}, {"theta": 0.3, "learning_rate": Times(5.0)},
            {"theta": 0.6, "learning_rate": Times(5.0)}, {"theta": 0.6, "learning_rate": Times(20.0)},
            {"theta": 1.0, "learning_rate": Times(5.0)},
        )),
        Point(TWO, {"layers": Above(2 / 3)}),
        Point(NO_POOL, {"layers": Above(2 / 3), "pool": "none"}),
    ),
    (
        Loss("A learning signal whose sign is wrong in one presentation of ten", "sign wrong in 10 %"),
        Loss("A learning signal that comes one presentation late", "sign a presentation late"),
        Loss("The same with ten presentations awake, then ten asleep", "sign late, blocks of 10"),
        Loss("Gating by each cell's own rate instead of the layer's goodness", "each cell's own rate"),
        Loss("Goodness that counts spikes instead of their squares", "linear goodness"),
        Loss("A second layer without the pool below it (accuracy of layer 2 alone)", NO_POOL, TWO, "layer-1"),
    ),
    "bars",
    comment="Half of the signs wrong leaves no information: chance is 10 %. With presentations awake and asleep in turn, a sign "
    "that comes one late is always the wrong one, and the network learns to prefer wrong labels.",
)  # fmt: skip
T7 = Test(
    "T7",
    "negatives of its own",
    "Can the network make its negatives itself, instead of being told a wrong label?",
    (
        UNCHANGED,
        Point("chosen among wrong labels", {"negatives": "hard"}),
        Point("chosen among all labels", {"negatives": "self"}),
    ),
    (Loss("Sleep on labels that the network chose itself, among all,", "chosen among all labels"),),
    "bars",
    comment="Choosing among wrong labels still needs somebody who knows which are wrong.",
)
TESTS: Mapping[str, Test] = MappingProxyType({t.key: t for t in (T1, T2, T3, T4, T5, T6, T7)})
