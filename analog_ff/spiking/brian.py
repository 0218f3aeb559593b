"""Names for the classes of Brian2, for use in signatures.

Brian2 has no type information, and its objects get attributes while the program runs: one for each variable of their
equations. A type checker therefore cannot check them, and each name here stands for `Any`. This module does not import
Brian2: only the functions that build or run a network do.
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
StandaloneDevice: TypeAlias = Any  # writes a network as a C++ program: untyped
TimedArray: TypeAlias = Any  # a table that equations look up: untyped
BrianObject: TypeAlias = Any  # any object that a network takes: a group, synapses, a monitor, a function: untyped
