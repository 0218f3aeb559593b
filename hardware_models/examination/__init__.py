"""The examination that every device sits: checks by subject, their verdicts, and `examined`, which goes through them."""
