"""What a run leaves behind: whole files, its folder and the lock on it, lines for a person."""
