"""Runs: configuration, training loop, checkpoint, results."""
