"""Hunts that run as events are stored."""
