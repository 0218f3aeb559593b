"""What carries the objective: layers on a chip's port, and how they are wired."""
