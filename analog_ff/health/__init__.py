"""The facts behind the command `doctor`: versions, speed, compiled kernels, data and disk of a machine, and lacks of it."""
