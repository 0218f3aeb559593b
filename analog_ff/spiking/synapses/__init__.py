"""Synapses, by what they are made of: numbers, crossbars pulsed exactly, or step tables."""
