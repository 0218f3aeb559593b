"""Synapses of three kinds: numbers, crossbars pulsed exactly, or step tables."""
