"""Objective of the learning: goodness, negatives, labels, normalisation, read-outs, and the float64 reference.

The code is pure NumPy. Every function works in the dtype of its inputs: float32 beside a chip, float64 in the reference.
"""
