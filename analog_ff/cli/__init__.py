"""What all commands share: their parameters, and how they end."""
