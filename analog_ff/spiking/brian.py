"""Names for the objects of Brian2, so that a signature says what it takes.

Brian2 has no type information, and its objects get attributes while the program runs: one for each variable of their
equations. A type checker can therefore look into none of them, and each name here stands for `Any`, which is written once
for each class. Brian2 itself is imported only by the functions that build or run a network.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Brian: TypeAlias = Any  # the module `brian2` itself, set up by `target.prepared`: untyped
Quantity: TypeAlias = Any  # a number with its unit, such as a time: untyped
Clock: TypeAlias = Any  # when an object acts; of a step, or of a presentation: untyped
NeuronGroup: TypeAlias = Any  # cells; an attribute for each variable of their equations: untyped
Synapses: TypeAlias = Any  # the synapses between two groups; an attribute for each variable, too: untyped
StateMonitor: TypeAlias = Any  # records variables of a group at the ticks of a clock: untyped
SpikeMonitor: TypeAlias = Any  # records the spikes of a group: untyped
Network: TypeAlias = Any  # everything that runs together: untyped
TimedArray: TypeAlias = Any  # a table that equations look up: untyped
BrianObject: TypeAlias = Any  # any object that a network takes: a group, synapses, a monitor, a function: untyped
