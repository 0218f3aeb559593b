"""The trained network as an NIR file, and an NIR file as a network of NumPy arrays."""
