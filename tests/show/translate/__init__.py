"""Hunts in other languages find what the hunts find."""
