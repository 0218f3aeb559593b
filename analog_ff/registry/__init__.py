"""The declaration of choices: an option at its field, and a named kind as one row of its table."""
