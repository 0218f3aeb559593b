"""What a device and its chip must improve: error against each figure alone, figures together, a specification, an ablation."""
