"""Energies and counts computed in another way, for tests and benchmarks: closed forms, a worked example, a roll-up by hand."""
