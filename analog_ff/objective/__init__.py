"""What is learned: goodness, negatives, labels, normalisation, read-outs, the float64 reference.

Pure NumPy. Every function works in the dtype of its inputs: float32 beside a chip, float64 in the reference.
"""
