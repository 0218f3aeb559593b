"""What a machine has for this program, and what it lacks: the facts behind the command `doctor`."""
