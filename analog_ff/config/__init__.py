"""The configuration of a run: its parts, what goes together, and how texts and files become it."""
