"""The cortex tests: does the spiking network go on learning under conditions that a cortex would impose.

Each test is one declarative object of `table`; `sweep` runs its points, `judge` compares them, `report` says what came out.
"""
