"""The cortex tests: they ask whether the spiking network still learns under conditions that a cortex would impose.

Each test is one declarative object of `table`; `sweep` runs its points, `judge` compares them, `report` writes the outcome.
"""
