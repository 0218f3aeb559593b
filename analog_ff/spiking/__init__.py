"""The spiking variant: Forward-Forward with leaky integrate-and-fire cells and local plasticity, in Brian2's equations.

Only this package imports Brian2, and only in the functions that build or run a network.
"""
