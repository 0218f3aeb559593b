"""How a choice is declared: an option at its field, and a named kind as one row of its table."""
