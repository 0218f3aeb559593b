"""Studies of what a device must improve: the error against each figure alone and together, a specification, an ablation."""
