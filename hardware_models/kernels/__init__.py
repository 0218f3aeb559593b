"""Compiled kernels: pure functions of arrays and numbers, no checks, no names of devices."""
