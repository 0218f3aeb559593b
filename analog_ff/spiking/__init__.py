"""The spiking variant: Forward-Forward with leaky integrate-and-fire cells and local plasticity, in Brian2's equations.

Brian2 is imported in this package alone, and only by the functions that build or run a network.
"""
