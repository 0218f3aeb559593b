"""Output of a run: complete files, the run folder and its lock, messages for a person."""
