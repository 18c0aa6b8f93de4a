"""Metrics, health and log of the commands that run until they are stopped."""
