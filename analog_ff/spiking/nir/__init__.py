"""Export of a trained network to an NIR file, and import of an NIR file as NumPy arrays."""
